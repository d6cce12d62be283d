"""The engine is killed and frozen; the room hears a short dip, and the music goes on at the same frame."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from controller import clock
from controller.messages import Cue, FadeBus, Piece
from tests.measure_audio import analyse
from tests.sound.room import RATE, EngineProcess, Heard, beside, place_of, play, sheet, wait
from tests.waiting import promised

Start = Callable[..., EngineProcess]


def cue(piece: Piece, number: int = 1, start_s: float = 0.0, length_s: float = 19.0, **more: float) -> Cue:
    return Cue(id=number, start_s=start_s, length_s=length_s, piece=piece, **more)


def sound_again(heard: Heard, after: float) -> float:
    """Seconds from a CLOCK_BOOTTIME to the first sound after the silence that followed it."""
    first = heard.frame_at(after)
    loud = np.abs(heard.samples[first:, 0]).reshape(-1)[: len(heard.samples[first:]) // 480 * 480]
    by_ten_ms = loud.reshape(-1, 480).max(axis=1) > 1e-3
    silent = int(np.argmin(by_ten_ms))
    return (silent + int(np.argmax(by_ten_ms[silent:]))) / 100


def lost_of(piece: Piece, heard: Heard, before: float, after: float) -> float:
    """Seconds of the piece that are missing (or, negative, repeated) between two moments at which it sounds."""
    places = []
    for moment in (before, after):
        at = heard.frame_at(moment)
        places.append((place_of(piece, heard.samples[at : at + RATE // 2, 0]), at))
    (first, at_first), (second, at_second) = places
    stretch = heard.samples[at_first:at_second, 0].reshape(-1)
    quiet = np.abs(stretch[: len(stretch) // 480 * 480]).reshape(-1, 480).max(axis=1) < 1e-4
    return second - first - ((at_second - at_first) / RATE - quiet.sum() / 100)


@pytest.mark.timed
def test_an_engine_that_is_killed_and_one_that_freezes_go_on_at_the_same_frame_by_themselves(
    engine: Start, music: dict[str, Piece]
) -> None:
    room = engine(watched=True)
    link = room.link()
    room.tell(link, sheet(cue(music["noise"])), play(), FadeBus(bus="speakers", level_db=-2.0, fade_s=0.0))
    started = link.until("piece_started")
    incidents = []
    for number in (signal.SIGKILL, signal.SIGSTOP):
        wait(0.7)
        before, pid = clock.boottime(), room.engine_pid
        wait(0.6)
        struck = clock.boottime()
        os.kill(pid, number)
        link = room.link_anew(pid)
        assert link.until("report")["buses"] == {"speakers": -2.0}
        link.until("telemetry", moving=True)
        link.read_for(1.5)
        told = link.heard
        restarts = [m for m in told if m["event"] == "restarted"]
        assert [m["why"] for m in restarts][-1:] == ["killed" if number == signal.SIGKILL else "hung"]
        assert {m["id"] for m in told if m["event"] == "piece_started"} <= {started["id"]}, "it had begun before"
        incidents.append((before, struck, clock.boottime()))
    link.read_for(0.6)
    room.stop()
    heard = room.heard()
    for (before, struck, after), limit in zip(incidents, (1.0, 2.0), strict=True):
        took, lost = sound_again(heard, struck), lost_of(music["noise"], heard, before, after)
        print(f"sound again after {took:.2f} s, music lost {lost:.2f} s")
        assert took < promised(limit)
        assert abs(lost) < 0.5
    found = analyse(room.wav, silence_db=-80)
    assert [
        at for at, _ in found.clicks if all(abs(at - heard.frame_at(s) / RATE) > 0.1 for _, s, _ in incidents)
    ] == []


def test_every_format_goes_on_within_150_ms_of_where_it_was(
    engine: Start, music: dict[str, Piece], tmp_path: Path
) -> None:
    encoders = {
        "flac": ["-c:a", "flac"],
        "wav": ["-c:a", "pcm_s16le"],
        "ogg": ["-c:a", "libvorbis", "-q:a", "5"],
        "opus": ["-c:a", "libopus", "-b:a", "128k"],
        "mp3": ["-c:a", "libmp3lame", "-q:a", "4"],
        "m4a": ["-c:a", "aac", "-b:a", "160k"],
    }
    cues = []
    for number, (kind, encoder) in enumerate(encoders.items()):
        path = tmp_path / f"piece.{kind}"
        subprocess.run(["ffmpeg", "-v", "error", "-i", music["noise"].path, *encoder, str(path)], check=True)
        piece = Piece(path=str(path), title=path.name, duration_s=20.0)
        # What a restarted engine does: it opens the file at the place at which it was heard.
        cues.append(Cue(id=number + 1, start_s=0.9 * number, length_s=0.9, offset_s=13.37, piece=piece))
    # A short head that is left out is no jump: it is right to the frame.
    trimmed = replace(cues[0].piece, title="trimmed")
    cues.append(Cue(id=9, start_s=0.9 * len(cues), length_s=0.9, offset_s=0.4, piece=trimmed))
    room = engine()
    link = room.link()
    room.tell(link, sheet(*cues), play())
    frames = {cue.piece.title: link.until("piece_started", cue=cue.id)["frame"] for cue in cues}
    link.until("piece_ended", cue=9)
    room.stop()
    heard = room.heard().samples[:, 0]
    off = {}
    for title, frame in frames.items():
        at = frame + round(0.2 * RATE)
        offset = 0.4 if title == "trimmed" else 13.37
        off[title] = round(1000 * (place_of(music["noise"], heard[at : at + RATE // 2]) - offset - 0.2), 2)
    print("off by (ms):", off)
    assert abs(off["trimmed"]) < 0.05
    assert max(abs(ms) for ms in off.values()) < 150


POISON = """
import os
from controller.sound import decoder
def _play(self, deck, play=decoder.Decoder._play):
    if "poison" in deck.piece.path:
        os.abort()
    play(self, deck)
decoder.Decoder._play = _play
"""


@pytest.mark.proof
def test_a_piece_over_which_every_engine_falls_is_left_out_and_the_music_goes_on(
    engine: Start, music: dict[str, Piece], tmp_path: Path
) -> None:
    poison = tmp_path / "poison.flac"
    poison.write_bytes(Path(music["low"].path).read_bytes())
    piece = Piece(path=str(poison), title="poison.flac", duration_s=20.0)
    room = engine(watched=True, before=POISON)
    link = room.link()
    first = room.engine_pid
    cues = [cue(music["noise"], 1, 0, 4.5), cue(piece, 2, 4.5, 1.0), cue(music["noise"], 3, 5.5, 9.0, offset_s=8.0)]
    room.tell(link, sheet(*cues), play())
    deadline = clock.boottime() + 12
    ended: list[dict] = []
    link = room.link_anew(first)
    while not ended and clock.boottime() < deadline:
        try:
            ended = [link.until("piece_ended", cue=2, seconds=2)]
        except (AssertionError, OSError, ValueError):
            link = room.link_anew(0)
    assert [(m["why"], m["title"]) for m in ended] == [("decoder", "poison.flac")]
    link.until("piece_started", cue=3)
    link.read_for(3.0)
    room.stop()
    heard = room.heard().samples[:, 0]
    last = heard[-RATE : -RATE // 2]
    assert 9.0 <= place_of(music["noise"], last) < 13.0
    assert beside(music["noise"], last) < -60
    assert analyse(room.wav, silence_db=-65).longest_silence_ms < 1_500
