"""Which commands make, break and remove the network. That they do: tests/chaos/test_network.py."""

from __future__ import annotations

import os

import pytest

from unified_agent.errors import SettingsError
from unified_agent.tools.chaos import namespaces
from unified_agent.tools.chaos.namespaces import Command, Network, NetworkFailed, left_behind, run_command
from unified_agent.tools.chaos.places import HOSTS


class Shell:
    """Remembers commands, and answers what it was told to."""

    def __init__(self) -> None:
        self.commands: list[Command] = []
        self.answers: dict[Command, str] = {}

    async def run(self, command: Command) -> str:
        self.commands.append(command)
        return self.answers.get(command, "")

    def rules(self) -> list[str]:
        return [" ".join(command[4:]) for command in self.commands if command[3:4] == ("rule",)]


def network(shell: Shell) -> Network:
    return Network(HOSTS, owner=12, run=shell.run)


@pytest.mark.asyncio
async def test_every_host_gets_a_namespace_and_a_link_to_the_router() -> None:
    shell = Shell()
    await network(shell).make()
    added = [command[3] for command in shell.commands if command[:3] == ("ip", "netns", "add")]
    assert added == ["ua-chaos-12-router", *(f"ua-chaos-12-{host.name}" for host in HOSTS)]
    links = [command for command in shell.commands if "veth" in command]
    assert [command[-1] for command in links] == added[1:]
    assert all(command[2] == "ua-chaos-12-router" for command in links)


@pytest.mark.asyncio
async def test_nothing_is_changed_outside_our_namespaces() -> None:
    shell = Shell()
    await network(shell).make()
    for command in shell.commands:
        assert command[:3] == ("ip", "netns", "add") or any(word.startswith("ua-chaos-12-") for word in command[:5])


@pytest.mark.asyncio
async def test_a_cut_has_a_direction_and_mending_undoes_every_cut_once() -> None:
    shell = Shell()
    net = network(shell)
    await net.cut("a1", "west")
    await net.cut_both("b1", "")
    assert shell.rules() == [
        "add pref 100 from 10.77.1.1/32 to 10.77.2.0/24 blackhole",
        "add pref 100 from 10.77.2.1/32 to 0.0.0.0/0 blackhole",
        "add pref 100 from 0.0.0.0/0 to 10.77.2.1/32 blackhole",
    ]
    await net.mend()
    undone = [rule.replace("del", "add") for rule in shell.rules()[3:]]
    assert sorted(undone) == sorted(shell.rules()[:3])
    await net.mend()
    assert len(shell.rules()) == 6


@pytest.mark.asyncio
async def test_removing_takes_our_namespaces_and_nobody_elses() -> None:
    shell = Shell()
    shell.answers["ip", "netns", "list"] = "ua-chaos-12-a1 (id: 1)\nua-chaos-123-a1\nother\n"
    await network(shell).remove()
    assert shell.commands == [
        ("ip", "netns", "list"),
        ("ip", "netns", "pids", "ua-chaos-12-a1"),
        ("ip", "netns", "del", "ua-chaos-12-a1"),
    ]


@pytest.mark.asyncio
async def test_removing_never_ends_the_process_that_removes() -> None:
    shell = Shell()
    shell.answers["ip", "netns", "list"] = "ua-chaos-12-a1\n"
    shell.answers["ip", "netns", "pids", "ua-chaos-12-a1"] = f"{os.getpid()}\n"
    await network(shell).remove()
    assert shell.commands[-1] == ("ip", "netns", "del", "ua-chaos-12-a1")


def test_only_runs_whose_process_has_died_are_left_behind() -> None:
    names = ["ua-chaos-7-a1", "ua-chaos-7-router", "ua-chaos-8-a1", "ua-chaos-x-a1", "docker0", "ua-chaos-"]
    assert left_behind(names, lambda pid: pid == 8) == ["ua-chaos-7"]


def test_who_is_not_root_is_told_so_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SettingsError, match="by root only"):
        namespaces.check_possible()


def test_a_machine_without_ip_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SettingsError, match="iproute2"):
        namespaces.check_possible()


@pytest.mark.asyncio
async def test_a_command_that_fails_is_told_with_its_own_words() -> None:
    with pytest.raises(NetworkFailed, match="sh -c echo no >&2; exit 3: no"):
        await run_command(("sh", "-c", "echo no >&2; exit 3"))
    assert await run_command(("echo", "well")) == "well\n"
