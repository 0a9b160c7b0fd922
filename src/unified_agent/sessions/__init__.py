"""Live agents.

- ``host``: every live session here: open, submit, report, drain.
- ``admission``: whether a login gets the session that its agent has here already.
- ``live``: one of them: its state, its inbox, its outbox.
- ``performer``: performs effects through ports, in order, once.
- ``wakes``: when each wants to be woken. ``publisher``: has what another instance would need written.
- ``catching_up``: how long they take to be in line with a switch that is back.
- ``census``: how many there are of each kind.
- ``login_pacer``: lets sessions through to log in, so many a second.
- ``outbox``: numbered notices for one desktop: append, since, restart.
"""
