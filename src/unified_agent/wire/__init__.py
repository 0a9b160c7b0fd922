"""Bytes to messages and back, without I/O: each protocol is a ``connection`` with the same doors.

- ``doors``: the shape that every connection has, so that one pump runs them all.
- ``receive_buffer``: bytes so far; take a line, a length-prefixed frame.
- ``apc``: Avaya Proactive Contact, Agent API.
- ``csta``: AES over DMCC XML (CSTA Phase III in an ECMA-354 session).
- ``peer``: instance to instance.
"""
