"""Signing on and off, handing over, breaks, and the lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller import wording
from controller.console import sitter_forms
from controller.console.doing.action import Action
from controller.console.menu import Line
from controller.messages import BreakBegun, BreakOver, HandOver, SignedOff, SignedOn, Status

if TYPE_CHECKING:
    from controller.console.commands import Commands


def sign_on(do: Commands, key: str) -> None:
    """The PIN, begun with the key that opens it, then whose it is."""
    if not do.status.signs_on:
        do.say(wording.refusal("no_sitters", {}))
        return
    do.ask(sitter_forms.sign_on_form(typed=key))


def hand_over(do: Commands, key: str) -> None:
    """To whom, a few words, and their PIN."""
    do.ask(sitter_forms.hand_over_form(do.status, do.client.signed_on), key)


def take_break(do: Commands, key: str) -> None:
    """How long, and who stays."""
    do.ask(sitter_forms.break_form(do.status, do.client.signed_on), key)


def break_over(do: Commands, _key: str) -> None:
    """Whoever is out is back."""
    out = [sitter.initials for sitter in do.status.sitters if sitter.on_break]
    if len(out) == 1:
        do.send(BreakOver(initials=out[0]), f"{out[0]} is back", ())
        return
    lines = [Line(label=who, run=do.sender(BreakOver(initials=who), f"{who} is back"), confirm=True) for who in out]
    do.choose("Who is back", lines)


def sign_off(do: Commands, _key: str) -> None:
    """Whoever goes off duty; asked for by name, for the one here may not be the one who goes."""
    lines = [
        Line(
            label=f"{sitter.initials} goes off duty", confirm=True,
            run=do.sender(SignedOff(initials=sitter.initials), f"{sitter.initials} signed off"),
        )
        for sitter in do.status.sitters
    ]  # fmt: skip
    do.choose("Who goes off duty", lines)


def lock(do: Commands, _key: str) -> None:
    """Until a PIN is typed, or any key where nobody signs on."""
    do.shell.shut()


def _signs_on(status: Status) -> str:
    return "" if status.signs_on else wording.refusal("no_sitters", {})


def _on_duty(status: Status) -> str:
    return _signs_on(status) or ("" if status.sitters else "nobody is on duty")


def _on_break(status: Status) -> str:
    return "" if any(sitter.on_break for sitter in status.sitters) else wording.refusal("not_on_break", {})


ACTIONS = (
    Action(
        name="sign_on", run=sign_on, keys=("0",), in_dialog=True, shown="0", caps=("sign on",), menu="sitters",
        long="sign on …", ctl="sign-on", sends=(SignedOn,), offered=_signs_on, stands=wording.on_duty,
        help="0 begins every PIN, then initials; entries are yours",
    ),
    Action(
        name="hand_over", run=hand_over, menu="sitters", long="hand over …", ctl="hand-over", sends=(HandOver,),
        offered=_on_duty, help="who takes over enters their PIN; a note goes along",
    ),
    Action(
        name="break", run=take_break, menu="sitters", long="a break …", ctl="break", sends=(BreakBegun,),
        offered=_on_duty, help="minutes, who stays; a warning when it is over",
    ),
    Action(
        name="break_over", run=break_over, menu="sitters", long="back from a break", ctl="break-over",
        sends=(BreakOver,), offered=_on_break, help="so does signing on",
    ),
    Action(
        name="sign_off", run=sign_off, menu="sitters", long="off duty …", ctl="sign-off", sends=(SignedOff,),
        offered=_on_duty, help="this console needs a sign-on again",
    ),
    Action(
        name="lock", run=lock, anywhere=("ctrl+l",), shown="^L", menu="sitters", long="lock this console",
        help="Ctrl+L; T+, state, call, pause, exit light stay",
    ),
)  # fmt: skip
