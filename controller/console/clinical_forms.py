"""One-line questions of what is clinical. A line may end in when it was (@12, @14:41) and in "; why". Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

from controller import bedside, wording
from controller.console.forms import Filled, Form, read_dose
from controller.messages import (
    AdverseEvent,
    Challenge,
    Dose,
    EventView,
    Leave,
    Mark,
    Needed,
    Note,
    Related,
    Release,
    Touch,
    UpdateEvent,
    Vitals,
    plain_fields,
    telling_words,
)

Clock = Callable[[], str]
"""The room's wall clock, "14:52:10"."""

WHEN = "@12 or @14:41: late"

_WHEN = re.compile(r"[, ]*@ ?(\S+)$|, ?(\d+(?: ?min)?) ago$")
_READING = re.compile(r"(\d{1,3})[/-](\d{1,3})")


@dataclass(frozen=True, kw_only=True)
class Said:
    """A line taken apart."""

    text: str
    ago_s: float = 0.0
    why: str = ""
    dated: bool = False


def taken_apart(line: str, clock: Clock) -> Said:
    """What was said, how long ago it was, and why. Raises ValueError for a time that is none."""
    text, _, why = (part.strip() for part in line.partition(";"))
    found = _WHEN.search(text)
    if found is None:
        return Said(text=text, why=why)
    ago_s = bedside.seconds_ago(found[1] or found[2], clock())
    return Said(text=text[: found.start()].strip(" ,"), ago_s=ago_s, why=why, dated=True)


def late_words(ago_s: float) -> str:
    """How long ago it was, behind what is shown before it is noted."""
    return f", {wording.duration(ago_s)} ago" if ago_s >= 60.0 else ""


def note_form(pressed_t: float | None, clock: Clock, initial: str = "", *, blinded: bool = False) -> Form:
    """A few words; the time is the key's, or that behind an @. Words that would tell an arm are asked about once."""

    def read(text: str) -> Filled | Form:
        if not text:
            raise ValueError("write a few words, or Esc")
        filled = _note(text, pressed_t, clock)
        told = telling_words(text) if blinded else []
        if not told:
            return filled
        hint = f'"{told[0][1]}" may tell the arm: change it; Enter alone keeps it as it is'
        return Form(
            title="Blinded", hint=hint, read=lambda again: filled if again == text else read(again), initial=text
        )

    return Form(title="Note", hint=f"a few words, no names   {WHEN}", read=read, initial=initial)


def _note(text: str, pressed_t: float | None, clock: Clock) -> Filled:
    late = re.search(r" @ ?(\S+)$", text)
    if late is None:
        return Filled(act=Note(text=text, pressed_t=pressed_t), words=f"note '{text}'")
    ago_s = bedside.seconds_ago(late[1], clock())
    said = text[: late.start()].strip()
    return Filled(act=Note(text=said), words=f"note '{said}'{late_words(ago_s)}", ago_s=ago_s)


def of(form: Form, *codes: str) -> Form:
    """The same question, whose answer concerns these, whomever Tab chooses meanwhile."""

    def read(line: str) -> Filled | Form:
        answer = form.read(line)
        if isinstance(answer, Form):
            return of(answer, *codes)
        assert isinstance(answer, Filled)
        return replace(answer, participants=codes)

    return replace(form, read=read)


# --- Vitals ---


def read_vitals(text: str) -> Vitals:
    """Vitals of a line such as "120/80 72 98 36.8": pressure, pulse, SpO2, temperature.

    The first whole number is the pulse, the second SpO2, one with a decimal point or comma the temperature. Raises
    ValueError for what is no reading; what is implausible is asked about.
    """
    found: dict[str, Any] = {}
    bare = iter(("pulse", "spo2"))
    for word in text.split():
        if pressure := _READING.fullmatch(word):
            found |= {"systolic": int(pressure[1]), "diastolic": int(pressure[2])}
        elif re.fullmatch(r"\d{1,2}[.,]\d+", word):
            found["celsius"] = float(word.replace(",", "."))
        elif re.fullmatch(r"\d{1,3}", word) and (name := next(bare, "")):
            found[name] = int(word)
        else:
            raise ValueError(f'"{word}" is no reading')
    if not found:
        raise ValueError("a reading, such as 120/80 72 98 36.8")
    return Vitals(**found)


def vitals_form(whom: str, last: Vitals | None, limits: tuple[tuple[str, float, float], ...], clock: Clock) -> Form:
    """One line, beside its limits and the last reading; nothing and a reason when they were missed."""
    title = f"Vitals of {whom}"

    def missed(line: str) -> Filled:
        said = taken_apart(line, clock)
        if not said.text:
            raise ValueError("a word why, or Esc")
        return Filled(act=Vitals(missed=said.text), words=f"missed: {said.text}", why=said.why, ago_s=said.ago_s)

    def read(line: str) -> Filled | Form:
        if not line:
            return Form(title=f"{title} missed", hint="why? asleep, asked not to, device ...", read=missed)
        said = taken_apart(line, clock)
        taken = read_vitals(said.text)
        codes = bedside.doubts(taken, last)
        kept = replace(taken, kept=" ".join(codes))
        beyond = [wording.beyond(one) for one in bedside.beyond_limits(limits, taken)]
        words = "  ".join((f"vitals {wording.read(taken)}{late_words(said.ago_s)}", *beyond))
        doubt = wording.doubts(codes, plain_fields(taken))
        return Filled(act=kept, words=words, why=said.why, ago_s=said.ago_s, doubt=doubt)

    before = f"last {vitals_line(plain_fields(last))}" if last else "none taken yet"
    told = wording.limits_words(limits)
    return Form(
        title=title, hint=f"120/80 72 98 36.8   empty: missed   {WHEN}", read=read,
        beside=f"{before}   limits {told}" if told else before,
    )  # fmt: skip


def vitals_line(values: Mapping[str, str | int | float]) -> str:
    """The line that enters these readings."""
    pressure = f"{values['systolic']}/{values.get('diastolic', '')}" if "systolic" in values else ""
    parts = (pressure, *(values.get(reading, "") for reading in ("pulse", "spo2", "celsius")))
    return " ".join(str(part) for part in parts if part != "")


# --- Doses ---


def dose_form(
    whom: str, hints: str, besides: Callable[[Dose, float], Sequence[str]], clock: Clock, last: str = ""
) -> Form:
    """What was given, when, who saw it; reads it back and asks for Enter once more."""

    def read(line: str) -> Filled:
        said = taken_apart(line, clock)
        dose = read_dose(said.text)
        when = late_words(said.ago_s + dose.minutes_ago * 60.0) or ", now"
        told = f"{'dose ' if dose.part == 'dose' else ''}{wording.dose_words(_without_ago(dose))}{when}"
        over = ["outside its window"] if dose.override else []
        words = "; ".join((f"{whom}: {told}", *over, *besides(dose, said.ago_s + dose.minutes_ago * 60.0)))
        return Filled(act=dose, words=words, why=said.why, ago_s=said.ago_s)

    return Form(
        title=f"Dose for {whom}", hint=f"{hints}   then: , by AB   {WHEN}", read=read, preview=True, beside=last
    )


def _without_ago(dose: Dose) -> dict[str, str | int | float]:
    """The dose's plain values without when it was."""
    return plain_fields(dose, ("minutes_ago",))


# --- Touch ---


def touch_form(whom: str, scope: str, going_on: str, clock: Clock) -> Form:
    """Where, perhaps how, and how long; the consented scope stands beneath before anything is typed."""

    def read(line: str) -> Filled:
        said = taken_apart(line, clock)
        act = read_touch(said.text)
        outside = act.outside if act.outside is not None else not bedside.covers(scope, act.touch, act.where)
        beyond = ", OUTSIDE SCOPE: noted as that" if outside and act.part != "stop" else ""
        told = wording.touch_words(plain_fields(act, ("outside",)))
        words = f"{whom}: {told}{beyond}{late_words(said.ago_s)}"
        return Filled(act=act, words=words, why=said.why, ago_s=said.ago_s)

    now = f"   now: {going_on}" if going_on else ""
    return Form(
        title=f"Touch of {whom}", hint=f"held hand 3 min   start hand   stop   {WHEN}", read=read, preview=True,
        beside=f"consented: {scope or 'NO SCOPE WAS ENTERED'}{now}   (inside, outside: as you judge it)",
    )  # fmt: skip


def read_touch(text: str) -> Touch:
    """Touch of a line such as "held hand 3 min", "start hand", "stop", "hand outside". Raises ValueError."""
    minutes = re.search(r"\b(\d+(?:[.,]\d+)?) ?m(?:in)?\b", text)
    if minutes:
        text = text.replace(minutes[0], " ")
    words = text.split()
    part = words.pop(0) if words[:1] in (["start"], ["stop"]) else "given"
    outside = next((word == "outside" for word in words if word in ("outside", "inside")), None)
    words = [word for word in words if word not in ("outside", "inside")]
    if part != "stop" and not words:
        raise ValueError("where, in a word: hand, shoulder ...")
    *how, where = words or [""]
    return Touch(
        touch=" ".join(how), where=where, part=part, outside=outside,  # type: ignore[arg-type]
        minutes=float(minutes[1].replace(",", ".")) if minutes else None,
    )  # fmt: skip


# --- Adverse events ---

_FLAGS = {"serious": ("serious", True), "resolved": ("resolved", True), "open": ("resolved", False)}


def read_event(text: str) -> dict[str, Any]:
    """What a line says of an event: "chest pain, 3, serious, possible, provider, given 1 mg lorazepam".

    Raises ValueError. `event` is what is none of the words that are known.
    """
    found: dict[str, Any] = {}
    rest = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        if part.lower().startswith("given "):
            found["rescue"] = part[6:].strip()
            continue
        left = []
        for word in re.sub(r"(?i)\bnot serious\b", "not-serious", part).split():
            left += [] if _known(word.lower(), found) else [word]
        rest += [" ".join(left)] if left else []
    if rest:
        found["event"] = ", ".join(rest)
    return found


def _known(word: str, found: dict[str, Any]) -> bool:
    """Take a word that has a meaning of its own."""
    if word == "grade":
        return True
    if re.fullmatch(r"[1-5]", word):
        found["grade"] = int(word)
    elif word == "not-serious":
        found["serious"] = False
    elif word in _FLAGS:
        name, value = _FLAGS[word]
        found[name] = value
    elif word in get_args(Related):
        found["related"] = word
    elif word in get_args(Needed):
        found["needed"] = (*found.get("needed", ()), word)
    else:
        return False
    return True


_ASKED = (
    ("grade", "grade", "1 mild  2 moderate  3 severe  4 life-threatening  5 death; serious behind it"),
    ("related", "related to what was given?", "related, possible, unrelated; Enter: unknown"),
    ("needed", "what did it need?", "none, rescue (given 1 mg X), provider, emergency, transport"),
)
"""What is asked for one by one where the first line did not say it."""


def event_form(whom: str, pressed_at: float, clock: Clock) -> Form:
    """What it is; whatever of grade, relation and need was not said is asked for. Its onset is the press of the key."""

    def ask(said: Said, known: dict[str, Any]) -> Filled | Form:
        for name, question, hint in _ASKED:
            if name not in known:
                return Form(
                    title=f"{known['event']}: {question}", hint=hint, read=lambda text: answer(said, known, text)
                )
        event = AdverseEvent(**known)
        words = f"{whom}: {wording.event_words(plain_fields(event))}{late_words(said.ago_s)}"
        filled = Filled(
            act=event, words=words, why=said.why, ago_s=said.ago_s, pressed_at=None if said.dated else pressed_at
        )
        hint = "Enter: note it    Esc: back"
        return Form(title="Adverse event", hint=hint, read=lambda _text: filled, beside=words)

    def answer(said: Said, known: dict[str, Any], text: str) -> Filled | Form:
        missing = next(name for name, _, _ in _ASKED if name not in known)
        more = {"related": "unknown"} if missing == "related" and not text else read_event(text)
        if missing not in more:
            raise ValueError(f"{missing}: one of what is shown")
        more.pop("event", None)
        return ask(said, {**known, **more})

    def read(line: str) -> Filled | Form:
        said = taken_apart(line, clock)
        known = read_event(said.text)
        if "event" not in known:
            raise ValueError("what it is, in a word or two")
        return ask(said, known)

    hint = f"headache, 2   its onset is the key's   {WHEN}"
    return Form(title=f"Adverse event of {whom}", hint=hint, read=read)


def update_form(one: EventView, clock: Clock, onset: bool = False) -> Form:
    """What is true of an event now; shown beside what stands before it is noted. `onset`: @ moves its onset."""

    def read(line: str) -> Filled:
        said = taken_apart(line, clock)
        known = read_event(said.text)
        code = known.pop("event", None)
        onset_ago = said.ago_s / 60.0 if onset and said.dated else None
        if not known and code is None and onset_ago is None:
            raise ValueError("what is true now: resolved, grade 3, serious, related, provider, given ...")
        act = UpdateEvent(event=one.seq, code=code, onset_minutes_ago=onset_ago, **known)
        new = replace(one.event, **known, **({"event": code} if code else {}))
        words = f"{wording.event_words(plain_fields(one.event))} -> {wording.event_words(plain_fields(new))}"
        at = f", onset{late_words(said.ago_s)}" if onset_ago is not None else late_words(said.ago_s)
        ago_s = 0.0 if onset else said.ago_s
        return Filled(act=act, words=f"{words}{at}", participants=one.participants, why=said.why, ago_s=ago_s)

    return Form(
        title=f"{one.event.event} of {' and '.join(one.participants)}", preview=True, read=read,
        hint=f"resolved, grade 3, not serious, provider, given ...   {WHEN}",
        beside=wording.event_words(plain_fields(one.event)),
    )  # fmt: skip


# --- When ---


def when_form(title: str, filled: Filled, clock: Clock) -> Form:
    """Enter: now; or how long ago, or the wall time."""

    def read(line: str) -> Filled:
        said, _, why = (part.strip() for part in line.partition(";"))
        ago_s = bedside.seconds_ago(said.removeprefix("@"), clock()) if said else 0.0
        return replace(filled, ago_s=ago_s, why=why or filled.why, words=f"{filled.words}{late_words(ago_s)}")

    return Form(title=title, hint="Enter: now    or 12 (minutes ago), or 14:41    ; and why", read=read)


def challenge_form(whom: str, *, ends: bool, clock: Clock) -> Form:
    """It begins or ends, now or a while ago."""
    word = "ends" if ends else "begins"
    act = Challenge(part="end" if ends else "start")
    title = f"Challenging experience of {whom} {word}"
    filled = Filled(act=act, words=f"{whom}: challenging experience {word}", participants=(whom,))
    return when_form(title, filled, clock)


def late_mark_form(code: str, label: str, clock: Clock) -> Form:
    """When a mark was."""
    return when_form(f"Mark: {label}", Filled(act=Mark(code=code), words=label), clock)


# --- Who goes ---


def release_form(whom: str, against: Sequence[str]) -> Form:
    """Enter alone where nothing stands against it; otherwise reason and the second person."""
    if not against:
        filled = Filled(act=Release(), words=f"{whom} released", participants=(whom,))
        return Form(title=f"Release {whom}", hint="all is met. Enter: released    Esc: back", read=lambda _: filled)

    def read(line: str) -> Filled:
        text, _, why = (part.strip() for part in line.partition(";"))
        found = re.fullmatch(r"(.+?)[, ]+(with|desk) (\w+)", text, re.IGNORECASE)
        if not found:
            raise ValueError("a reason, then with AB (the second here), or desk AB (at the support desk)")
        reason, second, desk = found[1].strip(), found[3].upper(), found[2].lower() == "desk"
        act = Release(override=True, reason=reason, second=second, desk=desk)
        words = (
            f"{whom} released by OVERRIDE with {second}{' of the desk' if desk else ''}, although {'; '.join(against)}"
        )
        return Filled(act=act, words=words, participants=(whom,), why=why)

    return Form(
        title=f"Override release of {whom}", hint="reason, with AB   or   reason, desk AB   ; more words", read=read,
        preview=True, beside=f"not met: {'; '.join(against)}",
    )  # fmt: skip


def leave_form(whom: str, clock: Clock) -> Form:
    """Condition, who was told, how they get home; one person's word is enough."""

    def read(line: str) -> Filled:
        said = taken_apart(line, clock)
        parts = {"condition": "", "told": "", "transport": ""}
        for part in filter(None, (part.strip() for part in said.text.split(","))):
            word, _, rest = part.partition(" ")
            if word.lower() in ("told", "transport") and rest:
                parts[word.lower()] = rest.strip()
            elif not parts["condition"]:
                parts["condition"] = part
            else:
                raise ValueError(f'"{part}": how, told whom, transport how')
        act = Leave(condition=parts["condition"], told=parts["told"], transport=parts["transport"])
        told = wording.fact("leave", {**plain_fields(act), "participants": whom})[1]
        return Filled(
            act=act, words=f"{told}{late_words(said.ago_s)}", participants=(whom,), why=said.why, ago_s=said.ago_s
        )

    hint = f"steady, told AB, transport taxi   {WHEN}   ; why"
    return Form(title=f"{whom} leaves", hint=hint, read=read, preview=True)
