"""Nobody changes unseen what was sealed; whatever is offered, opening it ends in the content or in SealBroken."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unified_agent.sealing import ClusterKey, Keyring, SealBroken

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CONTENTS = st.binary(max_size=200)
PURPOSES = st.text(max_size=20)
KEYS = st.lists(st.binary(min_size=36, max_size=36), min_size=1, max_size=4, unique_by=lambda each: each[:4])


def ring(keys: list[bytes]) -> Keyring:
    return Keyring(
        [ClusterKey(id=each[:4].hex(), made=NOON, seals_from=NOON, secret=each[4:]) for each in keys],
        now_s=NOON.timestamp,
    )


@given(keys=KEYS, purpose=PURPOSES, content=CONTENTS, about=CONTENTS)
def test_any_content_comes_back_as_it_was(keys, purpose, content, about):
    keyring = ring(keys)
    assert keyring.open(purpose, keyring.seal(purpose, content, about=about), about=about) == content


@given(keys=KEYS, content=CONTENTS, about=CONTENTS, data=st.data())
def test_any_change_of_any_bits_is_refused(keys, content, about, data):
    keyring = ring(keys)
    sealed = keyring.seal("ticket", content, about=about)
    flips = data.draw(st.integers(1, (1 << 8 * len(sealed)) - 1))
    changed = (int.from_bytes(sealed, "big") ^ flips).to_bytes(len(sealed), "big")
    with pytest.raises(SealBroken):
        keyring.open("ticket", changed, about=about)


@given(keys=KEYS, cut=st.integers(0, 12), content=CONTENTS, about=CONTENTS)
def test_no_byte_moves_between_what_is_sealed_and_what_it_is_about(keys, cut, content, about):
    keyring = ring(keys)
    sealed = keyring.seal("ticket", content, about=about)
    with pytest.raises(SealBroken):
        keyring.open("ticket", sealed[:-1], about=sealed[-1:] + about)
    if about:
        with pytest.raises(SealBroken):
            keyring.open("ticket", sealed + about[:1], about=about[1:])
    with pytest.raises(SealBroken):
        keyring.open("ticket", sealed[cut + 1 :], about=about)


@given(keys=KEYS, one=PURPOSES, other=PURPOSES, content=CONTENTS)
def test_no_purpose_opens_what_was_sealed_for_another(keys, one, other, content):
    keyring = ring(keys)
    sealed = keyring.seal(one, content)
    if one == other:
        assert keyring.open(other, sealed) == content
    else:
        with pytest.raises(SealBroken):
            keyring.open(other, sealed)


@given(keys=KEYS, content=CONTENTS)
def test_whoever_has_the_key_opens_it_whatever_else_they_have(keys, content):
    sealed = ring(keys).seal("ticket", content)
    assert ring(keys[:1]).open("ticket", sealed) == content
    if keys[1:]:
        with pytest.raises(SealBroken):
            ring(keys[1:]).open("ticket", sealed)


@given(keys=KEYS, anything=st.binary(max_size=300))
def test_any_bytes_are_refused_and_do_no_harm(keys, anything):
    with pytest.raises(SealBroken):
        ring(keys).open("ticket", b"\x01" + keys[0][:4] + anything)
    with pytest.raises(SealBroken):
        ring(keys).open("ticket", anything)
