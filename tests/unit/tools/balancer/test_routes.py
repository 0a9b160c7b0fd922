"""What is for operators is found however the path is written, and nothing else is taken for it."""

import re
import time

import pytest

from unified_agent.client.rest import QUICK_LIMIT_S
from unified_agent.cluster.whereabouts import READ_LIMIT_S
from unified_agent.tools.balancer.routes import ENTRY_LIMIT_MS, OPERATORS

FOR_OPERATORS = (
    "/metrics",
    "//metrics",
    "/metrics/",
    "/metrics;x=1",
    "/;x/metrics",
    "/;x//metrics",
    "/v1/status",
    "/v1//status",
    "/v1;jsessionid=x.a/status",
    "/v1/status;jsessionid=x.a",
    "/v1/cluster",
    "/v1/cluster/instances/a/drain",
    "/;a/;b/v1;c//cluster;d/activate",
)
FOR_ALL = (
    "/",
    "/v1/entry",
    "/v1/session",
    "/v1/session/commands",
    "/v1/topology",
    "/v1/events",
    "/metricsboard",
    "/v1/statuses",
    "/v1/clusters",
    "/client/metrics.js",
    "/desktop/v1/status",
    "/readyz",
)


@pytest.mark.parametrize("path", FOR_OPERATORS)
def test_paths_of_operators_are_found(path):
    assert re.search(OPERATORS, path)


@pytest.mark.parametrize("path", FOR_ALL)
def test_other_paths_are_not(path):
    assert not re.search(OPERATORS, path)


@pytest.mark.parametrize("path", ["/" * 20_000 + "x", ";/" * 10_000, "/" + ";" * 20_000, "/;/" * 7_000 + "v1"])
def test_no_path_keeps_the_expression_busy(path):
    began_s = time.process_time()
    re.search(OPERATORS, path)
    assert time.process_time() - began_s < 5.0


def test_a_silent_instance_is_left_before_clients_give_up_and_not_while_one_waits_for_the_store():
    assert READ_LIMIT_S < ENTRY_LIMIT_MS / 1000 < QUICK_LIMIT_S
