"""A deck that goes on for one that broke off, and what is asked of the room meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
import vlc
from msgspec.structs import replace

from controller.messages import Cue, Piece
from controller.sound.decks import Decks
from controller.sound.mixer import BLOCK
from controller.sound.outputs import QUEUE_BLOCKS
from controller.sound.timeline import RATE, SHORTEST_RAMP, Laid
from controller.sound.voice import Voice
from tests.waiting import wait_until

WAVE = 0.2 * np.sin(np.cumsum(np.random.default_rng(8).uniform(0.01, 0.2, 5 * RATE)))


@pytest.fixture
def laid(tmp_path: Path) -> Laid:
    path = tmp_path / "piece.wav"
    soundfile.write(path, np.stack([WAVE, WAVE], axis=1), RATE)
    return Laid.from_cue(Cue(id=1, start_s=0.0, length_s=4.5, piece=Piece(path=str(path), title="p", duration_s=5.0)))


@pytest.fixture
def decks() -> Iterator[Decks]:
    made = Decks()
    try:
        yield made
    finally:
        made.shut()


def begun(decks: Decks, laid: Laid, frames: int) -> Voice:
    """A voice with so many frames of music, none of them heard yet; another where the machine itself stood still."""
    for _ in range(5):
        voice = Voice(laid, decks.open(laid, 0), safe=0)
        wait_until(lambda: voice.deck.frames > frames or voice.deck.broken_off)  # noqa: B023
        if not voice.deck.broken_off:
            break
        decks.drop(voice)
    return voice


def feed(decks: Decks, voice: Voice, until: Callable[[], object], at: int = 0) -> None:
    wait_until(lambda: decks.feed([voice], at, still=False) or until())  # type: ignore[func-returns-value]


def bring(decks: Decks, voice: Voice, at: int) -> None:
    """Wait until the block at a frame is there."""
    needed = BLOCK + SHORTEST_RAMP
    feed(decks, voice, lambda: any(d.available(at - d.origin) >= needed for d in voice.decks), at)


def hear(voice: Voice, at: int) -> npt.NDArray[np.float32]:
    """The left side of a block."""
    sound = voice.render(at, BLOCK)
    assert sound is not None
    return sound[0]


def assert_whole(decks: Decks, voice: Voice, frames: int) -> None:
    """Hear the piece from its beginning, to 16 bits as it was recorded."""
    heard = np.zeros(0, np.float32)
    for at in range(0, frames, BLOCK):
        bring(decks, voice, at)
        heard = np.append(heard, hear(voice, at))
    assert np.abs(heard - WAVE[: len(heard)]).max() < 2e-4


def test_a_pause_while_a_piece_is_decoded_anew_is_borne_and_it_resumes_at_once(decks: Decks, laid: Laid) -> None:
    voice = begun(decks, laid, 2 * RATE)
    first = voice.deck
    first.flushed()
    decks.feed([voice], 0, still=False)
    decks.feed([voice], 0, still=True)
    feed(decks, voice, lambda: voice.newest is not first)
    assert voice.ready  # the first two seconds are there, whatever goes on behind them


def test_what_is_rendered_anew_sounds_the_same_where_another_deck_has_gone_on(decks: Decks, laid: Laid) -> None:
    voice = begun(decks, laid, RATE)
    first = voice.deck
    first.flushed()
    feed(decks, voice, lambda: voice.newest is not first)
    held = []
    while sum(state["deck"] is not first for _, state, _ in held) < QUEUE_BLOCKS:
        at = BLOCK * len(held)
        bring(decks, voice, at)
        held.append((at, voice.state(), hear(voice, at)))
    again = held[-QUEUE_BLOCKS - 1 :]
    voice.go_back(again[0][1])
    assert voice.deck is first
    assert all(np.array_equal(hear(voice, at), heard) for at, _, heard in again)


def test_a_piece_that_loses_its_place_in_its_first_moment_has_no_hole(decks: Decks, laid: Laid) -> None:
    voice = Voice(laid, decks.open(laid, 0), safe=0)
    wait_until(lambda: voice.deck.written > RATE // 4)
    voice.deck.broken_off = True
    voice.deck.written = RATE // 10
    assert_whole(decks, voice, RATE)


def test_another_session_s_piece_of_the_same_number_is_begun_with_afresh(decks: Decks, laid: Laid) -> None:
    for _ in range(2):
        voice = begun(decks, laid, RATE)
        first = voice.deck
        first.broken_off = True
        first.written = RATE
        feed(decks, voice, lambda first=first, voice=voice: voice.newest is not first)  # type: ignore[misc]
        assert not voice.newest.lenient  # it may have been the machine; that the file jumps is not known of this one
        decks.drop(voice)


def test_a_piece_that_loses_its_place_twice_before_the_first_of_it_is_heard_has_no_hole(
    decks: Decks, laid: Laid
) -> None:
    voice = begun(decks, laid, RATE)
    for frames in (RATE, 3 * RATE // 2):
        last = voice.newest
        wait_until(lambda last=last, frames=frames: last.frames > frames)  # type: ignore[misc]
        last.broken_off = True
        last.written = frames
        feed(decks, voice, lambda last=last: voice.newest is not last)  # type: ignore[misc]
    assert_whole(decks, voice, 5 * RATE // 2)


def test_what_goes_on_for_a_piece_and_loses_its_place_at_once_does_not_lay_it_elsewhere(
    decks: Decks, laid: Laid
) -> None:
    path = Path(laid.cue.piece.path).with_suffix(".flac")
    soundfile.write(path, np.stack([WAVE, WAVE], axis=1), RATE)
    voice = begun(decks, Laid.from_cue(replace(laid.cue, piece=replace(laid.cue.piece, path=str(path)))), 2 * RATE)
    first = voice.deck
    first.broken_off = True
    first.written = 2 * RATE
    decks.feed([voice], 0, still=False)
    second = next(deck for deck in decks._holds if deck is not first)
    wait_until(lambda: second.written > 7 * RATE // 20)
    second.broken_off = True
    second.written = 7 * RATE // 20
    feed(decks, voice, lambda: voice.newest.frames > RATE and voice.newest is not first)
    assert_whole(decks, voice, 5 * RATE // 2)


def test_a_piece_plays_on_where_libvlc_leaves_a_word_undone(
    decks: Decks, laid: Laid, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it does with one to go on that comes while it still begins to wait."""
    set_pause, said = vlc.MediaPlayer.set_pause, []

    def do_every_second(player: vlc.MediaPlayer, pause: int) -> None:
        said.append(pause)
        if len(said) % 2 == 0:
            set_pause(player, pause)

    monkeypatch.setattr(vlc.MediaPlayer, "set_pause", do_every_second)
    voice = begun(decks, laid, 2 * RATE)
    deck = voice.deck
    wait_until(lambda: decks.feed([voice], 0, still=True) or deck.halts or deck.ended)  # type: ignore[func-returns-value]
    there = deck.read_to = deck.frames
    feed(decks, voice, lambda: deck.frames > there or deck.ended)
    assert not deck.broken_off


def test_a_piece_that_jumps_wherever_it_is_begun_with_anew_is_heard_all_the_same(decks: Decks, laid: Laid) -> None:
    """Late each time: the timeline has passed the place before a deck could go on from there."""
    voice = begun(decks, laid, RATE // 4)
    for lenient in (False, True):
        last = voice.newest
        wait_until(lambda last=last: last.frames > RATE // 4)  # type: ignore[misc]
        last.broken_off = True
        last.written = RATE // 4
        decks.feed([voice], last.origin + last.frames + 4 * BLOCK, still=False)
        assert (voice.newest is not last, voice.newest.lenient) == (True, lenient)


def test_a_file_is_not_said_to_jump_where_only_what_goes_on_for_it_is_slow(decks: Decks, laid: Laid) -> None:
    voice = begun(decks, laid, RATE)
    first = voice.deck
    first.broken_off = True
    first.written = RATE
    decks.feed([voice], 0, still=False)
    voice.starved = 4 * RATE
    decks.feed([voice], 2 * RATE, still=False)
    assert (voice.newest is not first, voice.newest.lenient) == (True, False)
