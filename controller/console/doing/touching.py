"""Touch, adverse events, and a challenging experience."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from controller import wording
from controller.clock import boottime
from controller.console import adverse_forms, clinical_forms
from controller.console.doing.action import Action, in_session
from controller.console.menu import Line
from controller.messages import AdverseEvent, Challenge, ParticipantView, Status, Touch, UpdateEvent

if TYPE_CHECKING:
    from controller.console.commands import Commands


def touch(do: Commands, key: str) -> None:
    """The consented scope stands on the screen before anything is typed."""

    def ask(person: ParticipantView) -> None:
        form = clinical_forms.touch_form(person.code, person.touch_scope, person.touching, do.clock)
        do.ask(clinical_forms.of(form, person.code), key)

    do.for_one("Touch of whom", do.meant(), ask)


def adverse_event(do: Commands, key: str) -> None:
    """Its onset is this key's press, whatever is asked afterwards; also of somebody who has left."""
    pressed_at = boottime()

    def ask(person: ParticipantView) -> None:
        do.ask(clinical_forms.of(adverse_forms.event_form(person.code, pressed_at, do.clock), person.code), key)

    do.for_one("Adverse event of whom", do.meant() or do.status.participants, ask)


def update_event(do: Commands, key: str) -> None:
    """One of the session's events; the open ones first."""
    events = sorted(do.status.events, key=lambda one: one.event.resolved)
    lines = [
        Line(
            label=wording.event_line(do.status, one), confirm=True,
            run=partial(do.ask, adverse_forms.update_form(one, do.clock), key),
        )
        for one in events
    ]  # fmt: skip
    do.choose("Which event", lines)


def challenge(do: Commands, key: str) -> None:
    """It begins, or ends where it goes on."""

    def ask(person: ParticipantView) -> None:
        do.ask(clinical_forms.challenge_form(person.code, ends=person.challenging, clock=do.clock), key)

    do.for_one("Whose experience", do.meant(), ask)


def _touching(status: Status) -> str:
    return ", ".join(f"{one.code}: {one.touching} now" for one in status.participants if one.touching)


def _has_events(status: Status) -> str:
    return in_session(status) or ("" if status.events else "no adverse event was logged")


def _open_events(status: Status) -> str:
    count = sum(not one.event.resolved for one in status.events)
    return f"{count} open" if count else ""


def _challenging(status: Status) -> str:
    now = [one.code for one in status.participants if one.challenging]
    return f"goes on: {', '.join(now)}" if now else ""


ACTIONS = (
    Action(
        name="touch", run=touch, menu="clinical", long="touch …", ctl="touch", sends=(Touch,), offered=in_session,
        stands=_touching, help="shows the consented scope; where, how long; start, stop",
    ),
    Action(
        name="adverse_event", run=adverse_event, menu="clinical", long="adverse event …", ctl="adverse-event",
        sends=(AdverseEvent,), offered=in_session, help="grade 1-5, serious, related, what it needed; onset is now",
    ),
    Action(
        name="update_event", run=update_event, menu="clinical", long="update an event …", ctl="update-event",
        sends=(UpdateEvent,), offered=_has_events, stands=_open_events, help="resolved, another grade: both stay told",
    ),
    Action(
        name="challenge", run=challenge, menu="clinical", long="challenging experience …", ctl="challenge",
        sends=(Challenge,), offered=in_session, stands=_challenging, help="begins, ends; no adverse event",
    ),
)  # fmt: skip
