"""`stillroom playlist …`: lists of other programs in, and out again."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from controller.arc.planner import PlanRequest, plan
from controller.arc.programme import Programme
from controller.config import check_file, find_programme, load_programme, load_room
from controller.exchange.laying import lay, parse_division
from controller.exchange.matching import Match, match_entries
from controller.exchange.reading import read_listing
from controller.exchange.writing import WRITERS
from controller.files import ConfigError, write_whole, writing
from controller.library.catalogue import Catalogue
from controller.messages import Piece
from controller.options import StateDir
from controller.places import STATE
from controller.pool import read_library, resolve_sources
from controller.wording.quantities import counted

app = typer.Typer(help="Bring playlists of other programs in, and take plans out.", no_args_is_help=True)


@app.command(name="import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="M3U, M3U8, XSPF, JSPF or CSV.")],
    like: Annotated[str, typer.Option(help="The programme whose phases it is laid into.")] = "psilocybin-25mg",
    phase: Annotated[
        list[str] | None, typer.Option(metavar="PHASE=FIRST-LAST", help="Which entries belong to a phase; repeat it.")
    ] = None,
    to: Annotated[Path | None, typer.Option(metavar="NAME.toml", help="The programme file to write.")] = None,
    force: Annotated[bool, typer.Option(help="Write over a file that is there.")] = False,
    state: StateDir = STATE,
) -> None:
    """Find a list's pieces in the measured library and lay them into the phases you declare.

    Without --phase it only shows what was found. Lengths come from the audio, never from the list. Exit 1 if an entry
    is not in the library.

    Example: stillroom playlist import list.xspf --like mdma --phase settle=1-4 --phase rise=5-7 --to evening.toml
    """
    base = find_programme(like)
    programme = load_programme(base)
    entries = read_listing(file)
    with closing(Catalogue(state)) as catalogue:
        pieces = catalogue.pieces()
    if not pieces:
        raise ConfigError([f"{state}: the library is empty; measure it first: stillroom library scan DIR"])
    if phase and to is None:
        raise ConfigError(["--to NAME.toml: is missing; it says which programme file to write"])
    codes = [each.code for each in programme.phases]
    division = parse_division(phase or [], codes, len(entries))
    matches = match_entries(entries, pieces)
    _show(matches, division)
    missing = _tell_unmatched(matches)
    if to is not None and division:
        _write(matches, division, base, to, force)
        left = [match.entry.number for match in matches if not any(match.entry.number in n for n in division.values())]
        if left:
            typer.echo(f"Not laid into any phase: entries {', '.join(map(str, left))}")
    else:
        _explain(programme)
    if missing:
        raise typer.Exit(1)


@app.command()
def export(
    programme: Annotated[str, typer.Argument(help="Name or file of a programme.")],
    to: Annotated[Path, typer.Argument(metavar="FILE", help="A .m3u8, .xspf or .csv file.")],
    room: Annotated[Path, typer.Option(help="The room whose music it is planned with.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same pieces.")] = 1,
    state: StateDir = STATE,
) -> None:
    """Write what a programme would play in this room, such as for a spare player.

    Example: stillroom playlist export mdma evening.m3u8 --room room.toml
    """
    write = WRITERS.get(to.suffix.lstrip("."))
    if write is None:
        kinds = ", ".join(f".{name}" for name in WRITERS)
        raise ConfigError([f"{to}: not a playlist that can be written; allowed: {kinds}"])
    path = find_programme(programme)
    asked = load_programme(path)
    library = read_library(state, load_room(room))
    pool, mistakes = resolve_sources(asked, library, path.parent)
    start = PlanRequest(programme=asked, pool=pool, arc_s=asked.start_s(0), phase=0, timeline_s=0.0, seed=seed)
    pieces = [cue.piece for cue in plan(start).cues]
    if not pieces:
        raise ConfigError(mistakes)
    with writing(to):
        write_whole(to, write(pieces))
    for mistake in mistakes:
        typer.echo(mistake, err=True)
    minutes = sum(piece.duration_s for piece in pieces) / 60
    typer.echo(f"wrote {to}: {counted(len(pieces), 'piece')}, {counted(round(minutes), 'minute')}")


def _write(matches: list[Match], division: dict[str, range], base: Path, to: Path, force: bool) -> None:
    if to.suffix != ".toml":
        raise ConfigError([f"--to {to}: a programme file ends in .toml"])
    if to.exists() and not force:
        raise ConfigError([f"{to}: is there already; --force writes over it"])
    for path in lay(matches, division, base, to):
        typer.echo(f"wrote {path}")
    check_file(to)
    typer.echo(f"Look at it before you use it: stillroom rehearse {to}")


def _show(matches: list[Match], division: dict[str, range]) -> None:
    shown = Table(box=None, pad_edge=False)
    for heading in ("", "from", "length", "entry", "piece in the library", "phase"):
        shown.add_column(heading, justify="right" if heading in ("", "from", "length") else "left")
    at = 0.0
    for match in matches:
        piece, number = match.piece, match.entry.number
        where = next((code for code, numbers in division.items() if number in numbers), "")
        unsure = "[bold]not sure[/bold]" if match.candidates else "[bold]not found[/bold]"
        found = escape(piece.path) if piece else unsure
        length = _minutes(piece.duration_s) if piece else ""
        shown.add_row(str(number), _minutes(at) if piece else "", length, escape(match.entry.said), found, where)
        at += piece.duration_s if piece else 0.0
    Console(soft_wrap=True).print(shown)


def _tell_unmatched(matches: list[Match]) -> int:
    missing = [match for match in matches if match.piece is None]
    for match in missing:
        typer.echo(f"\n{match.entry.number}: {match.entry.said}: not in the library")
        for piece in match.candidates:
            typer.echo(f"    perhaps {_name(piece)}, {_minutes(piece.duration_s)}  {piece.path}")
    for match in matches:
        if match.length_differs and match.piece and match.entry.seconds:
            said, true = _minutes(match.entry.seconds), _minutes(match.piece.duration_s)
            typer.echo(f"{match.entry.number}: {match.entry.said}: the list says {said}, the audio lasts {true}")
    found = len(matches) - len(missing)
    minutes = sum(match.piece.duration_s for match in matches if match.piece) / 60
    entries, length = counted(len(matches), "entry", "entries"), counted(round(minutes), "minute")
    typer.echo(f"\n{found} of {entries} found, {length} of music")
    return len(missing)


def _explain(programme: Programme) -> None:
    typer.echo(f"\nThe phases of {programme.name}, in minutes from ingestion:")
    for index, phase in enumerate(programme.phases):
        typer.echo(f"  {phase.code:<14} {programme.start_s(index) / 60:>5.0f} to {programme.end_s(index) / 60:.0f}")
    spans = [f"--phase {phase.code}={span}" for phase, span in zip(programme.phases, ("1-4", "5-11"), strict=False)]
    typer.echo(f"Say which entries belong to which: {' '.join(spans)} … --to NAME.toml")


def _minutes(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


def _name(piece: Piece) -> str:
    return " - ".join(part for part in (piece.artist, piece.title) if part)
