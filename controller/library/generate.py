"""The demo's music: slow warm pads of our own making, the same pieces on every machine.

Each piece is a row of chords in one consonant key. A note is a few detuned voices of soft partials, with slow random
movement of its own; a thin layer of band-limited noise lies above. Both come from the piece's seed, so that no
two pieces resemble each other and any place in a recording can be told from the sound alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import mutagen
import numpy as np
import numpy.typing as npt
import soundfile

Samples = npt.NDArray[np.float32]

_VERSION = 1
"""Raise it when the music changes: libraries that were made before are then made again."""

_STAMP = ".stillroom-demo.json"
_WORKERS = 2

_MAJOR = ((0, 7, 12, 16, 19), (-3, 4, 12, 16, 19), (-7, 5, 9, 12, 16), (2, 9, 12, 17, 21), (-5, 2, 7, 14, 19))
_MINOR = ((0, 7, 12, 15, 19), (-4, 3, 8, 12, 15), (3, 10, 15, 19, 22), (-2, 5, 10, 14, 17), (-7, 5, 12, 15, 20))
"""Voicings in semitones above the tonic, each a step along a diatonic scale from the first."""

_ATTACK_S, _RELEASE_S = 2.4, 3.2
_HIGHEST_HZ = 2800.0
"""Partials above are left out: warm, and easy on the ear lying down."""
_AIR = 0.2
"""RMS of the noise layer beside the notes': heard as breath, and enough to tell one period of a note from the next."""
_AIR_HZ = (500.0, 2600.0)
_FINER = 4
"""Nothing lies above 6 kHz, so the notes are made at a quarter of the file's rate."""
_CEILING = 10 ** (-3 / 20)
"""Sample peak before encoding; what a lossy codec adds stays below -1 dBFS."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """One piece: where, how long, how loud, in which key (MIDI number of the tonic)."""

    name: str
    title: str
    rate: int
    seconds: float
    lufs: float
    tonic: int
    chords: tuple[tuple[int, ...], ...]
    chord_s: float
    voices: int = 2


@dataclass(frozen=True, slots=True)
class _Note:
    """First and last frame, pitch as a MIDI number, gain, and how many detuned voices sing it."""

    start: int
    stop: int
    midi: float
    gain: float
    voices: int


_PLANS = (
    _Plan("arrival/1-lamplight.flac", "Lamplight", 48000, 40, -27.0, 48, _MAJOR, 8.0),
    _Plan("arrival/2-folded-linen.ogg", "Folded Linen", 44100, 28, -24.0, 53, _MAJOR, 7.0),
    _Plan("settle/1-slow-harbour.flac", "Slow Harbour", 44100, 30, -25.0, 50, _MAJOR, 7.5),
    _Plan("settle/2-moss.mp3", "Moss", 44100, 22, -21.0, 55, _MINOR, 6.0),
    _Plan("settle/3-the-long-field.ogg", "The Long Field", 48000, 44, -28.5, 47, _MAJOR, 8.5),
    _Plan("ascent/1-first-stairs.mp3", "First Stairs", 48000, 36, -19.5, 52, _MINOR, 7.0),
    _Plan("ascent/2-warm-current.flac", "Warm Current", 48000, 26, -23.0, 49, _MAJOR, 6.0),
    _Plan("ascent/3-thin-cloud.ogg", "Thin Cloud", 44100, 18, -26.0, 56, _MAJOR, 5.5),
    _Plan("peak/1-wide-water.flac", "Wide Water", 44100, 60, -17.5, 45, _MINOR, 9.0, 3),
    _Plan("peak/2-under-the-hill.ogg", "Under the Hill", 48000, 48, -22.0, 46, _MAJOR, 8.0, 3),
    _Plan("peak/3-one-breath.mp3", "One Breath", 44100, 34, -29.0, 51, _MINOR, 7.0, 3),
    _Plan("descent/1-evening-slope.ogg", "Evening Slope", 44100, 40, -20.0, 54, _MAJOR, 8.0),
    _Plan("descent/2-soft-rain-far-off.flac", "Soft Rain, Far Off", 44100, 24, -27.5, 57, _MINOR, 6.0),
    _Plan("descent/3-riverstone.mp3", "Riverstone", 48000, 32, -18.5, 44, _MAJOR, 7.0),
    _Plan("return/1-open-window.flac", "Open Window", 48000, 46, -22.5, 58, _MAJOR, 8.0),
    _Plan("return/2-bread-and-salt.ogg", "Bread and Salt", 48000, 30, -25.5, 43, _MAJOR, 7.0),
    _Plan("return/3-the-door-ajar.mp3", "The Door Ajar", 44100, 14, -23.5, 59, _MAJOR, 5.0),
)


def make_demo_library(directory: Path) -> list[Path]:
    """Make the demo's pieces under `directory` unless they are there already; gives their paths in order.

    Folders settle/ ascent/ peak/ descent/ return/ arrival/ hold two or three pieces each, 14 to 60 s long, nine and a
    half minutes in all; takes some ten seconds. Raises OSError.
    """
    stamp = directory / _STAMP
    made = _made_before(stamp)
    todo = [number for number, plan in enumerate(_PLANS) if _size(directory / plan.name) != made.get(plan.name, -1)]
    if todo:
        directory.mkdir(parents=True, exist_ok=True)
        # numpy and libsndfile let go of the interpreter while they work.
        with ThreadPoolExecutor(_WORKERS, thread_name_prefix="pads") as pool:
            list(pool.map(lambda number: _make(number, directory / _PLANS[number].name), todo))
        sizes = {plan.name: _size(directory / plan.name) for plan in _PLANS}
        stamp.write_text(json.dumps({"version": _VERSION, "sizes": sizes}, indent=1), encoding="utf-8")
    return [directory / plan.name for plan in _PLANS]


def _made_before(stamp: Path) -> dict[str, int]:
    """Sizes of the pieces that this version made here; empty where it made none."""
    try:
        kept = json.loads(stamp.read_text(encoding="utf-8"))
        return dict(kept["sizes"]) if kept["version"] == _VERSION else {}
    except (OSError, ValueError, TypeError, KeyError):
        return {}


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None


def _make(number: int, path: Path) -> None:
    plan = _PLANS[number]
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        _write(part, _compose(plan, np.random.default_rng((_VERSION, number))), plan)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _compose(plan: _Plan, rng: np.random.Generator) -> Samples:
    """The piece as frames × 2, at its loudness."""
    rate = plan.rate // _FINER
    frames = round(plan.seconds * rate)
    mix = np.zeros((2, frames), dtype=np.float32)
    partials = [(1 + 0.45 * _drift(rng, frames, rate, 4.0)) / np.float32(k**1.9) for k in range(1, 6)]
    for note in _score(plan, rng, rate):
        _add_note(mix, partials, note, rate, rng)
    air = _air(rng, frames, rate)
    _ramp(air, round(_ATTACK_S * rate))
    _ramp(air[:, ::-1], round(_RELEASE_S * rate))
    mix = _made_finer(mix + np.float32(_AIR * np.sqrt(np.mean(mix**2))) * air)
    _ramp(mix, plan.rate // 50)
    _ramp(mix[:, ::-1], plan.rate // 50)
    # Without weighting: between 100 Hz and 1 kHz the K curve of BS.1770 is flat within a decibel.
    mix *= np.float32(10 ** ((plan.lufs + 0.691) / 20) / np.sqrt(np.sum(np.mean(mix**2, axis=1))))
    mix *= np.float32(min(1.0, _CEILING / float(np.max(np.abs(mix)))))
    return np.ascontiguousarray(mix.T)


def _made_finer(mix: Samples) -> Samples:
    """The same sound at `_FINER` times the rate; it begins and ends in silence, so the transform may go round."""
    frames = mix.shape[1] * _FINER
    return (np.fft.irfft(np.fft.rfft(mix), frames) * _FINER).astype(np.float32)


def _score(plan: _Plan, rng: np.random.Generator, rate: int) -> Iterator[_Note]:
    """The piece's notes; a chord lasts until the next has come in."""
    count = max(2, round(plan.seconds / plan.chord_s))
    step = plan.seconds / count
    chord = 0
    for place in range(count):
        if place:
            others = [other for other in range(len(plan.chords)) if other != chord]
            chord = 0 if place == count - 1 and chord else int(rng.choice(others))
        start = round(place * step * rate)
        stop = round(min(plan.seconds, (place + 1) * step + _RELEASE_S) * rate)
        for number, semitones in enumerate(plan.chords[chord]):
            yield _Note(start, stop, plan.tonic + semitones, 1.0 / (1 + 0.35 * number), plan.voices)
        yield _Note(start, stop, plan.tonic + plan.chords[chord][0] % 12 - 12, 0.45, plan.voices)


def _add_note(mix: Samples, partials: list[Samples], note: _Note, rate: int, rng: np.random.Generator) -> None:
    out = mix[:, note.start : note.stop]
    frames = out.shape[1]
    hertz = 440.0 * 2 ** ((note.midi - 69) / 12)
    loudness = np.float32(note.gain) * _swell(frames, rate) * (1 + np.float32(0.3) * _drift(rng, frames, rate, 3.0))
    seconds = np.arange(frames) / rate
    for voice in range(note.voices):
        detuned = hertz * 2 ** (rng.uniform(-7, 7) / 1200)
        turns = detuned * seconds + 0.35 * _drift(rng, frames, rate, 2.0) + rng.uniform()
        angle = (2 * np.pi * (turns - np.floor(turns))).astype(np.float32)
        sine, twice_cosine = np.sin(angle), 2 * np.cos(angle)
        # sin((k+1)x) = 2 cos(x) sin(kx) - sin((k-1)x)
        before, now = np.zeros_like(sine), sine
        tone = np.zeros_like(sine)
        for k, track in enumerate(partials, start=1):
            if k * hertz > _HIGHEST_HZ:
                break
            tone += track[note.start : note.stop] * now
            before, now = now, twice_cosine * now - before
        tone *= loudness
        place = np.pi / 2 * (0.2 + 0.6 * (voice + rng.uniform(0.2, 0.8)) / note.voices)
        out[0] += np.float32(np.cos(place)) * tone
        out[1] += np.float32(np.sin(place)) * tone


def _swell(frames: int, rate: int) -> Samples:
    """A note's life: in and out on a sine squared."""
    life = np.ones(frames, dtype=np.float32)
    _ramp(life, round(min(_ATTACK_S * rate, frames / 2)))
    _ramp(life[::-1], round(min(_RELEASE_S * rate, frames / 2)))
    return life


def _ramp(samples: Samples, frames: int) -> None:
    samples[..., :frames] *= np.sin(np.linspace(0, np.pi / 2, frames)).astype(np.float32) ** 2


def _drift(rng: np.random.Generator, frames: int, rate: int, period_s: float) -> Samples:
    """Slow random movement between about -1 and 1, whose hills lie some `period_s` apart."""
    step = period_s / 16
    width = np.hanning(19)[1:-1]
    points = int(frames / rate / step) + len(width) + 2
    smooth = np.convolve(rng.standard_normal(points), width / np.sqrt(np.sum(width**2)), mode="valid") / 2
    at = np.arange(frames) / (rate * step)
    return np.interp(at, np.arange(len(smooth)), np.clip(smooth, -1, 1)).astype(np.float32)


def _air(rng: np.random.Generator, frames: int, rate: int) -> Samples:
    """Soft noise between two gentle slopes, of RMS 1, breathing slowly; two channels apart from each other."""
    hertz = np.fft.rfftfreq(frames, 1 / rate)
    low, high = _AIR_HZ
    shape = 1 / np.sqrt((1 + (low / np.maximum(hertz, 1.0)) ** 6) * (1 + (hertz / high) ** 8))
    noise = np.fft.irfft(np.fft.rfft(rng.standard_normal((2, frames))) * shape, frames)
    noise /= np.sqrt(np.mean(noise**2))
    breath = 1 + 0.5 * _drift(rng, frames, rate, 5.0)
    return (noise * breath).astype(np.float32)


def _write(path: Path, samples: Samples, plan: _Plan) -> None:
    encoding = {".flac": "PCM_16", ".ogg": "VORBIS", ".mp3": "MPEG_LAYER_III"}[path.suffix]
    with soundfile.SoundFile(path, "w", plan.rate, 2, encoding) as file:
        # libsndfile's encoders keep what they are given at once on the stack.
        for start in range(0, len(samples), plan.rate):
            file.write(samples[start : start + plan.rate])
    tagged = mutagen.File(path, easy=True)
    if tagged.tags is None:
        tagged.add_tags()
    tagged["title"], tagged["artist"], tagged["album"] = plan.title, "Stillroom", "Demo"
    tagged.save()
