"""What every simulated peer needs around its pure model, whatever it speaks.

- ``faulty_socket``: one client's socket: silence, delay, rubbish, cuts.
- ``server``: all sockets in front of the model: listeners, timers, faults for all or some.
- ``control``: the frame of the HTTP control port: what each has, and how a refusal is answered.
- ``certificate``: TLS from files, or with a certificate made on the spot.
- ``process``: the program: ports, first lines on standard output, signals, the end.
"""
