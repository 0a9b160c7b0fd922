"""How notices reach desktops: ``desks`` knows everyone connected here, ``websocket`` is one connection."""
