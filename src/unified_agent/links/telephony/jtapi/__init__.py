"""The telephone switch through the vendor's own Java client, in a process of its own.

The server's end: ``link`` (the port ``Telephony``), ``worker`` (starts, watches and ends the process).
Between them: ``messages``, by the frames of ``wire.jtapi``.
The process: ``process`` (its main program), ``bridge`` (messages to the desk and back), ``desk`` (what sessions ask and
are told), ``call_book`` and ``agent_book`` (events of JTAPI to facts; pure), ``java`` (the only module that knows
JPype), which implements ``provider``.
"""
