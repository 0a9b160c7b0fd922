import socket
from dataclasses import fields

from unified_agent.tools.demo.ports import (
    FREE_PORTS,
    HOST,
    OF_A_CLUSTER,
    Ports,
    choose_ports,
    is_free,
    number_ports,
)


def test_ports_that_are_free_are_kept() -> None:
    assert choose_ports(Ports(), lambda _: True) == (Ports(), ())


def test_a_taken_port_is_replaced_and_named() -> None:
    ports, taken = choose_ports(Ports(), lambda port: port not in {8080, 22701})
    assert taken == (8080, 22701)
    assert (ports.page, ports.dialler_2, ports.dialler_1) == (0, 0, 22700)


def test_free_ports_are_never_asked_for_by_number() -> None:
    assert choose_ports(FREE_PORTS) == (FREE_PORTS, ())


def test_nobody_is_told_of_a_port_that_is_not_used() -> None:
    _, taken = choose_ports(Ports(), lambda port: port not in {2379, 8081}, but=OF_A_CLUSTER)
    assert taken == ()


def test_what_others_are_told_beforehand_gets_a_number_and_nothing_else() -> None:
    ports = number_ports(FREE_PORTS)
    told = (*ports.pages, ports.store, ports.store_peer)
    assert len(set(told)) == len(told)
    assert all(told)
    others = {each.name for each in fields(Ports)} - {"page", *OF_A_CLUSTER}
    assert not any(getattr(ports, name) for name in others)
    assert number_ports(Ports()) == Ports()


def test_a_port_that_somebody_listens_on_is_not_free() -> None:
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
        assert not is_free(port)
    assert is_free(port)
