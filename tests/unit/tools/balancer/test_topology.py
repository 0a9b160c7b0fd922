"""The description of a cluster is read strictly, and what could mean something else to a balancer is refused."""

import pytest
from msgspec.structs import replace
from tests.unit.tools.balancer.described import SECRET, TOPOLOGY, described

from unified_agent.errors import SettingsError
from unified_agent.settings_file import read_table
from unified_agent.tools.balancer.topology import BalancedInstance, BalancerTopology, Places, write_toml


def instance(**other):
    return replace(BalancedInstance(name="a", host="10.0.0.1", http_port=8080), **other)


@pytest.mark.parametrize("name", ["a", "A-1_b", "9", "x" * 63])
def test_every_name_that_a_balancer_takes_as_a_route_is_taken(name):
    assert instance(name=name).name == name


@pytest.mark.parametrize("name", ["", "a.b", "x" * 64, "a b", "ä", "a;b", "a\n", "$x"])
def test_other_names_of_instances_are_refused_in_a_sentence(name):
    with pytest.raises(SettingsError, match="cannot be a route: give the instance a name of 1 to 63 letters"):
        instance(name=name)


def test_a_dot_in_a_name_is_explained():
    with pytest.raises(SettingsError, match="A dot would be read as the end of the route"):
        instance(name="a.b")


@pytest.mark.parametrize("host", ["10.0.0.1", "fd00::1", "a.example", "localhost"])
def test_addresses_and_names_are_hosts(host):
    assert instance(host=host).host == host


@pytest.mark.parametrize("host", ["", "a:8080", "http://a", "a b", "a;", "-a", "a..b", "fd00::1%eth0\n", "a\n"])
def test_what_is_no_host_is_refused(host):
    with pytest.raises(SettingsError, match="is no name and no address of a machine"):
        instance(host=host)


def test_an_address_of_ipv6_has_brackets_before_a_port():
    six = instance(host="fd00::1", ajp_port=8009)
    assert (six.http, six.ajp) == ("[fd00::1]:8080", "[fd00::1]:8009")


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"instances": ()}, "name at least one instance"),
        ({"instances": (instance(), instance(name="A", host="10.0.0.2"))}, "'a' is there twice"),
        ({"instances": (instance(), instance(name="b"))}, "two are at 10.0.0.1:8080"),
        ({"name": "https://ua.example"}, "without scheme and port"),
        ({"name": "ua.example\n"}, "is no name of the DNS"),
        ({"listen": "ua.example"}, "is no address"),
        ({"tls_cert_file": "/tls/ua.pem"}, "belong together"),
        ({"tls_cert_file": "ua.pem", "tls_key_file": "/ua.key"}, "must be a whole path"),
        ({"tls_cert_file": "/tls/ua.pem", "tls_key_file": "/tls/u a.key"}, "must be a whole path"),
        ({"tls_cert_file": "/tls/ua.pem", "tls_key_file": '/tls/"; include /etc/shadow;'}, "must be a whole path"),
        ({"cluster": "main\nload_module x;"}, "cluster must be one line"),
        ({"ajp_secret": 'x" flushpackets'}, "may hold letters, digits"),
        ({"ajp_secret": "x\ny"}, "may hold letters, digits"),
        ({"ajp_secret": "x" * 64}, "longer than the 63 characters"),
        ({"ajp_packet_size_bytes": 9_000}, "multiple of 1024"),
        ({"instances_https": True}, "a balancer that takes any certificate proves nothing"),
        ({"preferred_datacentre": "wien"}, "'wien' has no instance"),
        ({"status_port": 443}, "are the same"),
    ],
)
def test_what_contradicts_or_could_mean_something_else_is_refused(other, said):
    with pytest.raises(SettingsError, match=said):
        described(**other)


def test_new_agents_go_to_the_first_instance_s_datacentre_or_to_the_one_that_is_preferred():
    def preferred(topology):
        return [each.name for each in topology.instances if topology.is_preferred(each)]

    assert preferred(TOPOLOGY) == ["budapest-1", "budapest-2"]
    assert preferred(described(preferred_datacentre="vienna")) == ["vienna-1"]


def test_the_public_address_leaves_a_usual_port_out():
    assert described(port=80).url == "http://ua.example"
    assert described(port=8080).url == "http://ua.example:8080"
    secure = {"tls_cert_file": "/a.pem", "tls_key_file": "/a.key"}
    assert described(port=443, **secure).url == "https://ua.example"
    assert described(port=8443, name="", **secure).url == "https://HOST:8443"


def test_what_is_written_is_read_again(tmp_path):
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    for topology in (
        described(ajp_secret_file=tmp_path / "secret", hold_s=12.5, listen="::"),
        described(ajp_secret="", tls_cert_file="/a.pem", tls_key_file="/a.key", preferred_datacentre="vienna"),
        described(ajp_secret="", instances_https=True, instances_ca_file="/ca.pem", instances_tls_name="i.example"),
    ):
        file = tmp_path / "topology.toml"
        file.write_text(write_toml(topology))
        assert read_table(file, BalancerTopology) == topology


def test_a_secret_is_not_written_into_the_description(tmp_path):
    assert SECRET not in write_toml(TOPOLOGY)


def test_every_key_is_explained_where_it_is_written():
    lines = write_toml(TOPOLOGY).splitlines()
    for key in ("name", "port", "agents", "hold_s", "ajp_packet_size_bytes", "instances_ca_file"):
        place = next(number for number, line in enumerate(lines) if line.removeprefix("# ").startswith(f"{key} = "))
        assert lines[place - 1].startswith("# ")
        assert lines[place - 1].endswith(".")


def test_faults_of_a_file_are_told_with_their_lines(tmp_path):
    file = tmp_path / "topology.toml"
    file.write_text('cluster = "main"\nprot = 443\n\n[[instances]]\nname = "a.b"\nhost = "10.0.0.1"\nhttp_port = 0\n')
    with pytest.raises(SettingsError) as caught:
        read_table(file, BalancerTopology)
    told = str(caught.value)
    assert "topology.toml:2: prot is not a setting; did you mean port?" in told
    assert "topology.toml:7: instances.0.http_port must be a whole number, at least 1, at most 65535" in told
    file.write_text('cluster = "m"\nport = 443\n[[instances]]\nname = "a.b"\nhost = "10.0.0.1"\nhttp_port = 1\n')
    with pytest.raises(SettingsError, match=r"topology\.toml:3: instances\.0 is wrong: name 'a.b' cannot be a route"):
        read_table(file, BalancerTopology)


@pytest.mark.parametrize(
    ("places", "said"),
    [
        ({"conf": "conf"}, "--conf-dir 'conf' must be a whole path"),
        ({"run": "/run/a b"}, "--run-dir '/run/a b' must be a whole path"),
        ({"log": '/log"'}, "--log-dir"),
        ({"user": "www data"}, "--user 'www data' is no name of a user"),
    ],
)
def test_places_that_would_mean_something_else_in_a_configuration_are_refused(places, said):
    with pytest.raises(SettingsError, match=said):
        Places(**({"conf": "/c", "run": "/r", "log": "/l"} | places))
