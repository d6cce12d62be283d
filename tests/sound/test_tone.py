"""The tone of a sound check, at the mixer's output: where it sounds, how loud, and that nothing jumps."""

import random
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from controller import clock
from controller.messages import Cue
from controller.sound.calibration import CREST_DB, LUFS_OVER_DBFS
from controller.sound.mixer import BLOCK, Mixer
from controller.sound.settings import Bus, SoundSettings
from controller.sound.timeline import RATE, SHORTEST_RAMP, Sheet, Timeline
from controller.sound.tone import amplitude_of, noise
from tests.measure_audio import find_clicks
from tests.sound.room import EngineProcess, Piece, play, sheet
from tests.waiting import PATIENCE_S

SIX = (
    Bus(name="speakers", channels=(1, 2), ceiling_dbfs=-6.0),
    Bus(name="headphones", channels=(3, 4), ceiling_dbfs=-20.0, level_db=-10.0),
    Bus(name="second", channels=(6, 5), ceiling_dbfs=-12.0),
)


def mixer_for(tmp_path: Path, pairs: int) -> Mixer:
    return Mixer(SoundSettings(room="test", runtime_dir=tmp_path, buses=SIX[:pairs]))


def heard(mixer: Mixer, seconds: float) -> np.ndarray:
    return np.concatenate([mixer.render()[0] for _ in range(round(seconds * RATE / BLOCK))])


def rms_db(samples: np.ndarray) -> float:
    return float(20 * np.log10(np.sqrt((samples**2).mean()) + 1e-12))


def test_the_tone_is_steady_for_a_meter_and_as_loud_as_the_arithmetic_says(tmp_path: Path) -> None:
    wave = noise().T
    assert 20 * np.log10(np.abs(wave).max()) < CREST_DB
    power = (np.tile(wave, (4, 1)) ** 2)[:, 0]
    fast = [10 * np.log10(power[start : start + RATE // 8].mean()) for start in range(0, len(power), 2_400)][:-3]
    assert max(fast) - min(fast) < 1.5
    assert abs(np.corrcoef(wave.T)[0, 1]) < 0.05, "left and right are not one source between two speakers"
    path = tmp_path / "tone.wav"
    soundfile.write(path, np.tile(wave, (6, 1)) * 0.1, RATE, subtype="FLOAT")
    command = ["ffmpeg", "-hide_banner", "-nostats", "-i", str(path), "-af", "ebur128", "-f", "null", "-"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    lufs = float(re.findall(r"I:\s+(-[\d.]+) LUFS", said)[-1])
    assert lufs == pytest.approx(-20 + LUFS_OVER_DBFS, abs=0.11)


@pytest.mark.parametrize("pairs", [1, 2, 3])
def test_left_is_heard_at_the_left_jack_of_its_bus_alone_at_the_level_asked(tmp_path: Path, pairs: int) -> None:
    mixer = mixer_for(tmp_path, pairs)
    for bus in SIX[:pairs]:
        for side in (0, 1):
            wanted = [amplitude_of(-40.0, bus.ceiling_dbfs) if side == own else 0.0 for own in (0, 1)]
            mixer.set_tone(bus.name, *wanted, 0.5, 30.0)
            heard(mixer, 0.7)
            out = heard(mixer, 1.4)
            assert out.shape[1] == 2 * pairs
            for channel in range(2 * pairs):
                level = rms_db(out[:, channel])
                if channel == bus.channels[side] - 1:
                    assert level == pytest.approx(-40.0, abs=0.15), "neither fader nor level_db lies before it"
                else:
                    assert not out[:, channel].any()


@pytest.mark.parametrize("pairs", [1, 2, 3])
def test_whatever_is_asked_in_whatever_order_the_tone_neither_clicks_nor_comes_near_the_ceiling(
    tmp_path: Path, pairs: int
) -> None:
    chance = random.Random(pairs)
    mixer = mixer_for(tmp_path, pairs)
    blocks = []
    for _ in range(40):
        bus = chance.choice(SIX[:pairs])
        sides = [amplitude_of(chance.choice([None, -70.0, -30.0, 0.0]), bus.ceiling_dbfs) for _ in range(2)]
        mixer.set_tone(bus.name, *sides, chance.choice([0.1, 0.5, 1.0]), chance.choice([0.1, 60.0]))
        blocks.append(heard(mixer, chance.choice([0.02, 0.1, 0.4])))
    out = np.concatenate(blocks)
    for bus in SIX[:pairs]:
        for channel in bus.channels:
            samples = out[:, channel - 1]
            assert np.abs(samples).max() <= 10 ** ((bus.ceiling_dbfs - 1.0) / 20)
            assert np.abs(samples).max() > 10 ** ((bus.ceiling_dbfs - 20.0) / 20), "something was heard"
            assert find_clicks(samples, RATE) == []
            # No faster than from nothing to full in the shortest ramp.
            envelope = np.abs(samples[: len(samples) // 480 * 480]).reshape(-1, 480).max(axis=1)
            assert np.abs(np.diff(envelope)).max() < 480 / SHORTEST_RAMP * 10 ** (bus.ceiling_dbfs / 20)


def test_a_tone_that_nobody_ends_ends_by_itself(tmp_path: Path) -> None:
    mixer = mixer_for(tmp_path, 1)
    mixer.set_tone("speakers", 0.01, 0.01, 0.2, 2.0)
    assert np.abs(heard(mixer, 2.0)[-RATE // 10 :]).max() > 0.001
    heard(mixer, 1.2)
    assert not heard(mixer, 1.0).any()


def test_a_session_that_begins_puts_the_tone_out(tmp_path: Path) -> None:
    mixer = mixer_for(tmp_path, 1)
    mixer.set_tone("speakers", 0.01, 0.01, 0.2, 60.0)
    heard(mixer, 0.5)
    mixer.begin(Timeline(), Sheet("s1"))
    ending = heard(mixer, 1.3)
    assert find_clicks(ending[:, 0], RATE) == []
    assert not heard(mixer, 1.0).any()


def test_while_a_session_has_the_engine_there_is_no_tone(
    engine: Callable[..., EngineProcess], music: dict[str, Piece]
) -> None:
    room = engine(output="null")
    link = room.link("check")
    tone = {
        "tone": "speakers",
        "channels": [1, 2],
        "ceiling_dbfs": -1.0,
        "left_dbfs": -50.0,
        "right_dbfs": None,
        "fade_s": 0.1,
        "for_s": PATIENCE_S,
    }
    link.send(tone)
    assert link.until("tone")["refused"] == ""
    for other in ({"tone": "kitchen"}, {"channels": [2, 1]}, {"ceiling_dbfs": -3.0}):
        link.send({**tone, "right_dbfs": -20.0, **other})
        assert link.until("tone")["refused"] == "room", "it runs with another room file than the caller has"
    late = clock.boottime() + PATIENCE_S
    while abs(link.until("telemetry")["buses"]["speakers"]["rms_dbfs"] + 53.0) > 0.3:  # one side of two
        assert clock.boottime() < late
    daemon = room.link()
    room.tell(daemon, sheet(Cue(id=1, start_s=0, length_s=19, piece=music["low"])), play())
    daemon.until("piece_started")
    link.send(tone)
    assert link.until("tone")["refused"] == "session"
