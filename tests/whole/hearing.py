"""Finding the planned pieces in what a room sounded like, and what is left when they are taken away."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from controller.journal.reading import read_records
from controller.messages import Cue, PieceStarted, Planned

RATE = 48_000
Audio = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Played:
    """A cue as it was last planned, and the frame of the capture at which the record says it began."""

    cue: Cue
    frame: int


def played_pieces(session: Path) -> list[Played]:
    """Every piece that the record says was played, in order."""
    cues: dict[int, Cue] = {}
    started: list[PieceStarted] = []
    for record, _ in read_records(session):
        match record.input.act:
            case Planned(cues=planned):
                cues |= {cue.id: cue for cue in planned}
            case PieceStarted() as act:
                started.append(act)
    return [Played(cues[act.cue], act.frame) for act in started]


def decode(path: str) -> Audio:
    """The whole file as (frames, 2) at 48 kHz, by another decoder than the product's."""
    raw = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", path, "-f", "f64le", "-ac", "2", "-ar", str(RATE), "-"],
        capture_output=True,
        check=True,
    ).stdout
    return np.frombuffer(raw, dtype=np.float64).reshape(-1, 2)


def listen(wav: Path) -> Audio:
    """The capture."""
    samples, rate = soundfile.read(str(wav), dtype="float64", always_2d=True)
    assert rate == RATE
    return np.asarray(samples)


def expected(played: Played) -> Audio:
    """The piece as planned: levelled, with its equal-power fades."""
    cue = played.cue
    frames = round(cue.length_s * RATE)
    sound = decode(cue.piece.path)[round(cue.offset_s * RATE) :][:frames]
    sound = sound * 10 ** (cue.gain_db / 20)
    envelope = np.ones(len(sound))
    rise, fall = round(cue.fade_in_s * RATE), round(cue.fade_out_s * RATE)
    if rise:
        envelope[:rise] *= np.sin(np.arange(rise) / rise * np.pi / 2)
    if fall:
        tail = min(fall, len(sound) - (frames - fall))
        if tail > 0:
            envelope[frames - fall : frames - fall + tail] *= np.cos(np.arange(tail) / fall * np.pi / 2)
    return sound * envelope[:, None]


def place_of(piece: Audio, heard: Audio, frame: int, reach_s: float = 0.25) -> float:
    """Frames (with a fraction) by which the piece lies later in the capture than `frame`; by whitened correlation."""
    margin = round(reach_s * RATE)
    start = max(0, frame - margin)
    part = heard[start : frame + len(piece) + margin].mean(axis=1)
    mono = piece.mean(axis=1)
    size = 1 << (len(part) + len(mono)).bit_length()
    spectrum = np.fft.rfft(part, size) * np.conj(np.fft.rfft(mono, size))
    spectrum /= np.abs(spectrum) ** 0.5 + 1e-9
    correlation = np.fft.irfft(spectrum, size)[: 2 * margin + 1]
    peak = int(np.argmax(correlation))
    if 0 < peak < len(correlation) - 1:
        before, top, after = correlation[peak - 1 : peak + 2]
        peak_at = peak + 0.5 * (before - after) / (before - 2 * top + after)
    else:
        peak_at = float(peak)
    return start + peak_at - frame


def shifting(sound: Audio) -> Callable[[float], Audio]:
    """Makes the sound later by a fraction of a frame."""
    size = 1 << (len(sound) + 64).bit_length()
    spectrum, turn = np.fft.rfft(sound, size, axis=0), -2j * np.pi * np.fft.rfftfreq(size)[:, None]
    return lambda by: np.fft.irfft(spectrum * np.exp(turn * by), size, axis=0)[: len(sound)]


def best_shift(piece: Audio, heard: Audio, frame: int, lag: float) -> float:
    """The lag refined so that the least is left over: the two decoders' resamplers differ by parts of a frame."""
    whole = round(lag)
    half = len(piece) // 2
    middle = slice(half, min(len(piece), half + RATE))
    part = heard[frame + whole :][middle]
    around = piece[max(0, half - 64) : middle.stop + 64]
    inside = slice(half - max(0, half - 64), half - max(0, half - 64) + len(part))

    shifted = shifting(around)

    def left(by: float) -> float:
        model = shifted(by)[inside]
        return float(((part[: len(model)] - model) ** 2).sum())

    offsets = np.linspace(-1.0, 1.0, 41)
    coarse = offsets[int(np.argmin([left(by) for by in offsets]))]
    fine = np.linspace(coarse - 0.05, coarse + 0.05, 21)
    return whole + float(fine[int(np.argmin([left(by) for by in fine]))])


def subtract(heard: Audio, pieces: list[tuple[Played, Audio, float]], gate: Audio | None = None) -> Audio:
    """What is left of the capture without the pieces, each at its own place."""
    rest = heard.copy()
    for played, sound, lag in pieces:
        whole = int(np.floor(lag))
        model = shifting(sound)(lag - whole)
        start = played.frame + whole
        end = min(len(rest), start + len(model))
        part = model[: end - start]
        rest[start:end] -= part * gate[start:end, None] if gate is not None else part
    return rest


def level_db(sound: Audio) -> float:
    """RMS in dBFS."""
    return float(20 * np.log10(np.sqrt((sound**2).mean()) + 1e-12))
