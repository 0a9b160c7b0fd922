"""Instance to instance: frames, the proof that both belong to one cluster, notices, questions and answers.

- ``framing``: bytes to frames and back.
- ``handshake``: who we are, which versions we speak, and the proof that we know the cluster's secret.
- ``events``: what a connection reports to its owner.
- ``connection``: either end of a connection, with the doors of ``wire.doors``.

What notices, questions and answers say is not known here: they are bytes (``cluster/peer_messages.py``).
The protocol is ours; ``docs/reference/peer-protocol.md`` has it in full.
"""
