"""The desktop's built files: read once, served from memory, so that no path can reach anything else.

``static/desktop/index.html`` is the page at ``/``; what it names lies under ``/assets/``. Files named by their content
may be kept by browsers for ever; all else is asked for again each time, and answered with 304 when unchanged.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from functools import cache
from pathlib import Path
from typing import Any, Final

from litestar import Response
from msgspec import Struct

from unified_agent.server.failures import RequestRefused

STATIC: Final = Path(__file__).parent / "static"
_KEPT: Final = "public, max-age=31536000, immutable"
_ASKED: Final = "no-cache"
#: Shorter files are not worth compressing, bytes.
_COMPRESS_FROM_BYTES: Final = 1_024
_TEXT: Final = (
    "text/",
    "application/json",
    "text/javascript",
    "application/javascript",
    "image/svg",
    "application/manifest",
)
_TYPES: Final = {".js": "text/javascript", ".mjs": "text/javascript", ".ts": "text/plain", ".map": "application/json"}


class File(Struct, frozen=True, kw_only=True):
    """One file: its type, a tag of its content, how long browsers may keep it, its bytes, and those compressed."""

    media_type: str
    tag: str
    cache: str
    body: bytes
    compressed: bytes | None


class Pages:
    """Files by the path they are asked for."""

    def __init__(self, folder: Path = STATIC) -> None:
        self._files: dict[str, File] = {}
        if not folder.is_dir():
            return
        for file in sorted(each for each in folder.rglob("*") if each.is_file()):
            relative = file.relative_to(folder).as_posix()
            read = _read(file, kept="/assets/" in relative)
            self._files[f"/{relative}"] = read
            if file.name == "index.html":
                self._files[f"/{relative.removesuffix('index.html')}"] = read
            if relative.startswith("desktop/"):
                self._files[f"/{relative.removeprefix('desktop/')}"] = read
        if "/desktop/index.html" in self._files:
            self._files["/"] = self._files["/desktop/index.html"]

    def answer(self, path: str, *, tag: str | None, accepts: str) -> Response[bytes]:
        """Answer a request for a file.

        Args:
            path: as asked for, ``/`` or ``/assets/desktop-ABC.js``.
            tag: the ``If-None-Match`` header.
            accepts: the ``Accept-Encoding`` header.

        Raises:
            RequestRefused: there is no such file, or none at all.
        """
        file = self._files.get(path)
        if file is None:
            if f"{path}/" in self._files:  # what the page names lies beside it, so the slash matters
                return Response(b"", status_code=308, headers={"Location": f"{path}/"})
            if path == "/" and not self._files:
                raise RequestRefused("desktop.not-built", "build it with 'make web', or install a released package")
            raise RequestRefused("request.path", path)
        headers: dict[str, Any] = {"ETag": file.tag, "Cache-Control": file.cache, "Vary": "accept-encoding"}
        if tag is not None and file.tag in tag:
            return Response(b"", status_code=304, headers=headers, media_type=file.media_type)
        if file.compressed is not None and "gzip" in accepts:
            headers["Content-Encoding"] = "gzip"
            return Response(file.compressed, headers=headers, media_type=file.media_type)
        return Response(file.body, headers=headers, media_type=file.media_type)


def _read(file: Path, *, kept: bool) -> File:
    body = file.read_bytes()
    media_type = _TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    is_text = media_type.startswith(_TEXT)
    return File(
        media_type=media_type,
        tag=f'"{hashlib.sha256(body).hexdigest()[:20]}"',
        cache=_KEPT if kept else _ASKED,
        body=body,
        compressed=_compressed(body) if is_text and len(body) >= _COMPRESS_FROM_BYTES else None,
    )


@cache
def _compressed(body: bytes) -> bytes:
    """Compress once for all instances of this process; tests and simulations start hundreds."""
    return gzip.compress(body, mtime=0)
