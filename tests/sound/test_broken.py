"""Files that are broken, vanish or come to a halt: never a second without music or filler, and each is named."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from msgspec.structs import replace

from controller.messages import Cue, Piece
from tests.measure_audio import analyse
from tests.sound.room import RATE, EngineProcess, beside, noise, place_of, play, sheet
from tests.sound.stalling import StallingFile

Start = Callable[..., EngineProcess]


def test_a_list_of_broken_files_leaves_no_second_without_sound_and_each_is_named(
    engine: Start, music: dict[str, Piece], tmp_path: Path
) -> None:
    chance = tmp_path / "chance.mp3"
    chance.write_bytes(np.random.default_rng(3).bytes(200_000))
    vanishing = noise(tmp_path / "vanishing.flac", 8.0, seed=9)
    broken = {
        "missing": music["missing"],
        "not_audio": music["text"],
        "directory": music["folder"],
        "empty": music["empty"],
        "chance": replace(music["text"], path=str(chance), title="chance.mp3"),
        "truncated": music["truncated"],
    }
    cues, at = [Cue(id=0, start_s=0, length_s=1.5, piece=music["noise"])], 1.5
    for number, (why, piece) in enumerate(broken.items(), start=1):
        length = 2.5 if why == "truncated" else 0.8
        cues.append(Cue(id=number, start_s=at, length_s=length, piece=piece))
        at += length
    cues.append(Cue(id=7, start_s=at, length_s=3.0, piece=vanishing))
    cues.append(Cue(id=8, start_s=at + 3.0, length_s=2.0, piece=music["noise"], offset_s=5.0))
    room = engine()
    link = room.link()
    room.tell(link, sheet(*cues), play())
    sounds = [link.until("piece_started", cue=0), link.until("piece_started", cue=7)]
    Path(vanishing.path).rename(tmp_path / "gone.flac")
    sounds.append(link.until("piece_started", cue=8))
    link.until("piece_ended", cue=8)
    room.stop()
    ends = {m["cue"]: (m["why"], Path(m["path"]).name) for m in link.heard if m.get("event") == "piece_ended"}
    assert [ends[number] for number in range(1, 7)] == [
        ("missing", "missing.flac"),
        ("not_audio", "text.mp3"),
        ("directory", "folder.flac"),
        ("empty", "empty.ogg"),
        ("not_audio", "chance.mp3"),
        ("truncated", "truncated.flac"),
    ]
    assert [ends[number][0] for number in (0, 7, 8)] == ["end"] * 3
    found = analyse(room.wav, silence_db=-65)
    assert found.longest_silence_ms < 1_000
    assert found.clicks == ()
    # The right piece, at its place, and nothing beside it.
    heard = room.heard().samples[:, 0]
    here = replace(vanishing, path=str(tmp_path / "gone.flac"))
    expected = ((music["noise"], 0.0, 0.5), (here, 0.0, 2.2), (music["noise"], 5.0, 1.2))
    for started, (piece, offset, wait_s) in zip(sounds, expected, strict=True):
        first = started["frame"] + round(wait_s * RATE)
        part = heard[first : first + RATE // 2]
        assert place_of(piece, part) == pytest.approx(offset + wait_s, abs=0.15)
        assert beside(piece, part) < -60


@pytest.mark.proof
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can let a disk stall")
def test_a_disk_that_stalls_while_a_piece_plays_is_bridged_and_the_piece_is_back_at_its_place(
    engine: Start, tmp_path: Path
) -> None:
    piece = noise(tmp_path / "slow.wav", 60.0)
    try:
        disk = StallingFile(Path(piece.path))
    except PermissionError as error:
        pytest.skip(f"no disk can be made to stall here: {error}")
    try:
        room = engine(watched=True)
        pid = room.engine_pid
        link = room.link()
        room.tell(link, sheet(Cue(id=1, start_s=0, length_s=50, piece=piece)), play())
        started = link.until("piece_started")
        disk.stall()
        on = link.until("filler", on=True)
        assert (on["why"], on["title"]) == ("stalled", "slow.wav")
        link.read_for(4.0)
        disk.flow()
        link.until("filler", on=False)
        link.read_for(3.0)
        assert disk.stalled, "the disk did stall"
        assert room.engine_pid == pid
        assert len([m for m in link.heard if m.get("event") == "filler"]) == 2, "one incident, one record"
        room.stop()
    finally:
        disk.close()
    assert analyse(room.wav, silence_db=-65).longest_silence_ms < 1_000
    heard = room.heard().samples[:, 0]
    last = len(heard) - RATE
    assert place_of(piece, heard[last : last + RATE // 2]) == pytest.approx((last - started["frame"]) / RATE, abs=0.1)
    assert beside(piece, heard[last : last + RATE // 2]) < -60, "the filler is gone"


@pytest.mark.proof
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can let a disk stall")
@pytest.mark.parametrize("name", ["slow.wav", "slow.flac"])
def test_a_disk_that_stalls_for_five_seconds_costs_nothing_of_the_music(
    engine: Start, tmp_path: Path, name: str
) -> None:
    piece = noise(tmp_path / name, 60.0)
    try:
        disk = StallingFile(Path(piece.path))
    except PermissionError as error:
        pytest.skip(f"no disk can be made to stall here: {error}")
    try:
        room = engine()
        link = room.link()
        room.tell(link, sheet(Cue(id=1, start_s=0, length_s=50, piece=piece)), play())
        first = link.until("piece_started")["frame"]
        link.read_for(3.0)
        disk.stall()
        link.read_for(5.0)
        assert disk.stalled
        disk.flow()
        link.read_for(8.0)
        room.stop()
    finally:
        disk.close()
    assert not [m for m in link.heard if m.get("event") == "filler"]
    heard = room.heard().samples[first + RATE // 2 : -RATE, 0]
    there = soundfile.read(piece.path)[0][RATE // 2 : RATE // 2 + len(heard), 0]
    assert len(heard) > 15 * RATE
    assert np.abs(heard - there).max() < 1e-3
