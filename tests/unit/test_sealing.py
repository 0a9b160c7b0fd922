"""Keys, what they seal, and the file they lie in."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from unified_agent.errors import SettingsError
from unified_agent.sealing import (
    KEY_BYTES,
    KEYS_LIMIT,
    OVERHEAD_BYTES,
    ClusterKey,
    Keyring,
    SealBroken,
    choose_sealing_key,
    make_key,
    read_keys,
    write_keys,
)

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def counted() -> Callable[[int], bytes]:
    """Bytes that are never the same twice, and the same in each run."""
    asked = 0

    def make(count: int) -> bytes:
        nonlocal asked
        asked += 1
        return asked.to_bytes(4, "big") + bytes(count - 4)

    return make


def key(number: int, seals_from: datetime = NOON, made: datetime = NOON) -> ClusterKey:
    return ClusterKey(id=f"{number:08x}", made=made, seals_from=seals_from, secret=bytes([number]) * KEY_BYTES)


def ring(*keys: ClusterKey, at: datetime = NOON) -> Keyring:
    return Keyring(keys, now_s=at.timestamp, make_nonce=counted())


def written(tmp_path: Path, *keys: ClusterKey) -> Path:
    file = tmp_path / "keys.toml"
    write_keys(file, keys, replace=file.exists())
    return file


# --- sealing


def test_what_was_sealed_opens_and_is_longer_by_the_overhead():
    keyring = ring(key(1))
    sealed = keyring.seal("ticket", b"content", about=b"agent 5001")
    assert len(sealed) == len(b"content") + OVERHEAD_BYTES
    assert b"content" not in sealed
    assert keyring.open("ticket", sealed, about=b"agent 5001") == b"content"


def test_an_empty_content_is_sealed_too():
    keyring = ring(key(1))
    assert keyring.open("ticket", keyring.seal("ticket", b"")) == b""


def test_every_flip_of_one_bit_is_refused():
    keyring = ring(key(1))
    sealed = keyring.seal("ticket", b"content", about=b"x")
    for place in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[place // 8] ^= 1 << place % 8
        with pytest.raises(SealBroken):
            keyring.open("ticket", bytes(changed), about=b"x")


def test_every_shortened_and_every_prolonged_seal_is_refused():
    keyring = ring(key(1))
    sealed = keyring.seal("ticket", b"content")
    for wrong in (*(sealed[:length] for length in range(len(sealed))), sealed + b"\0"):
        with pytest.raises(SealBroken):
            keyring.open("ticket", wrong)


@pytest.mark.parametrize(("purpose", "about"), [("record", b"x"), ("ticket", b""), ("ticket", b"y"), ("ticket", b"xx")])
def test_another_purpose_or_another_owner_does_not_open_it(purpose, about):
    keyring = ring(key(1))
    with pytest.raises(SealBroken, match="it is not what key 00000001 sealed for"):
        keyring.open(purpose, keyring.seal("ticket", b"content", about=b"x"), about=about)


def test_the_same_content_never_looks_the_same_twice():
    keyring = ring(key(1))
    assert keyring.seal("ticket", b"content") != keyring.seal("ticket", b"content")


def test_a_key_of_the_same_name_but_other_bytes_does_not_open_it():
    sealed = ring(key(1)).seal("ticket", b"content")
    other = ClusterKey(id=key(1).id, made=NOON, seals_from=NOON, secret=b"x" * KEY_BYTES)
    with pytest.raises(SealBroken):
        ring(other).open("ticket", sealed)


def test_a_broken_seal_says_which_key_or_version_is_missing():
    sealed = ring(key(1)).seal("ticket", b"content")
    with pytest.raises(SealBroken, match="there is no key 00000001 here"):
        ring(key(2)).open("ticket", sealed)
    with pytest.raises(SealBroken, match="version 2 is not known"):
        ring(key(1)).open("ticket", b"\x02" + sealed[1:])


def hkdf(secret: bytes, info: bytes) -> bytes:
    """RFC 5869 with SHA-256, no salt, one block."""
    extracted = hmac.digest(bytes(32), secret, "sha256")
    return hmac.digest(extracted, info + b"\x01", "sha256")


def test_a_seal_has_the_form_that_is_described():
    sealed = ring(key(1)).seal("ticket", b"content", about=b"x")
    header, body = sealed[:17], sealed[17:]
    assert header == b"\x01" + bytes.fromhex("00000001") + counted()(12)
    cipher = AESGCM(hkdf(key(1).secret, b"unified-agent 1 seal ticket"))
    assert cipher.decrypt(header[5:], body, header + b"x") == b"content"
    assert ring(key(1)).secret("peer") == hkdf(key(1).secret, b"unified-agent 1 prove peer")


def test_secrets_are_not_shown():
    assert repr(key(1).secret) not in repr(key(1))
    assert "00000001" in repr(key(1))


# --- rotation


def test_a_new_key_seals_from_its_time_on_and_opens_before():
    old, new = key(1), key(2, seals_from=NOON + DAY)
    before, after = ring(new, old, at=NOON), ring(new, old, at=NOON + DAY)
    assert before.sealing_key == old
    assert after.sealing_key == new
    assert before.open("ticket", after.seal("ticket", b"content")) == b"content"
    assert after.open("ticket", before.seal("ticket", b"content")) == b"content"


def test_instances_with_the_old_and_the_new_file_open_each_others_seals_until_the_new_key_seals():
    old, new = key(1), key(2, seals_from=NOON + DAY)
    behind, ahead = ring(old), ring(new, old)
    assert behind.open("ticket", ahead.seal("ticket", b"content")) == b"content"
    assert ahead.open("ticket", behind.seal("ticket", b"content")) == b"content"


def test_peers_a_step_of_a_rotation_apart_accept_each_other():
    first, second, third = key(1), key(2, NOON + DAY), key(3, NOON + 9 * DAY)
    steps = [
        (NOON, ring(first), ring(second, first)),
        (NOON + DAY, ring(second, first, at=NOON + DAY), ring(second, first, at=NOON)),  # clocks that differ
        (NOON + 2 * DAY, ring(second, first, at=NOON + 2 * DAY), ring(second, at=NOON + 2 * DAY)),
        (NOON + 3 * DAY, ring(second, at=NOON + 3 * DAY), ring(third, second, at=NOON + 3 * DAY)),
    ]
    for _, one, other in steps:
        assert one.secret("peer") in other.secrets("peer")
        assert other.secret("peer") in one.secrets("peer")


def test_what_proves_us_is_first_among_what_is_accepted_and_differs_by_purpose():
    keyring = ring(key(3, NOON + DAY), key(2), key(1))
    assert keyring.secret("peer") == keyring.secrets("peer")[0]
    assert len(set(keyring.secrets("peer")) | set(keyring.secrets("operator"))) == 6
    assert {len(each) for each in keyring.secrets("peer")} == {KEY_BYTES}


def test_the_oldest_key_seals_when_no_keys_time_has_come():
    old, new = key(1, NOON + DAY), key(2, NOON + 2 * DAY)
    assert choose_sealing_key([new, old], NOON.timestamp()) == old


def test_what_an_older_key_sealed_needs_resealing():
    old, new = key(1), key(2, NOON + DAY)
    sealed = ring(new, old).seal("ticket", b"content")
    assert not ring(new, old).needs_resealing(sealed)
    assert ring(new, old, at=NOON + DAY).needs_resealing(sealed)
    assert ring(old).needs_resealing(b"nonsense")


def test_keyrings_made_by_chance_do_not_open_each_others_seals():
    one, other = Keyring.random(), Keyring.random()
    assert one.open("ticket", one.seal("ticket", b"content")) == b"content"
    with pytest.raises(SealBroken):
        other.open("ticket", one.seal("ticket", b"content"))
    sealing = one.sealing_key
    one.reload()
    assert one.sealing_key == sealing


def test_the_same_chance_makes_the_same_keyring():
    one, other = (Keyring.random(now_s=NOON.timestamp, make_bytes=counted()) for _ in range(2))
    assert one.seal("ticket", b"content") == other.seal("ticket", b"content")


# --- the file


def test_a_file_keeps_every_key(tmp_path):
    keys = (key(2, NOON + DAY), key(1))
    file = written(tmp_path, *keys)
    assert read_keys(file) == keys
    assert Keyring.load(file).keys == keys


def test_a_made_key_is_read_as_it_was_made(tmp_path):
    made = make_key(NOON)
    assert len(made.secret) == KEY_BYTES
    assert made.seals_from == NOON
    assert read_keys(written(tmp_path, made)) == (made,)


def test_only_we_may_read_a_new_file_and_nothing_is_overwritten(tmp_path):
    file = written(tmp_path, key(1))
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(SettingsError, match="is there already: 'unified-agent keys rotate"):
        write_keys(file, [key(2)], replace=False)
    assert read_keys(file) == (key(1),)


def test_a_replaced_file_keeps_its_mode_and_leaves_nothing_beside_it(tmp_path):
    file = written(tmp_path, key(1))
    file.chmod(0o640)
    write_keys(file, [key(2), key(1)], replace=True)
    assert file.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [file]


def test_a_link_to_the_file_stays_a_link(tmp_path):
    file = written(tmp_path, key(1))
    link = tmp_path / "link.toml"
    link.symlink_to(file)
    write_keys(link, [key(2)], replace=True)
    assert link.is_symlink()
    assert read_keys(file) == (key(2),)


def test_a_file_that_cannot_be_written_is_told(tmp_path):
    with pytest.raises(SettingsError, match="cannot be written"):
        write_keys(tmp_path / "nowhere" / "keys.toml", [key(1)], replace=False)
    with pytest.raises(SettingsError, match="cannot be written"):
        write_keys(tmp_path / "keys.toml", [key(1)], replace=True)


def test_a_file_that_would_hold_too_many_keys_is_not_written(tmp_path):
    with pytest.raises(SettingsError, match=f"would hold {KEYS_LIMIT + 1} keys: 'unified-agent keys prune"):
        written(tmp_path, *(key(number) for number in range(KEYS_LIMIT + 1)))


def test_a_running_keyring_takes_a_newer_file(tmp_path):
    file = written(tmp_path, key(1))
    keyring = Keyring.load(file, now_s=NOON.timestamp)
    sealed = keyring.seal("ticket", b"content")
    written(tmp_path, key(2), key(1))
    keyring.reload()
    assert keyring.sealing_key == key(2)
    assert keyring.open("ticket", sealed) == b"content"
    written(tmp_path, key(2))
    keyring.reload()
    with pytest.raises(SealBroken):
        keyring.open("ticket", sealed)


def test_a_running_keyring_keeps_its_keys_when_the_newer_file_is_wrong(tmp_path):
    file = written(tmp_path, key(1))
    keyring = Keyring.load(file)
    file.write_text("nonsense")
    with pytest.raises(SettingsError):
        keyring.reload()
    assert keyring.keys == (key(1),)


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o601, 0o644])
def test_a_file_open_to_everybody_is_refused(tmp_path, mode):
    file = written(tmp_path, key(1))
    file.chmod(mode)
    with pytest.raises(SettingsError, match=r"is open to everybody on this machine: 'chmod o-rwx .*keys\.toml'"):
        read_keys(file)


def test_a_missing_file_and_a_folder_are_told(tmp_path):
    with pytest.raises(SettingsError, match="does not exist: make it with 'unified-agent keys new"):
        read_keys(tmp_path / "keys.toml")
    with pytest.raises(SettingsError, match="cannot be read"):
        read_keys(tmp_path)


ROW = 'id = "{id}"\nmade = 2026-03-01T12:00:00Z\nseals_from = 2026-03-01T12:00:00Z\nkey = "{key}"\n'
GOOD = base64.b64encode(bytes(32)).decode()
SHORT = base64.b64encode(bytes(31)).decode()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "missing required field `keys`"),
        ("keys = []", "length >= 1"),
        ("[[keys]", "is not a file of keys"),
        ("\0", "is not a file of keys"),
        ("[[keys]]\n" + ROW.format(id="0000000x", key=GOOD), "matching regex"),
        ("[[keys]]\n" + ROW.format(id="00000001", key="*"), "is not a file of keys"),
        ("[[keys]]\n" + ROW.format(id="00000001", key=SHORT), "key 00000001 has 31 bytes, and at least 32 are needed"),
        ("[[keys]]\n" + ROW.format(id="00000001", key=GOOD) + "more = 1\n", "unknown field `more`"),
        ("[[keys]]\n" + ROW.format(id="00000001", key=GOOD).replace("00Z", "00"), "timezone"),
        (2 * ("[[keys]]\n" + ROW.format(id="00000001", key=GOOD)), "two keys of one id"),
    ],
)
def test_a_wrong_file_is_told_precisely_and_without_its_keys(tmp_path, text, words):
    file = tmp_path / "keys.toml"
    file.touch(mode=0o600)
    file.write_text(text)
    with pytest.raises(SettingsError, match=r"keys\.toml ") as told:
        read_keys(file)
    assert words in str(told.value)
    assert GOOD not in str(told.value)
    assert SHORT not in str(told.value)


def test_a_file_that_is_no_text_is_told(tmp_path):
    file = tmp_path / "keys.toml"
    file.touch(mode=0o600)
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="is not a file of keys"):
        read_keys(file)
