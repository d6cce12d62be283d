"""From codes to words: records hold codes and numbers, and every sentence a person reads is made here.

An unknown code falls back to itself and its values, so that nothing is ever hidden for want of a word.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

from msgspec.structs import replace

from controller.messages import (
    Act,
    Alarm,
    Booking,
    CallView,
    DueView,
    Limits,
    LogEntry,
    ParticipantView,
    ReleaseView,
    Status,
)
from controller.one_line import one_line
from controller.wording import live as live_words
from controller.wording import preflight
from controller.wording.clinical import (
    against,
    amount,
    beyond,
    dose_words,
    doubts,
    event_words,
    limits_words,
    read,
    touch_words,
)
from controller.wording.handover import departed
from controller.wording.lines import (
    all_against,
    besides_dose,
    dose_hints,
    dose_line,
    entry_line,
    event_line,
    newest_texts,
)
from controller.wording.plans import PLANNED
from controller.wording.quantities import clock, countdown, duration, number, percent, percent_of_db
from controller.wording.sentences import (
    ACTS,
    ALARMS,
    DEVICES,
    DUE,
    FACTS,
    NOT_A_MEDICAL_DEVICE,
    NOT_DELIVERED,
    NOT_SIGNED,
    REFUSALS,
    SCENES,
    STATES,
    WAITS,
)  # fmt: skip
from controller.wording.templates import Values, fallback, filled, kind_of, worded
from controller.wording.timetable import JOBS, clock_time

__all__ = [
    "ACTS", "ALARM_COLUMNS", "CORRECTING", "DEVICES", "DUE", "NOT_A_MEDICAL_DEVICE", "NOT_DELIVERED", "NOT_SIGNED",
    "SCENES", "STATES", "WAITS", "against", "alarm", "all_against", "amended", "amount", "besides_dose", "beyond",
    "booking", "call", "clock", "clock_time", "corrections", "countdown", "departed", "dose_hints", "dose_line",
    "dose_words", "doubts", "due", "duration", "ends", "entry", "entry_line", "event_line", "event_words", "fact",
    "fit", "kinds", "later", "limits", "limits_words", "newest_texts", "number", "offers", "on_duty", "percent",
    "percent_of_db", "planned", "preflight", "read", "refusal", "release", "state", "t_plus", "touch_words",
]  # fmt: skip

ALARM_COLUMNS = 76

_LONGEST_NAME = 40
"""Of whoever answers a call: what follows it must still be read."""


def state(status: Status) -> str:
    """The one word of the header."""
    if status.evacuated:
        return "EVACUATED"
    if status.state == "running":
        if status.landing:
            return "LANDING"
        if status.quiet:
            return "SILENCE"
        if status.hold:
            return "HOLDING"
    return STATES.get(status.state, status.state.upper())


def refusal(code: str, values: Values) -> str:
    """Why something was not done, as one sentence without a full stop."""
    return worded(REFUSALS, code, values)


def fact(code: str, values: Values) -> tuple[str, str]:
    """A fact of the rules as (kind word, text)."""
    found = FACTS.get(code)
    if found is None:
        return kind_of(code), fallback(code, values)
    return found[0], filled(found[1], values)


def kinds() -> frozenset[str]:
    """All that an entry of the record can be: what was done, what followed, and the words that stand for either."""
    done = {act.__struct_config__.tag for act in get_args(Act)}
    return frozenset({str(tag) for tag in done} | FACTS.keys() | {word for word, _ in FACTS.values()})


def planned(code: str, values: Values) -> str:
    """A reason of the planner's as one sentence without a full stop."""
    return worded(PLANNED, code, values)


def entry(item: LogEntry) -> tuple[str, str]:
    """A line of the log as (kind word of at most 7 letters, text)."""
    values = {**item.values, "text": item.text} if item.text else item.values
    kind, text = fact(item.kind, values)
    if item.text and not _says_its_text(item):
        text = f"{text}; {one_line(item.text)}"
    if item.amended_by:
        text = f"{text} (corrected in {item.amended_by})"
    if item.waits:
        text = f"not written yet: {text}"  # before the words, which a line may have to cut
    return kind, f"{text} (taken back)" if item.taken_back else text


def _says_its_text(item: LogEntry) -> bool:
    return item.kind in ("note", "take_back") or (item.kind == "amend" and item.values.get("what") == "note")


def amended(log: Iterable[LogEntry]) -> list[LogEntry]:
    """The log with what was taken back marked so, and with each taking back naming what it took."""
    entries = list(log)
    taken = {int(item.values.get("seq", 0)) for item in entries if item.kind == "take_back"}
    named = {item.seq: " ".join(entry(item)) for item in reversed(entries) if item.seq in taken}
    fixed = corrections(entries)
    notes = {item.seq: item.text for item in entries if item.kind == "note"}
    told = []
    for item in reversed(entries):
        if item.kind == "take_back":
            told.append(replace(item, text=named.get(int(item.values.get("seq", 0)), "")))
        elif item.kind == "amend":
            of = int(item.values.get("entry", 0))
            told.append(replace(item, values={**item.values, "was_text": notes.get(of, "")}))
            notes[of] = item.text
        elif item.kind in ACTS:
            back = item.taken_back or item.seq in taken
            told.append(replace(item, taken_back=back, amended_by=fixed.get(item.seq, 0)))
        else:
            told.append(item)
    return told[::-1]


CORRECTING = {"amend": "entry", "update_event": "entry", "correct_dose": "dose", "addendum": "amends"}
"""Kinds of entry that correct another one, and the value that names it."""


def corrections(log: Iterable[LogEntry]) -> dict[int, int]:
    """By the entry: the newest one that corrects it or, an adverse event, brings it up to date."""
    found: dict[int, int] = {}
    for item in sorted(log, key=lambda item: item.seq):
        if item.kind in CORRECTING:
            found[int(item.values.get(CORRECTING[item.kind], 0))] = item.seq
    return found


def alarm(item: Alarm) -> str:
    """An alarm in at most 76 columns."""
    return fit(worded(ALARMS, item.code, item.values), ALARM_COLUMNS)


def call(view: CallView) -> str:
    """How far the open call has come; "" when there is none."""
    if not view.call or view.stage == "stood_down":
        return ""
    what = "EMERGENCY CALLED" if view.level == "emergency" else "SUPPORT CALLED"
    match view.stage:
        case "not_delivered":
            return f"{'EMERGENCY CALL' if view.level == 'emergency' else 'CALL'} {NOT_DELIVERED}"
        case "acknowledged":
            return f"{what}: {fit(view.by, _LONGEST_NAME) or 'somebody'} is coming"
        case "sent":
            return f"{what}: sent, nobody has answered yet"
        case _:
            return f"{what}: placed, not sent yet"


def due(item: DueView, *, named: bool = False) -> str:
    """What falls due, e.g. "BP due in 4 min", "BP + temp overdue 3 min"."""
    what = DUE.get(item.code, item.code.replace("_", " "))
    if item.name:
        what = f"{item.name}'s {what}"
    reading = item.code.startswith("vitals")
    if reading and item.needs:
        asked = live_words.readings(item.needs)
        what = {"vitals": asked, "vitals_booster": f"{asked} for booster"}.get(item.code, f"{what}: {asked}")
    if named and item.participant:
        what = f"{item.participant} {what}"
    windows = item.code in DUE and not reading
    if item.in_s < -30.0:
        if windows:
            return f"{what} since {duration(item.in_s)}"
        return f"{what} {'overdue' if item.state == 'overdue' else 'due since'} {duration(item.in_s)}"
    if abs(item.in_s) <= 30.0:
        return f"{what} {'now' if windows else 'due now'}"
    return f"{what} {'in' if windows else 'due in'} {duration(item.in_s)}"


def t_plus(person: ParticipantView, ahead_s: float = 0.0) -> str:
    """Time since ingestion, "at least" where an outage of unknown length lies behind it."""
    if person.t_plus_s is None:
        return clock(None)
    return f"{'at least ' if person.at_least else ''}{clock(person.t_plus_s + ahead_s)}"


def ends(status: Status) -> str:
    """When the arc will be over, beside what was booked: "in 3 h 10, 12 min later than booked"."""
    if status.projected_end_t is None:
        return ""
    told = f"in {duration(max(0.0, status.projected_end_t - status.t))}"
    late = later(status)
    return (
        f"{told}, {duration(late)} {'later' if late > 0 else 'earlier'} than booked" if late else f"{told}, as booked"
    )


def later(status: Status) -> float:
    """Seconds by which the arc will end later than was booked, by whole minutes; negative for earlier."""
    if status.projected_end_t is None or status.booked_end_t is None:
        return 0.0
    return round((status.projected_end_t - status.booked_end_t) / 60.0) * 60.0


def offers(status: Status) -> str:
    """What a long pause offers; "" for nothing."""
    if status.shorten_s < 1.0:
        return ""
    return f"shorten this phase by {duration(status.shorten_s)}"


def release(view: ReleaseView, now_t: float) -> str:
    """One line on a release: what is open, and from when it can be."""
    met = sum(answered is True for _, _, answered in view.criteria)
    told = f"{met} of {len(view.criteria)} met" if view.criteria else "no questions"
    if view.earliest_t is None:
        return f"{view.participant}: after the infusion, {told}"
    left = view.earliest_t - now_t
    if view.ready:
        return f"{view.participant}: ready, {told}"
    return f"{view.participant}: {told}, {f'not before {duration(left)} from now' if left > 0 else 'the time has come'}"


def limits(given: Limits) -> str:
    """What may not be heard, in one line; "" for no limits."""
    return live_words.limits(given.told()) if given.told() else ""


def on_duty(status: Status) -> str:
    """Who is on duty, and for how long whoever is out stays out: "AB, CD out 4 min (cover EF)"."""
    told = []
    for sitter in status.sitters:
        if sitter.break_until_t is None:
            told.append(sitter.initials)
            continue
        left = sitter.break_until_t - status.t
        over = f"{duration(left)} over its time" if left < 0 else duration(left)
        told.append(f"{sitter.initials} out {over}{f' (cover {sitter.cover})' if sitter.cover else ''}")
    return ", ".join(told) or ("nobody" if status.signs_on else "")


def booking(item: Booking) -> str:
    """What is booked, e.g. "Tue 1 Dec 09:30  psilocybin-25mg  C-0412  preflight is due"."""
    told = [clock_time(item.at), item.programme, ", ".join(item.participants)]
    if not item.session and item.told:
        told.append(JOBS["begin"] if "begin" in item.told else JOBS["preflight"] if "preflight" in item.told else "")
    return "  ".join(part for part in told if part)


def fit(text: str, columns: int) -> str:
    """The text in so many columns, cut at the end where it must be."""
    if len(text) <= columns:
        return text
    return f"{text[: columns - 1].rstrip()}…" if columns > 1 else text[:columns]
