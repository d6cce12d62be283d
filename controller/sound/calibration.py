"""What a meter's reading means for a room: from dB(A) at the ear to the levels in its file. Pure.

A bus is described by its *sensitivity*: dB(A) at the ear for noise of 0 dBFS RMS in both its channels. All follows:
where its ceiling must lie, what a piece's loudness must be, and how far a louder bus is turned down to match.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import floor, log10

PROGRAMME_DBA = 62.0
"""Programme at the ear: 60-65 dB(A); two buses heard at once add 3 dB at the most."""

CEILING_DBA = 80.0
"""Nothing is ever louder at the ear: not even a square wave as high as the ceiling."""

CREST_DB = 7.0
"""How far the tone's peaks lie above its RMS."""

LUFS_OVER_DBFS = 3.5
"""Loudness (ITU-R BS.1770) of the tone in both channels, against its RMS in each."""

START_DBFS = -60.0
"""Where nothing is known yet the tone begins here: below 55 dB(A) on an amplifier that reaches 115."""

STEP_DB = 6.0

QUIETER_FOR_SIDES_DB = 10.0
"""To tell left from right the tone need not be as loud as the programme."""

LOUDEST_LUFS, SOFTEST_LUFS = -14.0, -50.0
HIGHEST_DBFS = -1.0
LOWEST_READING, HIGHEST_READING = 45.0, 75.0
_LOUDEST_BACKGROUND = 50.0
_ABOVE_BACKGROUND_DB = 10.0
_STEP_TOLERANCE_DB = 2.0
"""Of a meter of class 2, a voice in the corridor and a hand that reads it."""

_TOLERANCE_DB = 0.05
"""The file keeps tenths."""


class Implausible(ValueError):
    """A reading that cannot be right, or a room that cannot be set; says why and what to do."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BusLevels:
    """One bus as the room file has it. `sensitivity_dba`: None before it was measured."""

    name: str
    channels: tuple[int, int]
    level_db: float = 0.0
    ceiling_dbfs: float = -6.0
    sensitivity_dba: float | None = None

    @property
    def loudest_tone_dbfs(self) -> float:
        """The tone's RMS above which its peaks would come within a decibel of the ceiling."""
        return self.ceiling_dbfs - CREST_DB - 1.0

    @property
    def first_tone_dbfs(self) -> float:
        """Where the tone begins: at the programme's level where that is known, else very quietly."""
        known = START_DBFS if self.sensitivity_dba is None else PROGRAMME_DBA - self.sensitivity_dba
        return min(known, self.loudest_tone_dbfs)


def check_background(dba: float) -> None:
    """Raise `Implausible` where the room itself is too loud, or the meter is not one."""
    if not 10.0 <= dba <= 120.0:
        raise Implausible(f"{dba:g} dB(A) is nothing that a meter reads in a room")
    if dba > _LOUDEST_BACKGROUND:
        raise Implausible(f"{dba:g} dB(A) with nothing playing: too loud to measure in; close the windows and wait")


def check_reading(dba: float, background_dba: float) -> None:
    """Raise `Implausible` where a reading says too little, or is too loud to go on from."""
    if not 10.0 <= dba <= 120.0:
        raise Implausible(f"{dba:g} dB(A) is nothing that a meter reads in a room")
    if dba > HIGHEST_READING:
        raise Implausible(f"{dba:g} dB(A) is louder than any programme here: answer - for softer, or turn it down")
    if dba < LOWEST_READING:
        raise Implausible(f"{dba:g} dB(A) is too soft to measure by: answer + for louder, or turn the amplifier up")
    if dba < background_dba + _ABOVE_BACKGROUND_DB:
        raise Implausible(f"{dba:g} dB(A) is too near the room's own {background_dba:g}: answer + for louder")


def check_step(louder_dba: float, softer_dba: float, asked_db: float) -> None:
    """Raise `Implausible` where the level at the ear did not follow the tone."""
    moved = louder_dba - softer_dba
    if abs(moved - asked_db) > _STEP_TOLERANCE_DB:
        raise Implausible(
            f"the reading moved by {moved:.1f} dB where the tone moved by {asked_db:.0f}: something levels by itself "
            "(night mode, loudness, automatic gain), or the meter is not on A and slow"
        )


def without_background(dba: float, background_dba: float) -> float:
    """What the tone alone would read. Raises `Implausible` where it does not stand out."""
    if dba < background_dba + 1.0:
        raise Implausible(f"{dba:g} dB(A) is the room's own noise ({background_dba:g}), not the tone")
    return 10 * log10(10 ** (dba / 10) - 10 ** (background_dba / 10))


def sensitivity(dba: float, tone_dbfs: float) -> float:
    """dB(A) at the ear for 0 dBFS, from a reading of the tone at `tone_dbfs`; in tenths."""
    return round(dba - tone_dbfs, 1)


def ceiling_for(sensitivity_dba: float) -> float:
    """The ceiling in dBFS that keeps a bus at or below `CEILING_DBA`; rounded down to tenths."""
    return min(HIGHEST_DBFS, floor(round((CEILING_DBA - sensitivity_dba) * 10, 6)) / 10)


def loudness_at_the_ear(target_lufs: float, level_db: float, sensitivity_dba: float) -> float:
    """dB(A) that a programme of this loudness has by a bus."""
    return target_lufs - LUFS_OVER_DBFS + level_db + sensitivity_dba


def settle(buses: Iterable[BusLevels], target_lufs: float) -> tuple[float, tuple[BusLevels, ...]]:
    """The room's target and its buses, so that the programme is `PROGRAMME_DBA` by each that was measured.

    The least sensitive of them is not turned down. One that was never measured stays as loud as it was, or softer.
    Raises `Implausible` where the amplifiers leave no such target.
    """
    buses = tuple(buses)
    measured = {bus.name: bus.sensitivity_dba for bus in buses if bus.sensitivity_dba is not None}
    if not measured:
        return target_lufs, buses
    least = min(measured, key=lambda name: measured[name])
    target = round(PROGRAMME_DBA - measured[least] + LUFS_OVER_DBFS, 1)
    if target > LOUDEST_LUFS:
        raise Implausible(f"{least} is {target - LOUDEST_LUFS:.1f} dB too soft: turn its amplifier up, check again")
    if target < SOFTEST_LUFS:
        raise Implausible(f"{least} is {SOFTEST_LUFS - target:.1f} dB too loud: turn its amplifier down, check again")
    settled = []
    for bus in buses:
        dba = bus.sensitivity_dba
        if dba is None:
            level = min(0.0, bus.level_db + target_lufs - target)
            settled.append(replace(bus, level_db=round(max(-60.0, level), 1)))
            continue
        level = round(measured[least] - dba, 1) + 0.0
        if ceiling_for(dba) < -60.0:
            raise Implausible(f"{bus.name} is far too loud ({dba:g} dB(A) at 0 dBFS): turn its amplifier down")
        settled.append(replace(bus, level_db=level, ceiling_dbfs=ceiling_for(dba)))
    return target, tuple(settled)


def mistakes_of(buses: Iterable[BusLevels], target_lufs: float) -> list[str]:
    """Where a room file contradicts what was measured in that room: louder than the ceiling or the programme may be."""
    found = []
    for bus in buses:
        dba = bus.sensitivity_dba
        if dba is None:
            continue
        if bus.ceiling_dbfs > ceiling_for(dba) + _TOLERANCE_DB:
            found.append(
                f"{bus.name}: ceiling_dbfs {bus.ceiling_dbfs:g} would let {dba + bus.ceiling_dbfs:.0f} dB(A) to the "
                f"ear; {ceiling_for(dba):g} is {CEILING_DBA:.0f}"
            )
        programme = loudness_at_the_ear(target_lufs, bus.level_db, dba)
        if programme > PROGRAMME_DBA + 3.0 + _TOLERANCE_DB:
            found.append(
                f"{bus.name}: target_lufs {target_lufs:g} with level_db {bus.level_db:g} is {programme:.0f} dB(A) at "
                f"the ear; {PROGRAMME_DBA:.0f} is meant, {PROGRAMME_DBA + 3:.0f} the most"
            )
    return found


Place = tuple[str, str]
"""A jack: the bus that it is named for, and "left" or "right"."""


def rewire(buses: Iterable[BusLevels], heard: Mapping[Place, Place]) -> tuple[BusLevels, ...]:
    """The buses with the channels that were really heard at their jacks; raises `Implausible` where two were one."""
    buses = tuple(buses)
    channel = {
        (bus.name, side): number for bus in buses for side, number in zip(("left", "right"), bus.channels, strict=True)
    }
    found: dict[Place, int] = {}
    for meant, place in heard.items():
        if place in found:
            raise Implausible(
                f"channels {found[place]} and {channel[meant]} were both heard at {' '.join(place)}: a plug is not "
                "where it belongs, or something mixes left and right (mono, surround)"
            )
        found[place] = channel[meant]
    if set(found) != set(heard):
        lost = " and ".join(" ".join(place) for place in sorted(set(found) - set(heard)))
        raise Implausible(f"{lost} sounded, which was left out of this check: check all buses, without skipping")
    fresh = []
    for bus in buses:
        left, right = (found.get((bus.name, side), channel[bus.name, side]) for side in ("left", "right"))
        known = bus.sensitivity_dba if {left, right} == set(bus.channels) else None
        fresh.append(replace(bus, channels=(left, right), sensitivity_dba=known))
    return tuple(fresh)
