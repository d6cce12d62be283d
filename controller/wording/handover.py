"""The sheet that paramedics are handed: what they need to know, in the order in which they ask.

In a blinded session it names no dose, but the telephone number under which the blind is broken.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from textwrap import wrap

from controller.messages import DoseView, EventView, ParticipantView, Status, plain_fields
from controller.wording.clinical import amount, dose_words, event_words, limits_words, read
from controller.wording.quantities import clock, duration

_INDENT = 18
NOT_SAID = "not entered"


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """Headings, each with its lines."""

    title: str
    made: str
    """Wall-clock date and time."""
    parts: tuple[tuple[str, tuple[str, ...]], ...]


def sheet_of(status: Status) -> Sheet:
    """All that stands on the sheet of the session that is open."""
    parts: list[tuple[str, tuple[str, ...]]] = [("ROOM", (_place(status),))]
    for person in status.participants:
        of = f" {person.code}" if len(status.participants) > 1 else ""
        parts += [(f"{heading}{of}", lines) for heading, lines in _of_person(status, person)]
    limits = limits_words(status.vitals_limits)
    if limits:
        parts.append(("LIMITS", (limits,)))
    parts.append(("HERE", (", ".join(_who(status)) or NOT_SAID,)))
    return Sheet(
        title=f"HANDOVER TO PARAMEDICS  {status.session}",
        made=_moment(status, status.t).strftime("%Y-%m-%d %H:%M:%S"),
        parts=tuple(parts),
    )


def sheet_text(sheet: Sheet, width: int = 78) -> str:
    """The sheet as plain text."""
    rows = [sheet.title, f"written {sheet.made}", ""]
    for heading, lines in sheet.parts:
        wrapped = [row for line in lines for row in wrap(line, width - _INDENT, subsequent_indent="       ")]
        rows += [f"{heading if at == 0 else '':<{_INDENT}}{row}" for at, row in enumerate(wrapped)]
    return "\n".join(rows)


def wall_time(status: Status, t: float) -> str:
    """The wall clock of this place at a room time, "14:41"."""
    return _moment(status, t).strftime("%H:%M")


def _moment(status: Status, t: float) -> datetime:
    read_at = datetime.fromisoformat(status.utc) if status.utc else datetime.fromtimestamp(0).astimezone()
    return (read_at + timedelta(seconds=t - status.t)).astimezone()


def _place(status: Status) -> str:
    phone = f"desk {status.desk_phone}" if status.desk_phone else ""
    programme = "" if status.blinded else f"programme {status.programme_title}"
    return ", ".join(part for part in (status.room, phone, programme) if part)


def departed(person: ParticipantView) -> str:
    """How somebody went who is no longer here; "" for who is."""
    return "released" if person.released else "left" if person.left else ""


def _of_person(status: Status, person: ParticipantView) -> Iterator[tuple[str, tuple[str, ...]]]:
    t_plus = clock(person.t_plus_s) if person.t_plus_s is not None else "no ingestion yet"
    at_least = "at least " if person.at_least else ""
    yield "T+", (", ".join(part for part in (f"{at_least}{t_plus}", departed(person)) if part),)
    if status.blinded:
        phone = status.unblinding_phone or "number not in the programme: ask the study's sponsor"
        yield "BLINDED", (f"to break the blind call {phone}", *_kits(status, person))
    else:
        doses = [dose for dose in status.doses if dose.participant == person.code]
        total = (f"in all {amount(person.dose_total, status.dose_unit)}",) if person.dose_total is not None else ()
        yield "DOSES", (*(_dose(status, dose) for dose in doses), *total) or ("none logged",)
    yield "VITALS", tuple(_vitals(status, person)) or ("none entered",)
    events = [one for one in status.events if person.code in one.participants]
    now_open = [one for one in events if not one.event.resolved]
    yield "EVENTS OPEN", tuple(_event(status, one) for one in now_open) or ("none",)
    rescue = [one for one in events if one.event.rescue or "rescue" in one.event.needed]
    yield "RESCUE GIVEN", tuple(_rescue(status, one) for one in rescue) or ("none",)
    if person.touch_scope:
        yield "TOUCH AGREED", (person.touch_scope,)


def _kits(status: Status, person: ParticipantView) -> tuple[str, ...]:
    kits = [dose for dose in status.doses if dose.participant == person.code and dose.kit]
    return tuple(f"{wall_time(status, dose.t)}  kit {dose.kit}" for dose in kits)


def _dose(status: Status, dose: DoseView) -> str:
    values = plain_fields(dose, ("t", "seq", "participant"))
    return f"{wall_time(status, dose.t)}  {dose_words(values)}  ({_since(status, dose.t)})"


def _since(status: Status, t: float) -> str:
    return f"{duration(status.t - t)} ago"


def _vitals(status: Status, person: ParticipantView) -> Iterator[str]:
    for line in status.vitals:
        if line.participant == person.code:
            yield f"{wall_time(status, line.t)}  {read(line.vitals)}  ({_since(status, line.t)})"


def _event(status: Status, one: EventView) -> str:
    return f"{wall_time(status, one.t)}  {event_words(plain_fields(one.event))}"


def _rescue(status: Status, one: EventView) -> str:
    given = amount(one.event.rescue) or "given, what and how much was not entered"
    return f"{wall_time(status, one.t)}  {given} for {one.event.event}"


def _who(status: Status) -> list[str]:
    there = [one.initials for one in status.sitters if not one.on_break]
    there += [f"{one.cover} (covers for {one.initials})" for one in status.sitters if one.cover]
    if there:
        return there
    found = [entry.who for entry in status.entries if entry.who] + [entry.who for entry in status.log if entry.who]
    return list(dict.fromkeys(found))
