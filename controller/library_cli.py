"""`stillroom library …`: measure the music before it is played to anyone."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from controller.library.catalogue import Catalogue, Problem
from controller.messages import Piece, to_plain
from controller.options import STATE, AsJson, StateDir

app = typer.Typer(help="Measure the music before it is played to anyone.", no_args_is_help=True)

_FULL_SCALE_DBFS = 0.0


@app.command()
def scan(
    dirs: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Folders (or single files) of music.")],
    state: StateDir = STATE,
    as_json: AsJson = False,
) -> None:
    """Measure what is new or changed: length, loudness, true peak, and whether it decodes to its end.

    May be stopped at any time and goes on from there. Exit 1 if a file cannot be used.

    Example: stillroom library scan /srv/music
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with (
        closing(Catalogue(state)) as catalogue,
        Progress(*columns, console=Console(stderr=True), transient=True) as bar,
    ):
        task = bar.add_task("Measuring")
        pieces, problems = catalogue.scan(
            dirs, lambda done, total, path: bar.update(task, completed=done, total=total, description=path.name[:40])
        )
    if as_json:
        _print_json(pieces, problems)
    else:
        minutes = sum(piece.duration_s for piece in pieces) / 60
        typer.echo(f"{len(pieces)} pieces, {minutes:.0f} minutes of music")
        _print_problems(problems)
    if problems:
        raise typer.Exit(1)


@app.command(name="list")
def list_(state: StateDir = STATE, as_json: AsJson = False) -> None:
    """List the measured pieces.

    Example: stillroom library list --state /var/lib/stillroom
    """
    with closing(Catalogue(state)) as catalogue:
        pieces = catalogue.pieces()
    if as_json:
        typer.echo(json.dumps([to_plain(piece) for piece in pieces], indent=1, ensure_ascii=False))
        return
    if not pieces:
        typer.echo("Nothing is measured yet: stillroom library scan DIR")
    for piece in pieces:
        minutes, seconds = divmod(round(piece.duration_s), 60)
        typer.echo(
            f"{minutes:>3}:{seconds:02d}  {piece.lufs:>6.1f} LUFS  {piece.true_peak_dbfs:>6.1f} dBFS  "
            f"{piece.title:<32.32} {piece.path}"
        )


@app.command()
def check(state: StateDir = STATE, as_json: AsJson = False) -> None:
    """Name every file that cannot be used, is gone, or decodes above full scale. Exit 1 if one cannot be used.

    Example: stillroom library check --state /var/lib/stillroom
    """
    with closing(Catalogue(state)) as catalogue:
        pieces, problems = catalogue.pieces(), catalogue.problems()
    problems += [Problem(path=piece.path, why="missing") for piece in pieces if not Path(piece.path).is_file()]
    hot = [piece for piece in pieces if piece.true_peak_dbfs > _FULL_SCALE_DBFS]
    if as_json:
        _print_json(pieces, problems)
    else:
        _print_problems(problems)
        for piece in hot:
            typer.echo(
                f"{piece.path}: decodes {piece.true_peak_dbfs:.1f} dB above full scale; its loudest moments clip"
            )
        typer.echo(f"{len(pieces)} pieces measured, {len(problems)} problems, {len(hot)} above full scale")
    if problems:
        raise typer.Exit(1)


def _print_problems(problems: list[Problem]) -> None:
    for problem in problems:
        typer.echo(f"{problem.path}: {problem.why}")


def _print_json(pieces: list[Piece], problems: list[Problem]) -> None:
    found = {
        "pieces": [to_plain(piece) for piece in pieces],
        "problems": [{"path": problem.path, "why": problem.why} for problem in problems],
    }
    typer.echo(json.dumps(found, indent=1, ensure_ascii=False))
