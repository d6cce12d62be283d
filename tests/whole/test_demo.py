"""The demo as a newcomer runs it, two minutes long; and what its capture proves."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from controller.journal.reading import read_records, session_file, verify
from controller.messages import Fact, FadeLight, FillerChanged
from tests.measure_audio import analyse
from tests.playing import Playing
from tests.running_demo import RunningDemo
from tests.waiting import PATIENCE_S
from tests.whole.hearing import (
    RATE,
    Audio,
    Played,
    best_shift,
    expected,
    level_db,
    listen,
    place_of,
    played_pieces,
    subtract,
)

RISE_S = 3.2
"""The room's resume fade, and a little: before that the music is still coming up."""


@dataclass
class Demo:
    """A finished demo."""

    state_dir: Path
    session: str
    output: str
    heard: Audio
    pieces: list[tuple[Played, Audio, float]]
    end_frame: int

    @property
    def file(self) -> Path:
        return session_file(self.state_dir, self.session)

    @property
    def wav(self) -> Path:
        return self.state_dir / "room.wav"


@pytest.fixture(scope="module")
def demo(running_demo: RunningDemo) -> Demo:
    state_dir = running_demo.state_dir
    output = running_demo.finish()
    session = next((state_dir / "sessions").glob("*.db")).stem
    heard = listen(state_dir / "room.wav")
    pieces = []
    for played in played_pieces(session_file(state_dir, session)):
        sound = expected(played)
        lag = place_of(sound, heard, played.frame)
        pieces.append((played, sound, best_shift(sound, heard, played.frame, lag)))
    records = [record for record, _ in read_records(session_file(state_dir, session))]
    begun = next(record for record in records if record.input.act.kind == "piece_started")
    end = Fact(code="arc_waits", values={"for": "end"})
    over = next(record for record in records if end in record.facts)
    first = pieces[0][0].frame
    playing = Playing.of(state_dir / "room.wav")
    ended = playing.boottime_of(first) + over.stamp.t - begun.input.act.at_t  # type: ignore[union-attr]
    end_frame = playing.frame_at(ended) - RATE // 5
    return Demo(state_dir, session, output, heard, pieces, end_frame)


def test_the_demo_says_what_it_measured(demo: Demo) -> None:
    for line in ("phases entered", "pieces played", "light bed left", "longest silence", "highest true peak"):
        assert re.search(rf"^ok +{line}", demo.output, re.MULTILINE), demo.output
    assert "chain verified     yes" in demo.output


def test_the_line_that_shows_the_record_can_be_pasted_as_it_stands_and_nothing_follows_the_summary(demo: Demo) -> None:
    *_, shown, heard = demo.output.splitlines()
    assert heard.split()[-1] == str(demo.wav)
    command = shlex.split(shown)[1:]
    told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert told.returncode == 0 and demo.session in told.stdout, told.stderr


def test_every_piece_is_heard_where_the_record_says(demo: Demo) -> None:
    assert len(demo.pieces) >= 6
    for played, _, lag in demo.pieces:
        assert abs(lag) / RATE <= 0.020, f"{played.cue.piece.title} lies {lag / RATE * 1000:.1f} ms off"


def test_nothing_else_is_heard(demo: Demo) -> None:
    rest = subtract(demo.heard, demo.pieces)
    first = demo.pieces[0][0].frame + round(RISE_S * RATE)
    music, left = level_db(demo.heard[first : demo.end_frame]), level_db(rest[first : demo.end_frame])
    print(f"music {music:.1f} dBFS, what is left {left:.1f} dBFS")
    assert left <= music - 40.0


def test_the_filler_was_never_needed(demo: Demo) -> None:
    acts = [record.input.act for record, _ in read_records(demo.file)]
    assert not [act for act in acts if isinstance(act, FillerChanged)]


@pytest.mark.timed
def test_there_is_no_silence_no_click_and_nothing_above_the_ceiling(demo: Demo) -> None:
    facts = analyse(str(demo.wav))
    assert facts.longest_silence_ms <= 50
    assert not facts.clicks
    assert facts.peak_db <= -6.0
    assert re.search(r"late sound blocks +0$", demo.output, re.MULTILINE), demo.output


def test_no_light_command_ever_jumps(demo: Demo) -> None:
    fades = [e for record, _ in read_records(demo.file) for e in record.effects if isinstance(e, FadeLight)]
    assert fades
    slopes = [
        abs(fade.end.level - fade.start.level) / max(1e-9, fade.end.t - fade.start.t)
        for fade in fades
        if fade.start.level != fade.end.level
    ]
    assert np.max(slopes) <= 0.1


def test_how_the_room_came_up_is_not_told_as_a_part_of_the_session(demo: Demo) -> None:
    assert "closed; " in demo.output and "the room's program started" not in demo.output


def test_the_record_verifies(demo: Demo) -> None:
    assert verify(demo.file).ok


def test_a_daemon_that_dies_is_started_again_and_ctrl_c_ends_everything_the_demo_started(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "controller", "demo", "--headless", "--minutes", "2", "--state", str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "Arrival begins" in line:
            daemon = subprocess.run(
                ["pgrep", "-f", f"controller run {tmp_path}"], capture_output=True, text=True, check=True
            )
            os.kill(int(daemon.stdout), signal.SIGKILL)
        elif "the room's program started" in line:
            break
    os.kill(process.pid, signal.SIGINT)
    process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    left = subprocess.run(["pgrep", "-f", str(tmp_path)], capture_output=True, text=True, check=False)
    assert left.stdout == ""
