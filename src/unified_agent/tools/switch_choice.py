"""By what the instances of a demo, a load run or a chaos run speak with the simulated AES.

Over JTAPI that takes a client library that reaches the simulator, which is not part of this product: its class path and
its peer are given.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from unified_agent.errors import SettingsError

Kind: TypeAlias = Literal["dmcc", "jtapi"]

#: What a client library calls the simulated AES and its switch.
SERVICE: Final = "AVAYA#CM1#CSTA#AES1"


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchChoice:
    """How the switch is reached.

    Attributes:
        kind: of link.
        class_path: files and folders of the client library, absolute.
        peer: class name of its peer.
    """

    kind: Kind = "dmcc"
    class_path: tuple[str, ...] = ()
    peer: str = ""

    def settings(self, name: str, host: str, port: int) -> str:
        """Write the settings of the link to one simulated AES, from ``[telephony]`` on.

        Args:
            name: of the AES.
            host, port: where it listens for DMCC.
        """
        user = '[telephony]\nuser = "ctiuser"\npassword = "secret"\n'
        server = f'[[telephony.servers]]\nname = "{name}"\nhost = "{host}"\nport = {port}\n'
        if self.kind == "dmcc":
            return f"{user}\n{server}"
        jtapi = f"[telephony.jtapi]\nclass_path = {json.dumps(self.class_path)}\npeer = {json.dumps(self.peer)}\n"
        return f'{user}kind = "jtapi"\n\n{jtapi}\n{server}service = "{SERVICE}"\n'


BY_DMCC: Final = SwitchChoice()


def choose_switch(telephony: Kind, class_path: str, peer: str) -> SwitchChoice:
    """Read the options.

    Args:
        telephony: the kind of link.
        class_path: as Java has it: entries with a colon between.
        peer: class name.

    Raises:
        SettingsError: with JTAPI one of them is missing, without it one is given.
    """
    entries = tuple(str(Path(each).absolute()) for each in class_path.split(os.pathsep) if each)
    if telephony == "jtapi" and not (entries and peer):
        raise SettingsError(
            "--telephony jtapi needs --class-path and --peer, of a client library that reaches the simulated AES; "
            "`make demo TELEPHONY=jtapi` gives both"
        )
    if telephony == "dmcc" and (entries or peer):
        raise SettingsError("--class-path and --peer belong to --telephony jtapi")
    return SwitchChoice(kind=telephony, class_path=entries, peer=peer)
