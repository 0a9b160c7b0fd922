"""Chaos needs root for namespaces, and etcd; without them the tests are left out, by name."""

import pytest

from unified_agent.errors import SettingsError
from unified_agent.tools.chaos import namespaces, store


@pytest.fixture(scope="session", autouse=True)
def possible() -> None:
    try:
        namespaces.check_possible()
        store.check_possible()
    except SettingsError as error:
        pytest.skip(str(error))
