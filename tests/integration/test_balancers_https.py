"""HAProxy and nginx before an instance that speaks TLS itself: known by its certificate, and by no other."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.browser.programs import programs
from tests.integration.balanced_cluster import Balanced, status_of
from tests.unit.tools.balancer.described import certificates

from unified_agent.tools.balancer.products import KINDS
from unified_agent.tools.balancer.topology import BalancedInstance, BalancerTopology
from unified_agent.tools.free_ports import find_free_ports
from unified_agent.tools.load.plan import LoadPlan, instance_file

#: For a balancer to answer, or to have said no for long enough, on a busy machine, seconds.
ANSWER_LIMIT_S = 30.0

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]
each_kind = pytest.mark.parametrize(
    "kind",
    [
        pytest.param(
            kind,
            marks=pytest.mark.skipif(
                shutil.which(KINDS[kind].product.program, path="/usr/local/sbin:/usr/sbin:/usr/bin") is None,
                reason=f"there is no {kind} here: `packaging/setup/system.sh balancers` installs it",
            ),
        )
        for kind in ("haproxy", "nginx")
    ],
)


class Secure(Balanced):
    """One instance with TLS, and balancers that know it by an authority.

    Attributes:
        authority: the file that balancers of it trust.
    """

    authority = ""

    def topology(self, kind: str, port: int, status_port: int, tls: tuple[str, str]) -> BalancerTopology:
        """Describe it for one balancer."""
        return BalancerTopology(
            cluster="secure",
            name="ua.example",
            listen="127.0.0.1",
            port=port,
            status_port=status_port,
            instances_https=True,
            instances_ca_file=self.authority,
            instances=(BalancedInstance(name="load", host="127.0.0.1", http_port=self.instance_port),),
        )


@pytest.fixture(scope="module")
def secure() -> Iterator[Secure]:
    # Not pytest's folder: that is closed to the users as whom balancers serve.
    folder = Path(tempfile.mkdtemp(prefix="ua-secure-"))
    folder.chmod(0o755)
    try:
        with programs(folder) as running:
            for each in ("ours", "other"):
                (folder / each).mkdir(mode=0o755)
            cert, key = certificates(folder / "ours")
            certificates(folder / "other")
            (aes,) = find_free_ports(1)
            text = instance_file(LoadPlan(agents=1), ("127.0.0.1", aes), [])
            text = text.replace("[http]", f'[http]\ntls_cert_file = "{cert}"\ntls_key_file = "{key}"', 1)
            (folder / "instance.toml").write_text(text)
            instance = running.start("instance", "serve", str(folder / "instance.toml"))
            port = int(instance.told["http"].rstrip("/").rpartition(":")[2])
            whole = Secure(running, {"load": f"https://127.0.0.1:{port}"}, 0, LoadPlan(agents=1), {"load": ""})
            try:
                yield whole
            finally:
                whole.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@each_kind
def test_an_instance_is_known_by_its_certificate(secure: Secure, kind: str):
    secure.authority = f"{secure.folder}/ours/ua.crt"
    front = secure.front(kind, kind)
    until_s = time.monotonic() + ANSWER_LIMIT_S
    while (status := status_of(f"{front.url}/readyz")) != 200:
        assert time.monotonic() < until_s, status
        time.sleep(0.1)
    assert [status_of(f"{front.url}/v1/config") for _ in range(5)] == [200] * 5


@each_kind
def test_one_with_another_certificate_is_not_believed(secure: Secure, kind: str):
    secure.authority = f"{secure.folder}/other/ua.crt"
    front = secure.front(f"{kind}-wary", kind)
    until_s = time.monotonic() + ANSWER_LIMIT_S
    while (status := status_of(f"{front.url}/readyz")) not in {502, 503}:
        assert status != 200
        assert time.monotonic() < until_s, status
        time.sleep(0.1)
    assert {status_of(f"{front.url}/v1/entry") for _ in range(10)} <= {502, 503}
