"""Calling support, standing it down, and seeing alarms."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from controller import wording
from controller.console import forms
from controller.console.doing.action import Action
from controller.console.forms import Filled
from controller.messages import Call, CallLevel, SeeAlarm, StandDown

if TYPE_CHECKING:
    from controller.console.commands import Commands


def call(do: Commands, _key: str) -> None:
    """An assist call; the one that stands is not placed again, one that was not delivered is."""
    standing = do.client.call
    if standing.call and standing.stage not in ("stood_down", "not_delivered"):
        more = "" if standing.level == "emergency" else "; e makes it an emergency"
        do.say(f"called already{more}")
        return
    again = standing.call if standing.stage == "not_delivered" else ""
    _place(do, again or str(uuid4()), standing.level if again else "assist")


def emergency(do: Commands, key: str) -> None:
    """Raise the call that stands; F9, or choosing it from the palette, places one."""
    standing = do.client.call
    if standing.level == "emergency" and standing.call and standing.stage in ("sent", "acknowledged"):
        do.say(f"called already: {wording.call(standing)}")
    elif standing.call and standing.stage != "stood_down":
        _place(do, standing.call, "emergency")
    elif key in ("f9", ""):
        _place(do, str(uuid4()), "emergency")
    else:
        do.say("c first, then e; F9 alone is an emergency")


def _place(do: Commands, call_id: str, level: CallLevel) -> None:
    words = "EMERGENCY call" if level == "emergency" else "support call"
    do.send(Call(call=call_id, level=level), words, ())


def stand_down(do: Commands, _key: str) -> None:
    """Ask, and on Enter say that nobody needs to come any more."""
    if not wording.call(do.client.call):
        do.say(wording.refusal("no_call", {}))
        return
    filled = Filled(act=StandDown(call=do.client.call.call), words="call stood down", participants=())
    do.ask(forms.stand_down_form(filled))


def seen(do: Commands, _key: str) -> None:
    """Silence every alarm that stands; clear none."""
    if do.client.connected and all(alarm.seen for alarm in do.status.alarms):
        do.say("no alarm stands unseen")
    else:
        do.send(SeeAlarm(), "alarm seen", ())


ACTIONS = (
    Action(
        name="call", run=call, keys=("c",), anywhere=("f1", "f2", "f3", "f4", "ctrl+g"), in_dialog=True, shown="c",
        short="CALL", long="CALL SUPPORT", ctl="call", sends=(Call,),
        help="one press; F1-F4 and Ctrl+G even while you type",
    ),
    Action(
        name="emergency", run=emergency, keys=("e",), anywhere=("f9",), in_dialog=True, shown="e", short="EMERG",
        long="EMERGENCY", ctl="call --emergency", sends=(Call,),
        help="after c: makes it an emergency; F9 alone does it at once",
    ),
    Action(
        name="stand_down", run=stand_down, keys=("enter",), shown="Enter", caps=("yes, do it",),
        long="stand a call down", menu="call", ctl="stand-down", sends=(StandDown,),
        help="Enter asks, Enter again: nobody need come",
    ),
    Action(
        name="seen", run=seen, keys=("a",), shown="a", short="seen", long="alarm seen", ctl="seen",
        sends=(SeeAlarm,), help="alarm seen: quiets it, never clears it",
    ),
)  # fmt: skip
