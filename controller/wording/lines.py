"""Entries as lines of a list: when, what, whose."""

from __future__ import annotations

from collections.abc import Iterable

from controller.bedside import unmet
from controller.messages import Dose, DoseView, EntryView, EventView, LogEntry, ReleaseView, Status, plain_fields
from controller.wording.clinical import WORDS, against, amount, dose_words, event_words
from controller.wording.handover import wall_time
from controller.wording.quantities import number
from controller.wording.templates import whose


def entry_line(status: Status, entry: EntryView, text: str = "") -> str:
    """A mark, note, line of vitals or touch; `text` where the words of a note are at hand."""
    told = WORDS[entry.kind]({**entry.values, "text": text})
    return f"{wall_time(status, entry.t)}  {entry.kind}  {whose({'participants': ', '.join(entry.participants)}, told)}"


def dose_line(status: Status, dose: DoseView) -> str:
    """A dose as it stands."""
    told = dose_words(plain_fields(dose, ("t", "seq", "participant")))
    return f"{wall_time(status, dose.t)}  dose  {whose({'participant': dose.participant}, told)}"


def event_line(status: Status, one: EventView) -> str:
    """An adverse event as it stands."""
    told = event_words(plain_fields(one.event))
    return f"{wall_time(status, one.t)}  event  {whose({'participants': ', '.join(one.participants)}, told)}"


def newest_texts(log: Iterable[LogEntry]) -> list[LogEntry]:
    """The notes of a log with their newest words, which a correction may have brought."""
    found: dict[int, LogEntry] = {}
    for item in sorted(log, key=lambda item: item.seq):
        if item.kind == "note":
            found[item.seq] = item
        elif item.kind == "amend" and item.values.get("what") == "note":
            of = int(item.values.get("entry", 0))
            found[of] = LogEntry(seq=of, utc=item.utc, kind="note", text=item.text)
    return list(found.values())


def dose_hints(status: Status, whom: tuple[str, ...]) -> str:
    """What may be typed for a dose here; kit numbers, never amounts, in a blinded session."""
    found = []
    for part in status.dose_parts:
        word = "" if part == "dose" else f"{part} "
        if part == "stop":
            found.append("stop")
        elif status.blinded:
            found.append(f"{word}kit K-17")
        elif part == "booster":
            halves = {view.amount for view in status.booster if view.participant in whom} - {None}
            found.append(f"booster {amount(halves.pop() if len(halves) == 1 else 40, status.dose_unit or 'mg')}")
        else:
            found.append(f"{word}{amount(25, status.dose_unit or 'mg')}")
    return " or ".join(found)


def besides_dose(status: Status, code: str, given: Dose, at: float) -> list[str]:
    """What to know before a dose is noted: the sum, a device too soon, more than the booster's share, no witness."""
    mine = [dose for dose in status.doses if dose.participant == code]
    told = []
    if given.amount is not None and any(dose.amount is not None for dose in mine):
        unit = given.unit or status.dose_unit
        if all(dose.unit in ("", unit) for dose in mine):
            told.append(f"in all {amount(round(given.amount + sum(dose.amount or 0.0 for dose in mine), 6), unit)}")
    apart = [abs(at - dose.t) / 60.0 for dose in mine if dose.part == "device"]
    if (given.part == "device" or "device" in status.dose_parts) and apart and min(apart) < status.apart_minutes:
        told.append(f"only {number(round(min(apart)))} min after a device, {number(status.apart_minutes)} apart")
    share = next((view.amount for view in status.booster if view.participant == code), None)
    if given.part == "booster" and given.amount is not None and share is not None and given.amount > share:
        told.append(f"more than {amount(share, status.dose_unit)}")
    here = [one for one in status.sitters if not one.on_break]
    if len(here) > 1 and not given.witness and given.part != "stop":
        told.append("NO WITNESS")
    return told


def all_against(view: ReleaseView, now: float, events: Iterable[EventView]) -> list[str]:
    """All that stands against a release, in words."""
    found = unmet(view, now)
    grades = {one.seq: one.event.grade for one in events}
    found += [{"what": "event", "event": seq, "grade": grades.get(seq, 3)} for seq in view.events]
    return [against(one) for one in found]
