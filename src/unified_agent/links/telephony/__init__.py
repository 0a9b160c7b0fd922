"""The telephone switch through AES.

- ``dmcc_link``: the port ``Telephony``; the link's own life over several AES servers.
- ``aes_session``: one application session on one connection.
- ``switch_watch``, ``switch_state``: whether the switch behind AES can be asked.
- ``desk``: what sessions ask and are told. Its parts: ``observing`` (device ids and monitors), ``stations`` (who is
  where), ``agent_poll`` (asking where agents are not told).
- ``exchange``, ``conversations``: requests under way, bounded, and what is said for each ask.
- ``requests``, ``refusals``, ``call_facts``, ``agent_facts``, ``snapshots``: CSTA and our words, both ways; pure.
"""
