"""Rules of the booster: its window counts from each person's own ingestion; given, it lengthens the arc."""

from __future__ import annotations

from msgspec.structs import replace

from controller.messages import BoosterView, DeclineBooster, Fact, Input, Refused
from controller.session.calls import Ruled
from controller.session.people import changed, whom
from controller.session.state import Participant, State, replanned


def window(state: State, person: Participant) -> tuple[float, float] | None:
    """Room times at which this person's window opens and closes; None before ingestion, or without a booster."""
    plan = state.programme.booster if state.programme else None
    if plan is None or person.ingestion_t is None:
        return None
    return person.ingestion_t + plan.opens_minutes * 60.0, person.ingestion_t + plan.closes_minutes * 60.0


def given_t(person: Participant) -> float | None:
    """Room time at which the booster was taken."""
    return next((dose.t for dose in person.doses if dose.part == "booster"), None)


def amount(state: State, person: Participant) -> float | None:
    """The programme's share of what this person took first; None where that is not known."""
    plan = state.programme.booster if state.programme else None
    first = [dose.amount for dose in person.doses if dose.part == "dose"]
    if plan is None or not first or None in first:
        return None
    return round(plan.share * sum(one or 0.0 for one in first), 3)


def settled(person: Participant) -> bool:
    """Whether nobody needs to think of the booster any more."""
    return person.booster_declined or given_t(person) is not None or not person.present


def view(state: State, person: Participant, now: float) -> BoosterView | None:
    """The window as it stands, and what came of it."""
    times = window(state, person)
    if times is None:
        return None
    opens, closes = times
    shown = BoosterView(
        participant=person.code, opens_t=opens, closes_t=closes, state="coming", amount=amount(state, person)
    )
    if given_t(person) is not None:
        return replace(shown, state="given")
    if person.booster_declined:
        return replace(shown, state="declined")
    return replace(shown, state="coming" if now < opens else "open" if now <= closes else "closed")


def check(state: State, person: Participant, at: float, *, override: bool) -> None:
    """Raise Refused where no booster can be given at `at`; outside its window it needs an override."""
    times = window(state, person)
    if times is None:
        raise Refused("no_booster")
    if given_t(person) is not None:
        raise Refused("already", what="booster")
    if not times[0] <= at <= times[1] and not override:
        opens = round((times[0] - at) / 60.0)
        raise Refused("booster_closed", opens_minutes=max(0, opens), since_minutes=round((at - times[1]) / 60.0))


def lengthened(state: State) -> Ruled:
    """The arc with the booster's minutes in its phase; asked once for the room, however many take one.

    Where that phase is over, the one that is on is lengthened: what lies behind cannot be.
    """
    assert state.programme is not None and state.programme.booster is not None
    plan = state.programme.booster
    if not plan.extends_minutes or state.landing or state.waiting_for == "end":
        return state, ()
    index = max(state.phase, state.programme.index_of(plan.extends_phase))
    phase = state.programme.phases[index]
    bent = state.programme.with_minutes(index, phase.minutes + plan.extends_minutes)
    fact = Fact(code="arc_lengthened", values={"minutes": plan.extends_minutes, "title": phase.title})
    return replanned(replace(state, programme=bent)), (fact,)


def decline(state: State, given: Input, _now: float, _seq: int) -> Ruled:
    """The booster is not wanted; its reminders end."""
    assert isinstance(given.act, DeclineBooster)
    people = whom(state, given)
    for person in people:
        if window(state, person) is None:
            raise Refused("no_booster")
        if given_t(person) is not None:
            raise Refused("already", what="booster")
    return changed(state, {person.code: replace(person, booster_declined=True) for person in people}), ()
