"""Rules of blinded sessions: study codes alone, kit numbers and never amounts, and guesses that nobody sees."""

from __future__ import annotations

import re

from controller.arc.blinding import BlindedPlan
from controller.arc.programme import Programme
from controller.messages import CorrectDose, Dose, Input, MaskingGuess, Refused
from controller.nearest import nearest
from controller.session.calls import Ruled
from controller.session.people import whom
from controller.session.state import State

MOST_CERTAIN = 10
GIVEN = ("dose", "booster", "device", "start")
"""Parts of a dose that come out of a kit."""


def check_codes(programme: Programme, participants: tuple[str, ...]) -> None:
    """Raise Refused where a participant is no code of the study."""
    plan = programme.blinded
    if plan is None:
        return
    for code in participants:
        if not re.fullmatch(plan.participant_pattern, code):
            raise Refused("blinded_code", study=plan.study, allowed=plan.participant_pattern)


def check_dose(programme: Programme, act: Dose | CorrectDose) -> None:
    """Raise Refused for an amount, or for a dose that names no kit, where the programme is blinded."""
    plan = programme.blinded
    if plan is None:
        return
    if act.amount is not None:
        raise Refused("blinded_amount")
    if act.unit:
        raise Refused("blinded_amount")
    if isinstance(act, Dose) and not act.kit and act.part in GIVEN:
        raise Refused("blinded_kit")
    _check_kit(plan, act)


def _check_kit(plan: BlindedPlan, act: Dose | CorrectDose) -> None:
    if act.kit and not re.fullmatch(plan.kit_pattern, act.kit):
        raise Refused("bad_value", what="kit", why=f"the study's kits look like {plan.kit_pattern}")


def guess(state: State, given: Input, _now: float, _seq: int) -> Ruled:
    """Keep what somebody believes; nothing else changes by it."""
    act = given.act
    assert isinstance(act, MaskingGuess) and state.programme is not None
    plan = state.programme.blinded
    if plan is None:
        raise Refused("not_blinded")
    if act.guess not in plan.guesses:
        near = nearest(act.guess, list(plan.guesses))
        raise Refused("unknown_guess", code=act.guess, nearest=near, allowed=", ".join(plan.guesses))
    if act.certainty is not None and not 0 <= act.certainty <= MOST_CERTAIN:
        raise Refused("bad_value", what="certainty", why=f"it lies between 0 and {MOST_CERTAIN}")
    if act.of == "participant":
        whom(state, given)
    return state, ()
