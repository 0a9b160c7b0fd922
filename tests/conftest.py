"""What all tests share: how hard Hypothesis tries, and how many seeds a simulation gets.

Hypothesis profiles, chosen by ``--hypothesis-profile``:

- ``dev`` (the default): quick, and different examples each time.
- ``ci``: more examples, the same ones in every run, so that a failure there is a failure here; prints
  what repeats it. `make test` runs it.
- ``check``: as few as ``dev`` and the same in every run as ``ci``, for the quick `make check`.

A simulation test takes the fixture ``world_seed`` and draws all its chance from it. It then runs once for each of
``--seeds`` seeds from ``--first-seed`` on; the seed is in the name of the test, and
``pytest tests/simulation --seed 8812`` runs that one again. A test that takes ``cluster_seed`` runs a whole cluster
with its switch, diallers and desktops, which costs ten times as much, and gets a tenth of the seeds.
"""

import math

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("dev", max_examples=50, deadline=None)
for name, examples in (("check", 50), ("ci", 200)):
    settings.register_profile(
        name,
        max_examples=examples,
        deadline=None,  # two cores shared with other jobs: a slow example is no news
        derandomize=True,
        database=None,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
settings.load_profile("dev")

#: Enough to notice a broken simulation while writing it; `make test` runs 200.
DEFAULT_SEEDS = 5


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options that choose seeds."""
    group = parser.getgroup("simulation")
    group.addoption("--seeds", type=int, default=DEFAULT_SEEDS, help="how many seeds each simulation test gets")
    group.addoption("--first-seed", type=int, default=0, help="the first of them")
    group.addoption("--seed", type=int, default=None, help="run this one seed only")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each test that asks for ``world_seed`` or ``cluster_seed`` its seeds."""
    only: int | None = metafunc.config.getoption("--seed")
    first: int = metafunc.config.getoption("--first-seed")
    for fixture, share in (("world_seed", 1), ("cluster_seed", 10)):
        if fixture in metafunc.fixturenames:
            count = math.ceil(metafunc.config.getoption("--seeds") / share)
            seeds = [only] if only is not None else list(range(first, first + count))
            metafunc.parametrize(fixture, seeds, ids=[f"seed{seed}" for seed in seeds])
