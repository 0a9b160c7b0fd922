"""packaging/checks.py: every step runs, a failure is never lost, and an empty folder of tests is one."""

import importlib.util
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

PROGRAM = Path(__file__).resolve().parents[2] / "packaging" / "checks.py"


@pytest.fixture
def checks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The program, looking at an empty repository."""
    spec = importlib.util.spec_from_file_location("checks_program", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "checks_program", module)  # dataclasses look their module up
    spec.loader.exec_module(module)
    (tmp_path / "tests").mkdir()
    monkeypatch.setattr(module, "ROOT", tmp_path)
    return module


def step(checks: ModuleType, program: str, *, limit_s: float = 30.0, tests: str | None = None):
    return checks.Step(name="a step", command=(sys.executable, "-c", program), limit_s=limit_s, tests=tests)


def add_test(checks: ModuleType, path: str) -> None:
    (checks.ROOT / path).parent.mkdir(parents=True)
    (checks.ROOT / path).touch()


def test_a_step_that_ends_well_has_no_problem(checks: ModuleType) -> None:
    assert checks.run_step(step(checks, "pass"), 60.0).problem == ""


def test_a_step_that_fails_is_told_with_its_exit_status(checks: ModuleType) -> None:
    assert checks.run_step(step(checks, "raise SystemExit(3)"), 60.0).problem == "failed with exit status 3"


def test_a_folder_without_tests_fails_by_name(checks: ModuleType) -> None:
    (checks.ROOT / "tests" / "simulation").mkdir()
    outcome = checks.run_step(step(checks, "pass", tests="tests/simulation"), 60.0)
    assert outcome.problem == "tests/simulation has no tests"


def test_a_folder_whose_tests_were_all_left_out_fails_by_name(checks: ModuleType) -> None:
    add_test(checks, "tests/browser/test_page.py")
    outcome = checks.run_step(step(checks, "raise SystemExit(5)", tests="tests/browser"), 60.0)
    assert outcome.problem == "tests/browser has no tests that ran"


def test_a_step_that_never_ends_is_stopped_at_its_limit(checks: ModuleType) -> None:
    began_s = time.monotonic()
    outcome = checks.run_step(step(checks, "import time; time.sleep(60)", limit_s=0.2), 60.0)
    assert "stopped after its limit" in outcome.problem
    assert time.monotonic() - began_s < 30.0


def test_a_step_for_which_no_time_is_left_counts_as_failed(checks: ModuleType) -> None:
    assert checks.run_step(step(checks, "pass"), 0.0).problem == "not run: no time left"


def test_tests_that_no_step_runs_are_named(checks: ModuleType) -> None:
    add_test(checks, "tests/unit/test_one.py")
    add_test(checks, "tests/forgotten/test_two.py")
    steps = [step(checks, "pass", tests="tests/unit")]
    assert checks.folders_nobody_runs(steps) == ["tests/forgotten"]


def test_one_failure_among_many_steps_fails_the_whole_and_is_summed_up(
    checks: ModuleType, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    steps = (step(checks, "pass"), step(checks, "raise SystemExit(1)"), step(checks, "print('ran all the same')"))
    monkeypatch.setattr(checks, "check_steps", lambda: steps)
    assert checks.main(["check"]) == 1
    out = capfd.readouterr().out
    assert "ran all the same" in out
    assert "1 failed" in out


def test_all_is_well_only_when_every_step_is(checks: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "check_steps", lambda: (step(checks, "pass"),))
    assert checks.main(["check"]) == 0


def test_make_test_runs_every_kind_of_test_the_house_has(checks: ModuleType) -> None:
    run = {one.tests for one in checks.test_steps(seeds=200)}
    assert {"tests/unit", "tests/property", "tests/simulation", "tests/integration", "tests/browser"} <= run
