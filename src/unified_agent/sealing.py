"""Sealing under the keys that all instances of a cluster share: what leaves us sealed comes back unread and unchanged.

A **keyring** holds a few keys, newest first. One seals: the first whose time has come. All open. A new key is therefore
handed to every instance *before* it seals anything, and an instance that has it already and one that has it not yet
understand each other (``docs/how-to/rotate-cluster-keys.md``). What was sealed for one purpose cannot be opened for
another: each has a key of its own, derived from the shared one.

What is sealed looks like this: one byte ``1`` (the version), four bytes that name the key, twelve random bytes (the
nonce), then what AES-256-GCM made of the content, and its 16 bytes of proof. The first 17 bytes and ``about`` are
proved too.

Random nonces of 96 bits are good for 2³² seals of one purpose by one key (NIST SP 800-38D, section 8.3): seven weeks
at 1,000 a second. Rotate at least as often.
"""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
import time
import tomllib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, ClassVar, Final, Self

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from msgspec import Meta, Struct

from unified_agent.errors import SettingsError, UnifiedAgentError

#: Random bytes of a key; fewer are refused.
KEY_BYTES: Final = 32
#: Bytes that a seal adds to its content.
OVERHEAD_BYTES: Final = 1 + 4 + 12 + 16
#: Keys in one file. Each costs a try when a peer proves itself.
KEYS_LIMIT: Final = 16

_VERSION: Final = b"\x01"
_ID_BYTES: Final = 4
_NONCE_BYTES: Final = 12
_HEADER_BYTES: Final = len(_VERSION) + _ID_BYTES + _NONCE_BYTES
_FILE_HEAD: Final = """\
# Keys of a Unified Agent cluster, newest first, the same on every instance. Whoever has this file can read every
# ticket and pass for an instance. Change it with: unified-agent keys rotate, unified-agent keys prune.
"""


class SealBroken(UnifiedAgentError):
    """What was to be opened is not what we sealed for this purpose, or was sealed by a key we do not have."""

    code: ClassVar[str] = "seal-broken"


class ClusterKey(Struct, frozen=True, kw_only=True):
    """One key, as in the file.

    Attributes:
        id: eight hexadecimal digits; names the key in what it sealed.
        made: when it was made.
        seals_from: from then on it is the one that seals, unless it is the only one, which seals always.
        secret: at least KEY_BYTES random bytes.
    """

    id: Annotated[str, Meta(pattern="^[0-9a-f]{8}$")]
    made: datetime
    seals_from: datetime
    secret: bytes

    def __repr__(self) -> str:
        return f"ClusterKey(id={self.id!r}, made={self.made!s}, seals_from={self.seals_from!s})"


class Keyring:
    """Seals and opens; can be given a newer file while it is in use."""

    def __init__(
        self,
        keys: Sequence[ClusterKey],
        *,
        now_s: Callable[[], float] = time.time,
        make_nonce: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        """Take keys as they are; ``load`` and ``random`` are the usual ways.

        Args:
            keys: newest first, at least one.
            now_s: Unix seconds; says whose time has come.
            make_nonce: gives so many bytes, never the same twice. Random bytes, except in tests.
        """
        assert keys, "a keyring has a key"
        self._file: Path | None = None
        self._now_s = now_s
        self._make_nonce = make_nonce
        self._take(keys)

    @classmethod
    def load(
        cls,
        file: Path,
        *,
        now_s: Callable[[], float] = time.time,
        make_nonce: Callable[[int], bytes] = secrets.token_bytes,
    ) -> Self:
        """Read the keys of a cluster.

        Raises:
            SettingsError: see ``read_keys``.
        """
        keyring = cls(read_keys(file), now_s=now_s, make_nonce=make_nonce)
        keyring._file = file
        return keyring

    @classmethod
    def random(
        cls,
        *,
        now_s: Callable[[], float] = time.time,
        make_bytes: Callable[[int], bytes] = secrets.token_bytes,
    ) -> Self:
        """Make a keyring that ends with this process: for an instance alone, and for tests."""
        return cls([make_key(datetime.fromtimestamp(now_s(), UTC), make_bytes)], now_s=now_s, make_nonce=make_bytes)

    @property
    def keys(self) -> tuple[ClusterKey, ...]:
        """All keys, newest first."""
        return self._keys

    @property
    def sealing_key(self) -> ClusterKey:
        """The key that seals now: the newest whose time has come, or the oldest when none's has."""
        return choose_sealing_key(self._keys, self._now_s())

    def reload(self) -> None:
        """Read the file again; a keyring without a file stays as it is.

        Raises:
            SettingsError: see ``read_keys``; the keys stay as they were.
        """
        if self._file is not None:
            self._take(read_keys(self._file))

    def seal(self, purpose: str, content: bytes, *, about: bytes = b"") -> bytes:
        """Seal with the key whose time it is.

        Args:
            purpose: what it is for, a word of ours: ``ticket``. Only the same purpose opens it.
            content: what nobody else shall read or change.
            about: what it belongs to, not hidden and not contained: to open it, the same must be given.

        Returns:
            OVERHEAD_BYTES more than the content.
        """
        key = self.sealing_key
        nonce = self._make_nonce(_NONCE_BYTES)
        header = _VERSION + bytes.fromhex(key.id) + nonce
        return header + self._cipher(key, purpose).encrypt(nonce, content, header + about)

    def open(self, purpose: str, sealed: bytes, *, about: bytes = b"") -> bytes:
        """Return the content of what any of the keys sealed.

        Args:
            purpose, about: as they were given to ``seal``.
            sealed: from ``seal``, perhaps; any bytes may be given.

        Raises:
            SealBroken: it was not sealed so. Its words say what is wrong, for our logs: tell strangers nothing of it.
        """
        if len(sealed) < OVERHEAD_BYTES:
            raise SealBroken(f"{len(sealed)} bytes are too few")
        if not sealed.startswith(_VERSION):
            raise SealBroken(f"version {sealed[0]} is not known")
        key = self._by_id.get(_key_id(sealed))
        if key is None:
            raise SealBroken(f"there is no key {_key_id(sealed)} here")
        header, body = sealed[:_HEADER_BYTES], sealed[_HEADER_BYTES:]
        try:
            return self._cipher(key, purpose).decrypt(header[-_NONCE_BYTES:], body, header + about)
        except InvalidTag:
            raise SealBroken(f"it is not what key {key.id} sealed for {purpose}") from None

    def needs_resealing(self, sealed: bytes) -> bool:
        """Say whether another key than this one seals now: seal the content anew before this one is pruned."""
        return _key_id(sealed) != self.sealing_key.id

    def secret(self, purpose: str) -> bytes:
        """Return what to prove with that we belong to the cluster: KEY_BYTES, from the key that seals now.

        Everybody has that key: those with an older file because it was theirs before, those with a newer one because
        it is still in it.
        """
        return _derive(self.sealing_key, "prove", purpose)

    def secrets(self, purpose: str) -> tuple[bytes, ...]:
        """Return all that prove that a peer belongs to the cluster, most likely one first.

        More than the one we prove with: while a rotation goes on the peer may be a step ahead of us or behind.
        """
        now = self.sealing_key
        others = [key for key in self._keys if key is not now]
        return tuple(_derive(key, "prove", purpose) for key in (now, *others))

    def _take(self, keys: Sequence[ClusterKey]) -> None:
        self._keys = tuple(keys)
        self._by_id = {key.id: key for key in keys}
        self._ciphers: dict[tuple[str, str], AESGCM] = {}

    def _cipher(self, key: ClusterKey, purpose: str) -> AESGCM:
        found = self._ciphers.get((key.id, purpose))
        if found is None:
            found = self._ciphers[key.id, purpose] = AESGCM(_derive(key, "seal", purpose))
        return found


def choose_sealing_key(keys: Sequence[ClusterKey], now_s: float) -> ClusterKey:
    """Return the newest key whose time has come, or the oldest when none's has."""
    return next((key for key in keys if key.seals_from.timestamp() <= now_s), keys[-1])


def _key_id(sealed: bytes) -> str:
    return sealed[len(_VERSION) : len(_VERSION) + _ID_BYTES].hex()


def _derive(key: ClusterKey, use: str, purpose: str) -> bytes:
    info = f"unified-agent 1 {use} {purpose}".encode()
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(key.secret)


# --- the file


class _KeyInFile(Struct, forbid_unknown_fields=True):
    id: Annotated[str, Meta(pattern="^[0-9a-f]{8}$")]
    made: Annotated[datetime, Meta(tz=True)]
    seals_from: Annotated[datetime, Meta(tz=True)]
    key: str


class _File(Struct, forbid_unknown_fields=True):
    keys: Annotated[list[_KeyInFile], Meta(min_length=1, max_length=KEYS_LIMIT)]


def make_key(
    made: datetime, make_bytes: Callable[[int], bytes] = secrets.token_bytes, *, seals_from: datetime | None = None
) -> ClusterKey:
    """Make a key, which seals from ``seals_from`` on, or at once."""
    return ClusterKey(
        id=make_bytes(_ID_BYTES).hex(), made=made, seals_from=seals_from or made, secret=make_bytes(KEY_BYTES)
    )


def read_keys(file: Path) -> tuple[ClusterKey, ...]:
    """Read the keys of a cluster, newest first.

    Raises:
        SettingsError: the file is not there, may be read by everybody, or is not as ``write_keys`` writes it.
    """
    try:
        with file.open("rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            text = opened.read()
    except FileNotFoundError:
        raise SettingsError(f"{file} does not exist: make it with 'unified-agent keys new {file}'") from None
    except OSError as error:
        raise SettingsError(f"{file} cannot be read: {error}") from error
    if mode & 0o007:
        raise SettingsError(f"{file} holds keys and is open to everybody on this machine: 'chmod o-rwx {file}'")
    try:
        found = msgspec.convert(tomllib.loads(text.decode()), _File).keys
        keys = tuple(_read_key(each) for each in found)
    except (ValueError, msgspec.ValidationError) as error:
        raise SettingsError(f"{file} is not a file of keys as 'unified-agent keys new' makes it: {error}") from None
    if len({key.id for key in keys}) != len(keys):
        raise SettingsError(f"{file} has two keys of one id: remove one of them")
    return keys


def _read_key(each: _KeyInFile) -> ClusterKey:
    secret = base64.b64decode(each.key, validate=True)
    if len(secret) < KEY_BYTES:
        raise ValueError(f"key {each.id} has {len(secret)} bytes, and at least {KEY_BYTES} are needed")
    return ClusterKey(id=each.id, made=each.made, seals_from=each.seals_from, secret=secret)


def write_keys(file: Path, keys: Sequence[ClusterKey], *, replace: bool) -> None:
    """Write the keys of a cluster, whole or not at all.

    Args:
        file: where to.
        keys: newest first.
        replace: the file is there; owner and mode stay. Otherwise it must not be there, and only we may read it.

    Raises:
        SettingsError: it cannot be written, is there already, or would hold more than KEYS_LIMIT keys.
    """
    if len(keys) > KEYS_LIMIT:
        raise SettingsError(f"{file} would hold {len(keys)} keys: 'unified-agent keys prune {file}' first")
    text = _FILE_HEAD + "".join(
        f'\n[[keys]]\nid = "{key.id}"\nmade = {_in_file(key.made)}\nseals_from = {_in_file(key.seals_from)}\n'
        f'key = "{base64.b64encode(key.secret).decode()}"\n'
        for key in keys
    )
    try:
        if replace:
            _replace(file, text.encode())
        else:
            _write_new(file, text.encode())
    except FileExistsError:
        raise SettingsError(f"{file} is there already: 'unified-agent keys rotate {file}' adds a key to it") from None
    except OSError as error:
        raise SettingsError(f"{file} cannot be written: {error}") from error


def _in_file(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _replace(file: Path, content: bytes) -> None:
    target = file.resolve()
    was = target.stat()
    beside = target.with_name(f"{target.name}.{secrets.token_hex(4)}.new")
    try:
        _write_new(beside, content)
        if (os.geteuid(), os.getegid()) != (was.st_uid, was.st_gid):
            os.chown(beside, was.st_uid, was.st_gid)
        beside.chmod(was.st_mode & 0o7777)
        beside.replace(target)
    except OSError:
        with contextlib.suppress(FileNotFoundError):
            beside.unlink()
        raise


def _write_new(file: Path, content: bytes) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
