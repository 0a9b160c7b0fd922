import sys
from pathlib import Path

import httpx
import pytest

from unified_agent.errors import SettingsError
from unified_agent.tools.demo import store as module
from unified_agent.tools.demo.store import etcd_command, find_etcd, start_store
from unified_agent.tools.load.processes import ChildFailed

WAIT = (sys.executable, "-c", "import time; time.sleep(60)")


def answering(*bodies: tuple[int, str] | None) -> httpx.AsyncClient:
    left = iter(bodies[:-1])

    def answer(request: httpx.Request) -> httpx.Response:
        assert str(request.url) == "http://127.0.0.1:2379/health"
        body = next(left, bodies[-1])
        if body is None:
            raise httpx.ConnectError("refused", request=request)
        return httpx.Response(body[0], text=body[1])

    return httpx.AsyncClient(transport=httpx.MockTransport(answer))


def test_etcd_that_is_not_here_is_missed_with_what_to_run_and_how_to_do_without() -> None:
    with pytest.raises(SettingsError, match=r"(?s)apt-get install .* etcd-server.*--single"):
        find_etcd(lambda name: None)
    assert find_etcd(lambda name: f"/usr/bin/{name}") == "/usr/bin/etcd"


def test_the_store_listens_on_this_machine_only_and_writes_into_the_demos_folder() -> None:
    command = etcd_command("/usr/bin/etcd", Path("/tmp/demo/store"), 2379, 2380)
    urls = [each for each in command if each.startswith("http")]
    assert urls
    assert all(each.startswith("http://127.0.0.1:") for each in urls)
    assert command[command.index("--data-dir") + 1] == "/tmp/demo/store"


@pytest.mark.asyncio
async def test_the_store_is_started_when_it_says_that_it_is_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_ASK_EVERY_S", 0.0)
    http = answering(None, (503, '{"health":"false"}'), (200, '{"health":"false"}'), (200, '{"health":"true"}'))
    store = await start_store(WAIT, 2379, tmp_path, http)
    assert store.alive
    await store.kill()


@pytest.mark.asyncio
async def test_a_store_that_ends_at_once_is_told_with_its_last_lines(tmp_path: Path) -> None:
    command = (sys.executable, "-c", "import sys; print('address in use', file=sys.stderr); sys.exit(1)")
    with pytest.raises(ChildFailed, match="store ended with status 1\naddress in use"):
        await start_store(command, 2379, tmp_path, answering(None))


@pytest.mark.asyncio
async def test_a_store_that_never_answers_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "READY_LIMIT_S", 0.05)
    with pytest.raises(ChildFailed, match="did not answer within"):
        await start_store(WAIT, 2379, tmp_path, answering(None))
