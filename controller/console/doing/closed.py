"""Sessions that are over: read, added to and redacted, and nothing else: their records stay as they are."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from controller import wording
from controller.console import closed_forms
from controller.console.doing.action import Action
from controller.console.menu import Line, Menu
from controller.console.view import local_time
from controller.messages import Addendum, ClosedSession, LogEntry, LookedUp, Redaction, Status
from controller.messages.free_words import said_in

if TYPE_CHECKING:
    from controller.console.commands import Commands

LIST_FOOTER = "↑↓ and Enter: open it    Esc: back"
PAGE_FOOTER = "Enter: put this entry right, or blank its text    Esc: back"


class _Looking:
    """A list or a session that is being looked up, and its menu as far as it is known."""

    def __init__(self, do: Commands, session: ClosedSession | None = None, before: int = 0) -> None:
        self._do = do
        self._session = session
        self._before = before
        self._found: LookedUp | None = None
        self._lines: tuple[Line, ...] = ()
        self.again()

    def again(self) -> None:
        """Look it up, now or anew."""
        self._do.look_up(self._keep, self._session.session if self._session else "", self._before)

    def _keep(self, found: LookedUp) -> None:
        self._found = found
        if not found.refused:
            self._lines = tuple(self._entries(found) if self._session else self._sessions(found))

    def menu(self) -> Menu:
        """The list as it is known now."""
        empty = Menu(title="", lines=(), numbered=False, fresh=self._fresh, whole=self._session is not None)
        return self._fresh(empty)

    def _fresh(self, menu: Menu) -> Menu:
        title = _titled(self._session) if self._session else "Sessions that are closed"
        footer = PAGE_FOOTER if self._session else LIST_FOOTER
        if self._found is None:
            return replace(menu, title=f"{title}   one moment …", footer="Esc: back")
        if self._found.refused:
            told = wording.refusal(self._found.refused, self._found.values)
            return replace(menu, title=f"{title}   {told}", lines=(), footer="Esc: back")
        if not self._lines:
            return replace(menu, title=f"{title}: none yet", footer="Esc: back")
        return replace(menu, title=title, lines=self._lines, at=min(menu.at, len(self._lines) - 1), footer=footer)

    def _sessions(self, found: LookedUp) -> list[Line]:
        return [Line(label=_glance(one), run=partial(_open, self._do, one), name=one.session) for one in found.sessions]

    def _entries(self, found: LookedUp) -> list[Line]:
        do, session = self._do, self._session
        assert session is not None
        lines = []
        if not self._before:
            add = closed_forms.late_form(session.session, found, None, self.again, self.menu)
            lines.append(Line(label="add a late entry …", run=partial(do.ask, add)))
        lines += [Line(label=_entry(item), run=partial(self._choose, item)) for item in found.entries]
        if found.older:
            older = partial(_open, do, session, found.entries[-1].seq)
            lines.append(Line(label="earlier entries …", run=older))
        return lines

    def _choose(self, item: LogEntry) -> None:
        """What can be done with one entry."""
        do, session, found = self._do, self._session, self._found
        assert session is not None and found is not None
        amend = closed_forms.late_form(session.session, found, item, self.again, self.menu)
        blank = closed_forms.blank_form(session.session, item.seq, said_in(item), self.again, self.menu)
        none = "" if said_in(item) else "it has none"
        lines = [
            Line(label="put it right: what is true stands beside it from now on …", run=partial(do.ask, amend)),
            Line(label="blank its text for good …", run=partial(do.ask, blank), why_not=none),
            Line(label="back to the session", run=lambda: do.show(self.menu())),
        ]
        do.choose(f"{item.seq}  {_entry(item)}", lines)


def closed(do: Commands, _key: str) -> None:
    """The sessions that are over, newest first."""
    do.show(_Looking(do).menu())


def _open(do: Commands, session: ClosedSession, before: int = 0) -> None:
    do.show(_Looking(do, session, before).menu())


def _glance(one: ClosedSession) -> str:
    whom = " and ".join(one.participants)
    told = [local_time(one.opened_utc, "%Y-%m-%d %H:%M"), f"{wording.duration(one.length_s):>7}", whom, one.programme]
    signed = f"signed {one.signed_by}" if one.signed_by else ""
    return "  ".join(part for part in (*told, signed) if part)


def _titled(one: ClosedSession) -> str:
    signed = f", signed by {one.signed_by}" if one.signed_by else ""
    return f"{local_time(one.opened_utc, '%Y-%m-%d %H:%M')}  {' and '.join(one.participants)}  CLOSED{signed}"


def _entry(item: LogEntry) -> str:
    kind, text = wording.entry(item)
    who = f"   {item.who}" if item.who else ""
    return f"{local_time(item.utc)}  {kind:<8} {text}{who}"


def _known(status: Status) -> str:
    return "" if not status.signs_on or status.sitters else wording.refusal("sign_on_needed", {})


ACTIONS = (
    Action(
        name="closed", run=closed, menu="record", long="a session that is closed …", ctl="late-entry",
        sends=(Addendum, Redaction), offered=_known,
        help="read it; a late entry, marked as such; blank a text, with who and why",
    ),
)  # fmt: skip
