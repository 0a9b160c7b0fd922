"""What a failed test of this folder shows beside its failure: what the programs that it looked at have written down."""

from __future__ import annotations

from collections.abc import Generator

import pytest
from tests.integration.balanced_cluster import Balanced


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the logs of a cluster with balancers, whose folder will be gone."""
    report = yield
    if report.failed:
        for value in getattr(item, "funcargs", {}).values():
            if isinstance(value, Balanced):
                report.sections.append(("Instances and balancers", value.told_lately()))
    return report
