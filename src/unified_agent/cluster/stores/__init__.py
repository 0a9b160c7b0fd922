"""Where instances keep what they share.

- ``base``: the contract: keys, revisions, leases, transactions, watches, errors.
- ``view``: what a reader knows, from what a watch tells.
- ``batch``: many small writes of one instance in few transactions, each under its own condition.
- ``memory``: the store of a single instance and of simulation, with faults on command; ``memory_engine`` is its server.
- ``etcd``: the store of a cluster; ``etcd_watch`` its watch, ``etcd_rpc`` its requests and credentials, ``etcd_lanes``
  its connections and failover, ``etcd_errors`` what its errors mean to us, ``etcd_settings`` its settings,
  ``etcd_keys`` and ``etcd_messages`` how things are said on the wire.
"""
