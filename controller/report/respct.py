"""The items of the ReSPCT reporting guideline (2025) on setting that the room itself knows, filled in.

Item numbers and subjects are the guideline's; what the room cannot know is left to the people who were there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from controller import wording
from controller.messages import Mark
from controller.report import clinical
from controller.report.account import Account, Event
from controller.report.people import told
from controller.report.tables import clock_of
from controller.wording.quantities import counted, duration

_WISHES = ("quiet", "pause", "volume", "softer", "light", "hold", "skip", "next", "ground", "go")


def respct(account: Account) -> str:
    """Markdown: one heading an item, then what the record says of it."""
    lines = [f"# Setting of session {account.session} (ReSPCT items that the room's record answers)", ""]
    if account.damage:
        lines += [f"**The record is not whole:** {'; '.join(account.damage)}.", ""]
    for number, subject, text in _items(account):
        lines += [f"## {number}. {subject}", "", text, ""]
    return "\n".join(lines)


def _items(account: Account) -> list[tuple[int, str, str]]:
    programme, zero = account.programme, account.zero_t
    lights = [round(level * 100) for _, level in account.light] or [0]
    people = told(account.people)
    heard = sum(piece.played_s for piece in account.pieces)
    artists = len({piece.artist for piece in account.pieces if piece.artist})
    persons = [event for event in account.events if event.by_a_person]
    wishes = [event for event in persons if event.kind in _WISHES and not event.taken_back]
    marks = [event for event in persons if event.kind in ("mark", "note") and not event.taken_back]
    doses = [f"{code} at {clock_of(t - zero)} {words}" for t, code, words in clinical.doses(account.state)]
    events = [f"{one.whom} at {clock_of(one.t - zero)} {one.text}" for one in account.adverse]
    hard = sum(event.kind == "challenge" and event.values.get("part") == "start" for event in persons)
    gone = [
        f"{code} {what}" + ("" if at is None else f" at {clock_of(at - zero)}")
        for at, code, what in clinical.gone(account.state)
    ]
    phases = ", ".join(
        f"{phase.title} {clock_of(phase.start_s - zero)} to {clock_of(phase.end_s - zero)}" for phase in account.phases
    )
    closed = f"closed {account.closed.utc[:19]}Z" if account.closed else "not closed yet"
    faults = [f"{clock_of(account.t_plus(event.t))} {event.word} {event.text}" for event in account.incidents]
    silences = sum(event.kind in ("quiet", "pause") and event.by_a_person for event in account.events)
    return [
        (5, "Lighting", f"Between {min(lights)} % and {max(lights)} % of perceived brightness, {_lit(persons)}."),
        (6, "Sensory reduction", _silences(silences)),
        (8, "People present", f"{people} (UTC)." if people else "Nobody signed on at the console."),
        (
            11,
            "Music",
            f"{counted(len(account.pieces), 'piece')} ({counted(artists, 'named artist')}), {duration(heard)} in all, "
            f'levelled and crossfaded by programme "{programme.title}"; the list with times is in the music export.',
        ),
        (
            12,
            "Interventions",
            f"{counted(len(marks), 'entry', 'entries')} by those present; touch agreed and given: "
            f"{'; '.join(clinical.touch(account.state))}.",
        ),
        (
            13,
            "Participant's control",
            f"{counted(len(wishes), 'change of music, volume or light was', 'changes of music, volume or light were')} "
            "made on request or need.",
        ),
        (14, "Dosing and length", f"{'; '.join(doses) or 'No dose was logged'}. {phases}."),
        (
            15,
            "Procedures",
            f"{counted(len(account.vitals), 'vitals entry', 'vitals entries')}; programme {programme.name}, "
            f"{account.software}. Adverse events: {'; '.join(events) or 'none were logged'}. "
            f"Challenging experiences: {hard}.",
        ),
        (16, "Arrival and release", f"Opened {account.opened.utc[:19]}Z, {closed}. {'; '.join(gone)}."),
        (17, "Disturbances", "; ".join([*_disturbed(account), *faults]) or "None were recorded."),
    ]


def _disturbed(account: Account) -> Iterator[str]:
    """The marks that say so as they stand, then the notes."""
    for entry in account.state.entries:
        if isinstance(entry.act, Mark) and entry.act.code == "disturbance":
            yield wording.fact("mark", {"code": entry.act.code, "participants": ",".join(entry.participants)})[1]
    for event in account.events:
        if event.kind == "note" and "disturbance" in event.text and not event.taken_back:
            yield event.text


def _lit(persons: Sequence[Event]) -> str:
    by_hand = sum(event.kind == "light" and event.values.get("scene") != "arc" for event in persons)
    return "dimmed by programme" + (f", and {counted(by_hand, 'time', 'times')} by hand" if by_hand else "")


def _silences(entries: int) -> str:
    asked = {0: "No silence was", 1: "Silence was once"}.get(entries, f"Silence was {entries} times")
    return f"{asked} asked for. Eyeshades and headphones are not known to the room."
