"""The diallers: one connection for each agent, a pool that chooses, watches and fails over.

- ``pool``: the port ``Dialler``: who is served where, failover.
- ``dialler_watch``: the health of every dialler; ``pool_state`` decides it, pure; ``prober`` asks one without an agent.
- ``apc_link``: one agent's connection: transport, wire, timers.
- ``agent_flow``: one agent at one dialler, without I/O; ``seat`` is what is believed there, ``actions`` what is wanted.
- ``logon_flow``, ``job_flow``, ``item_flow``, ``resync_flow``: its sequences, as ``scripts``; run by ``script_runner``.
- ``announcements``: what a dialler tells that takes effect at once.
- ``refusals``: the dialler's codes as our stable ids.
"""
