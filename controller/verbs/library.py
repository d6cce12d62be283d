"""`stillroom library …`: measure the music before it is played to anyone."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.cells import set_cell_size
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from controller.config import Room, find_programme, load_programme, load_room
from controller.files import ConfigError
from controller.library.catalogue import Catalogue
from controller.library.faults import find_faults
from controller.library.folders import Problem
from controller.library.notes import NAME, write_rows
from controller.library.suggest import WISHES, character_of, rank
from controller.messages import Piece, to_plain
from controller.one_line import one_line
from controller.options import AsJson, StateDir
from controller.places import STATE
from controller.pool import read_library, shortages
from controller.verbs.library_programme import ProgrammeMusic
from controller.verbs.library_tables import find_tracks, length, show_entry, show_problem, show_suggestions
from controller.wording.quantities import counted

app = typer.Typer(help="Measure the music before it is played to anyone.", no_args_is_help=True)

FULL_SCALE_DBFS = 0.0

ProgrammeName = Annotated[str | None, typer.Option("--programme", metavar="NAME", help="Name or file of a programme.")]
Folder = Annotated[str, typer.Argument(metavar="FOLDER", help="A folder's path, or its name alone.")]


@app.command()
def scan(
    dirs: Annotated[
        list[Path] | None, typer.Argument(metavar="DIR…", help="Folders (or files) of music; those scanned before.")
    ] = None,
    state: StateDir = STATE,
    as_json: AsJson = False,
) -> None:
    """Measure what is new or changed: length, loudness, true peak, and whether it decodes to its end.

    May be stopped at any time (Ctrl+C) and goes on from there; runs at the lowest priority. A file that was moved or
    renamed is not measured again. Exit 1 if a file cannot be used.

    Example: stillroom library scan /srv/music
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with _open(state) as catalogue:
        tops = dirs or catalogue.folders()
        if not tops:
            raise ConfigError(["no folder was scanned yet; say which: stillroom library scan DIR"])
        done = total = 0
        try:
            with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
                task = bar.add_task("Looking", total=None)

                def progress(now: int, of: int, path: Path) -> None:
                    nonlocal done, total
                    done, total = now, of
                    bar.update(task, completed=now, total=of, description=escape(f"{path.name[:40]:<40}"))

                pieces, problems = catalogue.scan(tops, progress)
        except KeyboardInterrupt:
            files = counted(total, "file is", "files are")
            typer.echo(f"Stopped: {done} of {files} measured and kept; scan again to go on.", err=True)
            raise typer.Exit(130) from None
        except FileNotFoundError as error:
            raise ConfigError([f"{error.filename} is not installed: apt install ffmpeg"]) from None
    if as_json:
        _print_json(pieces, problems)
    else:
        minutes = sum(piece.duration_s for piece in pieces) / 60
        typer.echo(f"{counted(len(pieces), 'piece')}, {counted(round(minutes), 'minute')} of music")
        _print_problems(problems)
    if problems:
        raise typer.Exit(1)


@app.command(name="list")
def list_(
    folder: Folder = "",
    phase: Annotated[str | None, typer.Option(metavar="PHASE", help="Only what this phase draws on.")] = None,
    programme: ProgrammeName = None,
    state: StateDir = STATE,
    as_json: AsJson = False,
) -> None:
    """List the measured pieces: length, loudness, true peak, loudness range, V for a voice, title, place.

    Example: stillroom library list peak
    """
    with _open(state) as catalogue:
        pieces = catalogue.pieces()
    if not pieces:
        typer.echo("Nothing is measured yet: stillroom library scan DIR", err=True)
    if folder:
        pieces = _below(pieces, folder)
    if phase or programme:
        music = _music(programme)
        chosen = music.of_phase(phase) if phase else music
        pieces = [piece for piece in pieces if chosen.uses(piece.path, piece.tags)]
    if as_json:
        typer.echo(json.dumps([to_plain(piece) for piece in pieces], indent=1, ensure_ascii=False))
        return
    for piece in pieces:
        figures = f"{piece.lufs:>6.1f} LUFS  {piece.true_peak_dbfs:>6.1f} dBFS  {piece.loudness_range_lu:>4.1f} LU"
        name = f"{'V' if piece.vocals else ' '}  {set_cell_size(piece.title, 32)} {one_line(piece.path)}"
        typer.echo(f"{length(piece.duration_s):>7}  {figures}  {name}")


@app.command()
def show(
    track: Annotated[str, typer.Argument(metavar="TRACK", help="Title, file name, path, or beginning of a digest.")],
    state: StateDir = STATE,
    as_json: AsJson = False,
) -> None:
    """Show all that is known of a piece.

    Example: stillroom library show "Slow Harbour"
    """
    with _open(state) as catalogue:
        entries, problems = list(catalogue.entries()), catalogue.problems()
    found, spoilt, near = find_tracks(track, entries, problems)
    if not found and not spoilt:
        hint = f"; did you mean {', '.join(near)}?" if near else "; stillroom library list shows what there is"
        raise ConfigError([f'there is no piece "{track}"{hint}'])
    if as_json:
        _print_json([entry.piece for entry in found], spoilt)
        return
    for entry in found:
        show_entry(entry)
    for problem in spoilt:
        show_problem(problem)


@app.command()
def check(
    programme: ProgrammeName = None,
    room: Annotated[
        Path | None, typer.Option(metavar="ROOM.toml", help="Also whether its music lasts for the programme.")
    ] = None,
    state: StateDir = STATE,
    as_json: AsJson = False,
) -> None:
    """Name every file that is missing, empty, not audio, truncated, clipped, changed or not measured; exit 1 if any.

    Decodes nothing: it compares the folders with what the last scan found.

    Example: stillroom library check --programme psilocybin-25mg --room room.toml
    """
    with _open(state) as catalogue:
        music = _music(programme) if programme else None
        problems = find_faults(catalogue, music.uses if music else None)
        pieces = [piece for piece in catalogue.pieces() if music is None or music.uses(piece.path, piece.tags)]
    if not pieces and not problems and music is None:
        problems.append(
            Problem(path=str(state / "library.db"), why="nothing is measured yet: stillroom library scan DIR")
        )
    if music is not None:
        problems += [
            Problem(path=f"{music.name}: {who}", why="there is no measured piece for it")
            for who in music.without(pieces)
        ]
    if programme and room is not None:
        problems += _too_short(programme, state, load_room(room))
    if as_json:
        _print_json(pieces, problems)
    else:
        _print_problems(problems)
        typer.echo(f"{counted(len(pieces), 'piece')} measured, {counted(len(problems), 'problem')}")
        hot = sum(piece.true_peak_dbfs > FULL_SCALE_DBFS for piece in pieces)
        if hot:
            typer.echo(f"{counted(hot, 'piece')} above full scale: turned down before the peaks can clip")
    if problems:
        raise typer.Exit(1)


@app.command()
def suggest(
    phase: Annotated[str, typer.Argument(metavar="PHASE", help="A phase of the programme.")],
    programme: ProgrammeName = None,
    folder: Annotated[str, typer.Option("--in", metavar="FOLDER", help="Only pieces of this folder.")] = "",
    number: Annotated[int, typer.Option("--number", "-n", min=1, help="How many to show.")] = 20,
    state: StateDir = STATE,
    as_json: AsJson = False,
) -> None:
    """Rank your own pieces for a phase by what was measured, and show the figures behind each rank.

    For the peak: regular, dark, steady, slowly building; never by loudness. It helps to find what to listen to.

    Example: stillroom library suggest peak --programme psilocybin-25mg
    """
    music = _music(programme)
    wanted = music.phase(phase)
    with _open(state) as catalogue:
        pieces = catalogue.pieces()
    if not pieces:
        raise ConfigError(["nothing is measured yet: stillroom library scan DIR"])
    if folder:
        pieces = _below(pieces, folder)
    allowed = [piece for piece in pieces if music.allows(wanted, piece)]
    character = character_of(wanted.intensity)
    ranked = rank(allowed, character)[:number]
    if as_json:
        typer.echo(json.dumps([to_plain(each) for each in ranked], indent=1, ensure_ascii=False))
        return
    typer.echo(f"{music.name}, {wanted.title}: {', '.join(wish.words for wish in WISHES[character])}")
    show_suggestions(ranked)
    if left_out := len(pieces) - len(allowed):
        typer.echo(f"{counted(left_out, 'piece')} left out: voices or languages that this phase excludes")
    typer.echo(
        "Beside each figure: the share of your other pieces that suit less well by it. Listen before you choose."
    )


@app.command()
def notes(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder of measured music.")],
    state: StateDir = STATE,
) -> None:
    """Write a row for every piece of a folder into its music.csv, to say in a spreadsheet what cannot be measured.

    Voices (yes or no), language, tradition, tags. Rows that are there stay as they are; scan again afterwards.

    Example: stillroom library notes /srv/music/peak
    """
    with _open(state) as catalogue:
        entries = list(catalogue.entries([folder]))
    if not entries:
        raise ConfigError([f"{folder}: no measured music lies here; first: stillroom library scan {folder}"])
    try:
        written = write_rows(folder / NAME, [(Path(entry.path), entry.said) for entry in entries])
    except ValueError as error:
        raise ConfigError([f"{folder / NAME}: {error}"]) from None
    typer.echo(
        f"{folder / NAME}: {counted(written, 'new row')}, {counted(len(entries) - written, 'piece')} named already"
    )


@app.command()
def forget(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that was scanned.")], state: StateDir = STATE
) -> None:
    """Forget a folder that is gone for good; its measurements stay, should the files turn up elsewhere.

    Example: stillroom library forget /media/usb-stick
    """
    with _open(state) as catalogue:
        typer.echo(f"{counted(catalogue.forget(folder), 'file')} forgotten")


@contextmanager
def _open(state: Path) -> Iterator[Catalogue]:
    """The catalogue, its troubles explained."""
    try:
        catalogue = Catalogue(state)
        try:
            yield catalogue
        finally:
            catalogue.close()
    except sqlite3.DatabaseError as error:
        kept = "it holds nothing but measurements: if it is damaged, remove it and scan again"
        raise ConfigError([f"{state / 'library.db'}: {error}; {kept}"]) from None
    except PermissionError as error:
        raise ConfigError([f"{error.filename}: {error.strerror}"]) from None


def _music(programme: str | None) -> ProgrammeMusic:
    return ProgrammeMusic(load_programme(find_programme(programme or "psilocybin-25mg")))


def _too_short(name: str, state: Path, room: Room) -> list[Problem]:
    """The phases in which the filler would have to stand in."""
    path = find_programme(name)
    programme = load_programme(path)
    found = shortages(programme, read_library(state, room), path.parent)
    return [Problem(path=f"{programme.name}: {title}", why=f"{minutes:.0f} min too few") for title, minutes in found]


def _below(pieces: list[Piece], folder: str) -> list[Piece]:
    """The pieces below a folder, given by its path or by its name alone. Raises ConfigError where there are none."""
    top = Path(folder).resolve()
    found = [piece for piece in pieces if Path(piece.path).is_relative_to(top)]
    found = found or [piece for piece in pieces if folder.strip("/") in Path(piece.path).parent.parts]
    if pieces and not found:
        names = sorted({Path(piece.path).parent.name for piece in pieces})
        raise ConfigError([f'no measured piece lies in "{folder}"; folders with music: {", ".join(names)}'])
    return found


def _print_problems(problems: list[Problem]) -> None:
    for problem in problems:
        typer.echo(f"{one_line(problem.path)}: {problem.why}")


def _print_json(pieces: list[Piece], problems: list[Problem]) -> None:
    found = {
        "pieces": [to_plain(piece) for piece in pieces],
        "problems": [{"path": problem.path, "why": problem.why} for problem in problems],
    }
    typer.echo(json.dumps(found, indent=1, ensure_ascii=False))
