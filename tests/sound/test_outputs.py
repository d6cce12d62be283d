"""Every output behaves like a card, and a capture is right at any moment."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
import soundfile

from controller import clock
from controller.sound.capture import MOST_WAITING_S, Capture, read_start
from controller.sound.card import Card
from controller.sound.mixer import BLOCK, Mark, Mixer
from controller.sound.outputs import HELD, QUEUE_BLOCKS, BlockQueue, Output, open_output
from controller.sound.settings import Bus, SoundSettings
from controller.sound.timeline import RATE
from tests.measure_audio import find_clicks
from tests.sound.room import wait
from tests.waiting import PATIENCE_S, until, wait_until

Told = list[tuple[str, int, float]]


KINDS = ("null", "file", "device")


@contextmanager
def opened(kind: str, directory: Path) -> Iterator[tuple[Output, Told]]:
    """An output of a kind with a capture; skips where there is no sound device."""
    told: Told = []
    directory.mkdir(exist_ok=True)
    capture = Capture(directory / "heard.wav", 2)
    wanted = {"null": "null", "file": f"file:{directory / 'heard.wav'}", "device": "device:"}[kind]
    try:
        made = open_output(wanted, 2, lambda mark, frame, at: told.append((mark.kind, frame, at)), capture)
    except OSError as error:
        capture.close()
        pytest.skip(f"no sound device here: {error}")
    try:
        yield made, told
    finally:
        made.close()
        made.close()
        capture.close()


@pytest.fixture(params=KINDS)
def output(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Output, Told]]:
    with opened(request.param, tmp_path) as made:
        yield made


def put(output: Output, count: int, marks: tuple[Mark, ...] = ()) -> None:
    for _ in range(count):
        assert output.put(np.full((BLOCK, 2), 0.1), marks, 1.0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_card_takes_blocks_by_the_clock_and_tells_the_frame_of_every_mark(tmp_path: Path, kind: str) -> None:
    for trial in range(5):
        with opened(kind, tmp_path / str(trial)) as (card, told):
            put(card, 3, (Mark("early", 5),))
            begun = clock.boottime()
            put(card, 30, (Mark("place", 100),))
            took = clock.boottime() - begun
        if not card.late_blocks:  # else this machine stood still
            break
    # 33 blocks less what the queue, and a device's own buffer, hold must have been played.
    assert took == pytest.approx((33 - QUEUE_BLOCKS) * BLOCK / RATE, abs=0.2)
    assert [frame - HELD for _, frame, _ in told[:5]] == [5, BLOCK + 5, 2 * BLOCK + 5, 3 * BLOCK + 100, 4 * BLOCK + 100]
    played = told[5 : 33 - QUEUE_BLOCKS]
    for (_, frame_a, at_a), (_, frame_b, at_b) in pairwise(played):
        assert at_b - at_a == pytest.approx((frame_b - frame_a) / RATE, abs=0.02)
    assert card.late_blocks == 0


def test_a_block_that_is_not_there_is_played_as_silence_and_counted(output: tuple[Output, Told]) -> None:
    card, _ = output
    put(card, QUEUE_BLOCKS)
    deadline = clock.boottime() + PATIENCE_S
    while card.late_blocks < 4 and clock.boottime() < deadline:
        wait(0.02)
    assert card.late_blocks >= 4
    assert card.frame >= (QUEUE_BLOCKS + 4) * BLOCK
    assert not card.lost


def test_music_goes_out_and_comes_in_softly_where_blocks_are_missing(
    output: tuple[Output, Told], tmp_path: Path
) -> None:
    card, _ = output
    tone = 0.2 * np.sin(2 * np.pi * 440 / RATE * np.arange(2 * QUEUE_BLOCKS * BLOCK) + 0.7)
    blocks = np.repeat(tone.astype(np.float32)[:, None], 2, axis=1).reshape(-1, BLOCK, 2)
    for half in (blocks[:QUEUE_BLOCKS], blocks[QUEUE_BLOCKS:]):
        for block in half:
            assert card.put(block, (), 1.0)
        late = card.late_blocks
        wait_until(lambda late=late: card.late_blocks > late)  # type: ignore[misc]
    heard = tmp_path / "heard.wav"
    # Its header is a second behind.
    wait_until(lambda: soundfile.info(heard).frames > (2 * QUEUE_BLOCKS + 2) * BLOCK)
    samples = soundfile.read(heard)[0][:, 0]
    assert find_clicks(samples, RATE) == []
    np.testing.assert_allclose(
        samples[2 * HELD : QUEUE_BLOCKS * BLOCK], tone[HELD : QUEUE_BLOCKS * BLOCK - HELD], atol=1e-4
    )
    rest = samples[QUEUE_BLOCKS * BLOCK + HELD :]
    begins = int(np.flatnonzero(rest)[0])
    assert begins >= BLOCK - HELD, "some were missing"


def test_music_comes_in_softly_where_the_card_itself_ran_dry() -> None:
    queue = BlockQueue(2, lambda *_: None, None)
    for _ in range(3):
        queue.put(np.full((BLOCK, 2), 0.5, np.float32), (), 0.0)
    queue.take(0.0)
    after = queue.take(0.0, ran_dry=True)
    assert np.abs(np.diff(after[:, 0], prepend=0.0)).max() < 0.005
    assert after[HELD:].min() == 0.5
    assert queue.late_blocks == 1


def test_a_capture_is_readable_while_it_is_written_and_knows_when_it_began(tmp_path: Path) -> None:
    path = tmp_path / "heard.wav"
    capture = Capture(path, 4)
    begun = clock.boottime()
    assert capture.begin(begun) == 0
    for _ in range(60):
        capture.append(np.full((BLOCK, 4), -0.5))
    deadline = clock.boottime() + PATIENCE_S
    while path.stat().st_size < 60 * BLOCK * 8 and clock.boottime() < deadline:
        wait(0.01)
    copy = tmp_path / "killed.wav"
    shutil.copy(path, copy)
    samples, rate = soundfile.read(copy)
    assert rate == RATE
    assert samples.shape[1] == 4
    assert len(samples) >= RATE, "the header is at most a second behind"
    assert samples.min() >= -0.5
    start = read_start(copy)
    assert start is not None
    assert start.boottime == pytest.approx(begun, abs=1e-6)
    capture.close()


def test_a_capture_goes_on_where_a_kill_left_it_with_the_true_gap(tmp_path: Path) -> None:
    path = tmp_path / "heard.wav"
    capture = Capture(path, 2)
    begun = clock.boottime() - 1.0
    capture.begin(begun)
    capture.append(np.full((BLOCK, 2), 0.5))
    capture.close()
    again = Capture(path, 2)
    frame = again.begin(begun + 0.7)
    assert frame == round(0.7 * RATE)
    again.append(np.full((BLOCK, 2), 0.25))
    again.close()
    samples, _ = soundfile.read(path)
    assert len(samples) == frame + BLOCK
    assert np.abs(samples[BLOCK:frame]).max() == 0.0
    assert samples[frame:].min() == pytest.approx(0.25, abs=1e-4)


def test_a_file_that_is_not_its_own_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "heard.wav"
    path.write_bytes(b"somebody's")
    Capture(path, 2).close()
    assert (tmp_path / "heard.old.wav").read_bytes() == b"somebody's"


async def test_a_device_that_is_gone_is_said_at_once_replaced_and_taken_back(tmp_path: Path) -> None:
    buses = (Bus(name="speakers", channels=(1, 2)),)
    mixer = Mixer(SoundSettings(room="test", runtime_dir=tmp_path, buses=buses, output="null"))
    lost: list[str] = []
    back: list[str] = []
    card = Card(mixer, lambda *_: None, lambda why, _at: lost.append(why), back.append)
    card.start()
    try:
        await until(lambda: card.output.frame > BLOCK)
        frame = card.output.frame
        card.output.lost = "unplugged"
        card.look()
        assert lost == ["unplugged"]
        await until(lambda: card.look() or back == ["null"])
        await until(lambda: card.output.frame > frame + RATE // 10)
        assert card.lost == ""
        assert card.late_blocks < 20, "none but those of the time without a device"
    finally:
        card.close()


async def test_a_device_that_fails_in_a_way_nobody_foresaw_stays_lost_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    buses = (Bus(name="speakers", channels=(1, 2)),)
    mixer = Mixer(SoundSettings(room="test", runtime_dir=tmp_path, buses=buses, output="device:x"))
    tries: list[str] = []

    def refuse(wanted: str, *_: object) -> Output:
        tries.append(wanted)
        raise RuntimeError

    monkeypatch.setattr("controller.sound.card.open_output", refuse)
    card = Card(mixer, lambda *_: None, lambda *_: None, lambda _name: None)
    card.start(had_device=True)
    try:
        assert card.lost == "RuntimeError"
        card._next_try = 0.0
        await until(lambda: card.look() or len(tries) == 2)
        await until(lambda: card.look() or not card.call_hangs_s)
        assert card.lost == "RuntimeError", "a room without sound must not look well"
    finally:
        card.close()


def test_a_capture_on_a_disk_that_stalls_takes_no_end_of_memory_and_keeps_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flows, pwrite = Event(), os.pwrite
    path = tmp_path / "heard.wav"
    capture = Capture(path, 2)

    def stalling(*words: Any) -> int:
        flows.wait(PATIENCE_S)
        return pwrite(*words)

    monkeypatch.setattr("controller.sound.capture.os.pwrite", stalling)
    capture.begin(clock.boottime())
    blocks = round(2 * MOST_WAITING_S * RATE / BLOCK)
    for _ in range(blocks):
        capture.append(np.full((BLOCK, 2), 0.5))
    assert capture._blocks.qsize() * BLOCK <= MOST_WAITING_S * RATE
    flows.set()
    wait_until(capture._blocks.empty)
    capture.append(np.full((BLOCK, 2), 0.25))
    capture.close()
    samples, _ = soundfile.read(path)
    assert len(samples) == (blocks + 1) * BLOCK
    assert samples[-BLOCK:].min() == pytest.approx(0.25, abs=1e-4)
    assert np.abs(samples[-2 * BLOCK : -BLOCK]).max() == 0.0


def test_a_capture_on_a_full_disk_lacks_what_did_not_fit_and_nothing_moves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pwrite, refused = os.pwrite, Event()
    full = [False, True, False]

    def filling(file: int, data: bytes, at: int) -> int:
        if len(data) == 4 * BLOCK and full.pop(0):
            refused.set()
            raise OSError(errno.ENOSPC, "No space left on device")
        return pwrite(file, data, at)

    monkeypatch.setattr("controller.sound.capture.os.pwrite", filling)
    path = tmp_path / "heard.wav"
    capture = Capture(path, 2)
    capture.begin(clock.boottime())
    for level in (0.5, 0.4, 0.3):
        capture.append(np.full((BLOCK, 2), level))
    capture.close()
    assert refused.is_set()
    samples, _ = soundfile.read(path)
    assert samples.reshape(3, -1).max(axis=1) == pytest.approx([0.5, 0.0, 0.3], abs=1e-4)
