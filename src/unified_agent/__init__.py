"""Unified Agent: one web desktop for contact-centre agents, on telephony and diallers that may fail.

Rooms, top to bottom; imports go down only (checked by import-linter, see ``pyproject.toml``):

- ``tools``: what people run: command line, simulators, load.
- ``assembly``: builds one running instance; the only file that knows every room. ``guardian``: its parent process.
- ``server``: HTTP and push; turns requests into commands and notices into bytes.
- ``client``: a desktop without a page, for scripts and tests; it meets ``server`` over the network only.
- ``sessions``, ``links``, ``cluster``: live agents; switch and diallers; the other instances (no instance uses it yet).
- ``observe``, ``settings``, ``clock``: words for logs and counters; typed settings; time that never steps.
- ``history``, ``sealing``: what was done, recorded for proof; what only instances can read, with keys they share.
- ``domain``, ``wire``: what is true; bytes to messages. Pure: no clock, no I/O, no chance.
- ``errors``: who must act on each.
"""

__version__ = "0.1.0"
