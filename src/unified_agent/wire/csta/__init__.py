"""AES over DMCC XML: CSTA Phase III messages in an ECMA-354 session, both ends of it.

- ``values``: identifiers, enumerations, connections, parties, secrets.
- ``markup``: XML read by a guarded parser; text made safe for writing.
- ``kinds``: how one value is spelled. ``layout``: where fields stand in an element. ``shapes``: structs bound to
  their layouts, and the register of message types.
- ``session_messages``, ``system_messages``, ``device_messages``, ``monitor_messages``, ``agent_messages``,
  ``call_requests``, ``call_answers``, ``call_events``, ``call_change_events``, ``snapshot_messages``,
  ``error_messages``: the messages; ``messages`` gathers them under one name.
- ``codec``: a message to one XML document and back. ``framing``: the header before each document.
- ``connection``: the client's end (``connection_events``, ``session_settings``, ``request_table``).
  ``server_connection``: the server's end.
"""
