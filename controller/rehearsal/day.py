"""`stillroom rehearse`: a whole day in a second, told, explained, drawn and printed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from msgspec.structs import replace as struct_replace

from controller.arc.imagined import imagined_pool
from controller.arc.programme import ONSET, Programme
from controller.arc.shelves import Pool
from controller.config import Room, find_programme, load_programme
from controller.drawing.arc import ArcPicture, Span, Tick, check_format, save_arc
from controller.drawing.card import write_card
from controller.journal.reading import Verified
from controller.messages import Dose, DosePart, End, Mark, RoomRules, Start
from controller.pool import library_below, read_library, resolve_sources
from controller.rehearsal.fallback import card_of
from controller.rehearsal.room import Rehearsal
from controller.rehearsal.script import Line, read_script
from controller.rehearsal.telling import explanation, json_lines, timeline, warnings
from controller.report.account import Account
from controller.report.gathering import account_from
from controller.report.picture import picture_of

LONGEST_S = 24 * 3600.0
"""A rehearsal ends here whatever is held."""

LEFT = "something still holds or waits a day later: the script has no line that goes on"

STEP_S = 600.0


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What somebody wants of a rehearsal."""

    programme: str
    room: Room | None = None
    library: Path | None = None
    state_dir: Path
    seed: int = 1
    script: Path | None = None
    plot: Path | None = None
    card: Path | None = None
    now_minutes: float | None = None
    explain: bool = False
    as_json: bool = False


def rehearse(wishes: Wishes) -> int:
    """Rehearse and tell; 1 when there is a warning. Raises ConfigError."""
    if wishes.plot is not None:
        check_format(wishes.plot)
    path = find_programme(wishes.programme)
    programme = load_programme(path)
    script = read_script(wishes.script) if wishes.script else []
    rules = _rules_of(wishes.room) if wishes.room else RoomRules(room="rehearsal", lamps=("lamp",), buses=("speakers",))
    pool, troubles = _pool(wishes, programme, path)
    text = path.read_text(encoding="utf-8")
    found, account = _lived(programme, text, rules, pool, wishes.seed, script)
    troubles += warnings(found, account) + ([LEFT] if account.closed is None else [])
    if wishes.as_json:
        print("\n".join(json_lines(found, account, troubles, explained=wishes.explain)))
    else:
        _tell(programme, account, explanation(found, account) if wishes.explain else (), troubles)
    if wishes.plot is not None:
        save_arc(_picture(programme, account, wishes, script), wishes.plot)
    if wishes.card is not None:
        if script:  # the card is of the day as it is planned
            _, account = _lived(programme, text, rules, pool, wishes.seed, [])
        write_card(card_of(programme, account, _picture(programme, account, wishes, []), wishes.seed), wishes.card)
    return 1 if troubles else 0


def _rules_of(room: Room) -> RoomRules:
    """A room's rules, but for what only people and devices that are there can answer: its preflight and its codes."""
    return struct_replace(room.rules(), preflight=False, code_pattern="")


def _lived(
    programme: Programme, text: str, rules: RoomRules, pool: Pool, seed: int, script: list[Line]
) -> tuple[Rehearsal, Account]:
    found = asyncio.run(live_through(programme, text, rules, pool, seed, script))
    whole = Verified(ok=True, records=len(found.records), first_bad=None, why="", redacted=0, heads=0)
    return found, account_from("rehearsal", found.records, found.first, whole)


def _pool(wishes: Wishes, programme: Programme, path: Path) -> tuple[Pool, list[str]]:
    """The pieces to plan with, and a sentence for each source that names none."""
    if wishes.library is not None:
        return resolve_sources(programme, library_below(wishes.state_dir, wishes.library), path.parent)
    if wishes.room is not None:
        return resolve_sources(programme, read_library(wishes.state_dir, wishes.room), path.parent)
    return imagined_pool(programme), []


async def live_through(
    programme: Programme, text: str, rules: RoomRules, pool: Pool, seed: int, script: list[Line]
) -> Rehearsal:
    """The lived room; where something holds it for longer than `LONGEST_S` it is left open."""
    room = Rehearsal(rules, pool)
    await room.open()
    codes = tuple(f"R-{number + 1:03d}" for number in range(programme.participants_least))
    room.do(Start(programme=programme.name, participants=codes, programme_text=text, session="rehearsal", seed=seed))
    zero = room.clock.now() + programme.arrival_s
    script = sorted([*_implied(programme, codes, script), *script], key=lambda line: line.at_s)
    for line in script:
        room.advance(max(0.0, zero + line.at_s - room.clock.now()))
        room.do(line.act, *(line.participants or (codes if isinstance(line.act, Dose) else ())))
    while room.state.in_session and room.state.waiting_for != "end":
        if room.clock.now() > LONGEST_S:
            return room
        room.advance(STEP_S)
    if room.state.in_session:
        room.do(End())
    room.advance(rules.end_fade_s + 10.0)
    return room


KIT = "K-00"
"""What an implied dose is taken from where a programme gives kits."""


def _is_ingestion(line: Line) -> bool:
    return isinstance(line.act, Dose) and abs(line.at_s - line.act.minutes_ago * 60.0) < 1.0


def _implied(programme: Programme, codes: tuple[str, ...], script: list[Line]) -> Iterator[Line]:
    """What happens by itself where a script says nothing of it: everybody's ingestion, and onset in its time."""
    if programme.dose.shape == "none":
        return
    if not any(_is_ingestion(line) for line in script):
        part: DosePart = "start" if programme.dose.shape == "infusion" else "dose"
        yield Line(
            number=0,
            at_s=0.0,
            words="dose",
            act=Dose(part=part, kit=KIT if programme.dose.kit else ""),
            participants=codes,
        )
    marked = any(isinstance(line.act, Mark) and line.act.code == ONSET for line in script)
    if not marked and any(mark.code == ONSET for mark in programme.marks):
        yield Line(number=0, at_s=0.0, words=f"mark {ONSET}", act=Mark(code=ONSET))


def _tell(programme: Programme, account: Account, explained: Iterable[str], troubles: list[str]) -> None:
    minutes = programme.arc_end_s / 60
    print(f"{programme.title}: {minutes // 60:.0f} h {minutes % 60:02.0f}{' from ingestion' if account.dosed else ''}")
    if not programme.reviewed:
        print("Not signed by a medical lead: every figure is a default.")
    for line in chain(timeline(account), explained):
        print(line)
    for trouble in troubles:
        print(f"WARNING {trouble}")


def _picture(programme: Programme, account: Account, wishes: Wishes, script: list[Line]) -> ArcPicture:
    """The rehearsed day with what will fall due on it."""
    picture = picture_of(account)
    ticks = [Tick(t_s=minute * 60.0) for minute in programme.vitals.minutes]
    release = programme.release.earliest_minutes(None)
    last_dose = max((dose.t for person in account.state.participants for dose in person.doses), default=None)
    if release and last_dose is not None:
        at = account.t_plus(last_dose) + release * 60.0
        if at <= max(phase.end_s for phase in picture.phases):
            ticks.append(Tick(t_s=at, word="earliest release", kind="release"))
    windows: tuple[Span, ...] = ()
    if programme.booster:
        opens, closes = programme.booster.opens_minutes * 60.0, programme.booster.closes_minutes * 60.0
        windows = (Span(start_s=opens, end_s=closes, word="booster"),)
    return replace(
        picture,
        title=programme.title,
        volume=picture.volume if script else (),
        ticks=(*picture.ticks, *ticks) if script else tuple(ticks),
        windows=windows,
        vitals_word="vitals due",
        now_s=wishes.now_minutes * 60.0 if wishes.now_minutes is not None else None,
        note="" if programme.reviewed else "Every figure is a default, not signed by a medical lead.",
    )
