"""`stillroom journal …`: read the record, and prove that it is whole."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from controller import wording
from controller.journal.chain import ROOM
from controller.journal.reading import (
    SessionInfo,
    list_sessions,
    log_entries,
    read_records,
    room_file,
    session_file,
    verify,
)
from controller.journal.store import journal_files, set_aside
from controller.messages import LogEntry, TakeBack, to_plain
from controller.options import STATE, AsJson, StateDir

app = typer.Typer(
    help="Read the record and prove that it is whole; works while the daemon writes.", no_args_is_help=True
)

_Book = Annotated[str, typer.Argument(metavar="[SESSION]", help='A session, or "room"; the newest session by default.')]


@app.command(name="list")
def list_(state: StateDir = STATE, as_json: AsJson = False) -> None:
    """List the sessions, oldest first.

    Example: stillroom journal list --state /var/lib/stillroom
    """
    sessions = list_sessions(state)
    if as_json:
        typer.echo(json.dumps([_plain(info) for info in sessions], indent=1))
        return
    if not sessions:
        typer.echo(f"No sessions in {state}.")
    for info in sessions:
        end = "closed" if info.closed else "open"
        who = ", ".join(info.participants)
        typer.echo(
            f"{info.session:<28} {info.opened_utc[:16].replace('T', ' ')}Z  {info.records:>6} records  {end:<6}  "
            f"{info.programme:<16} {who}".rstrip()
        )


@app.command()
def show(
    session: _Book = "",
    state: StateDir = STATE,
    after: Annotated[int, typer.Option("--after", metavar="SEQ", help="Only what came after this record.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Print a session's record in words; with --json every record whole, effects included.

    Example: stillroom journal show room --after 120
    """
    file = session_or_newest(state, session)
    try:
        if as_json:
            whole = [{**to_plain(record), "text": text} for record, text in read_records(file, after)]
            typer.echo(json.dumps(whole, indent=1, ensure_ascii=False))
            return
        for entry in _entries(file, after):
            kind, text = wording.entry(entry)
            who = entry.who or entry.console
            typer.echo(f"{entry.seq:>6}  {entry.utc[:19].replace('T', ' ')}Z  {who:<10.10} {kind:<8} {text}".rstrip())
    except (sqlite3.Error, ValueError) as error:
        _fail(f"{file}: {error}; `stillroom journal verify` says where")


@app.command(name="verify")
def verify_(
    sessions: Annotated[
        list[str] | None, typer.Argument(metavar="[SESSION]...", help="All of them by default.")
    ] = None,
    state: StateDir = STATE,
    as_json: AsJson = False,
) -> None:
    """Check every hash, digest and number, and the sessions against the room's own chain. Exit 1 if any is not right.

    Example: stillroom journal verify --state /var/lib/stillroom
    """
    files = [session_or_newest(state, session) for session in sessions or ()] or journal_files(state)
    results = {file.stem: verify(file) for file in files}
    kept = set_aside(state)
    if as_json:
        found = [{"book": book, **asdict(result)} for book, result in results.items()]
        typer.echo(json.dumps(found, indent=1))
    else:
        for book, result in results.items():
            redacted = f", {result.redacted} texts redacted" if result.redacted else ""
            if result.ok:
                typer.echo(f"{book:<28} ok       {result.records} records{redacted}")
            else:
                where = f" at record {result.first_bad}" if result.first_bad else ""
                typer.echo(f"{book:<28} DAMAGED{where}: {result.why}")
        for file in kept:
            typer.echo(f"{file.name}: a damaged journal, set aside and kept")
        if not files:
            typer.echo(f"No journals in {state}.")
    if not all(result.ok for result in results.values()):
        raise typer.Exit(1)


def _entries(file: Path, after: int) -> Iterator[LogEntry]:
    taken_back = {record.input.act.seq for record, _ in read_records(file) if isinstance(record.input.act, TakeBack)}
    for record, text in read_records(file, after):
        for entry in log_entries(record, text):
            yield replace(entry, taken_back=entry.seq in taken_back)


def session_or_newest(state: Path, session: str) -> Path:
    """The file of a session (or "room"), the newest for ""; exits 1 with the known ones where there is none."""
    if not session:
        sessions = list_sessions(state)
        if not sessions:
            _fail(f"no sessions in {state}")
        return sessions[-1].file
    try:
        file = room_file(state) if session == ROOM else session_file(state, session)
    except ValueError as error:
        _fail(str(error))
    if not file.is_file():
        known = ", ".join(info.session for info in list_sessions(state)[-5:])
        _fail(f"no session {session} in {state}" + (f"; the newest are {known}" if known else ""))
    return file


def _plain(info: SessionInfo) -> dict[str, object]:
    return {**asdict(info), "file": str(info.file)}


def _fail(why: str) -> NoReturn:
    typer.echo(why, err=True)
    raise typer.Exit(1)
