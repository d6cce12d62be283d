"""`stillroom journal backup | restore | retention`: the record copied elsewhere, and removed when its time is over."""

from __future__ import annotations

import json
import sqlite3
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from controller.clock import sure_utc, utc_now
from controller.ctl.signing import PinFrom, source
from controller.files import ConfigError
from controller.journal.backup import Made, make_backup, restore_backup
from controller.journal.keeping import Over, RetentionRule, kept_sessions, sessions_over
from controller.journal.manifest import backups_at
from controller.journal.place import Place, UnfitPlace, look_at
from controller.journal.standing import backups, holding
from controller.messages import BackedUp, Retention, to_plain
from controller.nearest import nearest
from controller.options import AsJson, StateDir, fail
from controller.places import STATE
from controller.verbs.archive import Yes, confirm, record
from controller.wording import refusal
from controller.wording.quantities import counted

As = Annotated[str, typer.Option("--as", metavar="INITIALS", help="Who does it; stands in the record.")]
NoRecord = Annotated[bool, typer.Option("--no-record", help="The caller records it; for the nightly job.")]


def backup(
    place: Annotated[Path, typer.Argument(metavar="DEST", help="A mounted stick or share.")],
    who: As = "",
    same_disk: Annotated[
        bool, typer.Option("--same-disk", help="Knowingly on the disk of the record or the system.")
    ] = False,
    no_record: NoRecord = False,
    state: StateDir = STATE,
    as_json: AsJson = False,
) -> None:
    """Copy the record to a stick or share while it goes on, read everything back, and walk the chains there.

    What is there already and equal is not copied again. The result stands in the room's own record. The copy is not
    encrypted by Stillroom: use an encrypted stick (LUKS).

    Example: stillroom journal backup /media/usb --as AB
    """
    made: Made | None = None
    fit: Place | None = None
    try:
        fit = look_at(place, state, same_disk=same_disk)
        made = make_backup(state, fit, f"stillroom {version('stillroom')}")
        act = _made(state, made)
    except (UnfitPlace, OSError, sqlite3.Error) as error:
        act = BackedUp(
            place=str(place), at_unix=utc_now().timestamp(), ok=False, why=str(error).removeprefix(f"{place}: ")
        )
    if as_json:
        typer.echo(json.dumps(to_plain(act)))
    else:
        _tell(act, made, fit)
    if not no_record:
        reply = record(state, act, who)
        typer.echo(f"noted in the room's record, {reply.seq}", err=as_json)
    if not act.ok:
        raise typer.Exit(1)


def _made(state: Path, made: Made) -> BackedUp:
    known = backups(state).get(made.manifest.backup)
    before = known.sessions if known else {}
    return BackedUp(
        backup=made.manifest.backup,
        place=str(made.folder),
        at_unix=utc_now().timestamp(),
        ok=not made.problems,
        why="; ".join(made.problems)[:500],
        sessions=len(made.manifest.sessions),
        added={session: records for session, records in made.held.items() if before.get(session) != records},
        bytes=made.bytes,
        manifest=made.digest,
    )


def _tell(act: BackedUp, made: Made | None, fit: Place | None) -> None:
    if made is None or fit is None:
        typer.echo(f"no backup was made. {act.place}: {act.why}", err=True)
        return
    mebibytes = made.bytes / 1024**2
    copied = f"{len(made.copied)} of them copied now ({mebibytes:.1f} MiB)"
    typer.echo(f"{made.folder}: {counted(act.sessions, 'session')}, {copied}")
    for problem in made.problems:
        typer.echo(f"NOT WELL: {problem}", err=True)
    if not made.problems:
        typer.echo("read back: every file is what was written, and every chain holds")
    if not fit.encrypted:
        typer.echo(
            "It does not lie on an encrypted disk as far as can be seen: whoever finds it can read it. "
            "Use a stick that is encrypted (LUKS: GNOME Disks, or `cryptsetup luksFormat`)."
        )
    if not fit.shared:
        typer.echo(f"`umount {fit.mount_point}` before it is pulled out")


def restore(
    folder: Annotated[Path, typer.Argument(metavar="BACKUP", help="The folder that `journal backup` made.")],
    state: StateDir = STATE,
) -> None:
    """Make a new state directory of a backup; refused where a record is there already.

    Example: stillroom journal restore /media/usb/stillroom-room-1-3fa94c --state /var/lib/stillroom
    """
    try:
        manifest = restore_backup(the_backup(folder), state)
    except (UnfitPlace, OSError) as error:
        fail(str(error))
    held = counted(len(manifest.sessions), "session")
    typer.echo(f"{state}: {held} as of {manifest.utc}; look with `stillroom journal verify`")


def the_backup(place: Path) -> Path:
    """The one backup at a place; exits 1 where there is none, or several."""
    found = list(backups_at(place))
    if len(found) != 1:
        named = ", ".join(str(folder) for folder in found)
        fail(f"{place}: say which backup: {named}" if found else f"{place}: there is no backup")
    return found[0]


def retention(
    room: Annotated[
        Path | None, typer.Argument(metavar="[ROOM.toml]", help="The room file that says how long.")
    ] = None,
    days: Annotated[float | None, typer.Option(min=1.0, help="The rule, where no room file says it.")] = None,
    programme: Annotated[
        list[str] | None, typer.Option(metavar="NAME=DAYS", help="A programme's own; may be repeated.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    who: As = "",
    state: StateDir = STATE,
    yes: Yes = False,
    pin_from: PinFrom = None,
    as_json: AsJson = False,
) -> None:
    """Remove the sessions whose time is over: whole files of closed ones that are signed or in a good backup.

    A session of which only damaged copies are left counts from when they were set aside, and goes by a backup.
    What was removed stands in the room's record, with the last hash of its chain. Backups keep theirs.

    Example: stillroom journal retention /etc/stillroom/room.toml --dry-run
    """
    source.set(pin_from)
    rule, now = _rule(room, days, programme or []), sure_utc()
    kept = kept_sessions(state)
    if mistakes := _misspelt(rule, {info.programme for info in kept if info.programme}):
        raise ConfigError(mistakes)
    if now is None:
        if not dry_run:
            fail(refusal("clock_unsure", {}))
        typer.echo(f"{refusal('clock_unsure', {})}. By what it shows:", err=True)
    over = list(sessions_over(state, rule, now or utc_now()))
    act = Retention(removed=tuple(it.removal for it in over if it.removal is not None))
    if as_json:
        stays = [{"session": it.info.session, "why": it.why} for it in over if it.removal is None]
        told = {"looked_at": len(kept), "clock_sure": now is not None, "retention": to_plain(act), "stays": stays}
        typer.echo(json.dumps(told))
    else:
        for it in over:
            typer.echo(_line(state, it))
    if not act.removed:
        typer.echo("nothing is to be removed", err=as_json)
        return
    if dry_run:
        return
    confirm(f"Remove {counted(len(act.removed), 'session')} for good?", yes)
    reply = record(state, act, who)
    typer.echo(f"removed, and noted in the room's record, {reply.seq}", err=as_json)


def _rule(room: Path | None, days: float | None, programmes: list[str]) -> RetentionRule:
    if room is not None:
        from controller.config import load_room

        rule = load_room(room).keeping().retention
        if rule is None:
            raise ConfigError([f"{room}: has no [retention]"])
        return rule
    own = {}
    for text in programmes:
        name, _, number = text.partition("=")
        if not number.replace(".", "", 1).isdigit():
            raise ConfigError([f'--programme: "{text}" is not like psilocybin-25mg=3650'])
        own[name] = float(number)
    if days is None and not own:
        raise ConfigError(["say the rule: a room file with [retention], or --days"])
    return RetentionRule(days, own)


def _misspelt(rule: RetentionRule, played: set[str]) -> list[str]:
    """Names of no programme that was ever played here or could be, but like one whose sessions would so go by the
    general rule, and for good. Any other is a programme that is not in use any more.
    """
    from controller.config import shipped

    known = {*shipped("playlists"), *played}
    return [
        f'retention.programmes: there is no programme "{name}"; did you mean "{meant}"?'
        for name in rule.programmes
        if name not in known and (meant := nearest(name, known)) in played - rule.programmes.keys()
    ]


def _line(state: Path, over: Over) -> str:
    info = over.info
    told = f"{info.session:<28} ended {info.ended_utc[:10]}, kept for {counted(over.days, 'day')}: "
    if over.removal is None:
        return f"{told}stays, {over.why}"
    places = ", ".join(backup.place for backup in holding(state, info.session))
    return f"{told}goes ({info.state}{f'; still in {places}' if places else ''})"
