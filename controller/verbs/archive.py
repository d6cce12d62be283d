"""`stillroom journal sign | add | amend | redact`: what is done with a session's record once it is written."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Annotated

import typer

from controller.archiving import StillThere, write_directly
from controller.clock import utc_now, utc_text
from controller.ctl.asking import READY_S, reached, send_signed, visiting
from controller.ctl.signing import NoPin, PinFrom, read_pin, source
from controller.journal.chain import ROOM
from controller.journal.erasing import unblanked
from controller.journal.reading import read_records, session_info, verify
from controller.journal.standing import holding
from controller.journal.writer import JournalInUse
from controller.messages import (
    Addendum,
    ArchiveAct,
    Input,
    Origin,
    Record,
    Redaction,
    Refused,
    Reply,
    SignOff,
    needs_sign_on,
)
from controller.messages.free_words import taken_out
from controller.options import StateDir, fail
from controller.places import STATE
from controller.report.account import Account
from controller.report.gathering import account_of
from controller.report.terminal import head_lines
from controller.sitters.register import NotCompared, Register
from controller.verbs.journal import session_or_newest, t_plus_s
from controller.verbs.sitters import lost_sitters
from controller.wording import refusal
from controller.wording.quantities import counted

Session = Annotated[str, typer.Argument(metavar="SESSION", help="As `stillroom journal list` names it.")]
As = Annotated[str, typer.Option("--as", metavar="INITIALS", help="Who does it; stands in the record.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
At = Annotated[str, typer.Option("--at", metavar="T+|UTC", help="What it speaks of: T+1:20, or 2026-12-01T14:41Z.")]

ANSWER_S = 60.0


def record(state: Path, act: ArchiveAct, person: str, why: str = "") -> Reply:
    """Have an act recorded: by this process where no daemon holds the record, else by the daemon.

    In a room with sitters it takes the PIN of `person`. Says why and exits where it was not recorded.
    """
    given = Input(act=act, origin=Origin(person=person or None, console=f"journal-{os.getpid()}"), why=why)
    try:
        try:
            reply = asyncio.run(write_directly(state, given, lambda: _check_pin(state, given)))
        except (JournalInUse, PermissionError):
            reply = reached(state, lambda: _ask(state, given))
    except NoPin as error:
        fail(str(error))
    except StillThere as error:
        fail(f"{state}: it is recorded, but what goes by it is still there: {error}; say it again in a minute")
    except (OSError, sqlite3.Error) as error:
        fail(f"{state}: not recorded: {error}")
    if reply.refused:
        fail(refusal(reply.refused, reply.values))
    return reply


async def _ask(state: Path, given: Input) -> Reply:
    async with visiting(state, "journal", given.origin.person) as client:
        await client.ready(READY_S)
        return await send_signed(client, given.act, why=given.why, answer_s=ANSWER_S)


def _check_pin(state: Path, given: Input) -> None:
    """What the daemon's desk does where one runs. Raises Refused or NoPin."""
    register, who = Register(state), given.origin.person
    if not needs_sign_on(given.act):
        return
    if lost_sitters(state):
        raise Refused("sitters_unreadable", why="missing")
    if not register.sitters():
        return
    if who is None:
        raise Refused("sign_on_needed")
    try:
        right = register.matches(who, read_pin(who, source.get()))
    except NotCompared as trouble:
        raise Refused("pin_not_compared", why=str(trouble)) from None
    if not right:
        raise Refused("wrong_pin")


def confirm(question: str, yes: bool) -> None:
    """Ask, and exit 1 unless the answer is yes; with nobody to ask, --yes is needed."""
    if yes:
        return
    if not sys.stdin.isatty():
        fail(f"{question} Nobody is there to answer: say --yes")
    typer.confirm(question, abort=True)


def _account(state: Path, session: str) -> Account:
    file = session_or_newest(state, session)
    try:
        return account_of(file)
    except (sqlite3.Error, ValueError) as error:
        fail(f"{file}: {error}; `stillroom journal verify` says where")


def sign(session: Session, who: As, state: StateDir = STATE, yes: Yes = False, pin_from: PinFrom = None) -> None:
    """Sign a closed session off: its record was reviewed and is complete. What is added later is marked so.

    The signature covers the record as it was shown here; if anything is added meanwhile it is refused.

    Example: stillroom journal sign 20261201T090000Z-1f2a --as AB
    """
    source.set(pin_from)
    file = session_or_newest(state, session)
    account = _account(state, session)
    info = session_info(file)
    if not account.chain.ok or info is None:
        fail(f"{file.stem} does not verify: {account.chain.why}")
    newest = account.records[-1][0]
    if isinstance(newest.input.act, SignOff) and newest.input.origin.person == who:
        fail(f"{file.stem} is signed by {who} already, and nothing was added since")
    for line in head_lines(account):
        typer.echo(line)
    confirm(f"Sign {counted(info.records, 'record')} as {who}: reviewed and complete?", yes)
    reply = record(state, SignOff(session=file.stem, after=info.records, head=info.head), who)
    typer.echo(f"signed by {who}, record {reply.seq} of {file.stem}, {reply.utc}")


def add(
    session: Session,
    note: Annotated[str, typer.Option("--note", help="In a few words; never a name.")],
    who: As,
    at: At = "",
    state: StateDir = STATE,
    pin_from: PinFrom = None,
) -> None:
    """Add a late entry to a closed session; it keeps the time that it speaks of and the time of writing.

    Example: stillroom journal add 20261201T090000Z-1f2a --note "slept from here on" --at T+5:10 --as AB
    """
    source.set(pin_from)
    _append(state, session, 0, note, at, who)


def amend(
    session: Session,
    seq: Annotated[int, typer.Argument(metavar="SEQ", help="Number of the record that is to be put right.")],
    note: Annotated[str, typer.Option("--note", help="What is true, in a few words; never a name.")],
    who: As,
    at: At = "",
    state: StateDir = STATE,
    pin_from: PinFrom = None,
) -> None:
    """Put one record of a closed session right: what stood stays, and both are shown together.

    Example: stillroom journal amend 20261201T090000Z-1f2a 41 --note "pulse was 72" --as AB
    """
    source.set(pin_from)
    _append(state, session, seq, note, at, who)


def _append(state: Path, session: str, amends: int, note: str, at: str, who: str) -> None:
    account = _account(state, session)
    known = {told.seq for told, _ in account.records}
    if amends and amends not in known:
        fail(f"{account.session} has no record {amends}")
    about_t = _room_time(account, at)
    opened, now = datetime.fromisoformat(account.opened.utc.replace("Z", "+00:00")), utc_now()
    if about_t is not None and opened + timedelta(seconds=about_t - account.opened.t) > now:
        fail(f"{at} has not come yet: by this machine's clock it is {utc_text(now)[:16]}Z")
    reply = record(state, Addendum(session=account.session, amends=amends, about_t=about_t), who, note)
    marked = ", after its sign-off" if account.signatures else ""
    typer.echo(f"noted, record {reply.seq} of {account.session}, {reply.utc}{marked}")


def _room_time(account: Account, at: str) -> float | None:
    if not at:
        return None
    try:
        moment = datetime.fromisoformat(at.replace("Z", "+00:00"))
    except ValueError:
        return account.zero_t + t_plus_s(at)
    if moment.tzinfo is None:
        fail(f'"{at}" says no zone; write {at}Z for UTC, or a T+ like T+1:20')
    opened = datetime.fromisoformat(account.opened.utc.replace("Z", "+00:00"))
    return account.opened.t + (moment - opened).total_seconds()


def redact(
    session: Annotated[str, typer.Argument(metavar="SESSION", help='A session, or "room".')],
    seq: Annotated[int, typer.Argument(metavar="SEQ", help="Number of the record whose text is to go.")],
    who: As,
    why: Annotated[str, typer.Option("--why", help="In a few words; not the name itself.")],
    state: StateDir = STATE,
    yes: Yes = False,
    pin_from: PinFrom = None,
) -> None:
    """Blank the free text of one record for good. The chain stays valid; who, when and why are recorded.

    Names the backups that still hold the text.

    Example: stillroom journal redact 20261201T090000Z-1f2a 41 --as AB --why "a name was typed"
    """
    source.set(pin_from)
    file = session_or_newest(state, session)
    text = next((_words_of(*told) for told in read_records(file, seq - 1) if told[0].seq == seq), "")
    unfinished = seq in unblanked(file)
    if not text and not unfinished:
        fail(f"record {seq} of {file.stem} has no text that could be redacted")
    confirm(f'Blank "{text}" in record {seq} of {file.stem} for good?', yes)
    reply = record(state, Redaction(session=file.stem, seq=seq), who, why)
    typer.echo(f"recorded, record {reply.seq} of {file.stem}, {reply.utc}")
    if not _is_blank(file, seq):
        fail("it is recorded, but the text is still there: a reader holds the file; say it again in a minute")
    typer.echo(f"the text of record {seq} is gone" + ("" if verify(file).ok else "; but the file does not verify"))
    for backup in holding(state, file.stem, seq) if file.stem != ROOM else ():
        at = datetime.fromtimestamp(backup.at_unix).astimezone().isoformat(" ", "minutes")
        typer.echo(f"still in the backup at {backup.place} (last written {at}): back up there again to blank it")


def _words_of(record: Record, text: str) -> str:
    """All that would go."""
    inside = taken_out(record.input.act)[1].values()
    return " - ".join(part for part in (*inside, text) if part)


def _is_blank(file: Path, seq: int) -> bool:
    wait = Event()
    for _ in range(100):
        if seq not in unblanked(file):
            return True
        wait.wait(0.1)
    return False
