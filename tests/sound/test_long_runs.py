"""What only shows in hours: drift, leaks, storms. A short form of each runs with every suite."""

import os
import random
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from controller import clock
from controller.messages import Cue, FadeBus, FadeMusic, Piece
from controller.sound.ceiling import WINDOW
from tests.measure_audio import analyse
from tests.seeds import any_seed
from tests.sound.long_run import Found, run_hours
from tests.sound.room import RATE, EngineProcess, play, sheet, tone, wait
from tests.waiting import PATIENCE_S

Start = Callable[..., EngineProcess]


def assert_faultless(found: Found, pieces: int) -> None:
    print(found)
    assert (found.starved, found.fillers, found.wrong_places, found.pieces) == (0, 0, 0, pieces)
    assert found.growth_mb < 3


@pytest.mark.parametrize("ppm", [200, -200])
def test_a_card_whose_clock_is_off_neither_starves_the_rings_nor_overruns_them(tmp_path: Path, ppm: float) -> None:
    # As far apart in a minute as real clocks are in an hour of one piece.
    found = run_hours(tmp_path, 0.03, 60.0, ppm * 60)
    assert_faultless(found, 2)
    assert found.least_ahead_s > 2.0


@pytest.mark.proof
@pytest.mark.timeout(7_200)
@pytest.mark.parametrize(("hours", "piece_s", "ppm"), [(12, 600, 0), (12, 3_600, 200), (4, 3_600, -200)])
def test_twelve_hours_through_the_mixer_neither_drift_nor_leak(
    tmp_path: Path, hours: float, piece_s: float, ppm: float
) -> None:
    found = run_hours(tmp_path, hours, piece_s, ppm)
    assert_faultless(found, int(hours * 3600 / (piece_s - 8)))
    assert found.least_ahead_s > 3.0


def inside(pid: int) -> tuple[float, int, int]:
    """What a process holds: MB that no file backs, threads, descriptors.

    Pages of libraries become its own, and are others' too again, as processes beside it end and begin.
    """
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    own = next(int(line.split()[1]) for line in lines if line.startswith("Anonymous:"))
    threads, descriptors = (len(list(Path(f"/proc/{pid}/{what}").iterdir())) for what in ("task", "fd"))
    return own / 1024, threads, descriptors


TRIMS = """
import ctypes, signal
signal.signal(signal.SIGUSR1, lambda *_: ctypes.CDLL(None).malloc_trim(0))
"""
"""What is freed goes back to the machine at a signal, and not when it suits the C library."""


def at_rest(pid: int) -> tuple[float, int, int]:
    """What it holds when nothing is opened or closed any more: what is decoded ahead differs from moment to moment."""
    held, before = inside(pid), (0.0, 0, 0)
    late = clock.boottime() + PATIENCE_S
    while held[1:] != before[1:] or abs(held[0] - before[0]) > 0.3:
        assert clock.boottime() < late, (before, held)
        os.kill(pid, signal.SIGUSR1)
        wait(0.5)
        held, before = inside(pid), held
    return held


def change_tracks(room: EngineProcess, music: dict[str, Piece], count: int, every_s: float) -> float:
    """Let so many pieces cross, in two sessions; returns MB grown in the second."""
    link = room.link()
    names = ["low", "high", "ogg", "mp3", "cd"]
    held = []
    for session in ("s1", "s2"):
        cues = [
            Cue(
                id=n + 1,
                start_s=every_s * n,
                piece=music[names[n % 5]],
                length_s=every_s * 1.4,
                offset_s=1.0,
                fade_in_s=every_s * 0.4,
                fade_out_s=every_s * 0.4,
            )
            for n in range(count // 2)
        ]
        room.tell(link, sheet(*cues, session=session), play(session=session), session=session)
        link.until("piece_ended", cue=cues[-1].id, seconds=count * every_s + PATIENCE_S)
        room.tell(link, play("stop", session=session), session=session)
        held.append(at_rest(room.pid))
    before, after = held
    print(f"{count} changes: {before} -> {after} (MB, threads, descriptors)")
    assert after[1:] == before[1:]
    return after[0] - before[0]


def test_forty_track_changes_leave_nothing_behind(engine: Start, music: dict[str, Piece]) -> None:
    assert change_tracks(engine(output="null", before=TRIMS), music, 40, 0.4) < 3


@pytest.mark.proof
@pytest.mark.timeout(1_200)
def test_five_hundred_track_changes_grow_by_less_than_three_megabytes(engine: Start, music: dict[str, Piece]) -> None:
    assert change_tracks(engine(output="null", before=TRIMS), music, 500, 1.0) < 3


@pytest.mark.proof
@pytest.mark.parametrize("seed", [1, 2, any_seed()])
def test_two_hundred_commands_in_a_minute_make_neither_click_nor_jump(engine: Start, tmp_path: Path, seed: int) -> None:
    print("seed", seed)
    chance = random.Random(seed)
    pieces = [tone(tmp_path / f"{n}.flac", 1_000.0, 40.0, 0.2) for n in range(3)]
    cues = [Cue(id=n + 1, start_s=30.0 * n, piece=piece, length_s=40.0) for n, piece in enumerate(pieces)]
    cues = [Cue(id=c.id, start_s=c.start_s, piece=c.piece, length_s=30.0) for c in cues]
    room = engine()
    link = room.link()
    room.tell(link, sheet(*cues), play())
    link.until("piece_started")
    for _ in range(200):
        match chance.randrange(4):
            case 0 | 1:
                room.tell(link, play(chance.choice(("play", "play", "pause")), chance.choice((0.0, 0.1, 2.0, 6.0))))
            case 2:
                room.tell(link, FadeMusic(level=chance.random(), fade_s=chance.choice((0.0, 0.1, 1.0))))
            case 3:
                room.tell(
                    link, FadeBus(bus="speakers", level_db=-30 * chance.random(), fade_s=chance.choice((0.0, 1.0)))
                )
        wait(0.6 * chance.random())
    link.read_for(0.6)
    room.stop()
    # Were a block late, all else would be about that.
    assert [m["late_blocks"] for m in link.heard if m.get("event") == "telemetry"][-1] == 0
    assert analyse(room.wav).clicks == ()
    # One period of the tone a value, and a step of the capture's 16 bits at either end.
    samples = room.heard().samples[:, 0]
    level = np.abs(samples[: len(samples) // 48 * 48]).reshape(-1, 48).max(axis=1)
    steepest = float(np.abs(np.diff(level)).max() / 0.2)
    print(f"steepest {steepest:.3f} of full a millisecond")
    assert steepest < 1 / WINDOW + 2 / 32_768 / 0.2
    assert len(samples) > RATE
