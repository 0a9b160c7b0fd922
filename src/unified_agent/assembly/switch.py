"""Chooses the link to the telephone switch by the settings."""

from __future__ import annotations

from typing import Protocol

from unified_agent.domain.ports import Chance, Clock, Reports, Telephony
from unified_agent.links.telephony.dmcc_link import DmccLink
from unified_agent.links.telephony.jtapi.link import JtapiLink
from unified_agent.links.telephony.jtapi.requirements import check_requirements
from unified_agent.links.telephony.jtapi.worker import ProcessStarter, StartWorker
from unified_agent.network import Network
from unified_agent.observe import Metrics
from unified_agent.settings import Settings


class SwitchLink(Telephony, Protocol):
    """What an instance uses of its link to the switch, besides what sessions do."""

    @property
    def status(self) -> str:
        """What the link is doing, for the health page."""
        ...

    def start(self, epoch: int = 0) -> None:
        """Begin to keep the link up, also after a stop; stamped with the epoch of the active datacentre."""
        ...

    async def stop(self) -> None:
        """End it in order."""
        ...

    def retry_now(self) -> None:
        """Try again without waiting: a person mended something."""
        ...


def switch_link(
    settings: Settings,
    reports: Reports,
    *,
    network: Network,
    clock: Clock,
    chance: Chance,
    metrics: Metrics,
    start_worker: StartWorker | None = None,
) -> SwitchLink:
    """Make the link that the settings want; it is not started.

    Args:
        settings: checked.
        reports: where facts go.
        network: how AES is dialled by DMCC.
        clock, chance: where time and jitter come from.
        metrics: the instance's.
        start_worker: how JTAPI's process is started; None for a real process.

    Raises:
        SettingsError: something that the link needs is not there.
    """
    telephony = settings.telephony
    if telephony.kind == "dmcc":
        return DmccLink(
            telephony, settings.instance, reports, network=network, clock=clock, chance=chance, metrics=metrics
        )
    if start_worker is None:
        java = check_requirements(telephony.jtapi)
        start_worker = ProcessStarter(clock, java, log_level=settings.log.level.value)
    return JtapiLink(telephony, reports, start_worker=start_worker, clock=clock, chance=chance, metrics=metrics)
