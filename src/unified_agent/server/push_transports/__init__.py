"""How notices reach desktops: ``desks`` knows everyone connected here, ``desk_connection`` is one of them.

What carries a connection: ``websocket_protocol`` of the room around this one, ``stream`` (server-sent events),
``long_poll``, and ``jsonp`` (polls by script). All but the first are ``held`` for the desktop between requests.
"""
