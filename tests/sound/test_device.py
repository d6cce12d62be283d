"""The sound device is taken away and put back, on a real PulseAudio server; what is heard is what its sink recorded."""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from controller import clock
from controller.messages import Cue, FadeBus, Piece
from tests.sound.pulse import Pulse, sounding
from tests.sound.room import RATE, EngineProcess, gain_of, place_of, play, sheet, wait
from tests.waiting import promised

Start = Callable[..., EngineProcess]

pytestmark = pytest.mark.skipif(shutil.which("pulseaudio") is None, reason="pulseaudio is not installed")


@pytest.fixture
def pulse(tmp_path: Path) -> Iterator[Pulse]:
    server = Pulse(tmp_path / "pulse")
    server.start()
    yield server
    server.close()


def freeze(pulse: Pulse) -> None:
    os.kill(pulse.pid, signal.SIGSTOP)


def thaw(pulse: Pulse) -> None:
    os.kill(pulse.pid, signal.SIGCONT)


@pytest.mark.timed
@pytest.mark.parametrize(
    ("away", "back"),
    [
        pytest.param(Pulse.unload, Pulse.load, id="unplugged"),
        pytest.param(Pulse.kill, Pulse.start, id="server-killed", marks=pytest.mark.proof),
        pytest.param(freeze, thaw, id="server-hangs", marks=pytest.mark.proof),
    ],
)
def test_a_device_that_goes_is_said_at_once_and_the_music_comes_back_at_its_place_and_level(
    engine: Start, music: dict[str, Piece], pulse: Pulse, away: Callable[[Pulse], None], back: Callable[[Pulse], None]
) -> None:
    room = engine(output="auto", environment=pulse.environment, watched=True)
    link = room.link()
    pulse.record()
    cue = Cue(id=1, start_s=0, length_s=19, piece=music["noise"])
    room.tell(link, sheet(cue), play(), FadeBus(bus="speakers", level_db=-6.0, fade_s=0.0))
    link.until("piece_started")
    wait(1.2)
    gone, engine_pid = clock.boottime(), room.engine_pid
    away(pulse)
    lost = link.until("event", event="output")
    if away is not freeze:
        before = pulse.finish()
    assert lost["lost"]
    noticed = lost["boottime"] - gone
    link.until("telemetry", moving=False)  # nobody hears it: it waits
    returned = clock.boottime()
    back(pulse)
    if away is freeze:
        before = pulse.finish()
    pulse.record()
    again = link.until("event", event="output")
    assert again["back"].startswith("device:")
    link.read_for(2.0)
    after = pulse.finish()
    assert room.engine_pid == engine_pid, "nothing was restarted for it"
    assert [m for m in link.heard if m.get("event") in ("filler", "piece_ended", "restarted")] == []
    print(f"noticed after {noticed:.2f} s, back after {again['boottime'] - returned:.2f} s")
    assert noticed < promised(1.0)
    # The same place: what was heard last, and what is heard first.
    _, end = sounding(before)
    last = place_of(music["noise"], before[end - RATE // 2 : end]) + 0.5
    first, _ = sounding(after)
    settled = first + round(1.4 * RATE)
    resumed = place_of(music["noise"], after[settled : settled + RATE // 2]) - 1.4
    print(f"music lost {resumed - last:.2f} s")
    assert abs(resumed - last) < 0.5
    # The same level, faded in.
    level = gain_of(music["noise"], before[end - RATE // 2 : end])
    now = gain_of(music["noise"], after[settled : settled + RATE // 2])
    assert 20 * np.log10([level, now]) == pytest.approx(-6, abs=0.2)
    assert np.abs(after[first : first + RATE // 10]).max() < 0.35 * np.abs(after[settled:]).max()


def test_a_card_that_ran_dry_is_counted_though_the_queue_was_full(
    engine: Start, music: dict[str, Piece], pulse: Pulse
) -> None:
    room = engine(output="auto", environment=pulse.environment)
    link = room.link()
    room.tell(link, sheet(Cue(id=1, start_s=0, length_s=19, piece=music["noise"])), play())
    link.until("piece_started")
    wait(0.5)
    os.kill(room.pid, signal.SIGSTOP)
    wait(0.3)
    os.kill(room.pid, signal.SIGCONT)
    link.read_for(1.5)
    assert link.until("telemetry")["late_blocks"] > 0
