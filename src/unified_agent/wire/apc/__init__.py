"""Avaya Proactive Contact, Agent API: frames, messages, connection.

- ``messages``: what one message is made of, the kinds of message, the events a dialler may announce.
- ``commands``: every command with its parameters, their lengths and how it is answered.
- ``codes``: status, state and error codes, each error with a plain meaning and what to do about it.
- ``codec``: bytes to messages and back, in both directions, with continued frames joined.
- ``readings``: what the values of an answer mean: jobs, completion codes, fields, state.
- ``events``: what the agent's end of a connection reports to its owner.
- ``notices``: frames of an announcement gathered into one event.
- ``pending``: commands on their way: invoke IDs, time limits, which answer belongs to which.
- ``connection``: the agent's end, with the doors of ``wire.doors``.
- ``server_connection``: the dialler's end, for the simulator and for tests.

Source of everything: the vendor's guide "Agent API for Proactive Contact 5.2" (July 2018) and five public
programs that speak the protocol, compared in our own reference. Nobody here has seen a real dialler.
"""
