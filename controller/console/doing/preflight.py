"""What is looked at before a session: the list, what each of its lines does, and the keys that are tried."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from controller import wording
from controller.console import preflight_forms
from controller.console.doing.action import Action, sending
from controller.console.doing.calls import call
from controller.console.doing.session import coming, no_session
from controller.console.menu import Line, Menu, Tone
from controller.messages import (
    AnswerPreflight,
    BeginPreflight,
    DropPreflight,
    OverridePreflight,
    PreflightLine,
    RunPreflight,
    Status,
)

if TYPE_CHECKING:
    from controller.console.commands import Commands

FOOTER = "Enter: as it says    →: begin without it, and why    Esc: back"
TRIAL = "Key trial: {left} once each.  c again, e, or F1-F4: a REAL call"
TRIED = "All four keys arrived.  c is a REAL call again"
TRIAL_FOOTER = "any other key ends the trial and does what it always does"
NAME_COLUMNS = 24

_SIGNS: dict[str, tuple[str, Tone]] = {
    "green": ("ok", "good"),
    "overridden": ("over", "good"),
    "red": ("RED", "bad"),
}
_ENTRIES = ("sitter", "participants", "touch", "limits")


def preflight(do: Commands, key: str) -> None:
    """The list as it stands, or the question that begins one."""
    if do.status.preflight.programme:
        do.show(the_list(do))
    else:
        do.ask(preflight_forms.begin_form(partial(the_list, do), *coming(do.status)), key)


def the_list(do: Commands) -> Menu:
    """Every check with how it stands, those first that are not well yet."""
    return _fresh(do, Menu(title="", lines=(), numbered=False, fresh=partial(_fresh, do)))


def _fresh(do: Commands, menu: Menu) -> Menu:
    """The list as things stand now, with the same line chosen as long as it is not well."""
    view = do.status.preflight
    lines = tuple(_line(do, line) for line in sorted(view.lines, key=lambda line: line.settled))
    chosen = menu.lines[menu.at].name if menu.lines else ""
    names = [line.name for line in lines]
    before = next((line for line in menu.lines if line.name == chosen), None)
    now = next((line for line in lines if line.name == chosen), None)
    came_well = before is not None and now is not None and before.tone != "good" == now.tone
    at = names.index(chosen) if chosen in names and not came_well else 0
    drill = do.shell.drill
    title, footer = wording.preflight.summary(view) or "preflight", FOOTER
    if drill is not None:
        left = ", ".join({"space": "Space"}.get(key, key) for key in drill.left)
        title, footer = (TRIAL.format(left=left), TRIAL_FOOTER) if left else (TRIED, FOOTER)
    footer = footer if lines else "Esc: back"
    return replace(menu, title=f"{title[:1].upper()}{title[1:]}", lines=lines, at=at, footer=footer)


def _line(do: Commands, line: PreflightLine) -> Line:
    sign, tone = _SIGNS.get(line.stage, ("", "plain"))
    name = wording.preflight.check(line.check)
    label = f"{sign:<5}{name:<{NAME_COLUMNS}} {wording.preflight.how(line)}"
    return Line(
        label=label, name=line.check, tone=tone, run=partial(_next_step, do, line.check),
        other=partial(_without, do, line.check),
    )  # fmt: skip


def _next_step(do: Commands, check: str) -> None:
    """What the line says: play, ask whether it was heard, ask for what is to be entered, look again."""
    line = next((line for line in do.status.preflight.lines if line.check == check), None)
    if line is None:
        return
    above = partial(the_list, do)
    heard = check.startswith("sound.")
    if check.partition(".")[0] in _ENTRIES:
        do.ask(preflight_forms.entry_form(line, do.status.preflight, above))
    elif check == "keys" and do.status.signs_on and not do.client.signed_on:
        do.show(the_list(do))
        do.say(wording.refusal("sign_on_needed", {}), "bad")  # refused as a test, c would be a call in earnest
    elif check == "keys":
        do.shell.try_keys()
        do.show(the_list(do))
    elif heard and line.stage == "asked":
        do.ask(preflight_forms.heard_form(line, above))
    else:
        do.send(RunPreflight(check=check), wording.preflight.begun(check), ())
        if heard:
            do.ask(preflight_forms.heard_form(line, above))
        else:
            do.show(the_list(do))


def _without(do: Commands, check: str) -> None:
    """A reason to begin without this check."""
    line = next((line for line in do.status.preflight.lines if line.check == check), None)
    if line is not None and line.stage != "green":
        do.ask(preflight_forms.override_form(line, partial(the_list, do)))
    else:
        do.show(the_list(do))


def tried(do: Commands, key: str) -> None:
    """A key has arrived. The call's own goes out as a test call; where that is refused, the press is a call."""
    instead = partial(call, do, "c") if key == "c" else None
    words = "c arrived: TEST call; c again calls in earnest" if key == "c" else f"{key} arrived"
    do.send(AnswerPreflight(check="keys", value=key), words, (), instead=instead)


def _under_way(status: Status) -> str:
    return no_session(status) or ("" if status.preflight.programme else wording.refusal("no_preflight", {}))


def _stands(status: Status) -> str:
    return wording.preflight.summary(status.preflight).removeprefix("preflight: ")


ACTIONS = (
    Action(
        name="preflight", run=preflight, menu="session", long="preflight …", ctl="preflight begin",
        sends=(BeginPreflight, AnswerPreflight, RunPreflight, OverridePreflight), offered=no_session, stands=_stands,
        help="what is looked at before a session: a list, Enter line by line",
    ),
    Action(
        name="drop_preflight", run=sending(DropPreflight(), "preflight dropped"), menu="session", confirm=True,
        long="drop the preflight", ctl="preflight drop", sends=(DropPreflight,), offered=_under_way,
        help="there will be no session: what was found counts no more",
    ),
)  # fmt: skip
