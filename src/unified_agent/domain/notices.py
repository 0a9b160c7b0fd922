"""What a desktop is told, with its JSON.

A notice whose type ends in ``-changed`` carries whole slices of the view, and is applied by putting them in the
place of the old ones. So the law *old view + notices = fresh view* holds by construction: ``changes`` derives the
notices from the two views, nobody writes one by hand.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from unified_agent.domain.commands import kebab
from unified_agent.domain.limits import MESSAGES_KEPT
from unified_agent.domain.view import (
    AgentView,
    CallView,
    DiallerView,
    ItemView,
    JobsView,
    LinksView,
    LoginView,
    MessageView,
    SessionView,
    View,
)


class Notice(Struct, frozen=True, kw_only=True):
    """Root of everything a desktop is told. Its ``type`` is the class's name in kebab-case."""

    @property
    def type(self) -> str:
        """The word that stands for it in JSON."""
        return _TYPES[type(self)]


class ViewNotice(Notice, frozen=True, kw_only=True):
    """Root of notices whose fields are slices of the view."""


class SessionChanged(ViewNotice, frozen=True, kw_only=True):
    """Phase or presence changed."""

    session: SessionView


class AgentChanged(ViewNotice, frozen=True, kw_only=True):
    """Work mode, what is asked or what is pending changed."""

    agent: AgentView


class CallsChanged(ViewNotice, frozen=True, kw_only=True):
    """A call came, went or changed; all calls at the station are given."""

    calls: tuple[CallView, ...]


class DiallerChanged(ViewNotice, frozen=True, kw_only=True):
    """The agent's stage at the dialler changed."""

    dialler: DiallerView


class JobsChanged(ViewNotice, frozen=True, kw_only=True):
    """The list of jobs or the completion codes changed."""

    jobs: JobsView


class ItemChanged(ViewNotice, frozen=True, kw_only=True):
    """A work item came, changed or was closed (null)."""

    item: ItemView | None


class LeftItemChanged(ViewNotice, frozen=True, kw_only=True):
    """A record that a lost dialler closed is kept to be read, or was dismissed (null)."""

    left_item: ItemView | None


class LinksChanged(ViewNotice, frozen=True, kw_only=True):
    """A link was lost, is back, or is being checked."""

    links: LinksView


class LoginChanged(ViewNotice, frozen=True, kw_only=True):
    """A login went a step further."""

    login: LoginView


class BlockedChanged(ViewNotice, frozen=True, kw_only=True):
    """What may be asked changed."""

    blocked: dict[str, str]


class MessageArrived(Notice, frozen=True, kw_only=True):
    """A text for the agent; it joins the end of ``messages``."""

    message: MessageView


class CommandSettled(Notice, frozen=True, kw_only=True):
    """How a command ended: ``done``, ``refused`` or ``unknown``; ``error`` is an id or empty."""

    command: str
    command_type: str
    outcome: str
    error: str
    detail: str


class SessionEnded(Notice, frozen=True, kw_only=True):
    """The session is over; nothing follows. ``reason`` is ``agent``, ``taken-over`` or an error id."""

    reason: str
    detail: str


_TYPES: dict[type[Notice], str] = {
    each: kebab(each.__name__)
    for each in (
        SessionChanged,
        AgentChanged,
        CallsChanged,
        DiallerChanged,
        JobsChanged,
        ItemChanged,
        LeftItemChanged,
        LinksChanged,
        LoginChanged,
        BlockedChanged,
        MessageArrived,
        CommandSettled,
        SessionEnded,
    )
}

_SLICES: dict[str, type[ViewNotice]] = {
    "session": SessionChanged,
    "links": LinksChanged,
    "login": LoginChanged,
    "agent": AgentChanged,
    "calls": CallsChanged,
    "dialler": DiallerChanged,
    "jobs": JobsChanged,
    "item": ItemChanged,
    "left_item": LeftItemChanged,
    "blocked": BlockedChanged,
}


def changes(before: View, after: View) -> tuple[Notice, ...]:
    """Derive the notices that turn one view into another, links and login first so that the desktop knows why."""
    notices: list[Notice] = []
    for name, notice in _SLICES.items():
        value = getattr(after, name)
        if value != getattr(before, name):
            notices.append(notice(**{name: value}))
    notices.extend(MessageArrived(message=each) for each in _new_messages(before, after))
    return tuple(notices)


def apply(view: View, notice: Notice) -> View:
    """Do what a desktop does with a notice. Those that are not about the view leave it as it is."""
    if isinstance(notice, ViewNotice):
        slices: dict[str, Any] = {name: getattr(notice, name) for name in notice.__struct_fields__}
        return replace(view, **slices)
    if isinstance(notice, MessageArrived):
        return replace(view, messages=(*view.messages, notice.message)[-MESSAGES_KEPT:])
    return view


def _new_messages(before: View, after: View) -> tuple[MessageView, ...]:
    if after.messages == before.messages:
        return ()
    for kept in range(min(len(before.messages), len(after.messages)), -1, -1):
        if before.messages[len(before.messages) - kept :] == after.messages[:kept]:
            return after.messages[kept:]
    return after.messages


def encode_data(notice: Notice) -> bytes:
    """Write a notice's fields as JSON."""
    return msgspec.json.encode(notice)
