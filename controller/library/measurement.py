"""What measuring a file gives; apart from how it is measured, which takes a numeric library into memory."""

from __future__ import annotations

from dataclasses import dataclass

MEASURE_VERSION = 3
"""Raise it when measuring gives other numbers: everything is then measured again at the next scan."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Measurement:
    """All that one file's content says, wherever it lies. Lengths in seconds; ""/0/None where nothing is said.

    `lufs`, `true_peak_dbfs`: of the two channels that a room hears, whatever the file has.
    `clipped_per_minute`: samples a minute at which the recording's peaks are cut flat; 0 for an unspoilt one.
    """

    duration_s: float
    lufs: float
    true_peak_dbfs: float
    loudness_range_lu: float = 0.0
    rise_db: float = 0.0
    head_s: float = 0.0
    tail_s: float = 0.0
    centroid_hz: float = 0.0
    onset_rate_hz: float = 0.0
    onset_regularity: float = 0.0
    clipped_per_minute: float = 0.0
    codec: str = ""
    rate: int = 0
    title: str = ""
    artist: str = ""
    album: str = ""
    track: int = 0
    disc: int = 0
    year: int = 0
    genres: tuple[str, ...] = ()
    language: str = ""
    tradition: str = ""
    vocals: bool | None = None
