"""How notices reach desktops: ``desks`` knows everyone connected here, ``desk_connection`` is one of them."""
