"""`stillroom journal export`: a session for programs, for people, and for the participant."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from controller.files import ConfigError, write_private
from controller.options import StateDir, fail
from controller.places import STATE
from controller.report.account import Account
from controller.report.gathering import account_of
from controller.report.roles import ROLES, role_named
from controller.verbs.journal import session_or_newest
from controller.verbs.study import write_study


def _csv(account: Account) -> bytes:
    from controller.report.tables import records_csv

    return records_csv(account).encode()


def _jsonl(account: Account) -> bytes:
    from controller.report.tables import jsonl

    return jsonl(account).encode()


def _html(account: Account) -> bytes:
    from controller.report.page import html

    return html(account).encode()


def _pdf(account: Account) -> bytes:
    from controller.report.paper import pdf

    return pdf(account)


def _respct(account: Account) -> bytes:
    from controller.report.respct import respct

    return respct(account).encode()


def _music(account: Account) -> bytes:
    from controller.report.tables import music_csv

    return music_csv(account).encode()


def _as_run(account: Account) -> bytes:
    from controller.report.as_run import as_run

    return as_run(account)


_KINDS: dict[str, tuple[str, Callable[[Account], bytes]]] = {
    "csv": (".csv", _csv),
    "jsonl": (".jsonl", _jsonl),
    "html": (".html", _html),
    "pdf": (".pdf", _pdf),
    "respct": ("-respct.md", _respct),
    "music": ("-music.csv", _music),
    "as-run": ("-as-run.zip", _as_run),
}
"""By the option: how the file's name ends, and what makes it, which is imported only when it is asked for."""


def export(
    session: Annotated[str, typer.Argument(metavar="[SESSION]", help="The newest session by default.")] = "",
    csv: Annotated[bool, typer.Option("--csv", help="Every record, one a row.")] = False,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="Every record whole, one JSON object a line.")] = False,
    html: Annotated[bool, typer.Option("--html", help="One page to read, with the picture of the session.")] = False,
    pdf: Annotated[bool, typer.Option("--pdf", help="The same as a PDF.")] = False,
    respct: Annotated[bool, typer.Option("--respct", help="The ReSPCT items that the room knows.")] = False,
    music: Annotated[bool, typer.Option("--music", help="Pieces and times alone, for the participant.")] = False,
    as_run: Annotated[
        bool, typer.Option("--as-run", help="Programme, room, devices, limits, library index and software as run.")
    ] = False,
    role: Annotated[
        str, typer.Option(help=f"Whom it is for: {', '.join(ROLES)}. Without it, in a blinded session: team.")
    ] = "",
    study: Annotated[
        Path | None, typer.Option("--study", metavar="DIR", help="Tidy tables over many sessions, with a codebook.")
    ] = None,
    sessions: Annotated[list[str] | None, typer.Option(help="For --study: only this one; may be repeated.")] = None,
    programme: Annotated[list[str] | None, typer.Option(help="For --study: only of this programme.")] = None,
    signed: Annotated[bool, typer.Option("--signed", help="For --study: only what is signed off.")] = False,
    excel: Annotated[bool, typer.Option("--excel", help="For --study: begin each CSV so that Excel reads it.")] = False,
    to: Annotated[Path, typer.Option(metavar="DIR", help="Where the files are written.")] = Path(),
    state: StateDir = STATE,
) -> None:
    """Write a session's record as files; works while the daemon writes. Exit 1 if its chain does not hold.

    Example: stillroom journal export --html --csv --to /media/usb
    """
    asked = {"csv": csv, "jsonl": jsonl, "html": html, "pdf": pdf, "respct": respct, "music": music, "as-run": as_run}
    chosen = [kind for kind, wanted in asked.items() if wanted]
    if not chosen and study is None:
        raise ConfigError([f"say what to write: {', '.join(f'--{kind}' for kind in (*_KINDS, 'study'))}"])
    reader = role_named(role)
    if study is not None:
        named = [*(sessions or ()), *([session] if session else ())]
        write_study(study, state, named, programme or [], reader or ROLES["analyst"], signed=signed, excel=excel)
    if not chosen:
        return
    file = session_or_newest(state, session)
    try:
        account = account_of(file, reader)
    except (sqlite3.Error, ValueError) as error:
        raise ConfigError([f"{file}: {error}; `stillroom journal verify` says where"]) from error
    for kind in chosen:
        suffix, make = _KINDS[kind]
        path = to / f"{account.session}{suffix}"
        try:
            write_private(path, make(account))
        except OSError as error:
            raise ConfigError([f"{path}: {error.strerror}"]) from error
        except ValueError as error:
            raise ConfigError([f"{account.session}: {error}"]) from error
        typer.echo(f"wrote {path}")
    for what in account.missing:
        typer.echo(f"missing: {what}", err=True)
    if not account.chain.ok:
        fail(f"the record is DAMAGED: {account.chain.why}")
