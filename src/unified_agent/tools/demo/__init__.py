"""``unified-agent demo``: a whole contact centre on this machine, to be worked in and broken.

- ``command``: options, and the demo from its first line to its last.
- ``plan``: who works there, and the settings of instances and simulators.
- ``ports``: the ports it would like, and free ones where those are taken.
- ``centre``: the processes: a simulated AES, two simulated diallers, a store, three instances. ``store``: etcd.
- ``tricks``: what there is to try, each as a command to copy and as a key.
- ``sheet``: what a person reads.
- ``keyboard``: single keys from a terminal.
"""
