"""What the command says of products fits the files that are written for them."""

import pytest
from tests.unit.tools.balancer.described import PLACES, described

from unified_agent.tools.balancer.products import KINDS


@pytest.mark.parametrize("name", KINDS)
def test_the_main_file_and_mod_jk_s_are_among_those_written(name):
    kind = KINDS[name]
    files = kind.write(described(port=8080), PLACES)
    assert kind.product.file in files
    assert not kind.product.workers or kind.product.workers in files
    for text in files.values():
        assert text.endswith("\n")
        assert "main" in text or "ua.example" in text


@pytest.mark.parametrize("name", KINDS)
def test_the_file_is_complete_in_itself(name):
    for text in KINDS[name].write(described(port=8080), PLACES).values():
        lines = [line.strip() for line in text.splitlines()]
        assert not [line for line in lines if line.lower().startswith("include")]
        assert not [line for line in lines if "{" in line and "}" in line and "{{" in line]


@pytest.mark.parametrize("name", KINDS)
def test_another_order_of_reading_gives_the_same_files(name):
    assert KINDS[name].write(described(port=8080), PLACES) == KINDS[name].write(described(port=8080), PLACES)
