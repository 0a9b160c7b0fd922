"""What carries frames to desktops besides the WebSocket, as bytes: events of a stream."""

from __future__ import annotations

_LINE_ENDS = bytes.maketrans(b"\r\n", b"  ")


def write_event(frame: bytes) -> bytes:
    """Write one frame, a JSON text, as an event of a ``text/event-stream``.

    A line end would end the event. In JSON it can only stand between values, where a space means the same.
    """
    if b"\n" in frame or b"\r" in frame:
        frame = frame.translate(_LINE_ENDS)
    return b"data: " + frame + b"\n\n"
