"""`stillroom journal …`: read the record, and prove that it is whole."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import replace

from controller import wording
from controller.files import did_you_mean
from controller.journal.backup import check_backup
from controller.journal.chain import ROOM
from controller.journal.manifest import backups_at, read_manifest
from controller.journal.reading import (
    SessionInfo,
    list_sessions,
    log_entries,
    read_records,
    room_file,
    session_file,
    unreadable_sessions,
    verify,
)
from controller.journal.search import Wanted, search
from controller.journal.store import damaged_copies, journal_files, set_aside
from controller.journal.verify import verify_sessions
from controller.messages import LogEntry, Record, TakeBack, to_plain
from controller.options import AsJson, StateDir, fail
from controller.places import STATE
from controller.wording.quantities import counted
from controller.wording.record import gone

if TYPE_CHECKING:
    from controller.report.roles import Role

app = typer.Typer(
    help="Read the record and prove that it is whole; works while the daemon writes.", no_args_is_help=True
)

_Book = Annotated[str, typer.Argument(metavar="[SESSION]", help='A session, or "room"; the newest session by default.')]
_Kinds = Annotated[list[str] | None, typer.Option("--kind", help="mark, vitals, note, call …; may be repeated.")]


@app.command(name="list")
def list_(
    state: StateDir = STATE,
    quick: Annotated[bool, typer.Option("--quick", help="Do not prove the chains.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the sessions, oldest first: when, how long, of whom, whether closed and signed, whether the chain holds.

    Example: stillroom journal list --state /var/lib/stillroom
    """
    _look_at(state)
    sessions = list_sessions(state)
    proved = iter(()) if quick else verify_sessions(state, [info.file for info in sessions])
    if as_json:
        rows = [_plain(info) for info in sessions]
        for plain, found in zip(rows, proved, strict=False):
            plain["chain_ok"] = found.ok
        typer.echo(json.dumps(rows, indent=1))
        return
    unreadable = unreadable_sessions(state)
    if not sessions and not unreadable:
        typer.echo(f"No sessions in {state}.")
    for info, found in zip_longest(sessions, proved):
        chain = "" if found is None else "chain ok" if found.ok else f"chain DAMAGED: {found.why}"
        length = wording.duration(info.length_s)
        signed = f"signed {info.signed_by}" if info.signed_by else info.state
        records = f"{info.records:>6} {'record' if info.records == 1 else 'records'}"
        typer.echo(
            f"{info.session:<28} {info.opened_utc[:16].replace('T', ' ')}Z  {length:>7}  {records:<14}  "
            f"{signed:<11} {info.programme:<18} {', '.join(info.participants):<14} {chain}".rstrip()
        )
    for session, why in unreadable:
        typer.echo(f"{session:<28} {why}")


@app.command()
def show(
    session: _Book = "",
    state: StateDir = STATE,
    after: Annotated[int, typer.Option("--after", metavar="SEQ", help="Only what came after this record.")] = 0,
    at: Annotated[str, typer.Option("--at", metavar="T+", help="1:05 (two minutes around it) or 1:00-1:30.")] = "",
    kind: _Kinds = None,
    role: Annotated[
        str, typer.Option(help="Whom it is for, one of those of `export`; without it, in a blinded session: team.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Print a session's account in words; with --json every record whole but what its reader must not see.

    Example: stillroom journal show --at 1:00-1:30 --kind vitals --kind mark
    """
    from controller.report.roles import copies, role_named

    file, reader = session_or_newest(state, session), role_named(role)
    try:
        if as_json:
            shown = copies(read_records(file, after), _opening(state, file), reader)
            whole = [{**to_plain(record), "text": text} for record, text in shown]
            typer.echo(json.dumps(whole, indent=1, ensure_ascii=False))
        elif after or file == room_file(state) or not _show_account(file, at, kind or [], reader):
            shown = copies(read_records(file, after), _opening(state, file), reader)
            _show_entries(file, shown, kind or [])
    except (sqlite3.Error, ValueError) as error:
        fail(f"{file}: {error}; `stillroom journal verify` says where")


def _opening(state: Path, file: Path) -> Record | None:
    """The first record of a session's file, None for the room's."""
    return None if file == room_file(state) else next((record for record, _ in read_records(file)), None)


def _show_account(file: Path, at: str, kinds: list[str], reader: Role | None) -> bool:
    """Whether the file could be told as a session."""
    from controller.report.gathering import account_of
    from controller.report.terminal import event_lines, head_lines

    span = _span(at) if at else None
    try:
        account = account_of(file, reader)
    except (sqlite3.Error, ValueError):
        return False
    if not at and not kinds:
        for line in head_lines(account):
            typer.echo(line)
        typer.echo("")
    shown = False
    for line in event_lines(account, span, kinds):
        typer.echo(line)
        shown = True
    if not shown and (wrong := _no_such_kind(kinds)):
        fail(wrong)
    return True


def _show_entries(file: Path, shown: Iterable[tuple[Record, str]], kinds: list[str]) -> None:
    for entry in _entries(file, shown):
        word, text = wording.entry(entry)
        if kinds and entry.kind not in kinds and word not in kinds:
            continue
        who = entry.who or entry.console
        typer.echo(f"{entry.seq:>6}  {entry.utc[:19].replace('T', ' ')}Z  {who:<10.10} {word:<8} {text}".rstrip())


_T_PLUS = re.compile(r"(-?)(\d{1,3}):(\d{2})(?::(\d{2}))?")


def t_plus_s(text: str) -> float:
    """Seconds of a T+ like "1:05", "-0:10" or "1:05:30"; exits 1 where it is none."""
    found = _T_PLUS.fullmatch(text.strip().removeprefix("T+").removeprefix("t+"))
    if not found:
        fail(f'"{text}" is no T+; write hours and minutes: 1:05')
    sign, hours, minutes, seconds = found.groups()
    return (-1 if sign else 1) * (int(hours) * 3600 + int(minutes) * 60 + int(seconds or 0))


def _span(at: str) -> tuple[float, float]:
    found = re.fullmatch(r"(-?[^-]+)-(-?[^-]+)", at)
    if found:
        return t_plus_s(found[1]), t_plus_s(found[2])
    return t_plus_s(at) - 120.0, t_plus_s(at) + 120.0


_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2}(T\d{2}(:\d{2}(:\d{2}(\.\d+)?)?)?Z?)?)?)?")
"""A UTC date or time, or its beginning."""


def _no_such_kind(kinds: Collection[str]) -> str:
    """What to say of kinds that no entry has, where nothing was found: "" where all are known."""
    known = wording.kinds()
    wrong = [f'no entry is of kind "{kind}"{did_you_mean(kind, known)}' for kind in kinds if kind not in known]
    return "; ".join(wrong)


@app.command("search")
def search_(
    words: Annotated[list[str] | None, typer.Argument(metavar="[WORD]...", help="All of them, in any order.")] = None,
    since: Annotated[str, typer.Option("--from", metavar="DATE", help="From this UTC date or time on.")] = "",
    until: Annotated[str, typer.Option("--to", metavar="DATE", help="Up to and with this UTC date or time.")] = "",
    kind: _Kinds = None,
    participant: Annotated[str, typer.Option(metavar="CODE", help="Of this participant's sessions.")] = "",
    who: Annotated[str, typer.Option(metavar="INITIALS", help="Done by this person.")] = "",
    most: Annotated[int, typer.Option(min=1, help="Stop after so many.")] = 500,
    state: StateDir = STATE,
    as_json: AsJson = False,
) -> None:
    """Look through all sessions; nothing is written and no writer is held up. Exit 1 where nothing is found.

    Example: stillroom journal search nausea --from 2026-11 --participant C-0412
    """
    for option, date in (("--from", since), ("--to", until)):
        if date and not _DATE.fullmatch(date):
            fail(f'{option}: "{date}" is no date; write it like 2026-12, 2026-12-01 or 2026-12-01T14:41')
    wanted = Wanted(
        words=tuple(words or ()), since=since, until=until, kinds=tuple(kind or ()), participant=participant, who=who
    )
    _look_at(state)
    count = 0
    for info, entry in search(state, wanted):
        word, text = wording.entry(entry)
        if as_json:
            typer.echo(json.dumps({"session": info.session, **to_plain(entry), "words": text}, ensure_ascii=False))
        else:
            at = entry.utc[:19].replace("T", " ")
            typer.echo(f"{info.session}  {entry.seq:>6}  {at}Z  {entry.who:<8.8} {word:<8} {text}".rstrip())
        count += 1
        if count >= most:
            typer.echo(f"stopped after {most}; there may be more", err=True)
            break
    if not count:
        wrong = _no_such_kind(wanted.kinds)
        fail("nothing found" + (f"; {wrong}" if wrong else ""))


@app.command(name="verify")
def verify_(
    sessions: Annotated[
        list[str] | None, typer.Argument(metavar="[SESSION]...", help="All of them by default.")
    ] = None,
    backup: Annotated[Path | None, typer.Option(metavar="DIR", help="A backup, or the stick that it is on.")] = None,
    state: StateDir = STATE,
    as_json: AsJson = False,
) -> None:
    """Check every hash, digest and number, and the sessions against the room's own chain. Exit 1 if any is not right.

    A backup is read back whole, held against its manifest, and its chains against each other.

    Example: stillroom journal verify --backup /media/usb
    """
    if backup is not None:
        _verify_backups(backup)
        return
    _look_at(state)
    files = [session_or_newest(state, session) for session in sessions or ()] or journal_files(state)
    results = {file.stem: verify(file) for file in files}
    kept = set_aside(state)
    if as_json:
        found = [{"book": book, **asdict(result)} for book, result in results.items()]
        typer.echo(json.dumps(found, indent=1))
    else:
        for book, result in results.items():
            if result.ok:
                lacks = gone(redacted=result.redacted, unnamed=result.unnamed, lost=result.lost)
                typer.echo(f"{book:<28} ok       {counted(result.records, 'record')}{lacks}")
            else:
                where = f" at record {result.first_bad}" if result.first_bad else ""
                typer.echo(f"{book:<28} DAMAGED{where}: {result.why}")
            if result.removed:
                days = ", ".join(result.removed)
                typer.echo(f"{'':<28} {counted(len(result.removed), 'session')} removed by rule, opened {days}")
        for file in kept:
            typer.echo(f"{file.name}: a damaged journal, set aside and kept")
        if not files:
            typer.echo(f"No journals in {state}.")
    if not all(result.ok for result in results.values()):
        raise typer.Exit(1)


def _verify_backups(place: Path) -> None:
    folders = list(backups_at(place))
    if not folders:
        fail(f"{place}: there is no backup")
    wrong = {folder: check_backup(folder) for folder in folders}
    for folder, problems in wrong.items():
        for problem in problems:
            typer.echo(f"{folder}: NOT WELL: {problem}")
        if not problems:
            manifest = read_manifest(folder)
            assert manifest is not None
            typer.echo(f"{folder}: ok, {counted(len(manifest.sessions), 'session')} as of {manifest.utc}")
    if any(wrong.values()):
        raise typer.Exit(1)


def _entries(file: Path, shown: Iterable[tuple[Record, str]]) -> Iterator[LogEntry]:
    taken_back = {record.input.act.seq for record, _ in read_records(file) if isinstance(record.input.act, TakeBack)}
    for record, text in shown:
        for entry in log_entries(record, text):
            yield replace(entry, taken_back=entry.seq in taken_back)


def session_or_newest(state: Path, session: str) -> Path:
    """The file of a session (or "room"), the newest for ""; exits 1 with the known ones where there is none."""
    if not session:
        sessions = list_sessions(state)
        if not sessions:
            _look_at(state)
            fail(f"no sessions in {state}")
        return sessions[-1].file
    try:
        file = room_file(state) if session == ROOM else session_file(state, session)
    except ValueError as error:
        fail(str(error))
    if not file.is_file():
        if (copies := damaged_copies(state, session)) and session != ROOM:
            fail(
                f"{session} is DAMAGED: nothing of it could go on. It is kept as {copies[-1].name}, is backed up with "
                "the record, and goes whole, by `stillroom journal retention`"
            )
        known = ", ".join(info.session for info in list_sessions(state)[-5:])
        fail(f"no session {session} in {state}" + (f"; the newest are {known}" if known else ""))
    return file


def _look_at(state: Path) -> None:
    """Exit 1 where there is no such state directory: a mistyped one must not read as an empty one."""
    if not state.is_dir():
        fail(f"{state}: there is no such directory; --state says where the record lies")


def _plain(info: SessionInfo) -> dict[str, object]:
    return {**asdict(info), "file": str(info.file), "state": info.state}
