"""Errors: each says who must act, by its class and by a code that is never reused."""

import importlib
import pkgutil
import re
from collections.abc import Iterator

import pytest

import unified_agent
from unified_agent import errors
from unified_agent.errors import (
    LinkNotReady,
    LinkRefused,
    LocalProtocolError,
    RemoteProtocolError,
    SettingsError,
    UnifiedAgentError,
)


def every_error() -> Iterator[type[UnifiedAgentError]]:
    """Each error class of the package, wherever it is declared, roots first."""
    for module in pkgutil.walk_packages(unified_agent.__path__, "unified_agent."):
        importlib.import_module(module.name)
    waiting: list[type[UnifiedAgentError]] = [UnifiedAgentError]
    while waiting:
        found = waiting.pop(0)
        yield found
        waiting.extend(kind for kind in found.__subclasses__() if kind.__module__.startswith("unified_agent."))


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (UnifiedAgentError, "internal"),
        (SettingsError, "settings"),
        (LinkNotReady, "link-not-ready"),
        (LinkRefused, "link-refused"),
        (LocalProtocolError, "local-protocol"),
        (RemoteProtocolError, "remote-protocol"),
    ],
)
def test_codes_that_others_rely_on_stay_as_they_are(kind: type[UnifiedAgentError], code: str) -> None:
    assert kind.code == code


def test_no_two_errors_declare_the_same_code() -> None:
    owners: dict[str, str] = {}
    for kind in every_error():
        if "code" in vars(kind):
            assert owners.setdefault(kind.code, kind.__qualname__) == kind.__qualname__, kind.code


def test_every_code_is_lower_case_words_joined_by_hyphens() -> None:
    for kind in every_error():
        assert re.fullmatch(r"[a-z0-9]+([-.][a-z0-9]+)*", kind.code), f"{kind.__qualname__}: {kind.code}"


def test_every_error_says_what_it_means() -> None:
    for kind in every_error():
        assert kind.__doc__, kind.__qualname__


def test_the_drawn_tree_names_every_error_of_the_file_and_no_other() -> None:
    declared = {
        name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)
    }
    drawn = set(re.findall(r"^    (?:[├└]── )?(\w+)", errors.__doc__ or "", flags=re.MULTILINE))
    assert drawn == declared


def test_an_error_keeps_its_sentence() -> None:
    assert str(LinkRefused("the switch refused the licence")) == "the switch refused the licence"
