"""AJP/1.3, as the server that web servers connect to: mod_jk and mod_proxy_ajp of Apache httpd.

- ``codes``: kinds of packets, methods, header names and attributes, and the bounds of a packet.
- ``limits``: what one connection may use.
- ``reasons``: why a connection ends.
- ``codec``: bytes of one packet to what it says, and back.
- ``events``: what a connection reports to its owner.
- ``connection``: one connection: requests in, answers out, with the doors of ``wire.doors``.

What fronts send and tolerate was captured from Apache httpd 2.4.71 with mod_jk 1.2.48 and mod_proxy_ajp, and from
Tomcat 10.1.60 as the server: tests/vectors/ajp13. docs/reference/ajp.md says what of it we speak.
"""
