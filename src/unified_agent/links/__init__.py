"""Switch and diallers: the shells that keep connections alive and turn events into facts.

- ``supervisor``: keeps one link up; the only retry loop in the house.
- ``telephony``, ``dialler``: the two kinds of link.
"""
