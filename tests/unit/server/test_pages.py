from pathlib import Path

import pytest
from tests.unit.server.serving import World

pytestmark = pytest.mark.asyncio


@pytest.fixture
def static(tmp_path: Path) -> Path:
    folder = tmp_path / "static"
    (folder / "desktop" / "assets").mkdir(parents=True)
    (folder / "desktop" / "index.html").write_text("<!doctype html><title>Agent</title>")
    (folder / "desktop" / "assets" / "desktop-ABC123.js").write_text("let a = 1;\n" * 500)
    (folder / "desktop" / "icon.png").write_bytes(b"PNG")
    (folder / "client").mkdir()
    (folder / "client" / "ua-client.mjs").write_text("export {}")
    (folder / "samples" / "rest").mkdir(parents=True)
    (folder / "samples" / "rest" / "index.html").write_text("<!doctype html><title>Sample</title>")
    (tmp_path / "secret").write_text("not for you")
    return folder


async def test_the_desktop_is_at_the_root_and_asked_for_each_time(static):
    async with World(static=static).client() as client:
        answer = await client.get("/")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["cache-control"] == "no-cache"
        again = await client.get("/", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_files_named_by_their_content_are_kept_and_come_compressed(static):
    async with World(static=static).client() as client:
        answer = await client.get("/assets/desktop-ABC123.js", headers={"Accept-Encoding": "gzip"})
        plain = await client.get("/assets/desktop-ABC123.js", headers={"Accept-Encoding": "identity"})
        assert (await client.get("/icon.png")).headers["content-type"] == "image/png"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert answer.text == plain.text


async def test_the_client_library_is_served(static):
    async with World(static=static).client() as client:
        answer = await client.get("/client/ua-client.mjs")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["cache-control"] == "no-cache"


async def test_samples_are_served(static):
    async with World(static=static).client() as client:
        answer = await client.get("/samples/rest/index.html")
        assert (await client.get("/samples/rest/")).content == answer.content
        without = await client.get("/samples/rest")
        assert (without.status_code, without.headers["location"]) == (308, "/samples/rest/")
    assert answer.headers["content-type"].startswith("text/html")
    assert "unsafe" not in answer.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/../secret", "/%2e%2e/secret", "/assets/../../../secret", "/assets//etc/passwd"])
async def test_nothing_else_can_be_reached(static, path):
    async with World(static=static).client() as client:
        answer = await client.get(path)
    assert (answer.status_code, answer.json()["id"]) == (404, "request.path")


async def test_a_package_without_the_built_desktop_says_so(tmp_path):
    async with World(static=tmp_path / "none").client() as client:
        answer = await client.get("/")
    assert (answer.status_code, answer.json()["id"]) == (404, "desktop.not-built")
