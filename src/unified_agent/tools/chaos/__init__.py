"""A whole cluster under faults, measured from outside: ``unified-agent chaos``.

- ``places``: hosts, the sites they stand at, their addresses. Pure.
- ``namespaces``: a network of our own for them, and cuts in it.
- ``bad_line``: a line that delays and loses, as a program in that network.
- ``store``: five etcd members, killed and frozen.
- ``plan``: settings of the instances. Pure.
- ``history_check``: do the histories of all instances keep the rules? Pure.
"""
