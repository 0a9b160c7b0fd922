"""Bytes to messages and back, in both directions.

A frame is a header of 55 bytes, data segments each preceded by RS, and one end byte. There is no length, no
checksum and no escaping: a frame ends at ETX, or at ETB when its message goes on in the next frame.

    offset  width  field
         0     20  keyword
        20      1  type
        21     20  client
        41      6  process ID
        47      4  invoke ID
        51      4  number of segments in this frame
        55      -  data, then the end byte

Header fields are left-justified and padded with blanks. They are read by offset: two keywords fill their
field, so no blank stands before the type. The number of segments is checked to be a number and never used:
nobody knows whether in a continued message it counts the part or the whole.

Source: Agent API guide, message format; bytes recorded from two public emulators. Continued frames: one public
client that says it met real diallers. Assumed: that a continuing frame has a header of its own and no status
and code; one recorded example would prove it.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

from unified_agent.errors import LocalProtocolError, RemoteProtocolError, SettingsError
from unified_agent.wire.apc.codes import DATA_FOLLOWS
from unified_agent.wire.apc.messages import (
    END_OF_BLOCK,
    END_OF_TEXT,
    HEADER_BYTES,
    RECORD_SEPARATOR,
    STATUS_GOOD,
    Message,
    MessageType,
)

#: No public statement gives a maximum; a real job list of 1,134 bytes was seen. Beyond this the peer is broken.
MESSAGE_LIMIT_BYTES: Final = 1024 * 1024

#: The count field has four digits.
SEGMENTS_LIMIT: Final = 9999

_FROM_SERVER: Final = frozenset("PDRBN")
_FROM_CLIENT: Final = frozenset("C")
_END: Final = re.compile(rb"[\x03\x17]")
_CONTROL: Final = re.compile(rb"[\x03\x17\x1e]")
_DIGITS: Final = re.compile(rb"[0-9]{1,4} *")
_RS: Final = bytes((RECORD_SEPARATOR,))


class CodePage:
    """How a dialler's site writes the characters of its customers.

    Decoding never fails: a byte that the code page does not define becomes U+FFFD. Encoding refuses what the
    dialler could not read back.
    """

    def __init__(self, name: str = "latin-1") -> None:
        """Look the code page up.

        Raises:
            SettingsError: Python does not know it, or it is no superset of ASCII (UTF-16, EBCDIC), so that
                the bytes which steer the protocol would have other meanings in it.
        """
        try:
            self.name = codecs.lookup(name).name
            ascii_text = "".join(map(chr, range(128)))
            superset = ascii_text.encode(self.name) == ascii_text.encode("ascii")
        except (LookupError, UnicodeError) as error:
            raise SettingsError(f"code page {name!r} is not known as a text encoding") from error
        if not superset:
            raise SettingsError(f"code page {name!r} cannot be used: it is not a superset of ASCII")

    def decode(self, value: bytes) -> str:
        """Decode one segment; undefined bytes become U+FFFD."""
        return value.decode(self.name, "replace")

    def encode(self, value: str, what: str) -> bytes:
        """Encode one segment.

        Args:
            value: the text.
            what: names the place in an error; the value itself is never shown.

        Raises:
            LocalProtocolError: a character does not exist in the code page, or is one of the three bytes that
                structure a frame.
        """
        try:
            encoded = value.encode(self.name)
        except UnicodeError:
            # The original names the value, which may be a password: not chained.
            raise LocalProtocolError(f"{what}: a character does not exist in code page {self.name}") from None
        if _CONTROL.search(encoded):
            raise LocalProtocolError(f"{what}: control bytes 03, 17 and 1E are not allowed")
        return encoded


LATIN_1: Final = CodePage("latin-1")


def _header_field(value: str, width: int, what: str) -> bytes:
    """Encode and pad one field of the header."""
    encoded = LATIN_1.encode(value, what)
    if len(encoded) > width:
        raise LocalProtocolError(f"{what}: {len(encoded)} bytes do not fit into {width}")
    return encoded.ljust(width)


def encode_frames(
    message: Message, *, code_page: CodePage = LATIN_1, part_size_bytes: int | None = None
) -> list[bytes]:
    """Encode a message as one frame, or as several that continue one another.

    Args:
        message: what to send.
        code_page: for the data segments; header fields are latin-1.
        part_size_bytes: split at segment borders so that no frame is longer, unless one segment alone is. Only
            the dialler may send continued messages. Status and code stay together in the first part.

    Raises:
        LocalProtocolError: a value does not fit, holds a control byte or cannot be encoded; or a command would
            have to be split.
    """
    name = message.keyword
    segments = [code_page.encode(value, f"{name}, segment {place}") for place, value in enumerate(message.segments)]
    if not name.strip():
        raise LocalProtocolError("a message needs a keyword")
    head = b"".join(
        (
            _header_field(name, 20, "keyword"),
            message.type.value.encode(),
            _header_field(message.client, 20, f"{name}, client"),
            _header_field(message.process_id, 6, f"{name}, process ID"),
            _header_field(message.invoke_id, 4, f"{name}, invoke ID"),
        )
    )
    parts = [segments] if part_size_bytes is None else _split(segments, part_size_bytes)
    if len(parts) > 1 and message.type is MessageType.COMMAND:
        raise LocalProtocolError(f"{name}: a command cannot be continued in a second frame")
    frames = []
    for place, part in enumerate(parts):
        if len(part) > SEGMENTS_LIMIT:
            raise LocalProtocolError(f"{name}: {len(part)} segments, at most {SEGMENTS_LIMIT} can be counted")
        end = END_OF_TEXT if place == len(parts) - 1 else END_OF_BLOCK
        data = b"".join(_RS + segment for segment in part)
        frames.append(head + str(len(part)).encode().ljust(4) + data + bytes((end,)))
    return frames


def _split(segments: list[bytes], part_size_bytes: int) -> list[list[bytes]]:
    """Cut at segment borders; each part has at least one segment, the first at least status and code."""
    parts: list[list[bytes]] = [segments[:2]]
    size = HEADER_BYTES + 1 + sum(1 + len(segment) for segment in parts[0])
    for segment in segments[2:]:
        if size + 1 + len(segment) > part_size_bytes:
            parts.append([])
            size = HEADER_BYTES + 1
        parts[-1].append(segment)
        size += 1 + len(segment)
    return parts


def encode_message(message: Message, *, code_page: CodePage = LATIN_1, part_size_bytes: int | None = None) -> bytes:
    """Encode a message; arguments and errors are those of ``encode_frames``."""
    return b"".join(encode_frames(message, code_page=code_page, part_size_bytes=part_size_bytes))


class MessageDecoder:
    """Cuts a stream of bytes into messages. Once it raised, it raises for ever: the stream is lost.

    A frame of another message that comes between the parts of a continued one is delivered by itself, ahead of
    it. Assumed: a dialler may do so with an event; a trace would prove it.
    """

    def __init__(
        self,
        *,
        from_server: bool,
        code_page: CodePage = LATIN_1,
        limit_bytes: int = MESSAGE_LIMIT_BYTES,
    ) -> None:
        self._types = _FROM_SERVER if from_server else _FROM_CLIENT
        self._code_page = code_page
        self._limit_bytes = limit_bytes
        self._received = bytearray()
        self._searched = 0
        self._open: Message | None = None
        self._open_bytes = 0
        self._fault: str | None = None

    def feed(self, data: bytes) -> None:
        """Add bytes, oldest first; they may end anywhere. Take messages after each call."""
        self._received += data

    def next_message(self) -> Message | None:
        """Return the oldest message that is complete, or None.

        Raises:
            RemoteProtocolError: the bytes are no frame, or one message is longer than the limit.
        """
        if self._fault is not None:
            raise RemoteProtocolError(self._fault)
        while True:
            frame = self._take_frame()
            if frame is None:
                return None
            message = self._join(self._parse(frame), len(frame), continued=frame[-1] == END_OF_BLOCK)
            if message is not None:
                return message

    def _fail(self, why: str) -> RemoteProtocolError:
        self._fault = why
        self._received.clear()
        return RemoteProtocolError(why)

    def _take_frame(self) -> bytes | None:
        found = _END.search(self._received, self._searched)
        size = found.end() if found else len(self._received)
        if size + self._open_bytes > self._limit_bytes:
            raise self._fail(f"a message is longer than {self._limit_bytes} bytes")
        if found is None:
            self._searched = size
            self._check_head(self._received)
            return None
        frame = bytes(self._received[:size])
        del self._received[:size]
        self._searched = 0
        return frame

    def _check_head(self, frame: bytes | bytearray) -> None:
        """Refuse as soon as it shows, so that a peer which speaks something else is not waited for."""
        if len(frame) > 20 and chr(frame[20]) not in self._types:
            raise self._fail(f"message type {chr(frame[20])!r} is not expected from this side")
        if len(frame) > HEADER_BYTES and frame[HEADER_BYTES] not in (
            RECORD_SEPARATOR,
            END_OF_TEXT,
            END_OF_BLOCK,
        ):
            raise self._fail("neither data nor the end of the frame follows the header")

    def _parse(self, frame: bytes) -> Message:
        self._check_head(frame)
        if len(frame) <= HEADER_BYTES:
            raise self._fail(f"a frame of {len(frame)} bytes is shorter than its header")
        if frame[-1] == END_OF_BLOCK and self._types is _FROM_CLIENT:
            raise self._fail("a command cannot be continued in a second frame")
        head = frame[:HEADER_BYTES]
        if RECORD_SEPARATOR in head:
            raise self._fail("a segment begins inside the header")
        if not _DIGITS.fullmatch(head[51:55]):
            raise self._fail("the number of segments is not a number")
        keyword = head[:20].decode("latin-1").rstrip(" ")
        if not keyword:
            raise self._fail("a frame has no keyword")
        data = frame[HEADER_BYTES:-1]
        return Message(
            keyword=keyword,
            type=MessageType(chr(head[20])),
            segments=tuple(map(self._code_page.decode, data[1:].split(_RS))) if data else (),
            client=head[21:41].decode("latin-1").rstrip(" "),
            process_id=head[41:47].decode("latin-1").rstrip(" "),
            invoke_id=head[47:51].decode("latin-1").rstrip(" "),
        )

    def _join(self, part: Message, size: int, *, continued: bool) -> Message | None:
        """Add a part to the open message. Returns a message that is complete, if there is one now."""
        is_open = self._open
        if is_open is None:
            if not continued:
                return part
            self._open, self._open_bytes = part, size
            return None
        if (part.keyword, part.type, part.invoke_id) != (is_open.keyword, is_open.type, is_open.invoke_id):
            if continued:
                raise self._fail(f"{part.keyword} is continued inside {is_open.keyword}, which is continued")
            return part
        more = part.segments
        if more[:2] == (STATUS_GOOD, DATA_FOLLOWS):
            more = more[2:]
        joined = Message(
            keyword=is_open.keyword,
            type=is_open.type,
            segments=is_open.segments + more,
            client=is_open.client,
            process_id=is_open.process_id,
            invoke_id=is_open.invoke_id,
        )
        if continued:
            self._open, self._open_bytes = joined, self._open_bytes + size
            return None
        self._open, self._open_bytes = None, 0
        return joined
