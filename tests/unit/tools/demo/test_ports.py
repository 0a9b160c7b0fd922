import socket

from unified_agent.tools.demo.ports import FREE_PORTS, HOST, Ports, choose_ports, is_free


def test_ports_that_are_free_are_kept() -> None:
    assert choose_ports(Ports(), lambda _: True) == (Ports(), ())


def test_a_taken_port_is_replaced_and_named() -> None:
    ports, taken = choose_ports(Ports(), lambda port: port not in {8080, 22701})
    assert taken == (8080, 22701)
    assert (ports.page, ports.dialler_2, ports.dialler_1) == (0, 0, 22700)


def test_free_ports_are_never_asked_for_by_number() -> None:
    assert choose_ports(FREE_PORTS) == (FREE_PORTS, ())


def test_a_port_that_somebody_listens_on_is_not_free() -> None:
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
        assert not is_free(port)
    assert is_free(port)
