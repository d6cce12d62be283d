"""`stillroom ctl`, the verbs that bend a session: they stand beside the others and are sent in the same way."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from controller.ctl import Person, Whom, Why, app, limits_in, send
from controller.messages import (
    CatchUp,
    DeclineBooster,
    Evacuate,
    Ground,
    Land,
    Limits,
    Next,
    ReleaseAnswer,
    SetLimits,
    Shorten,
    Skip,
    Softer,
    Stable,
)
from controller.options import STATE, StateDir


@app.command()
def skip(state: StateDir = STATE, person: Person = None, why: Why = "") -> None:
    """Cross over to another piece now.

    Example: stillroom ctl skip
    """
    send(state, person, why, Skip())


@app.command("next")
def choose_next(
    code: Annotated[str, typer.Argument(help="Of a set of the programme; without, the plan again.")] = "",
    state: StateDir = STATE,
    person: Person = None,
    why: Why = "",
) -> None:
    """Draw from a set when the piece that plays is over.

    Example: stillroom ctl next calm
    """
    send(state, person, why, Next(set=code))


@app.command()
def ground(state: StateDir = STATE, person: Person = None, why: Why = "") -> None:
    """A grounding piece now, and then back to the plan.

    Example: stillroom ctl ground --why "asked for something familiar"
    """
    send(state, person, why, Ground())


@app.command()
def land(
    minutes: Annotated[float | None, typer.Argument(help="The programme's own without.")] = None,
    state: StateDir = STATE,
    person: Person = None,
    why: Why = "",
) -> None:
    """An early, gentle end: what is left becomes the last phase.

    Example: stillroom ctl land 20
    """
    send(state, person, why, Land(minutes=minutes))


@app.command()
def shorten(
    minutes: Annotated[float | None, typer.Argument(help="As a long pause offers, without.")] = None,
    state: StateDir = STATE,
    person: Person = None,
    why: Why = "",
) -> None:
    """Take minutes off this phase, never below its least.

    Example: stillroom ctl shorten
    """
    send(state, person, why, Shorten(minutes=minutes))


@app.command("catch-up")
def catch_up(state: StateDir = STATE, person: Person = None, why: Why = "") -> None:
    """Cross over to where T+ says that the arc should be.

    Example: stillroom ctl catch-up
    """
    send(state, person, why, CatchUp())


@app.command()
def softer(
    db: Annotated[float, typer.Argument(help="By so many dB.")] = 6.0,
    state: StateDir = STATE,
    person: Person = None,
    why: Why = "",
) -> None:
    """All music down, by a slow ramp; `take-back` undoes it.

    Example: stillroom ctl softer
    """
    send(state, person, why, Softer(db=db))


@app.command()
def evacuate(state: StateDir = STATE, person: Person = None, why: Why = "") -> None:
    """Music out in two seconds and light to leave by; `resume` brings both back.

    Example: stillroom ctl evacuate
    """
    send(state, person, why, Evacuate())


@app.command()
def limits(
    file: Annotated[Path | None, typer.Argument(help="What is not wanted to be heard; none without.")] = None,
    state: StateDir = STATE,
    person: Person = None,
    why: Why = "",
) -> None:
    """Set the participants' limits for the rest of this session.

    Example: stillroom ctl limits limits.toml
    """
    send(state, person, why, SetLimits(limits=limits_in(file) if file else Limits()))


@app.command("decline-booster")
def decline_booster(participant: Whom = None, state: StateDir = STATE, person: Person = None, why: Why = "") -> None:
    """The booster is not wanted, or is not given.

    Example: stillroom ctl decline-booster
    """
    send(state, person, why, DeclineBooster(), participant)


@app.command()
def stable(participant: Whom = None, state: StateDir = STATE, person: Person = None, why: Why = "") -> None:
    """The vitals are stable: the repeated ones end.

    Example: stillroom ctl stable
    """
    send(state, person, why, Stable(), participant)


@app.command("release-answer")
def release_answer(
    criterion: Annotated[str, typer.Argument(help="Code of a question of the checklist.")],
    met: Annotated[bool, typer.Option("--met/--not-met", help="The answer.")] = True,
    participant: Whom = None,
    state: StateDir = STATE,
    person: Person = None,
    why: Why = "",
) -> None:
    """Answer one question of the release checklist.

    Example: stillroom ctl release-answer steady --met
    """
    send(state, person, why, ReleaseAnswer(criterion=criterion, met=met), participant)
