"""The telephone switch through the vendor's own Java client, in a process of its own.

The server's end: ``link`` (the port ``Telephony``), ``worker`` (starts and ends the process), ``liveness``
(whether it answers), ``requirements`` (what it needs of this machine).
Between them: ``messages``, by the frames of ``wire.jtapi``.
The process: ``process`` (its main program), ``bridge`` (messages to the desk and back), ``desk`` (what sessions ask and
are told). The desk's parts: ``observing`` and ``observed_stations`` (who is observed), ``call_desk``, ``agent_desk``,
``dispatcher`` (operations under way, bounded), ``service_watch`` (losses, overload, silence). Pure: ``call_legs``,
``call_book``, ``call_views`` and ``call_telling`` (events of calls to facts), ``agent_book``, ``call_operations`` (asks
to operations), ``operation_refusals``, ``constants``.
Behind the seam ``provider``: ``java_provider`` (opens and implements it), ``operation_pool`` (threads), ``operations``
and ``java_agents`` (calls into the client library), ``observer`` and ``java_reading`` (what it tells), ``java_calls``
(names of calls), ``java_options`` (command line, JVM options, provider string), ``java_check`` (for ``doctor``), and
behind ``jvm`` alone ``java``, the only module that knows JPype.
"""
