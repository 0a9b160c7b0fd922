from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from unified_agent.errors import SettingsError
from unified_agent.links.telephony.jtapi import requirements
from unified_agent.links.telephony.jtapi.java_options import JavaSettings
from unified_agent.links.telephony.jtapi.requirements import check_requirements, find_java
from unified_agent.settings import JtapiSettings


@pytest.fixture(autouse=True)
def there_is_jpype(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())


@pytest.fixture
def java(tmp_path: Path) -> Path:
    """A folder that looks like a Java."""
    return make_java(tmp_path / "java-17")


@pytest.fixture
def sdk(tmp_path: Path) -> Path:
    folder = tmp_path / "sdk"
    folder.mkdir()
    for name in ("log4j.jar", "ecsjtapia.jar", "TSAPI.PRO"):
        (folder / name).touch()
    return folder


@pytest.fixture
def no_java(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(requirements, "KNOWN_FOLDERS", (tmp_path / "nowhere",))


def make_java(folder: Path, place: str = "lib/server") -> Path:
    (folder / place).mkdir(parents=True)
    (folder / place / "libjvm.so").touch()
    return folder


def test_patterns_are_files_in_a_fixed_order_and_folders_stay_as_they_are(java: Path, sdk: Path) -> None:
    settings = JtapiSettings(class_path=(sdk / "*.jar", sdk), java_home=str(java), jvm_options=("-Xmx512m",))
    assert check_requirements(settings, {}) == JavaSettings(
        class_path=(f"{sdk}/ecsjtapia.jar", f"{sdk}/log4j.jar", f"{sdk}"),
        options=("-Xmx512m",),
        java_home=str(java),
    )


def test_without_the_extra_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch, java: Path, sdk: Path) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SettingsError, match=r"JPype1 is not installed: pip install 'unified-agent\[jtapi\]'"):
        check_requirements(JtapiSettings(class_path=(sdk,), java_home=str(java)), {})


def test_a_class_path_that_is_not_there_is_named(java: Path, sdk: Path) -> None:
    for entry, said in (("gone.jar", "gone.jar is not there"), ("*.zip", "nothing fits")):
        with pytest.raises(SettingsError, match=f"class_path: .*{said}|class_path: {said}"):
            check_requirements(JtapiSettings(class_path=(sdk, sdk / entry), java_home=str(java)), {})


def test_a_java_home_without_a_java_is_named(tmp_path: Path, sdk: Path) -> None:
    with pytest.raises(SettingsError, match=r"java_home: there is no libjvm\.so below"):
        check_requirements(JtapiSettings(class_path=(sdk,), java_home=str(tmp_path)), {})


@pytest.mark.usefixtures("no_java")
def test_without_a_java_it_is_said_what_to_install(sdk: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"no Java is found .* openjdk-17-jre-headless"):
        check_requirements(JtapiSettings(class_path=(sdk,)), {"JAVA_HOME": str(tmp_path), "PATH": ""})


@pytest.mark.usefixtures("no_java")
@pytest.mark.parametrize("place", ["lib/server", "jre/lib/amd64/server"])
def test_java_is_found_by_java_home(tmp_path: Path, place: str) -> None:
    folder = make_java(tmp_path / "java", place)
    assert find_java({"JAVA_HOME": str(folder), "PATH": ""}) == folder / place / "libjvm.so"


@pytest.mark.usefixtures("no_java")
def test_java_is_found_by_its_program(java: Path, tmp_path: Path) -> None:
    (java / "bin").mkdir()
    (java / "bin" / "java").touch(mode=0o755)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").symlink_to(java / "bin" / "java")
    assert find_java({"PATH": str(tmp_path / "bin")}) == java / "lib" / "server" / "libjvm.so"


def test_java_is_found_where_systems_put_it(java: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requirements, "KNOWN_FOLDERS", (tmp_path / "nowhere", tmp_path))
    assert find_java({"PATH": ""}) == java / "lib" / "server" / "libjvm.so"
