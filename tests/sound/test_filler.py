"""The filler bed as it leaves the generator: quiet, warm, and never twice the same."""

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from controller.sound.filler import _NOTES, Filler
from controller.sound.settings import SoundSettings
from controller.sound.timeline import RATE

TARGET_LUFS = -23.0
"""To which pieces are levelled where the room file says nothing else."""

SECONDS = 60


@pytest.fixture(scope="module")
def bed() -> np.ndarray:
    """(2, frames), at the level a room has it."""
    filler = Filler(SoundSettings(room="r", runtime_dir=Path(), buses=()).filler_dbfs)
    return np.concatenate([filler.block(960) for _ in range(50 * SECONDS)], axis=1)


def test_it_is_twenty_decibels_softer_than_the_music_and_never_swells_up_to_it(bed: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "bed.wav"
    soundfile.write(path, bed.T, RATE, subtype="FLOAT")
    command = ["ffmpeg", "-hide_banner", "-nostats", "-i", str(path), "-af", "ebur128=framelog=verbose"]
    said = subprocess.run([*command, "-f", "null", "-"], capture_output=True, text=True, check=True).stderr
    lufs = float(re.findall(r"I:\s+(-[\d.]+) LUFS", said)[-1])
    assert -24.0 < lufs - TARGET_LUFS < -18.0
    level = 10 * np.log10((bed.reshape(2, -1, RATE // 10) ** 2).mean(axis=(0, 2)))
    assert level.max() - level.min() < 8.0
    assert np.abs(level[10:] - level[:-10]).max() < 1.5, "dB a second: nothing in it catches the ear"
    assert 20 * np.log10(np.abs(bed).max()) < -30.0


def test_it_is_warm(bed: np.ndarray) -> None:
    part = bed[0, : 20 * RATE]
    power = np.abs(np.fft.rfft(part * np.hanning(len(part)))) ** 2
    hertz = np.fft.rfftfreq(len(part), 1 / RATE)
    assert 100 < (power * hertz).sum() / power.sum() < 250
    assert 10 * np.log10(power[hertz > 1_000].sum() / power.sum()) < -55
    assert 10 * np.log10(power[hertz < 80].sum() / power.sum()) < -55, "no rumble either"


def test_in_an_hour_nothing_of_it_comes_round_again() -> None:
    filler, frames = Filler(-45.0), RATE // 10
    turns = np.array([np.exp(-2j * np.pi * hertz * np.arange(frames) / RATE) for hertz, *_ in _NOTES])
    swells = []
    for second in range(0, 3_600, 4):
        filler.frame = second * RATE
        swells.append(np.abs(filler.block(frames) @ turns.T).ravel())
    of_each = np.array(swells)
    of_each = (of_each - of_each.mean(axis=0)) / of_each.std(axis=0)
    count = len(of_each)
    # How much all notes of both sides are together as they were so long before: 1 where it is a loop.
    alike = [float((of_each[lag:] * of_each[: count - lag]).mean()) for lag in range(5, count - 60)]
    assert max(alike) < 0.5
