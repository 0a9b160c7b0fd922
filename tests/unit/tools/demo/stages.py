"""A stage for tricks without processes."""

from __future__ import annotations

from pathlib import Path


class FakeStage:
    """Three instances and the simulators, at addresses where nobody listens."""

    def __init__(self) -> None:
        self.controls = {
            "aes": "http://127.0.0.1:4780",
            "dialler-1": "http://127.0.0.1:22780",
            "dialler-2": "http://127.0.0.1:22781",
        }
        self.urls = {
            "ua-1": "http://127.0.0.1:8080",
            "ua-2": "http://127.0.0.1:8081",
            "ua-3": "http://127.0.0.1:8082",
        }
        self.pids: dict[str, int] = {"ua-1": 11, "ua-2": 12, "ua-3": 13, "store": 14}
        self.folder = Path("/tmp/unified-agent-demo-abcdefgh")
        self.program = ".venv/bin/unified-agent"
