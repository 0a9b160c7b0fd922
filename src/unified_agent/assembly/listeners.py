"""The ports of one instance: HTTP from its start, AJP from when it is started, both until it stops."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from unified_agent.errors import SettingsError
from unified_agent.server.ajp_listener import AjpListener
from unified_agent.server.forwarded import behind_web_servers
from unified_agent.server.http_listener import HttpListener

if TYPE_CHECKING:
    from unified_agent.assembly.instance import Instance


class Listeners:
    """All of them.

    Attributes:
        http: for desktops and integrators.
        ajp: for web servers that speak AJP, None without.
    """

    def __init__(self, instance: Instance) -> None:
        """Bind the ports.

        Args:
            instance: whose they are; all but its listeners is made.

        Raises:
            SettingsError: a port cannot be had, or a file named by the settings is not good.
        """
        self._instance = instance
        self._serving: list[asyncio.Task[None]] = []
        settings, server = instance.settings, instance.server
        self.http: Final = HttpListener(settings.http, server.application, server.desks.route, instance.limits)
        try:
            self.ajp: Final = (
                None
                if settings.ajp.port is None
                else AjpListener(
                    settings.ajp,
                    behind_web_servers(server.application),
                    instance.metrics,
                    usable=self._may_be_found,
                )
            )
        except SettingsError:
            self.http.close()
            raise

    async def open_http(self, tasks: asyncio.TaskGroup) -> None:
        """Take desktops' connections; probes are answered from here on."""
        self._serving.append(tasks.create_task(self.http.serve()))
        await self.http.wait_started()

    async def open_ajp(self, tasks: asyncio.TaskGroup) -> None:
        """Take web servers' connections. Not before the instance is started: one that is refused goes elsewhere."""
        if self.ajp is not None:
            self._serving.append(tasks.create_task(self.ajp.serve()))
            await self.ajp.wait_started()

    @property
    def is_opening(self) -> bool:
        """Whether a port that should be open is not."""
        return self.ajp is not None and self.ajp.is_opening

    def look_again(self) -> None:
        """See what is to be open: something has changed that this rests on."""
        if self.ajp is not None:
            self.ajp.look_again()

    def stop(self) -> None:
        """Take no more connections."""
        self.http.stop()
        if self.ajp is not None:
            self.ajp.stop()

    async def wait_closed(self) -> None:
        """Return when those that are open are closed."""
        if self._serving:
            await asyncio.wait(self._serving)

    def close(self) -> None:
        """Give back the ports on which nobody ever served."""
        if not self._serving:
            self.http.close()
        if self.ajp is not None:
            self.ajp.close()

    def _may_be_found(self) -> bool:
        """Whether web servers may find us: not while we neither serve nor know who does.

        A passive instance that knows is found, and answers where to go.
        """
        instance = self._instance
        return instance.cluster is None or instance.whereabouts.serves or instance.cluster.members.has_store()
