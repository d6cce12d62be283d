"""Blinded programmes: one file for all arms, in which nothing tells the arm, and the strictest arm's times for all.

Which participant is in which arm is never on the machine. An arm's table says only what that arm would ask for
(vitals, booster, release); everybody is followed by the strictest of them, so that prompts are the same in each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from controller.arc.clinical import BoosterPlan, ReleasePlan, VitalsLimits, VitalsPlan
from controller.arc.model import FileModel, Pattern

if TYPE_CHECKING:
    from controller.arc.programme import Programme

CODE = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"


class ArmPlan(FileModel):
    """What one arm would ask for. Its code is a letter, not a name."""

    code: Annotated[str, Field(pattern=r"^[A-Z]$")]
    vitals: VitalsPlan = VitalsPlan()
    booster: BoosterPlan | None = None
    release: ReleasePlan = ReleasePlan()


class BlindedPlan(FileModel):
    """What a blinded session needs: whom to ask in an emergency, how codes look, what may be guessed."""

    study: Annotated[str, Field(min_length=1)]
    unblinding_phone: Annotated[str, Field(min_length=3)]
    """Shown to paramedics in the place of doses."""
    participant_pattern: Pattern = CODE
    """Codes of the study alone; anything else is refused as a participant."""
    kit_pattern: Pattern = CODE
    guesses: Annotated[tuple[str, ...], Field(min_length=2)] = ("experimental", "comparator", "unsure")
    """What participants and sitters may say when they are asked which arm they believe it was."""
    arms: Annotated[tuple[ArmPlan, ...], Field(min_length=1)]


def strictest(programme: Programme) -> Programme:
    """A blinded programme with the strictest of all arms' times; any other as it is.

    Vitals are taken whenever an arm asks for them; a booster is offered only while every arm that has one offers it;
    release waits for the latest. Raises ValueError where boosters or limits of the arms have nothing in common.
    """
    if programme.blinded is None:
        return programme
    arms = programme.blinded.arms
    changes = {
        "vitals": _vitals((programme.vitals, *(arm.vitals for arm in arms))),
        "booster": _booster(tuple(plan for plan in (programme.booster, *(arm.booster for arm in arms)) if plan)),
        "release": _release((programme.release, *(arm.release for arm in arms))),
    }
    return programme.model_copy(update=changes)


def _vitals(plans: tuple[VitalsPlan, ...]) -> VitalsPlan:
    def united(name: str) -> tuple[float, ...]:
        return tuple(sorted({minutes for plan in plans for minutes in getattr(plan, name)}))

    repeats = [plan.repeat_minutes for plan in plans if plan.repeat_minutes]
    return VitalsPlan(
        minutes=united("minutes"),
        temperature_minutes=united("temperature_minutes"),
        spo2_minutes=united("spo2_minutes"),
        after_stop_minutes=united("after_stop_minutes"),
        repeat_minutes=min(repeats, default=0.0),
        baseline=any(plan.baseline for plan in plans),
        before_booster=any(plan.before_booster for plan in plans),
        early_minutes=min(plan.early_minutes for plan in plans),
        late_minutes=min(plan.late_minutes for plan in plans),
        limits=_limits(tuple(plan.limits.given() for plan in plans)),
    )


def _limits(said: tuple[dict[str, tuple[float, float]], ...]) -> VitalsLimits:
    """The narrowest of all that is said."""
    names = {name for limits in said for name in limits}
    each = {name: [limits[name] for limits in said if name in limits] for name in names}
    narrow = {name: (max(low for low, _ in both), min(high for _, high in both)) for name, both in each.items()}
    for name, (low, high) in narrow.items():
        if low >= high:
            raise ValueError(f"blinded.arms: the limits of {name} have nothing in common")
    return VitalsLimits(**narrow)


def _booster(plans: tuple[BoosterPlan, ...]) -> BoosterPlan | None:
    if not plans:
        return None
    opens = max(plan.opens_minutes for plan in plans)
    closes = min(plan.closes_minutes for plan in plans)
    if closes <= opens:
        raise ValueError("blinded.arms: the boosters' windows have no time in common")
    return plans[0].model_copy(
        update={
            "opens_minutes": opens,
            "closes_minutes": closes,
            "extends_minutes": max(plan.extends_minutes for plan in plans),
        }
    )


def _release(plans: tuple[ReleasePlan, ...]) -> ReleasePlan:
    """The latest of all; an earlier time by criteria only where every plan that says anything allows it."""
    speaking = [plan for plan in plans if plan != ReleasePlan()] or [ReleasePlan()]
    earlier = [plan.with_criteria_minutes for plan in speaking]
    lines = max((line.minutes for plan in plans for line in plan.by_total_dose), default=0.0)
    criteria = {one.code: one for plan in plans for one in plan.criteria}
    return ReleasePlan(
        counts_from="stop" if any(plan.counts_from == "stop" for plan in plans) else "last-dose",
        law_minutes=max(lines, *(plan.law_minutes for plan in plans)),
        programme_minutes=max(plan.programme_minutes for plan in plans),
        not_below_minutes=max(plan.not_below_minutes for plan in plans),
        with_criteria_minutes=None if None in earlier else max(minutes for minutes in earlier if minutes is not None),
        criteria=tuple(criteria.values()),
    )
