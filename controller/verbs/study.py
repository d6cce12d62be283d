"""`stillroom journal export --study` and `stillroom journal fidelity`: what a coordinator takes from many sessions."""

from __future__ import annotations

import sqlite3
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from controller.clock import utc_now, utc_text
from controller.files import ConfigError, write_private, writing
from controller.journal.reading import SessionInfo, list_sessions, unreadable_sessions
from controller.options import StateDir
from controller.places import STATE
from controller.report.account import Account, chain_words
from controller.report.fidelity import lines
from controller.report.gathering import account_of
from controller.report.roles import Role
from controller.report.study import study_files
from controller.verbs.journal import session_or_newest
from controller.wording.quantities import counted

BOM = "\ufeff"
"""By which Excel knows a CSV for UTF-8."""


def write_study(
    to: Path, state: Path, sessions: list[str], programmes: list[str], role: Role, *, signed: bool, excel: bool
) -> None:
    """Write the tables over the chosen closed sessions; exits 1 where a chain does not hold or a file is unreadable."""
    chosen = [info for info in list_sessions(state) if _is_chosen(info, sessions, programmes, signed=signed)]
    unreadable = [(name, why) for name, why in unreadable_sessions(state) if not sessions or name in sessions]
    if missing := set(sessions) - {info.session for info in chosen} - {name for name, _ in unreadable}:
        raise ConfigError([f"no closed{' and signed' if signed else ''} session {name}" for name in sorted(missing)])
    if not chosen and not unreadable:
        raise ConfigError([f"{state}: no closed{' and signed' if signed else ''} session is there to be exported"])
    accounts, wrong = _accounts(chosen, role, unreadable)
    head: dict[str, object] = {
        "made_utc": utc_text(utc_now()), "software": f"stillroom {version('stillroom')}", "role": role.name,
        "withheld": list(role.withheld), "sessions": [account.session for account in accounts],
    }  # fmt: skip
    with writing(to):
        for name, text in study_files(accounts, head, unreadable):
            write_private(to / name, ((BOM if excel and name.endswith(".csv") else "") + text).encode())
    typer.echo(f"wrote {to}: {counted(len(accounts), 'session')}; codebook.csv says what each variable means")
    wrong += [f"{name} is LEFT OUT: {why}" for name, why in unreadable]
    for line in wrong:
        typer.echo(line, err=True)
    if wrong:
        raise typer.Exit(1)


def _is_chosen(info: SessionInfo, sessions: list[str], programmes: list[str], *, signed: bool) -> bool:
    named = not sessions or info.session in sessions
    fits = not programmes or info.programme in programmes
    return info.closed and named and fits and (bool(info.signed_by) or not signed)


def _accounts(
    chosen: list[SessionInfo], role: Role, unreadable: list[tuple[str, str]]
) -> tuple[list[Account], list[str]]:
    """What can be told, and what is wrong with it; what cannot be told is added to `unreadable`."""
    accounts, wrong = [], []
    for info in chosen:
        try:
            account = account_of(info.file, role)
        except (sqlite3.Error, ValueError) as error:
            unreadable.append((info.session, str(error)))
            continue
        accounts.append(account)
        if not account.chain.ok:
            wrong.append(f"{info.session} is {chain_words(account.chain)} (chain_ok 0)")
    return accounts, wrong


def fidelity(
    session: Annotated[str, typer.Argument(metavar="[SESSION]", help="The newest session by default.")] = "",
    state: StateDir = STATE,
) -> None:
    """Hold a session against its programme: minutes, music, silence, light, interventions, vitals in their windows.

    The same stands for many sessions in the study's tables phases.csv and vitals_due.csv.

    Example: stillroom journal fidelity 20261201T090000Z-1f2a
    """
    file = session_or_newest(state, session)
    try:
        account = account_of(file)
    except (sqlite3.Error, ValueError) as error:
        raise ConfigError([f"{file}: {error}; `stillroom journal verify` says where"]) from error
    for line in lines(account):
        typer.echo(line)
