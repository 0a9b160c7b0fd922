"""The telephone switch through the vendor's own Java client, in a process of its own.

The server's end: ``link`` (the port ``Telephony``), ``worker`` (starts and ends the process), ``liveness``
(whether it answers), ``requirements`` (what it needs of this machine).
Between them: ``messages``, by the frames of ``wire.jtapi``.
The process: ``process`` (its main program), ``bridge`` (messages to the desk and back), ``desk`` (what sessions ask and
are told), ``call_book`` and ``agent_book`` (events of JTAPI to facts; pure).
Behind the seam ``provider``: ``java_provider`` (opens and implements it), ``operation_pool`` (threads), ``operations``
and ``java_agents`` (calls into the client library), ``observer`` and ``java_reading`` (what it tells), ``java_calls``
(names of calls), ``java_options`` (command line, JVM options, provider string), ``java_check`` (for ``doctor``), and
behind ``jvm`` alone ``java``, the only module that knows JPype.
"""
