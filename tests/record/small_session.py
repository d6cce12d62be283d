"""A small session of every kind of line, made by the real rules and the real journal; and what is exported of it."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from pathlib import Path

from typer.testing import CliRunner

from controller.clock import SimulatedClock
from controller.journal.chain import ROOM
from controller.journal.reading import (
    kept_states,
    parts_of,
    read_records,
    session_info,
    unreadable_sessions,
)
from controller.journal.store import session_file
from controller.journal.verify import Walk
from controller.journal.writer import Journal
from controller.messages import (
    Act,
    Dose,
    Input,
    Kept,
    Mark,
    Note,
    Opened,
    Origin,
    Record,
    RoomRules,
    Start,
    Vitals,
    encode,
)
from controller.report.gathering import account_of
from controller.report.study import study_files
from controller.session.state import State, opening
from controller.session.step import step
from controller.verbs.record import app as journal_app
from tests.waiting import patiently, until

SESSION = "s-1"
RULES = RoomRules(room="room-1", lamps=("lamp",), buses=("speakers",))
PROGRAMME = """format = 1
name = "small"
title = "Small"
marks = [{ code = "spoke", label = "spoke" }]

[[phases]]
code = "arrival"
title = "Arrival"
minutes = 10
wait_for = "ingestion"
intensity = [0.1]
light = [0.25]

[[phases]]
code = "rest"
title = "Rest"
minutes = 60
intensity = [0.2]
light = [0.2]
"""
ROOM_TEXT = b'format = 1\nname = "room-1"\n'


async def write_small_session(state_dir: Path) -> None:
    """Leaves it closed in `state_dir`/closed, and as a power cut leaves it, with its log, in `state_dir`/open."""
    clock = SimulatedClock()
    live = state_dir / "live"
    journal = Journal(live, clock, lambda why: None)
    state = opening(RULES, 0.0)
    contents = {"programme": PROGRAMME.encode(), "room": ROOM_TEXT}
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    journal.offer({digests[name]: content for name, content in contents.items()})
    kept = tuple(Kept(name=name, sha256=digests[name], size=len(contents[name])) for name in contents)  # type: ignore[arg-type]
    start = Start(
        programme="small", participants=("C-1",), programme_text=PROGRAMME, session=SESSION, seed=1, kept=kept
    )
    acts: list[tuple[Act, str]] = [
        (Opened(rules=RULES), ""),
        (start, ""),
        (Dose(amount=25.0, unit="mg"), ""),
        (Mark(code="spoke"), ""),
        (Note(text="asked for water"), ""),
        (Vitals(systolic=120, diastolic=80), "seems well"),
        (Note(text="hums"), ""),
    ]
    seq = {ROOM: 0, SESSION: 0}
    done = asyncio.Event()
    written: list[int] = []
    for place, (act, why) in enumerate(acts):
        book = ROOM if isinstance(act, Opened) else SESSION
        seq[book] += 1
        state = _write(journal, clock, state, book, seq[book], act, why, written)
        clock.advance_to(60.0 * (place + 1))
        if place == 4:  # the rest lies in a commit of its own
            await until(lambda: written[-1:] == [seq[SESSION]], every_s=0.001)
    await until(lambda: written[-1:] == [seq[SESSION]], every_s=0.001)
    shutil.copytree(live, state_dir / "open", ignore=shutil.ignore_patterns("*-shm"))
    journal.close_session(SESSION, lambda _seq: done.set())
    await patiently(done.wait())
    await journal.close()
    live.rename(state_dir / "closed")


def _write(
    journal: Journal, clock: SimulatedClock, state: State, book: str, seq: int, act: Act, why: str, written: list[int]
) -> State:
    given = Input(act=act, id=f"input-{seq}", origin=Origin(person="AB", console="c", path="socket"), why=why)
    outcome = step(state, given, clock.now(), seq)
    record = Record(seq=seq, stamp=clock.stamp(), input=given, effects=outcome.effects, facts=outcome.facts)
    snapshot = encode(outcome.state) if isinstance(act, Start | Vitals) else None
    journal.append(record, book=book, snapshot=snapshot, done=written.append)
    return outcome.state


def told_of(file: Path, found: Walk) -> tuple[object, ...]:
    """All that is told of a book: of a session what its exports are made from, of the room its chain's head."""
    chain = (found.hashes, found.heads, found.blank, found.lost)
    if file.parent.name == "sessions":
        return list(read_records(file)), list(kept_states(file)), parts_of(file), session_info(file), chain
    return chain


def made_of(state_dir: Path) -> tuple[object, ...]:
    """What every export of a session is made of, and of nothing else."""
    file = session_file(state_dir, SESSION)
    return account_of(file), session_info(file), unreadable_sessions(state_dir)


def exported(state_dir: Path, to: Path) -> dict[str, bytes]:
    """The exports themselves by the files' names: each form as the command writes it, and the study's tables."""
    kinds = ["--csv", "--jsonl", "--html", "--pdf", "--respct", "--music", "--as-run"]
    words = ["export", SESSION, *kinds, "--to", str(to), "--state", str(state_dir)]
    result = CliRunner().invoke(journal_app, words)
    assert result.exit_code == 0, result.output
    files = {path.name: path.read_bytes() for path in to.iterdir()}
    assert len(files) == len(kinds)
    tables = study_files([account_of(session_file(state_dir, SESSION))], {}, unreadable_sessions(state_dir))
    return files | {name: text.encode() for name, text in tables}
