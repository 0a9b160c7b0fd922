"""A whole cluster under faults, measured from outside: ``unified-agent chaos``.

- ``places``: hosts, the sites they stand at, their addresses. Pure.
- ``namespaces``: a network of our own for them, and cuts in it.
- ``bad_line``: a line that delays and loses, as a program in that network.
- ``store``: five etcd members, killed and frozen.
- ``plan``: settings of the instances. Pure.
- ``world``: everything that runs, and how it is started, killed and frozen.
- ``faults``: what can be done to it; ``scenarios``: the faults that are measured, with aims.
- ``measure``: one fault, seen from the desktops.
- ``history_check``: do the histories of all instances keep the rules? Pure.
- ``report``: figures as table and JSON.
- ``run``, ``command``: a whole run, and its options.
"""
