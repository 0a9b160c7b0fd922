"""One etcd for all contract tests of a worker; each test has a prefix of its own in it."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.etcd_servers import PROGRAM, Servers


@pytest.fixture(scope="session")
def etcd() -> Iterator[Servers]:
    if PROGRAM is None:
        pytest.skip("there is no etcd here: `packaging/setup/system.sh etcd` installs it")
    # Not pytest's own folder: a socket of etcd's lies in it, whose name has a limit.
    with tempfile.TemporaryDirectory(prefix="ua-etcd-") as folder:
        servers = Servers(Path(folder))
        try:
            servers.start()
            yield servers
        finally:
            servers.stop()
