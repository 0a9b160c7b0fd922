"""What every simulated peer needs around its pure model, whatever it speaks.

- ``control``: the frame of the HTTP control port: what each has, and how a refusal is answered.
- ``certificate``: TLS from files, or with a certificate made on the spot.
- ``process``: the program: ports, first lines on standard output, signals, the end.
"""
