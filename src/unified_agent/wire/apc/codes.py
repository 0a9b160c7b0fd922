"""Codes of the Agent API: done, pending, states; and every known error with its meaning and reaction.

The dialler sends codes only, never texts: the meanings here are ours. Source: Agent API guide, appendix of
messages, compared with the text files of two public clients.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec

DONE: Final = "M00000"
DATA_FOLLOWS: Final = "M00001"
GREETING: Final = "AGENT_STARTUP"

PENDING: Final = "S28833"
TRANSFER_IN_PROGRESS: Final = "S28814"
STAND_BY_OUTBOUND: Final = "S28971"
STAND_BY_INBOUND: Final = "S28972"
OWN_RECALL_GIVEN_UP: Final = "S28974"
JOB_IS_MANUAL: Final = "S28996"
JOB_PREVIEWS_EMPTY: Final = "S28997"
SEARCH_POSITION: Final = "S12153"

ON_CALL: Final = "S70000"
READY: Final = "S70001"
JOINED: Final = "S70002"
ATTACHED: Final = "S70003"
LOGGED_ON: Final = "S70004"

#: States that AGTListState reports; they come from nowhere else.
STATES: Final[Mapping[str, str]] = {
    ON_CALL: "on a call, or holding a customer's record",
    READY: "ready, waiting for a call",
    JOINED: "available for work, not ready",
    ATTACHED: "job attached, not available for work",
    LOGGED_ON: "logged on, no job",
}

#: A system error with one of these ends the agent's process: fail everything and close. The guide says so of
#: E28921 and E28862. Assumed: E28859 and E29203, whose texts leave it open; a trace of either would prove it.
FATAL_SYSTEM_ERRORS: Final = frozenset({"E28921", "E28862", "E28859", "E29203"})

STEP_TIMED_OUT: Final = "E70002"
LOG_ON_FIRST: Final = "E28924"
UNKNOWN_COMMAND: Final = "E28865"
SHUTTING_DOWN: Final = "E28921"
NAME_IN_USE: Final = "E28812"
NO_SLOT: Final = "E28858"
HEADSET_BROKEN: Final = "E28880"
HEADSET_BACK: Final = "E28881"


class Reaction(StrEnum):
    """What a failover client does about an error."""

    #: The dialler goes down: mark it so at once, take the next.
    DIALLER_DOWN = "dialler-down"
    #: This agent's process ends: log in again, first on the same dialler.
    SESSION_LOST = "session-lost"
    #: Full or unusable for now: next dialler, short hold-off, not "down".
    DIALLER_UNUSABLE = "dialler-unusable"
    #: The name is still logged on from before: try again with back-off, do not fail over.
    STALE_SESSION = "stale-session"
    #: It will pass: stay and try the command again.
    RETRY_LATER = "retry-later"
    #: The dialler lost its own link to the switch: stay, tell the agent, try again.
    DEGRADED = "degraded"
    #: The agent's phone: stay, reconnect the headset or log out.
    HEADSET = "headset"
    #: We and the dialler disagree about the state: ask for the state, then decide.
    OUT_OF_STEP = "out-of-step"
    #: A person chose or typed something that is refused: show it.
    USER = "user"
    #: This command failed, nothing else follows from it.
    COMMAND_FAILED = "command-failed"


class ErrorMeaning(msgspec.Struct, frozen=True):
    """One error in plain words."""

    meaning: str
    reaction: Reaction


_DOWN = Reaction.DIALLER_DOWN
_LOST = Reaction.SESSION_LOST
_FULL = Reaction.DIALLER_UNUSABLE
_LATER = Reaction.RETRY_LATER
_PHONE = Reaction.HEADSET
_STEP = Reaction.OUT_OF_STEP
_USER = Reaction.USER
_FAILED = Reaction.COMMAND_FAILED

#: Every error that our reference lists. Others can come: ``error_meaning`` has an answer for them.
ERRORS: Final[Mapping[str, ErrorMeaning]] = {
    code: ErrorMeaning(meaning, reaction)
    for code, reaction, meaning in (
        ("E00518", _USER, "calling list unknown, or its keys file cannot be read"),
        ("E12152", _USER, "there is no previous record"),
        ("E12153", _USER, "there is no next record"),
        ("E12156", _USER, "no record was found"),
        ("E28429", _FAILED, "cancelling the call is not permitted"),
        ("E28628", _LATER, "the transfer failed; try again later"),
        ("E28644", _USER, "the calling list belongs to another tenant"),
        ("E28800", _USER, "the callback is earlier than the shortest recall delay"),
        ("E28804", _USER, "the job is not running, or still starting"),
        ("E28805", _LATER, "the job is active but does not dial yet"),
        ("E28812", Reaction.STALE_SESSION, "this agent name is logged on elsewhere"),
        ("E28813", _USER, "the job has its maximum of agents of this class"),
        ("E28814", _USER, "a managed agent cannot work in a job that is not managed"),
        ("E28815", _USER, "a unit agent cannot work in a sales verification job"),
        ("E28816", _USER, "the job takes inbound agents only"),
        ("E28817", _USER, "the job takes outbound agents only"),
        ("E28818", _USER, "the job takes outbound or managed agents only"),
        ("E28819", _USER, "the sales verification job takes outbound agents only"),
        ("E28831", _USER, "callback: date or time is not numeric"),
        ("E28832", _USER, "callback: the date is in another format"),
        ("E28833", _USER, "callback: the month is wrong"),
        ("E28834", _USER, "callback: the year is wrong"),
        ("E28835", _USER, "callback: the day is wrong"),
        ("E28836", _USER, "callback: a character is not allowed in date or time"),
        ("E28837", _USER, "callback: the hour is wrong"),
        ("E28838", _USER, "callback: the minute is wrong"),
        ("E28839", _USER, "callback: the second is wrong"),
        ("E28840", _USER, "callback: the time is in another format"),
        ("E28841", _USER, "there is no phone with this index"),
        ("E28842", _USER, "this phone cannot be called"),
        ("E28843", _USER, "this phone number is not valid"),
        ("E28847", _USER, "callback: the date has passed"),
        ("E28848", _USER, "callback: outside the legal calling hours of that place"),
        ("E28849", _USER, "callback: the time zone is not known"),
        ("E28850", _FULL, "the dialler's operator monitor cannot be reached"),
        ("E28851", _FULL, "the dialler's operator monitor does not answer"),
        ("E28858", _FULL, "the dialler has no agent slot left"),
        ("E28859", _LOST, "the agent number is not valid"),
        ("E28862", _LOST, "the agent process ends after an internal error"),
        ("E28863", _FAILED, "the dialler did not understand the command's source"),
        ("E28864", _FAILED, "the dialler met an unknown internal message"),
        ("E28865", _FAILED, "the dialler does not know this command"),
        ("E28866", _STEP, "there is no line"),
        ("E28867", _STEP, "the line is on hold or gone"),
        ("E28868", _FAILED, "no recalls on inbound calls; or the transfer failed, nobody is there"),
        ("E28869", _USER, "the headset volume goes from 1 to 8"),
        ("E28870", _PHONE, "a headset reservation is under way already"),
        ("E28871", _PHONE, "the headset number is not valid"),
        ("E28872", _PHONE, "the headset is connected already"),
        ("E28873", _PHONE, "no headset is reserved"),
        ("E28874", _PHONE, "the headset is being connected already"),
        ("E28875", _PHONE, "the headset is not registered"),
        ("E28876", _PHONE, "the headset is not connected"),
        ("E28877", _PHONE, "the headset is being disconnected already"),
        ("E28878", _PHONE, "the headset is still connected"),  # as one public client names E28879
        ("E28879", _PHONE, "the headset is still connected"),
        ("E28880", _PHONE, "the headset connection broke"),
        ("E28881", _PHONE, "the headset connection is back"),
        ("E28882", _STEP, "the class cannot change while available for work"),
        ("E28883", _USER, "there is no such work class"),
        ("E28884", _FULL, "the dialler's shared memory cannot be used"),
        ("E28885", _STEP, "no job is attached"),
        ("E28886", _STEP, "the job has no units"),
        ("E28887", _STEP, "the unit cannot change while available for work"),
        ("E28888", _USER, "there is no such unit"),
        ("E28889", _STEP, "a job is attached already"),
        ("E28890", _FULL, "the dialler cannot read the job's file"),
        ("E28891", _FAILED, "say inbound or outbound list"),
        ("E28892", _USER, "the job has no inbound list"),
        ("E28893", _USER, "the job has no outbound list"),
        ("E28894", _USER, "there is no such field"),
        ("E28895", _STEP, "available for work already"),
        ("E28896", _PHONE, "the headset is not active"),
        ("E28897", _STEP, "joining the job is under way already"),
        ("E28898", _USER, "the job is gone"),
        ("E28899", _STEP, "joining the job is not under way"),
        ("E28900", _FAILED, "the dialler met an unexpected internal message"),
        ("E28901", _STEP, "not available for work"),
        ("E28902", _STEP, "a record is still open"),
        ("E28903", _STEP, "ready already"),
        ("E28904", _STEP, "leaving the job"),
        ("E28905", _STEP, "a transfer to another job is under way"),
        ("E28906", _STEP, "the agent was not ready"),
        ("E28907", _STEP, "the job is not managed"),
        ("E28908", _STEP, "there is no record to call"),
        ("E28909", _STEP, "the call is placed already"),
        ("E28910", _STEP, "the call is cancelled or placed already"),
        ("E28911", _STEP, "the call is cancelled already"),
        ("E28912", _STEP, "there is no record"),
        ("E28913", _STEP, "no job is attached that could be left"),
        ("E28914", _STEP, "still available for work"),
        ("E28915", _STEP, "leaving the job is still under way"),
        ("E28916", _STEP, "a job is still attached"),
        ("E28917", _STEP, "there is no job"),
        ("E28918", _STEP, "not available for work"),
        ("E28919", _STEP, "there is no record to finish"),
        ("E28920", _PHONE, "the headset is not in the list of reserved ones"),
        ("E28921", _DOWN, "the dialler is shutting down"),
        ("E28922", _PHONE, "no headset reservation is under way"),
        ("E28923", _PHONE, "the headset is taken"),
        ("E28924", _STEP, "log on first"),
        ("E28925", _STEP, "logged on already on this connection"),
        ("E28926", _USER, "agent name or password is wrong"),
        ("E28942", _USER, "the target job cannot be used"),
        ("E28946", _STEP, "the blending agent is not acquired"),
        ("E28947", _USER, "there is no such completion code"),
        ("E28950", _USER, "the extension is not known"),
        ("E28951", _USER, "the extension is in use"),
        ("E28952", _FULL, "too many extensions"),
        ("E28953", _FULL, "the dialler cannot read its extensions file"),
        ("E28954", _USER, "the extension is there twice"),
        ("E28955", _FULL, "the dialler's dispatcher is down"),
        ("E28956", _FAILED, "the extension could not be used, for an unknown reason"),
        ("E28964", _LATER, "the agent's phone is busy"),
        ("E28965", Reaction.DEGRADED, "the dialler lost its link to the switch"),
        ("E28967", _LATER, "may not leave while on an own recall from another job"),
        ("E28985", _STEP, "the customer is not on the line"),
        ("E29000", _USER, "the managed job needs work class M"),
        ("E29203", _LOST, "the dialler's shared memory failed"),
        ("E29206", _FULL, "the dialler's shared memory failed for this job"),
        ("E29950", _FAILED, "not available on a dialler that works by CTI"),
        ("E29952", _FULL, "the dialler's licence service cannot be reached"),
        ("E29953", _USER, "searching is switched off"),
        ("E29954", _STEP, "no search is running"),
        ("E29955", _USER, "the search needs a value"),
        ("E29956", _STEP, "a search is running already"),
        ("E29959", _USER, "too many units"),
        ("E50100", _FULL, "the dialler has its maximum of agents"),
        ("E50611", _PHONE, "the headset is in use"),
        ("E50612", _FULL, "the dialler can take no more headsets"),
        ("E50613", _FULL, "the dialler cannot read its headset table"),
        ("E58006", _USER, "the tenant cannot be found for this agent"),
        ("E58007", _USER, "the tenant is not valid"),
        ("E58018", _STEP, "the tenant is set already"),
        ("E58021", _STEP, "set the tenant first"),
        ("E58022", _USER, "the tenant is wrong"),
        ("E70000", _FAILED, "wrong number of parameters"),
        ("E70001", _FAILED, "wrong message type: the header is badly formed"),
        ("E70002", _FAILED, "the dialler gave up waiting for one of its own parts"),
        ("E70003", _FAILED, "there is no such type of job"),
        ("E70006", _USER, "choose a unit first"),
        ("E70007", _USER, "an inbound call cannot be moved"),
        ("E70008", _USER, "no target job was named"),
        ("E70009", _FAILED, "the call cannot be sent"),
        ("E70010", _STEP, "the conference exists already"),
        ("E70011", _USER, "this dialler does no agent blending"),
        ("E70012", _USER, "the password has expired"),
        ("E70013", _USER, "changing the password is not allowed"),
        ("E70014", _LATER, "the password file is locked"),
        ("E70015", _USER, "no privilege to change this password"),
        ("E70016", _USER, "the old password is wrong"),
        ("E70017", _USER, "the new password is not acceptable"),
    )
}

_UNKNOWN: Final = ErrorMeaning("the dialler refused, with a code we do not know", _FAILED)


def error_meaning(code: str) -> ErrorMeaning:
    """Say what an error code means and what to do; an unknown one means "this command failed"."""
    return ERRORS.get(code, _UNKNOWN)
