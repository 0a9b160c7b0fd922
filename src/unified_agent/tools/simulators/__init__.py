"""Simulated peers, as products: AES with a switch behind it (``aes``), and a dialler (``apc``).

Each is a pure model of its own; ``shell`` is what both need around it: sockets, faults, control port, program.
"""
