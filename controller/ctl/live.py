"""`stillroom ctl`, the verbs that bend a session away from its plan."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from controller.ctl.verb import verb
from controller.messages import (
    Act,
    CatchUp,
    DeclineBooster,
    Evacuate,
    Ground,
    Land,
    Next,
    ReleaseAnswer,
    SetLimits,
    Shorten,
    Skip,
    Softer,
    Stable,
)

app = typer.Typer()


@verb(app)
def skip() -> Act:
    """Cross over to another piece now.

    Example: stillroom ctl skip
    """
    return Skip()


@verb(app, "next")
def choose_next(
    code: Annotated[str, typer.Argument(help="Of a set of the programme; without, the plan again.")] = "",
) -> Act:
    """Draw from a set when the piece that plays is over.

    Example: stillroom ctl next calm
    """
    return Next(set=code)


@verb(app)
def ground() -> Act:
    """A grounding piece now, and then back to the plan.

    Example: stillroom ctl ground --why "asked for something familiar"
    """
    return Ground()


@verb(app)
def land(minutes: Annotated[float | None, typer.Argument(help="The programme's own without.")] = None) -> Act:
    """An early, gentle end: what is left becomes the last phase.

    Example: stillroom ctl land 20
    """
    return Land(minutes=minutes)


@verb(app)
def shorten(
    minutes: Annotated[float | None, typer.Argument(help="As a long pause offers, without.")] = None,
) -> Act:
    """Take minutes off this phase, never below its least.

    Example: stillroom ctl shorten
    """
    return Shorten(minutes=minutes)


@verb(app)
def catch_up() -> Act:
    """Cross over to where T+ says that the arc should be.

    Example: stillroom ctl catch-up
    """
    return CatchUp()


@verb(app)
def softer(db: Annotated[float, typer.Argument(help="By so many dB.")] = 6.0) -> Act:
    """All music down, by a slow ramp; `take-back` undoes it.

    Example: stillroom ctl softer
    """
    return Softer(db=db)


@verb(app)
def evacuate() -> Act:
    """Music out in two seconds and light to leave by; `resume` brings both back.

    Example: stillroom ctl evacuate
    """
    return Evacuate()


@verb(app)
def limits(
    file: Annotated[Path | None, typer.Argument(help="What is not wanted to be heard; none without.")] = None,
) -> Act:
    """Set the participants' limits for the rest of this session.

    Example: stillroom ctl limits limits.toml
    """
    from controller.ctl.limits import read_limits

    return SetLimits(limits=read_limits(file))


@verb(app, whom=True)
def decline_booster() -> Act:
    """The booster is not wanted, or is not given.

    Example: stillroom ctl decline-booster
    """
    return DeclineBooster()


@verb(app, whom=True)
def stable() -> Act:
    """The vitals are stable: the repeated ones end.

    Example: stillroom ctl stable
    """
    return Stable()


@verb(app, whom=True)
def release_answer(
    criterion: Annotated[str, typer.Argument(help="Code of a question of the checklist.")],
    met: Annotated[bool, typer.Option("--met/--not-met", help="The answer.")] = True,
) -> Act:
    """Answer one question of the release checklist.

    Example: stillroom ctl release-answer steady --met
    """
    return ReleaseAnswer(criterion=criterion, met=met)
