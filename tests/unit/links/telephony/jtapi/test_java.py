import builtins
import sys
import types
import zipfile
from pathlib import Path
from typing import Any

import pytest
from tests.unit.links.telephony.jtapi.java_world import JavaError, VendorError

from unified_agent.errors import LinkRefused
from unified_agent.links.telephony.jtapi import java
from unified_agent.links.telephony.jtapi.java_options import JavaSettings
from unified_agent.links.telephony.jtapi.provider import OperationFailed


class Interface:
    """``javax.telephony.JtapiPeer``."""


class GoodPeer(Interface):
    pass


class BadPeer:
    def __init__(self) -> None:
        raise ValueError("NoClassDefFoundError: org/apache/log4j/Logger")


class FakeJpype(types.ModuleType):
    """As much of JPype as is used."""

    JException = JavaError

    def __init__(self) -> None:
        super().__init__("jpype")
        self.config = types.ModuleType("jpype.config")
        self.started: list[tuple[Any, ...]] = []
        self.problem: Exception | None = None
        self.no_java: Exception | None = None
        self.classes: dict[str, Any] = {
            **{name: type(name, (), {}) for name in java.OBSERVERS},
            java.PEER: Interface,
            "com.example.Peer": GoodPeer,
            "com.example.Bad": BadPeer,
            "com.example.Other": type("Other", (), {}),
            "java.lang.Integer": types.SimpleNamespace(toHexString=lambda number: f"{number:x}"),
            "java.lang.System": types.SimpleNamespace(getProperty=lambda name: name.rpartition(".")[2]),
            "java.util.Vector": lambda: types.SimpleNamespace(add=lambda found: True),
        }

    def getDefaultJVMPath(self) -> str:
        if self.no_java is not None:
            raise self.no_java
        return "libjvm.so"

    def startJVM(self, library: str, *options: str, classpath: list[str], **how: bool) -> None:
        if self.problem is not None:
            raise self.problem
        self.started.append((library, options, classpath))

    def JClass(self, name: str) -> Any:
        if name not in self.classes:
            raise TypeError(f"Class {name} is not found")
        return self.classes[name]

    def JProxy(self, kinds: list[str], inst: Any) -> Any:
        return (tuple(kinds), inst)


@pytest.fixture
def jar(tmp_path: Path) -> str:
    path = tmp_path / "sdk.jar"
    with zipfile.ZipFile(path, "w") as found:
        found.writestr("a", "b")
    return str(path)


@pytest.fixture
def jpype(monkeypatch: pytest.MonkeyPatch) -> FakeJpype:
    made = FakeJpype()
    monkeypatch.setitem(sys.modules, "jpype", made)
    monkeypatch.setitem(sys.modules, "jpype.config", made.config)
    return made


def test_a_jvm_is_started_with_class_path_and_options_and_leaves_at_once(jpype, jar):
    machine = java.start_jvm(JavaSettings(class_path=(jar,), options=("-Xmx1g",)))
    ((library, options, class_path),) = jpype.started
    assert (library, class_path) == ("libjvm.so", [jar])
    assert {"-Xrs", "-Xmx1g"} <= set(options)
    assert jpype.config.destroy_jvm is False
    assert machine.version == "name version"
    assert machine.sign_of_life(255)


def test_without_jpype_it_is_said_what_to_install(monkeypatch, jar):
    real = builtins.__import__

    def no_jpype(name: str, *rest: Any) -> Any:
        if name.startswith("jpype"):
            raise ImportError("No module named 'jpype'")
        return real(name, *rest)

    monkeypatch.delitem(sys.modules, "jpype", raising=False)
    monkeypatch.setattr(builtins, "__import__", no_jpype)
    with pytest.raises(LinkRefused, match=r"pip install 'unified-agent\[jtapi\]'"):
        java.start_jvm(JavaSettings(class_path=(jar,)))


def test_without_java_it_is_said_what_to_set(jpype, jar, tmp_path):
    jpype.no_java = ValueError("No JVM shared library file (libjvm.so) found")
    with pytest.raises(LinkRefused, match="install a JRE"):
        java.start_jvm(JavaSettings(class_path=(jar,)))
    with pytest.raises(LinkRefused, match="has no lib/server"):
        java.start_jvm(JavaSettings(class_path=(jar,), java_home=str(tmp_path)))


def test_the_java_that_is_set_is_taken(jpype, jar, tmp_path):
    library = tmp_path / "lib/server/libjvm.so"
    library.parent.mkdir(parents=True)
    library.touch()
    java.start_jvm(JavaSettings(class_path=(jar,), java_home=str(tmp_path)))
    assert jpype.started[0][0] == str(library)


def test_a_jvm_that_does_not_start_names_the_options(jpype, jar):
    jpype.problem = RuntimeError("Unable to start JVM")
    with pytest.raises(LinkRefused, match="jvm_options, which are -Xmx1x"):
        java.start_jvm(JavaSettings(class_path=(jar,), options=("-Xmx1x",)))


def test_each_entry_of_the_class_path_must_be_there_and_be_a_jar_or_a_folder(tmp_path, jar):
    java.check_class_path((jar, str(tmp_path)))
    damaged = tmp_path / "damaged.jar"
    damaged.write_text("half of it")
    for entries, says in (
        ((), "class path is empty"),
        ((jar, str(tmp_path / "gone.jar")), "gone.jar, which is not there"),
        ((str(damaged),), "is no jar file"),
    ):
        with pytest.raises(LinkRefused, match=says):
            java.check_class_path(entries)


def test_an_entry_that_cannot_be_read_is_named(monkeypatch, jar):
    monkeypatch.setattr("os.access", lambda path, how: False)
    with pytest.raises(LinkRefused, match="cannot be read"):
        java.check_class_path((jar,))


@pytest.fixture
def machine(jpype: FakeJpype) -> java.JavaMachine:
    return java.JavaMachine(jpype)


def test_a_peer_is_made(machine):
    assert isinstance(machine.peer("com.example.Peer"), GoodPeer)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("com.example.Nowhere", "no peer com.example.Nowhere"),
        ("com.example.Bad", "log4j"),
        ("com.example.Other", "is no JTAPI peer"),
    ],
)
def test_why_there_is_no_peer_is_told(machine, name, says):
    with pytest.raises(LinkRefused, match=says):
        machine.peer(name)


def test_without_jtapi_there_is_no_peer(machine, jpype):
    del jpype.classes[java.PEER]
    with pytest.raises(LinkRefused, match=r"has no javax\.telephony\.JtapiPeer"):
        machine.peer("com.example.Peer")


def test_an_observer_is_all_that_the_class_path_knows(machine, jpype):
    del jpype.classes["javax.telephony.callcenter.AgentTerminalObserver"]
    target = object()
    kinds, inst = machine.observer(target)
    assert inst is target
    assert set(kinds) == set(java.OBSERVERS) - {"javax.telephony.callcenter.AgentTerminalObserver"}


def test_what_an_object_implements_is_asked_by_name(machine, jpype):
    peer = machine.peer("com.example.Peer")
    assert machine.implements(peer, java.PEER)
    assert not machine.implements(peer, "com.example.Other")
    assert not machine.implements(peer, "com.example.Unknown")
    assert not machine.knows("com.example.Unknown")


class TsapiInvalidStateException(VendorError):
    pass


def test_what_java_throws_is_told_by_class_words_and_pair():
    failure = java.failure_of(TsapiInvalidStateException("already logged on", (2, 21)))
    assert (failure.kind, failure.detail, failure.pair) == ("InvalidStateException", "already logged on", (2, 21))
    plain = java.failure_of(JavaError("no"))
    assert (plain.kind, plain.detail, plain.pair) == ("JavaError", "no", (0, 0))
    named = type("javax.telephony.PlatformException", (JavaError,), {})
    assert java.failure_of(named()).kind == "PlatformException"
    own = OperationFailed("QueueFull")
    assert java.failure_of(own) is own
