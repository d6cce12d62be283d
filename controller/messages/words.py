"""The smallest words: versions, states, refusals, music, and what the rules know of a room."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

PROTOCOL = 1
"""Version of the console socket, the engine socket and the caller socket."""

RECORD_SCHEMA = 1
"""Version of a record's stored form."""

LEAVING_FADE_S = 1.3
"""Longest fade of the music when a room is left at once: with what an output has queued it is out in two seconds."""

Mode = Literal["idle", "ready", "running", "paused", "waiting", "ended"]
Transport = Literal["play", "pause", "stop"]
CallLevel = Literal["assist", "emergency"]
CallStage = Literal["placed", "sent", "acknowledged", "not_delivered", "stood_down"]
Scene = Literal["arc", "exit", "medical", "manual", "warm_up", "lights_off"]


class Refused(Exception):
    """Not now, and why. `code` and `values` are worded by `wording.refusal`; nothing was changed."""

    def __init__(self, code: str, /, **values: str | int | float) -> None:
        super().__init__(code)
        self.code = code
        self.values: dict[str, str | int | float] = dict(values)


class Piece(Struct, frozen=True, kw_only=True):
    """One file of music, as the library measured it. `duration_s` comes from the audio, never from a tag."""

    path: str
    title: str
    artist: str = ""
    duration_s: float
    lufs: float = -23.0
    true_peak_dbfs: float = -6.0
    digest: str = ""
    head_s: float = 0.0
    tail_s: float = 0.0
    """Silence at its head and its tail."""
    loudness_range_lu: float = 0.0
    centroid_hz: float = 0.0
    """Spectral centroid: perceptual brightness."""
    onset_rate_hz: float = 0.0
    onset_regularity: float = 0.0
    """0..1; 1 for a metronome."""
    rise_db: float = 0.0
    """How much louder its end is than its beginning, as a slow trend."""
    album: str = ""
    track_number: int = 0
    vocals: bool = False
    language: str = ""
    tradition: str = ""
    tags: tuple[str, ...] = ()


class Cue(Struct, frozen=True, kw_only=True):
    """A piece laid on the sound timeline. It sounds from `start_s` for `length_s`, beginning `offset_s` into the file.

    `fade_in_s` and `fade_out_s` are equal-power (sine) and lie inside the length; a crossfade is two cues that overlap
    by the same fade. `gain_db` brings the piece to the programme's loudness. `id` is unique in a session.
    """

    id: int
    start_s: float
    piece: Piece
    length_s: float
    offset_s: float = 0.0
    fade_in_s: float = 0.0
    fade_out_s: float = 0.0
    gain_db: float = 0.0
    phase: str = ""
    after: int = 0
    """Begins at the very frame at which the cue of this id ends, whatever `start_s` says; 0: at `start_s`."""
    set: str = ""
    """The set it was drawn from, where a sitter chose one."""

    @property
    def end_s(self) -> float:
        """Timeline second at which the cue has fallen silent."""
        return self.start_s + self.length_s


class Limits(Struct, frozen=True, kw_only=True):
    """What one session's participants do not want to hear; the planner keeps to it and says what it could not fill."""

    no_vocals: bool = False
    languages: tuple[str, ...] = ()
    """Languages that may not be sung (codes as in the library)."""
    traditions: tuple[str, ...] = ()
    pieces: tuple[str, ...] = ()
    """Excluded pieces: path below a music folder, title, or the beginning of a digest."""
    volume_cap_db: float = 0.0
    """The faders' upper end, in dB below calibrated."""
    headphones_only: bool = False

    def told(self) -> dict[str, str | int | float]:
        """What is limited, as plain values; nothing where there is no limit."""
        values: dict[str, str | int | float] = {
            "no_vocals": int(self.no_vocals),
            "languages": ", ".join(self.languages),
            "traditions": ", ".join(self.traditions),
            "pieces": ", ".join(self.pieces),
            "volume_cap_db": self.volume_cap_db,
            "headphones_only": int(self.headphones_only),
        }
        return {key: value for key, value in values.items() if value}


class RoomRules(Struct, frozen=True, kw_only=True):
    """What the rules need to know of a room; recorded at every opening, so that a replay needs no file."""

    room: str
    lamps: tuple[str, ...]
    buses: tuple[str, ...]
    light_floor: float = 0.05
    light_ceiling: float = 0.8
    exit_light: float = 0.4
    medical_light: float = 0.8
    medical_kelvin: float = 5000.0
    """Daylight, in which skin and lips show their colour."""
    rest_kelvin: float = 2700.0
    """Where a programme says nothing about colour and something else has changed it."""
    soft_light: float = 0.15
    """In which the room waits for a choice after a long outage."""
    rest_light: float = 0.3
    """Level at which the room is left when nothing runs."""
    warm_up_light: float = 0.5
    warm_up_fade_s: float = 60.0
    lights_off_fade_s: float = 60.0
    pause_fade_s: float = 2.0
    resume_fade_s: float = 6.0
    volume_fade_s: float = 1.0
    quiet_return_s: float = 20.0
    end_fade_s: float = 20.0
    scene_fade_s: float = 2.0
    release_fade_s: float = 10.0
    softer_fade_s: float = 4.0
    volume_min_db: float = -40.0
    ask_after_outage_s: float = 600.0
    target_lufs: float = -23.0
    peak_dbfs: float = -7.0
    """True peak that levelling may bring a piece to: a decibel below the lowest ceiling of a bus."""
    wrong_pins: int = 5
    """So many wrong PINs in a row lock out whoever they were for, and the console they came from."""
    lockout_s: float = 30.0
    lockout_most_s: float = 600.0
    """A lockout's length: twice as long with each further wrong PIN, up to the most."""
    break_minutes: float = 5.0
    lock_after_s: float = 0.0
    """A console locks itself after so long without a key; 0 for never."""
    desk_phone: str = ""
    """Telephone of the support desk, for the sheet that paramedics are handed."""

    preflight: bool = False
    """No session begins without a preflight."""
    preflight_s: float = 3600.0
    """What a preflight found counts for so long."""
    code_pattern: str = ""
    """What a participant's code looks like (a regular expression); "" for a code in general."""
    card_measured: bool = False
    """The card's own settings are known from when the room was measured."""
    digest: str = ""
    """Of the room file."""

    @property
    def headphones(self) -> tuple[str, ...]:
        """The buses that are headphones, by their names."""
        return tuple(bus for bus in self.buses if "phone" in bus)
