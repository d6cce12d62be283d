"""`stillroom ctl`, the verbs of a session's course: music, light, marks and notes, and the call."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, cast
from uuid import uuid4

import typer

from controller.ctl.asking import Whom
from controller.ctl.verb import verb
from controller.messages import (
    Act,
    Call,
    End,
    Go,
    Hold,
    Light,
    Mark,
    Note,
    Pause,
    Quiet,
    Resume,
    Scene,
    SeeAlarm,
    StandDown,
    Start,
    TakeBack,
    Volume,
)
from controller.options import fail

app = typer.Typer()


@verb(app)
def start(
    programme: Annotated[str, typer.Argument(help="Name of a programme.")],
    participant: Whom = None,
    minutes: Annotated[float | None, typer.Option(help="Compress or stretch it to so many minutes.")] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same pieces.")] = None,
    touch: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[CODE=]SCOPE", help="Touch that was consented to; each one's own where several take part."
        ),
    ] = None,
    limits: Annotated[Path | None, typer.Option(help="File of what is not wanted to be heard.")] = None,
) -> Act:
    """Open a session.

    Example: stillroom ctl start psilocybin-25mg --participant C-0412
    """
    from controller.ctl.limits import read_limits

    people = tuple(participant or ())
    return Start(
        programme=programme, participants=people, minutes=minutes, seed=seed, touch_scopes=_scopes(touch or (), people),
        limits=read_limits(limits),
    )  # fmt: skip


def _scopes(given: Sequence[str], people: tuple[str, ...]) -> dict[str, str]:
    """Each participant's scope of touch; exits 1 where it is not said whose one is."""
    scopes: dict[str, str] = {}
    for said in given:
        code, named, scope = said.partition("=")
        if not named and len(people) != 1:
            fail(f'--touch "{said}": whose? Each consents alone: --touch CODE="{said}"')
        scopes |= {code: scope} if named else {people[0]: said}
    return scopes


@verb(app)
def pause() -> Act:
    """Fade to silence; arc and music stand still.

    Example: stillroom ctl pause
    """
    return Pause()


@verb(app)
def resume() -> Act:
    """Go on: ends a pause first, with any silence in it; without a pause it ends silence and hold.

    Example: stillroom ctl resume
    """
    return Resume()


@verb(app)
def hold() -> Act:
    """Stay in this phase; the music goes on.

    Example: stillroom ctl hold
    """
    return Hold()


@verb(app)
def go(phase: Annotated[str, typer.Argument(help="Code of a phase.")]) -> Act:
    """Cross over to the beginning of a phase.

    Example: stillroom ctl go return
    """
    return Go(phase=phase)


@verb(app)
def quiet(minutes: Annotated[float | None, typer.Argument(help="Until `resume` without.")] = None) -> Act:
    """Silence that is asked for; the arc goes on.

    Example: stillroom ctl quiet 10
    """
    return Quiet(minutes=minutes)


@verb(app)
def volume(
    level_db: Annotated[float | None, typer.Argument(help="dB below the calibrated level: 0 to -40.")] = None,
    bus: Annotated[str, typer.Option(help="One bus; all without.")] = "",
    step: Annotated[float | None, typer.Option(help="Move by so many dB.")] = None,
) -> Act:
    """Set or move the volume; it never goes above the calibrated level.

    Example: stillroom ctl volume --bus headphones --step -2
    """
    return Volume(bus=bus, level_db=level_db, step_db=step)


@verb(app)
def light(what: Annotated[str, typer.Argument(help="arc, exit, medical, or a level in %.")]) -> Act:
    """Take the light over, or give it back to the arc.

    Example: stillroom ctl light exit
    """
    if what in ("arc", "exit", "medical"):
        return Light(scene=cast(Scene, what))
    try:
        return Light(level=float(what.removesuffix("%")) / 100.0)
    except ValueError:
        fail(f'"{what}" is no light; allowed: arc, exit, medical, or a level in % like 20')


@verb(app, whom=True, ago=True)
def mark(code: str) -> Act:
    """A one-key event of the programme's list.

    Example: stillroom ctl mark spoke --ago 12
    """
    return Mark(code=code)


@verb(app, whom=True, ago=True)
def note(text: str) -> Act:
    """A few words. Codes and behaviour, never a name.

    Example: stillroom ctl note "asked for water" --ago 14:41
    """
    return Note(text=text)


@verb(app)
def call(
    emergency: Annotated[bool, typer.Option("--emergency", help="At once to the emergency level.")] = False,
    call_id: Annotated[str, typer.Option("--id", help="Of a call that stands, to escalate it.")] = "",
) -> Act:
    """Call support. An addition to the wired nurse call, never instead of it.

    Example: stillroom ctl call
    """
    return Call(call=call_id or str(uuid4()), level="emergency" if emergency else "assist")


@verb(app)
def stand_down() -> Act:
    """Nobody needs to come any more.

    Example: stillroom ctl stand-down
    """
    return StandDown()


@verb(app)
def take_back(seq: Annotated[int, typer.Argument(help="Number of the record.")]) -> Act:
    """Take back a mark, note, step or assist call: an amendment, never a deletion.

    It is for whoever entered it: give the same --person as then; each command is a console of its own.

    Example: stillroom ctl take-back 42 --person AB
    """
    return TakeBack(seq=seq)


@verb(app)
def seen(code: Annotated[str, typer.Argument(help="Of one alarm; all without.")] = "") -> Act:
    """Alarm seen: silences, never clears.

    Example: stillroom ctl seen
    """
    return SeeAlarm(code=code)


@verb(app)
def end() -> Act:
    """Close the session: music and light come down gently, the record is closed.

    Example: stillroom ctl end
    """
    return End()
