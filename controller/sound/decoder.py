"""libVLC as decoder and seeker: one thread that alone calls it.

Its callbacks only copy. A call can hang for ever inside libVLC, so callers look at `hung` and take a new decoder.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import queue
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import vlc

from controller import clock
from controller.sound.deck import Deck
from controller.sound.resampler import native_rate
from controller.sound.seams import Seam, find_seam
from controller.sound.shown import Shown

_log = logging.getLogger(__name__)

PATIENCE_S = 4.0
"""A call into libVLC that takes longer counts as hung."""

HEADROOM = 4.0
"""By how much a hot piece is turned down before it becomes 16-bit, and up again in the mixer: 12.04 dB.

libVLC's equaliser works in float and scales its input by 1/4; with flat bands and no preamplification that is all it
does (measured, 3.0.24: flat within 0.002 dB, noise at -86 dBFS). It is the one filter that a player takes: it sets
`audio-filter` itself, over whatever the instance or the media asks for, and ReplayGain comes after the clipping.
"""

_HOT_DBFS = -0.5
"""True peak from which a piece is hot: resampling may add a little to what was measured."""

_LATER_MS = 900
"""By how much everything is due later than libVLC would have it.

It drops what it decodes more than 60 ms after it was due, without a word; and of a piece the first is due 10 ms after
it has been read (3.0.24). So a thread that waited 70 ms for a busy processor cost the piece its first packets, and put
all others that much too early. No more than 2 s are decoded ahead of what is due: so a piece still begins with 1.1 s at
once, and after them a machine may stand still for 2 s, as long as an engine may before it is ended.
"""

_READ_AHEAD_S = 6
"""By how much more the file is read ahead of what is due: for so long a disk may stall, and nothing is heard of it.

Where reading comes late libVLC empties its decoders and begins anew: frames lost, or not the same. Of a file that is
`Shown` it reads 0.3 s ahead, whatever its caching is set to. But it reads further ahead by as much as subtitles, of
which there are none, are to be shown earlier. An option, for it must hold before the first frame: told to a player that
has begun, all that follows is due so much later, and a piece stood still for 4 s after its first packet.
"""

_OPTIONS = (
    "--no-video",
    "--no-xlib",
    "--no-lua",
    "--no-stats",
    "--no-osd",
    "--quiet",
    # Bit-exact at equal rates, and no other is asked for; the good ones lose the last frames of a file.
    "--audio-resampler=ugly",
    # Without it every player would first knock at the sound server.
    "--aout=adummy",
    f"--audio-desync={_LATER_MS}",
    f"--sub-delay=-{_READ_AHEAD_S * 10}",
    "--no-sub-autodetect-file",
    "--no-spu",
)

_EVENTS = (vlc.EventType.MediaPlayerEndReached, vlc.EventType.MediaPlayerEncounteredError)

_SETUP = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.POINTER(ctypes.c_void_p),
    ctypes.POINTER(ctypes.c_char),
    ctypes.POINTER(ctypes.c_uint),
    ctypes.POINTER(ctypes.c_uint),
)
"""As libvlc_audio_setup_cb; the binding's own type hides the format behind a copy."""


class Decoder:
    """Opens, pauses and closes decks, in the order asked, never in the caller's thread."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._busy_since: float | None = None
        self._instance: Any = None
        self._has_equalizer = False
        # A daemon thread: one that hangs inside libVLC must not keep the process from ending.
        self._thread = threading.Thread(target=self._work, name="decoder", daemon=True)
        self._thread.start()

    @property
    def hung(self) -> bool:
        """Whether a call has not come back in time."""
        since = self._busy_since
        return since is not None and clock.boottime() - since > PATIENCE_S

    def open(self, deck: Deck) -> None:
        """Begin to decode into `deck`; what is wrong with the file turns up as `deck.failure`."""
        self._jobs.put(lambda: self._open(deck))

    def pause(self, deck: Deck, paused: bool) -> None:
        """Stop or go on decoding, exactly where it is."""
        deck.paused = paused
        self._jobs.put(lambda: self._pause(deck, paused))

    def close(self, deck: Deck) -> None:
        """Give the player up."""
        self._jobs.put(lambda: self._close(deck))

    def leave(self) -> None:
        """Let the thread end by itself, if ever it comes back."""
        self._jobs.put(None)

    def shut(self) -> None:
        """End the thread; does not wait for one that hangs."""
        self._jobs.put(None)
        self._thread.join(0.1 if self.hung else PATIENCE_S)

    def _work(self) -> None:
        job: Callable[[], None] | None = self._begin
        while job is not None:
            self._busy_since = clock.boottime()
            try:
                job()
            except Exception:  # whatever it is: the other decks, and the next ones, still want this thread
                _log.exception("libVLC")
            self._busy_since = None
            job = None  # and with it the deck
            job = self._jobs.get()
        with contextlib.suppress(Exception):
            self._instance.release()

    def _begin(self) -> None:
        self._instance = vlc.Instance(*_OPTIONS)
        self._has_equalizer = any(name == b"equalizer" for name, *_ in self._instance.audio_filter_list_get())

    def _open(self, deck: Deck) -> None:
        path = Path(deck.piece.path)
        try:
            if path.is_dir():
                deck.failure = "directory"
            elif not path.is_file():
                deck.failure = "missing"
            elif path.stat().st_size == 0:
                deck.failure = "empty"
            else:
                self._play(deck)
        except Exception:
            _log.exception("%s cannot be opened", path)
            deck.failure = "decoder"

    def _play(self, deck: Deck) -> None:
        seam = find_seam(Path(deck.piece.path))
        if deck.jump_s > 0:
            # The native Ogg demuxer seeks up to 34 s wrong and FLAC's 0.2 s; libavformat's is right within 0.1 s.
            seam = Seam(codec=seam.codec)
        deck.seam = seam
        shown = Shown(deck.piece.path, seam.patches) if seam.patches else None
        media = shown.media(self._instance) if shown else self._instance.media_new_path(deck.piece.path)
        if seam.demux:
            media.add_option(f":demux={seam.demux}")
        if seam.codec:
            media.add_option(f":codec={seam.codec}")
        if deck.jump_s > 0:
            media.add_option(f":start-time={deck.jump_s:.6f}")
        player = self._instance.media_player_new()
        player.set_media(media)
        media.release()
        if self._has_equalizer and deck.piece.true_peak_dbfs > _HOT_DBFS:
            deck.makeup = _make_headroom(player)
        decorators = vlc.CallbackDecorators
        callbacks = (
            decorators.AudioPlayCb(lambda _opaque, samples, count, due_us: deck.write(samples, count, due_us)),
            decorators.AudioPauseCb(lambda _opaque, at_us: deck.halted(at_us)),
            decorators.AudioResumeCb(lambda _opaque, at_us: deck.resumed(at_us)),
            decorators.AudioFlushCb(lambda _opaque, _pts: deck.flushed()),
            decorators.AudioDrainCb(lambda _opaque: _finish(deck)),
        )
        # Registered so that VLC's own volume leaves the samples alone.
        volume = decorators.AudioSetVolumeCb(lambda _opaque, _volume, _mute: None)
        player.audio_set_callbacks(*callbacks, None)
        player.audio_set_volume_callback(volume)
        format_callbacks = (_SETUP(partial(_prepare, deck)), decorators.AudioCleanupCb(lambda _opaque: None))
        vlc.libvlc_audio_set_format_callbacks(player, *format_callbacks)
        # Not player.event_manager(), which the binding remembers for ever, and with it the deck.
        events = vlc.libvlc_media_player_event_manager(player)
        for kind, heard in zip(
            _EVENTS, (lambda _event: _finish(deck), lambda _event: _fail(deck, "not_audio")), strict=True
        ):
            events.event_attach(kind, heard)
        deck.player = (player, shown, callbacks, volume, format_callbacks, events)
        if player.play() != 0:
            _fail(deck, "decoder")

    def _pause(self, deck: Deck, paused: bool) -> None:
        if deck.player is not None:
            deck.player[0].set_pause(int(paused))

    def _close(self, deck: Deck) -> None:
        if deck.player is not None:
            player, shown, events = deck.player[0], deck.player[1], deck.player[-1]
            for kind in _EVENTS:
                # The binding's handler is a circle that would hold the deck until a collection.
                events.event_detach(kind)
            player.stop()
            player.release()
            if shown is not None:
                shown.close()
            deck.player = None


def _make_headroom(player: Any) -> float:
    """Turn a player down that is not playing yet; gives the gain that makes up for it."""
    flat = vlc.AudioEqualizer()
    try:
        flat.set_preamp(0.0)
        return HEADROOM if player.set_equalizer(flat) == 0 else 1.0
    finally:
        flat.release()


def _prepare(deck: Deck, _opaque: Any, sample_format: Any, rate: Any, channels: Any) -> int:
    """Ask for 16-bit stereo at the file's own rate; runs in libVLC's thread."""
    ctypes.memmove(sample_format, b"S16N", 4)
    rate[0] = native_rate(rate[0])
    channels[0] = 2
    deck.prepare(rate[0])
    return 0


def _finish(deck: Deck) -> None:
    if deck.broken_off:
        return
    deck.ended = True
    if deck.written <= 0:
        _fail(deck, "not_audio")


def _fail(deck: Deck, failure: str) -> None:
    deck.failure = deck.failure or failure
