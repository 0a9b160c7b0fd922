"""Each product takes what we write for it, and says so of what we break."""

import shutil
from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.tools.balancer.described import PLACES, certificates, described

from unified_agent.errors import SettingsError
from unified_agent.tools.balancer.check import CheckFailed, Product, check, find_program
from unified_agent.tools.balancer.mod_jk import WORKERS_FILE
from unified_agent.tools.balancer.products import KINDS
from unified_agent.tools.balancer.topology import Places

PATH = "/usr/sbin:/usr/bin:/usr/local/sbin"


def installed(name):
    missing = shutil.which(KINDS[name].product.program, path=PATH) is None
    why = f"{KINDS[name].product.program} is not here: `packaging/setup/system.sh balancers` installs it"
    return pytest.param(name, marks=pytest.mark.skipif(missing, reason=why))


EACH = pytest.mark.parametrize("name", [installed(name) for name in KINDS])


def written(name, tmp_path, **other):
    """Write a product's files, with folders of its own; return its places."""
    kind = KINDS[name]
    for folder in ("conf", "run", "log"):
        (tmp_path / folder).mkdir()
    places = Places(conf=f"{tmp_path}/conf", run=f"{tmp_path}/run", log=f"{tmp_path}/log", user="")
    topology = described(port=8080, **other)
    for file, text in kind.write(topology, places).items():
        (tmp_path / "conf" / file).write_text(text)
    return places


@EACH
def test_the_product_takes_what_is_written(name, tmp_path):
    product = KINDS[name].product
    assert check(product, written(name, tmp_path)).startswith(f"{product.program} takes {product.file}")


@EACH
def test_the_product_takes_it_with_all_options(name, tmp_path):
    cert, key = certificates(tmp_path)
    https = {"instances_https": True, "instances_ca_file": cert} if name in {"haproxy", "nginx"} else {}
    places = written(
        name,
        tmp_path,
        listen="127.0.0.1",
        hold_s=12.5,
        agents=3_000,
        tls_cert_file=cert,
        tls_key_file=key,
        ajp_packet_size_bytes=16_384,
        preferred_datacentre="vienna",
        **https,
    )
    check(KINDS[name].product, places)


@EACH
def test_the_product_does_not_take_what_is_broken(name, tmp_path):
    product = KINDS[name].product
    places = written(name, tmp_path)
    with (tmp_path / "conf" / product.file).open("a") as file:
        file.write("\nno-such-word-of-any-product yes\n")
    with pytest.raises(CheckFailed, match=f"{product.program} .*does not take it:\n(.|\n)*{product.file}"):
        check(product, places)


def test_the_workers_of_mod_jk_are_read_by_ourselves(tmp_path):
    product = KINDS["mod-jk"].product
    places = written("mod-jk", tmp_path)
    with (tmp_path / "conf" / WORKERS_FILE).open("a") as file:
        file.write("worker.UA_all.stickyness=true\n")
    with pytest.raises(CheckFailed, match=r"workers\.properties: worker UA_all: stickyness is no attribute"):
        check(product, places, lambda command: (0, ""))


def test_a_product_that_is_not_there_is_told_with_its_package():
    product = replace(some(), program="ua-no-such-program", package="some-package")
    with pytest.raises(SettingsError, match="apt-get install some-package, or check on the balancer's machine"):
        find_program(product)


def test_a_product_that_opens_its_folders_needs_them(tmp_path):
    places = Places(conf=f"{tmp_path}", run=f"{tmp_path}/none", log=f"{tmp_path}")
    with pytest.raises(SettingsError, match=f"make them first: mkdir -p {tmp_path}/none$"):
        check(some(needs_folders=True), places)


def test_the_words_of_the_product_are_told(tmp_path):
    commands = []

    def run(command):
        commands.append(list(command))
        return 1, "line 7: what is this?\n"

    with pytest.raises(CheckFailed, match=r"x\.conf does not take it:\nline 7: what is this\?$"):
        check(some(), Places(conf=f"{tmp_path}", run="/r", log="/l"), run)
    assert commands == [[find_program(some()), "-t", f"{tmp_path}/x.conf"]]


def some(**other):
    """A product that is on every machine."""
    words: dict[str, Any] = dict.fromkeys(("reload", "reload_service", "user", "debian_service"), "")
    return Product(program="sh", package="dash", file="x.conf", check=("-t",), run=(), start=(), **words, **other)


def test_debian_s_user_serves_unless_told_otherwise():
    assert {name: kind.product.user for name, kind in KINDS.items()} == {
        "mod-jk": "www-data",
        "proxy-ajp": "www-data",
        "haproxy": "haproxy",
        "nginx": "www-data",
        "dns": "dnsmasq",
    }
    assert PLACES.user
