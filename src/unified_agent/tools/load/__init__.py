"""Virtual agents that measure an instance from outside: ``unified-agent load``.

A thousand desktops in this process, one instance and the simulated switch and diallers each in a process of its own.
The agents log in and work; then links are lost, one kind after the other, and each time it is measured when the
instance noticed, when every desktop was told, and when desktop, session, switch and dialler were of one mind again
about the last agent.

- ``command``: options, and a run from them.
- ``run``: log in, work, lose and heal, rest.
- ``plan``: how many agents, their numbers, and the settings files of the instance and the simulators.
- ``processes``: child processes: started, watched, always ended.
- ``world``: what is measured, started by us or attached to, with its control ports.
- ``presses``: what an agent would press next, seen from the view alone; pure.
- ``failovers``: how long agents were without their desktop when an instance was lost.
- ``agents``: one virtual agent, and the crowd of them.
- ``truths``: do desktop, session, switch and dialler agree? Pure.
- ``recovery``: when told, when truthful: measures one loss.
- ``scenarios``: the losses.
- ``figures``: what is counted while nothing is lost.
- ``usage``: CPU and memory of processes.
- ``report``: figures as table and JSON.
"""
