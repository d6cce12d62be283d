"""The questions of a session that is closed: what is added late, and why a text goes. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec.structs import replace

from controller.console import correcting_forms
from controller.console.forms import Filled, Form
from controller.console.menu import Menu
from controller.console.view import local_time
from controller.messages import Addendum, LogEntry, LookedUp

_AT = re.compile(r"[, ]*@ ?(\d{1,2}):(\d{2})$")


def late_form(
    session: str, found: LookedUp, amends: LogEntry | None, after: Callable[[], None], above: Callable[[], Menu]
) -> Form:
    """A few words and when it was; of the record `amends`: what is true. They are marked as added after the end."""

    def read(line: str) -> Filled:
        at = _AT.search(line)
        text = line[: at.start()].strip() if at else line
        if not text:
            raise ValueError("a few words, no names; or Esc")
        about_t = about(found, int(at[1]), int(at[2])) if at else None
        act = Addendum(session=session, amends=amends.seq if amends else 0, about_t=about_t)
        when = f" of {int(at[1]):02}:{at[2]}" if at else ""
        words = f"late entry{when}, marked as such" if amends is None else f"entry {amends.seq} put right{when}"
        return Filled(act=act, words=f"{words}: {text}", participants=(), why=text, after=after)

    title = "Late entry" if amends is None else f"What is true of entry {amends.seq}"
    hint = f"a few words, no names   @{local_time(found.opened_utc, '%H:%M')}: when it was"
    return Form(title=title, hint=hint, read=read, preview=True, above=above)


def blank_form(session: str, seq: int, text: str, after: Callable[[], None], above: Callable[[], Menu]) -> Form:
    """Why a text goes; it cannot be brought back, and who took it stays."""
    form = correcting_forms.blank_form(session, seq, text)

    def read(reason: str) -> Filled:
        filled = form.read(reason)
        assert isinstance(filled, Filled)
        return replace(filled, after=after)

    return replace(form, read=read, above=above)


def about(found: LookedUp, hour: int, minute: int) -> float:
    """The room time at which this place's wall clock showed it during the session. Raises ValueError."""
    if hour > 23 or minute > 59:
        raise ValueError(f"{hour}:{minute:02} is no time of day")
    opened = datetime.fromisoformat(found.opened_utc).astimezone()
    shown = opened.replace(tzinfo=None)  # without a zone, for the clocks may have been changed meanwhile
    wanted = shown.replace(hour=hour, minute=minute, second=0, microsecond=0)
    if wanted < shown.replace(second=0, microsecond=0):
        wanted += timedelta(days=1)
    return found.opened_t + max(0.0, (wanted.astimezone() - opened).total_seconds())
