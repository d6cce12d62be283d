"""What the engine is told about its room."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SOCKET = "sound.sock"
"""Name of the engine's socket in the runtime directory."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bus:
    """A pair of channels (1-based) of the one output stream.

    `level_db` is the calibrated level that a fader's 0 dB means. `ceiling_dbfs`: no sample of the bus ever exceeds it.
    """

    name: str
    channels: tuple[int, int]
    level_db: float = 0.0
    ceiling_dbfs: float = -3.0


@dataclass(frozen=True, kw_only=True, slots=True)
class SoundSettings:
    """The engine's room.

    `output`: "auto" (a sound device, or nothing at all), "device:NAME", "file:PATH.wav" (a capture that behaves like a
    card) or "null". `capture`: write what any output plays to this file too.
    """

    room: str
    runtime_dir: Path
    buses: tuple[Bus, ...]
    output: str = "auto"
    capture: Path | None = None
    filler_dbfs: float = -45.0
    pause_fade_s: float = 2.0
    """Fade of a pause that a console asks of the engine directly."""
    resume_fade_s: float = 6.0
    ramp_in_s: float = 0.05
    """Ramp at both ends of a cue that asks for no fade there."""
    recovery_fade_s: float = 1.0
    """Fade with which music comes back after the engine was restarted."""
    cut_fade_s: float = 1.0
    """Fade of a playing cue that a new plan no longer holds."""

    @property
    def channels(self) -> int:
        """Channels of the output stream."""
        return max(max(bus.channels) for bus in self.buses)
