"""What would stop httpd at its start is found before."""

import pytest
from tests.unit.tools.balancer.described import PLACES, TOPOLOGY, described

from unified_agent.tools.balancer.mod_jk import WORKERS_FILE, write_mod_jk
from unified_agent.tools.balancer.worker_properties import find_faults

GOOD = """\
# a comment
worker.list=lb
worker.maintain=5
worker.t.type=ajp13
worker.a.reference=worker.t
worker.a.host=10.0.0.1
worker.a.port=8009
worker.lb.type=lb
worker.lb.balance_workers=a
"""


def test_what_we_write_has_no_fault():
    for topology in (TOPOLOGY, described(ajp_secret="")):
        assert list(find_faults(write_mod_jk(topology, PLACES)[WORKERS_FILE])) == []


def test_a_small_file_has_no_fault():
    assert list(find_faults(GOOD)) == []


@pytest.mark.parametrize(
    ("given", "instead", "said"),
    [
        ("worker.list=lb", "worker.list=all", "worker.list names all, which is not there"),
        ("worker.list=lb\n", "", "worker.list names no worker"),
        ("worker.a.port=8009\n", "", "worker lb has the member 'a', which is not there with host and port"),
        ("balance_workers=a", "balance_workers=a,b", "worker lb has the member 'b'"),
        ("worker.a.port", "worker.a.prot", "worker a: prot is no attribute of a worker of type ajp13"),
        ("worker.lb.balance", "worker.lb.host=x\nworker.lb.balance", "worker lb: host is no attribute"),
        ("port=8009", "port=eight", "worker a: 'eight' is no value of port"),
        ("worker.a.host=10.0.0.1", "worker.a.host=10.0.0.1 ", "line 6 has a value that mod_jk reads as another one"),
        ("worker.a.host=10.0.0.1", "worker.a.host=$(host)", "line 6 has a value that mod_jk reads as another one"),
        ("worker.a.port=8009", "worker.a.port=8009\nworker.a.port=1", "line 8 sets port of worker a again"),
        ("worker.a.port=8009", "worker.a.port:8009", "line 7 is no setting of a worker"),
        ("worker.t.type=ajp13", "worker.t.type=ajp14", "worker t has no type that mod_jk knows"),
        ("reference=worker.t", "reference=worker.u", "worker a has no type that mod_jk knows"),
        ("reference=worker.t", "reference=worker.a", "worker a has no type that mod_jk knows"),
    ],
)
def test_each_fault_is_told(given, instead, said):
    assert given in GOOD
    assert [each for each in find_faults(GOOD.replace(given, instead, 1)) if said in each]
