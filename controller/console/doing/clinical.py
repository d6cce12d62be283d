"""Vitals, doses, and what somebody does not want to hear."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from controller import bedside, wording
from controller.console import clinical_forms, correcting_forms, live_forms
from controller.console.doing.action import Action, in_session
from controller.console.forms import Form
from controller.messages import CorrectDose, DeclineBooster, Dose, ParticipantView, SetLimits, Stable, Status, Vitals

if TYPE_CHECKING:
    from controller.console.commands import Commands


def vitals(do: Commands, key: str) -> None:
    """One line; readings are one person's, marks and doses may well be both's."""
    do.ask_blind("Vitals", partial(_vitals_form, do), key)


def _vitals_form(do: Commands) -> Form:
    def form_of(code: str) -> Form:
        last = bedside.newest([line.vitals for line in do.status.vitals if line.participant == code])
        return clinical_forms.vitals_form(code, last, do.status.vitals_limits, do.clock)

    whom = do.whom
    if not whom:
        raise ValueError(do.nobody())
    if len(whom) == 1:
        return clinical_forms.of(form_of(whom[0]), *whom)
    return clinical_forms.whose_vitals_form(whom, form_of, do.clock)


def dose(do: Commands, key: str) -> None:
    """What was given; asks before it notes."""
    do.ask_blind("Dose", partial(_dose_form, do), key, preview=True)


def _dose_form(do: Commands) -> Form:
    status, whom = do.status, do.whom
    if do.client.heard and not status.participants:
        raise ValueError(wording.refusal("no_session", {}))
    if not whom:
        raise ValueError(do.nobody())
    if not status.dose_parts:
        raise ValueError(wording.refusal("no_such_dose", {}))
    hints = wording.dose_hints(status, whom)
    taken = "   ".join(wording.dose_line(status, dose) for dose in status.doses if dose.participant in whom)
    room_time = do.client.room_time

    def besides(given: Dose, ago_s: float) -> list[str]:
        at = room_time - ago_s
        return [told for code in whom for told in wording.besides_dose(status, code, given, at)]

    form = clinical_forms.dose_form(" and ".join(whom), hints, besides, do.clock, taken)
    return clinical_forms.of(form, *whom)


def correct_dose(do: Commands, key: str) -> None:
    """The true minute, amount, kit or witness of somebody's last dose."""
    last = {dose.participant: dose for dose in do.status.doses}

    def ask(person: ParticipantView) -> None:
        do.ask(correcting_forms.correct_dose_form(last[person.code], do.clock), key)

    do.for_one("Whose dose", [person for person in do.meant() if person.code in last], ask)


def decline_booster(do: Commands, _key: str) -> None:
    """The booster is not wanted."""
    open_for = {view.participant for view in do.status.booster if view.state in ("coming", "open")}
    people = [person for person in do.meant() if person.code in open_for]
    do.for_one("Whose booster", people, lambda one: do.send(DeclineBooster(), "booster declined", (one.code,)))


def stable(do: Commands, _key: str) -> None:
    """The repeated vitals end."""

    def end(person: ParticipantView) -> None:
        do.send(Stable(), "vitals are stable", (person.code,))

    do.for_one("Whose vitals", do.meant(), end)


def limits(do: Commands, key: str) -> None:
    """What may not be heard from now on."""
    do.ask(live_forms.limits_form(do.status.limits), key)


def _has_dose(status: Status) -> str:
    return in_session(status) or ("" if status.doses else "nobody has taken the dose yet")


def _has_booster(status: Status) -> str:
    offered = any(view.state in ("coming", "open") for view in status.booster)
    return in_session(status) or ("" if offered else "no booster is to come")


def _repeats(status: Status) -> str:
    return in_session(status) or ("" if status.repeats_vitals else wording.refusal("not_repeated", {}))


def _limits(status: Status) -> str:
    return wording.limits(status.limits) or "none"


ACTIONS = (
    Action(
        name="vitals", run=vitals, keys=("v",), shown="v", short="BP", long="vitals", ctl="vitals",
        sends=(Vitals,), help="120/80 72 98 36.8 in one line; empty: missed, and why",
    ),
    Action(
        name="dose", run=dose, keys=("d",), shown="d", short="dose", long="dose", ctl="dose", sends=(Dose,),
        help="amount or kit, minutes ago, witness; Enter twice",
    ),
    Action(
        name="correct_dose", run=correct_dose, menu="clinical", long="correct a dose …",
        ctl="correct-dose", sends=(CorrectDose,), offered=_has_dose,
        help="its true minute; all that hangs on it moves",
    ),
    Action(
        name="decline_booster", run=decline_booster, menu="clinical", confirm=True, long="booster is not wanted",
        ctl="decline-booster", sends=(DeclineBooster,), offered=_has_booster, help="or is not given",
    ),
    Action(
        name="stable", run=stable, menu="clinical", confirm=True, long="vitals are stable", ctl="stable",
        sends=(Stable,), offered=_repeats, help="the repeated ones end",
    ),
    Action(
        name="limits", run=limits, menu="clinical", long="limits …", ctl="limits", sends=(SetLimits,),
        offered=in_session, stands=_limits, help="vocals, languages, pieces, volume that are not wanted",
    ),
)  # fmt: skip
