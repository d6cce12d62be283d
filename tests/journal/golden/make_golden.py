"""Makes the golden journal of the record schema this version writes: `python -m tests.journal.golden.make_golden`.

Run it once for each new schema and commit what it makes: the journal, and in JSON what its records mean. Once a schema
is released its pair never changes; it must read and verify for ever.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from pathlib import Path
from typing import get_args

from controller.clock import SimulatedClock
from controller.journal.redaction import blank_text
from controller.journal.store import session_file
from controller.journal.writer import Journal
from controller.messages import (
    RECORD_SCHEMA,
    Act,
    Call,
    CallChanged,
    ClockSynced,
    Cue,
    DeviceBack,
    DeviceLost,
    Dose,
    Effect,
    End,
    EngineReported,
    Fact,
    FadeBus,
    FadeLight,
    FadeMusic,
    FillerChanged,
    Go,
    Hold,
    Input,
    LampChanged,
    Light,
    Mark,
    Note,
    Opened,
    Origin,
    Pause,
    Piece,
    PieceEnded,
    PieceStarted,
    PlaceCall,
    Planned,
    PlayCues,
    Point,
    Quiet,
    Record,
    RefusedAct,
    Replan,
    Resume,
    RoomRules,
    SeeAlarm,
    SetTransport,
    StandDown,
    Start,
    TakeBack,
    Timer,
    Vitals,
    Volume,
    to_plain,
)

SESSION = f"golden-schema-{RECORD_SCHEMA}"
GOLDEN = Path(__file__).parent / f"{SESSION}.db"

_PIECE = Piece(path="/srv/music/moss.flac", title="Moss", artist="Stillroom", duration_s=61.5, lufs=-21.0, digest="ab")
_CUE = Cue(id=1, start_s=0.0, piece=_PIECE, length_s=61.5, fade_in_s=8.0, gain_db=-1.5, phase="settle")

ACTS: tuple[Act, ...] = (
    Start(programme="psilocybin-25", participants=("P-01", "P-02"), seed=7, session=SESSION, programme_text="[phase]"),
    Opened(rules=RoomRules(room="room-1", lamps=("left", "right"), buses=("room", "phones")), rebooted=True),
    Planned(plan=1, cues=(_CUE,), short_s=0.25),
    EngineReported(session=SESSION, plan=1, transport="play", timeline_s=0.5, output="file:room.wav"),
    PieceStarted(cue=1, title="Moss", path="/srv/music/moss.flac", at_t=101.25, frame=48000),
    Dose(amount=25.0, unit="mg", kit="K-113", witness="JM", minutes_ago=2.0),
    Vitals(systolic=118, diastolic=76, pulse=64, spo2=98, celsius=36.8),
    Vitals(missed="asleep"),
    Mark(code="cold"),
    Note(text="asked for a blanket", pressed_t=108.5),
    Note(text="this one was redacted"),
    Volume(bus="phones", step_db=-2.0),
    Light(scene="exit", level=0.4),
    Pause(direct_t=113.0),
    Resume(),
    Hold(),
    Go(phase="peak"),
    Quiet(minutes=5.0),
    Call(call="c-1", level="emergency"),
    CallChanged(call="c-1", level="emergency", stage="acknowledged", by="AL", placed_t=119.0),
    StandDown(call="c-1"),
    TakeBack(seq=9),
    SeeAlarm(code="sound_lost"),
    DeviceLost(name="light.left", why="no echo"),
    DeviceBack(name="light.left"),
    LampChanged(lamp="left", confirmed=True, level=0.25),
    FillerChanged(on=True, why="late"),
    ClockSynced(offset_s=-3600.5),
    RefusedAct(act="resume", code="already", values={"state": "running", "since_s": 3.5}),
    Timer(),
    PieceEnded(cue=1, title="Moss", played_s=61.5),
    End(),
)

EFFECTS: tuple[Effect, ...] = (
    PlayCues(session=SESSION, plan=1, cues=(_CUE,)),
    SetTransport(session=SESSION, transport="pause", fade_s=2.0),
    FadeMusic(level=0.0, fade_s=8.0),
    FadeBus(bus="room", level_db=-6.0, fade_s=1.0),
    FadeLight(lamp="left", start=Point(level=0.1, t=100.0), end=Point(level=0.25, t=160.0), swift=True),
    Replan(session=SESSION, plan=2, arc_s=-60.0, held=True, cut=True),
    PlaceCall(call="c-1", level="assist", by="JM"),
)


def records() -> list[Record]:
    """Every kind of act and effect once."""
    clock = SimulatedClock()
    return [
        Record(
            seq=seq,
            stamp=clock.stamp(100.0 + seq),
            input=Input(
                act=act,
                id=f"00000000-0000-4000-8000-{seq:012d}",
                origin=Origin(person="JM", console="tablet", path="socket") if seq % 2 else Origin(),
                participants=("P-01",) if seq % 3 == 0 else (),
            ),
            effects=(EFFECTS[seq % len(EFFECTS)],),
            facts=(Fact(code="phase_began", values={"phase": "peak", "at_s": 66.5}),) if seq == 17 else (),
        )
        for seq, act in enumerate(ACTS, start=1)
    ]


def _check_complete() -> None:
    missing = {*get_args(get_args(Act)[0]), *get_args(get_args(Effect)[0])} - {type(it) for it in (*ACTS, *EFFECTS)}
    if missing:
        raise SystemExit(f"not in the golden journal yet: {missing}")


async def _make() -> None:
    with tempfile.TemporaryDirectory() as state:
        journal = Journal(Path(state), SimulatedClock(), print)
        for record in records():
            snapshot = b"a state" if record.seq == 12 else None
            journal.append(record, book=SESSION, snapshot=snapshot)
        journal.close_session(SESSION)
        await journal.close()
        blank_text(session_file(Path(state), SESSION), 11)
        shutil.copyfile(session_file(Path(state), SESSION), GOLDEN)
    meaning = [to_plain(record) for record in records()]
    GOLDEN.with_suffix(".json").write_text(json.dumps(meaning, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    _check_complete()
    asyncio.run(_make())
