"""What moves music and arc."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller import wording
from controller.console import forms, live_forms
from controller.console.doing.action import Action, choose_way, in_session, sending
from controller.console.menu import Line
from controller.messages import (
    CatchUp,
    Go,
    Ground,
    Hold,
    Land,
    Next,
    Pause,
    Quiet,
    Resume,
    Shorten,
    Skip,
    Softer,
    Status,
    Volume,
)

if TYPE_CHECKING:
    from controller.console.commands import Commands

VOLUME_STEP_DB = 1.5
"""About a tenth of the perceived loudness."""

BEHIND_S = 60.0
"""An arc this far behind T+ is told."""


def resume(do: Commands, _key: str) -> None:
    """Go on, and say what that ends: a pause first, and hold and silence at the next press."""
    status = do.status
    stands = " and ".join(name for name, there in (("hold", status.hold), ("silence", status.quiet)) if there)
    if status.state == "paused":
        words = f"go on; r again ends {stands}" if stands else "go on"
    else:
        words = f"go on: {stands} over" if stands else "go on"
    do.send(Resume(), words, ())


def quiet(do: Commands, key: str) -> None:
    """Silence without an end; in a silence, ask for its minutes."""
    if do.status.quiet:
        do.ask(forms.quiet_form(), key)
    else:
        do.send(Quiet(), "silence until r", ())


def volume(do: Commands, key: str) -> None:
    """All buses one step up or down."""
    if not key:
        choose_way(do, "Volume", ("up", "louder"), ("down", "softer"), volume)
    else:
        _step(do, "", "", louder=key == "up")


def headphones(do: Commands, key: str) -> None:
    """The headphones alone."""
    buses = [view.bus for view in do.status.sound.buses]
    bus = next((bus for bus in buses if "phone" in bus), buses[1] if len(buses) > 1 else "")
    if bus and not key:
        choose_way(do, bus, ("pageup", "louder"), ("pagedown", "softer"), headphones)
    elif bus:
        _step(do, bus, f"{bus} ", louder=key == "pageup")
    else:
        do.say("this room has no headphones of their own", "bad")


def _step(do: Commands, bus: str, name: str, *, louder: bool) -> None:
    step = VOLUME_STEP_DB if louder else -VOLUME_STEP_DB
    levels = [view.level_db for view in do.status.sound.buses if bus in ("", view.bus)]
    if louder and do.client.connected and levels and min(levels) >= 0.0:
        do.say(f"{name}no louder than this: 100 % is the calibrated level")
    else:
        do.send(Volume(bus=bus, step_db=step), f"{name}{'louder' if louder else 'softer'}", ())


def go(do: Commands, _key: str) -> None:
    """Where to: after an outage the choices, then the phases, then everything else that moves the arc."""
    status = do.status
    codes = [phase.code for phase in status.phases]
    lines = []
    if status.waiting_for == "choice":
        lines.append(Line(label="continue where it was", run=lambda: do.send(Resume(), "go on", ()), confirm=True))
        told = f"catch up with T+, {_behind(status) or 'now'}"
        lines.append(Line(label=told, run=lambda: catch_up(do, ""), confirm=True))
    choices = len(lines)
    for phase in status.phases:
        now = "   (now)" if phase.code == status.phase else ""
        run = do.sender(Go(phase=phase.code), f"go to {phase.title}")
        lines.append(Line(label=f"{phase.title}{now}", run=run, confirm=True))
    here = codes.index(status.phase) if status.phase in codes else 0
    lines.append(Line(label="skip, next set, grounding, land, softer …", run=lambda: do.open_subject("music")))
    lines.append(Line(label="medical light, EVACUATE …", run=lambda: do.open_subject("room")))
    at = 0 if choices else min(here + 1, len(codes) - 1)
    do.choose("Go to", lines, at=at)


def choose_next(do: Commands, _key: str) -> None:
    """A set of the programme's, from the end of this piece on."""
    status = do.status
    lines = []
    for code, title in status.sets:
        chosen = "   (chosen)" if code == status.set_code else ""
        run = do.sender(Next(set=code), f"next: {title}")
        lines.append(Line(label=f"{title}{chosen}", run=run, confirm=True))
    lines.append(Line(label="the plan again", run=do.sender(Next(), "the plan again"), confirm=True))
    do.choose("Next, when this piece is over", lines)


def land_over(do: Commands, key: str) -> None:
    """Over other minutes."""
    do.ask(live_forms.land_form(do.status.landing_minutes), key)


def shorten(do: Commands, _key: str) -> None:
    """As a long pause offers."""
    do.send(Shorten(), wording.offers(do.status) or "shorten this phase", ())


def catch_up(do: Commands, _key: str) -> None:
    """To where T+ says."""
    do.send(CatchUp(), "catch up with T+", ())


def _has_phases(status: Status) -> str:
    return in_session(status) or ("" if status.phases else "this programme has no phases")


def _has_sets(status: Status) -> str:
    return in_session(status) or ("" if status.sets or status.set_code else "this programme has no sets")


def _has_grounding(status: Status) -> str:
    return in_session(status) or ("" if status.grounding else wording.refusal("no_grounding_set", {}))


def _can_shorten(status: Status) -> str:
    return in_session(status) or ("" if wording.offers(status) else "a long pause offers it")


def _landing(status: Status) -> str:
    return f"over {status.landing_minutes:g} min" if status.landing_minutes else ""


def _set(status: Status) -> str:
    return next((title for code, title in status.sets if code == status.set_code), "")


def _behind(status: Status) -> str:
    """So far the arc is behind the T+ that leads."""
    person = next((one for one in status.participants if one.code == status.leads), None)
    if person is None or person.t_plus_s is None or person.t_plus_s - status.arc_s < BEHIND_S:
        return ""
    return f"{wording.duration(person.t_plus_s - status.arc_s)} on"


ACTIONS = (
    Action(
        name="pause", run=sending(Pause(), "pause"), keys=("space",), in_dialog=True, shown="Space", short="pause",
        long="pause", ctl="pause", sends=(Pause,), help="fade to silence, everything waits; twice is safe",
    ),
    Action(
        name="resume", run=resume, keys=("r",), in_dialog=True, shown="r", short="go on",
        long="go on", ctl="resume", sends=(Resume,), help="ends a pause; without one, silence and hold",
    ),
    Action(
        name="hold", run=sending(Hold(), "hold"), keys=("h",), shown="h", short="hold", long="hold", ctl="hold",
        sends=(Hold,), help="stay in this phase until r; the music goes on inside it",
    ),
    Action(
        name="go", run=go, keys=("g",), shown="g", short="go", long="go to phase", ctl="go", sends=(Go,),
        offered=_has_phases, help="cross over to a phase from a list; Enter confirms",
    ),
    Action(
        name="quiet", run=quiet, keys=("s",), shown="s", short="quiet", long="silence", ctl="quiet",
        sends=(Quiet,), help="silence until r, the arc goes on; s again: minutes",
    ),
    Action(
        name="volume", run=volume, keys=("up", "down"), shown="↑↓", short="vol",
        caps=("louder", "softer"), long="volume", repeat="step", ctl="volume", sends=(Volume,),
        help="speakers and headphones together, in small ramps",
    ),
    Action(
        name="headphones", run=headphones, keys=("pageup", "pagedown"), shown="Pg", short="phones",
        caps=("phones +", "phones -"), long="headphones", repeat="step", ctl="volume --bus", sends=(Volume,),
        help="PgUp and PgDn: the headphones alone",
    ),
    Action(
        name="softer", run=sending(Softer(), "softer by 6 dB"), menu="music", long="softer by 6 dB", ctl="softer",
        sends=(Softer,), offered=in_session, help="all music down by a slow ramp; Backspace takes it back",
    ),
    Action(
        name="skip", run=sending(Skip(), "skip"), menu="music", confirm=True, long="skip this piece", ctl="skip",
        sends=(Skip,), offered=in_session, help="cross over to another piece now",
    ),
    Action(
        name="next", run=choose_next, menu="music", long="next set …", ctl="next", sends=(Next,), offered=_has_sets,
        stands=_set, help="what to draw from when this piece is over",
    ),
    Action(
        name="ground", run=sending(Ground(), "grounding piece"), menu="music", confirm=True, long="grounding piece",
        ctl="ground", sends=(Ground,), offered=_has_grounding, help="a grounding piece now, then back to the plan",
    ),
    Action(
        name="land", run=sending(Land(), "land"), menu="music", confirm=True, long="land", ctl="land", sends=(Land,),
        offered=in_session, stands=_landing, help="an early, gentle end",
    ),
    Action(
        name="land_over", run=land_over, menu="music", long="land over other minutes …", ctl="land", sends=(Land,),
        offered=in_session, help="an early, gentle end in a time of your own",
    ),
    Action(
        name="shorten", run=shorten, menu="music", confirm=True, long="shorten this phase", ctl="shorten",
        sends=(Shorten,), offered=_can_shorten, stands=wording.offers, help="by what a long pause took from it",
    ),
    Action(
        name="catch_up", run=catch_up, menu="music", confirm=True, long="catch up with T+", ctl="catch-up",
        sends=(CatchUp,), offered=in_session, stands=_behind, help="cross over to where T+ says that the arc should be",
    ),
)  # fmt: skip
