"""Live agents.

- ``host``: every live session here: open, submit, report, drain.
- ``live``: one of them: its state, its inbox, its outbox.
- ``performer``: performs effects through ports, in order, once.
- ``login_pacer``: lets sessions through to log in, so many a second.
- ``outbox``: numbered notices for one desktop: append, since, restart.
"""
