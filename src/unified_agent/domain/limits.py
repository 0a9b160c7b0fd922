"""Every bound with its unit and its reason. What a site may change is in ``settings``; these hold everywhere."""

from __future__ import annotations

from typing import Final

#: Notices kept for a desktop that is away; beyond, it gets a snapshot.
OUTBOX_NOTICES: Final = 500
#: Age in seconds beyond which a kept notice is dropped.
OUTBOX_AGE_S: Final = 120.0
#: Command outcomes remembered per session, so that a repeat is answered and not performed again.
COMMANDS_REMEMBERED: Final = 256
#: How long an outcome is remembered, seconds.
COMMAND_MEMORY_S: Final = 600.0
#: Latest commands whose outcome is carried to another instance, besides those that have none yet. A desktop asks about
#: what it had not heard the end of when its instance was lost, a few seconds' worth; of anything older it is found out.
CARRIED_COMMANDS: Final = 16
#: Commands whose outcome is being found out at a time; a desktop has no more open.
DOUBTS_KEPT: Final = 64
#: A dialler that has not logged an agent off after this long, seconds, is left without ceremony, when another instance
#: waits for the agent.
LEAVE_LIMIT_S: Final = 2.0
#: Calls one station may hold; a switch station has about ten call appearances, doubled.
CALLS_PER_STATION: Final = 20
#: Parties shown on one call; Communication Manager conferences six.
PARTIES_PER_CALL: Final = 16
#: Messages from supervisors and diallers kept on the desktop.
MESSAGES_KEPT: Final = 20
#: Asks to the switch or dialler under way for one session.
REQUESTS_OPEN: Final = 64
#: One command from a desktop, bytes of JSON.
COMMAND_LIMIT_BYTES: Final = 16_384
#: Notes typed in wrap-up, characters.
NOTES_LIMIT_CHARS: Final = 4_000
#: One dialled number, characters: the longest that the dialler takes (43).
NUMBER_LIMIT_CHARS: Final = 43
#: One field of a customer record, characters.
FIELD_LIMIT_CHARS: Final = 255
#: Without the desktop for this long it is called absent, seconds (a refresh takes less).
ABSENT_AFTER_S: Final = 15.0
