"""Questions that put right what was entered: the line as it should have been, whom it meant, when it was. Pure."""

from __future__ import annotations

import re

from msgspec.structs import replace

from controller import wording
from controller.console.forms import Filled, Form
from controller.console.typed import (
    Clock,
    Said,
    late_words,
    read_dose,
    read_touch,
    read_vitals,
    taken_apart,
    vitals_line,
)
from controller.messages import (
    Amend,
    Challenge,
    CorrectDose,
    DoseView,
    EntryView,
    Mark,
    Note,
    Redaction,
    Touch,
    Vitals,
    plain_fields,
)

_FOR = re.compile(r"[, ]*\bfor (\S+)$")
_BY = re.compile(r"([+-]\d+)(?: ?min)?")

HINTS = {
    "mark": "its true mark", "note": "its true words", "vitals": "120/80 72 98 36.8", "touch": "held hand 3 min",
    "challenge": "only its time",
}  # fmt: skip


def correct_form(
    entry: EntryView, text: str, marks: tuple[tuple[str, str], ...], codes: tuple[str, ...], clock: Clock
) -> Form:
    """The entry as its line, to be put right; shown beside what stood before, before it is noted."""
    before = line_of(entry, text)

    def read(line: str) -> Filled:
        said = taken_apart(line, clock)
        whom: tuple[str, ...] = ()
        if (found := _FOR.search(said.text)) and found[1] in codes:
            whom = (found[1],)
            said = replace(said, text=said.text[: found.start()].strip())
        act = _act(entry, said.text or before, marks)
        if not said.dated and not whom and said.text in ("", before):
            raise ValueError("nothing is changed yet; Esc goes back")
        moved = f", it was{late_words(said.ago_s) or ' just now'}" if said.dated else ""
        meant = f", meant {whom[0]}" if whom else ""
        amend = Amend(entry=entry.seq, act=act, minutes_ago=said.ago_s / 60.0 if said.dated else None)
        words = f"{entry.kind} {before or '-'} -> {said.text or before or '-'}{meant}{moved}"
        return Filled(act=amend, words=words, participants=whom, why=said.why)

    several = f"   for {codes[-1]}" if len(codes) > 1 else ""
    hint = f"{HINTS.get(entry.kind, '')}   @14:41: its time{several}   ; why"
    return Form(title=f"Correct {entry.kind}", hint=hint, read=read, preview=True, initial=before)


def line_of(entry: EntryView, text: str) -> str:
    """The line that would enter it."""
    values = entry.values
    match entry.kind:
        case "note":
            return text
        case "mark":
            return str(values.get("code", ""))
        case "vitals":
            return vitals_line(values)
        case "touch":
            minutes = f"{values['minutes']:g} min" if "minutes" in values else ""
            part = "" if values.get("part") == "given" else values.get("part", "")
            words = (part, values.get("touch", ""), values.get("where", ""), minutes)
            return " ".join(str(word) for word in words if word)
        case _:
            return ""


def _act(entry: EntryView, line: str, marks: tuple[tuple[str, str], ...]) -> Mark | Note | Vitals | Touch | Challenge:
    match entry.kind:
        case "note":
            if not line:
                raise ValueError("its words are not at hand here: write them anew")
            return Note(text=line)
        case "mark":
            known = {name.lower(): code for code, label in marks for name in (code, label)}
            if line.lower() not in known:
                raise ValueError(f"one of {', '.join(code for code, _ in marks)}")
            return Mark(code=known[line.lower()])
        case "vitals":
            return read_vitals(line)
        case "touch":
            return read_touch(line)
        case _:
            return Challenge(part="end" if entry.values.get("part") == "end" else "start")


def correct_dose_form(dose: DoseView, clock: Clock) -> Form:
    """The true minute, amount, kit or witness of a dose; all that hangs on it moves."""
    stands = wording.dose_words(plain_fields(dose, ("t", "seq", "participant")))

    def read(line: str) -> Filled:
        said = taken_apart(line, clock)
        act = _dose_act(dose, said)
        now = wording.dose_words(
            {**plain_fields(dose, ("t", "seq", "participant")), **plain_fields(act, ("dose",))}, ago=False
        )
        told = f"{stands} -> {now}" if now != stands else stands
        if act.by_minutes is not None:
            minutes = abs(act.by_minutes)
            told += f", taken {minutes:g} min {'earlier' if act.by_minutes < 0 else 'later'} than was noted"
        elif act.minutes_ago is not None:
            told += f", taken {wording.duration(act.minutes_ago * 60.0)} ago"
        return Filled(
            act=act, words=f"dose of {dose.participant}: {told}", participants=(dose.participant,), why=said.why
        )

    hint = "42 ago, @14:41, or -17: earlier; or 20 mg, kit K-17, by AB   ; why"
    return Form(title=f"Dose of {dose.participant}", hint=hint, read=read, preview=True, beside=stands)


def _dose_act(dose: DoseView, said: Said) -> CorrectDose:
    ago = said.ago_s / 60.0 if said.dated else None
    text = said.text
    if by := _BY.fullmatch(text):
        return CorrectDose(dose=dose.seq, by_minutes=float(by[1]))
    if number := re.fullmatch(r"(\d+)(?: ?min)?(?: ago)?", text):
        return CorrectDose(dose=dose.seq, minutes_ago=float(number[1]))
    if not text and ago is None:
        raise ValueError("minutes ago (42 ago), by how much it moves (-17), or its true amount, kit or witness")
    if witness := re.fullmatch(r"(?:by|witness) (\S+)", text):
        return CorrectDose(dose=dose.seq, minutes_ago=ago, witness=witness[1])
    if not text:
        return CorrectDose(dose=dose.seq, minutes_ago=ago)
    given = read_dose(text)
    if given.kit and not text.lower().startswith("kit "):
        raise ValueError(f'"{text}": minutes ago (42 ago), -17, or its true amount (20 mg), kit K-17, or by AB')
    return CorrectDose(
        dose=dose.seq, minutes_ago=ago, amount=given.amount, unit=given.unit or None, kit=given.kit or None,
        witness=given.witness or None,
    )  # fmt: skip


def blank_form(session: str, seq: int, text: str) -> Form:
    """Why a text goes; it cannot be brought back."""

    def read(reason: str) -> Filled:
        if not reason:
            raise ValueError("a word why (a name), or Esc")
        words = f"the text of entry {seq} blanked for good"
        return Filled(act=Redaction(session=session, seq=seq), words=words, participants=(), why=reason)

    return Form(
        title=f"Blank '{wording.fit(text, 30)}' for good",
        hint="why? a name typed by mistake ...",
        read=read,
        preview=True,
    )
