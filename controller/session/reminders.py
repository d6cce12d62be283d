"""What the clock brings to people's notice, each told and recorded once: vitals, booster window, release, silence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from msgspec.structs import replace

from controller.messages import Fact
from controller.session import booster, long_pause, release, vitals
from controller.session.state import Participant, State

QUIET_WARNING_S = 120.0
"""A timed silence is said to end so long before it does."""


@dataclass(frozen=True, kw_only=True)
class Reminder:
    """Something to be told at room time `t`; `key` says what was told already."""

    key: str
    t: float
    code: str
    values: dict[str, str | int | float] = field(default_factory=dict)
    participant: str = ""


def untold(state: State) -> list[Reminder]:
    """Every reminder that was not told yet; of those that repeat, the next one."""
    if state.programme is None or not state.in_session:
        return []
    return [reminder for reminder in _all(state) if reminder.key not in state.told]


def tell(state: State, now: float) -> tuple[State, tuple[Fact, ...]]:
    """The state with everything told that has come by `now`."""
    facts: list[Fact] = []
    while come := [reminder for reminder in untold(state) if reminder.t <= now]:
        state = replace(state, told=state.told | {reminder.key for reminder in come})
        facts += [Fact(code=reminder.code, values=reminder.values) for reminder in come]
    return state, tuple(facts)


def forget_coming(state: State, codes: tuple[str, ...], now: float) -> State:
    """The state in which what was told of these people and lies ahead again will be told again."""
    ahead = {reminder.key for reminder in _all(state) if reminder.participant in codes and reminder.t > now}
    return replace(state, told=state.told - ahead)


def quiet_key(until: float) -> str:
    """The name of the warning that a silence ends at room time `until`."""
    return f"quiet/{until:.3f}"


def _all(state: State) -> Iterator[Reminder]:
    for person in state.participants:
        if person.present:
            yield from _of_person(state, person)
    if state.quiet_until is not None:
        at = state.quiet_until - QUIET_WARNING_S
        yield Reminder(key=quiet_key(state.quiet_until), t=at, code="quiet_ends_soon")
    if state.paused_t is not None and long_pause.most_s(state) > 0.0:
        yield Reminder(key=f"pause/{state.paused_t:.3f}", t=long_pause.long_from(state), code="pause_is_long")


def _of_person(state: State, person: Participant) -> Iterator[Reminder]:
    who = person.code
    told: dict[str, str | int | float] = {"participant": who}
    for asked in vitals.asked_of(state, person):
        if asked.what != "baseline" and vitals.is_open(asked, person):
            needs = {**told, "needs": " ".join(vitals.lacks(asked, person))}
            yield Reminder(key=asked.key, t=asked.t, code="vitals_due", values=needs, participant=who)
            late = f"{asked.key}/late"
            yield Reminder(key=late, t=asked.late_t, code="vitals_overdue", values=needs, participant=who)
    window = booster.window(state, person)
    if window is not None and not booster.settled(person):
        yield Reminder(key=f"booster/{who}/opens", t=window[0], code="booster_opens", values=told, participant=who)
        yield Reminder(key=f"booster/{who}/closes", t=window[1], code="booster_closes", values=told, participant=who)
    release_view = release.view(state, person, now=0.0)
    if release_view is not None and release_view.earliest_t is not None:
        at = release_view.earliest_t
        yield Reminder(key=f"release/{who}/{at:.3f}", t=at, code="release_reached", values=told, participant=who)
