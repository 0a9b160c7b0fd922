"""A whole cluster under faults, measured from outside: ``unified-agent chaos``.

- ``history_check``: do the histories of all instances keep the rules? Pure.
"""
