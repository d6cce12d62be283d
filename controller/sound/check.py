"""The talk of a sound check, pure: what to play, what to ask, and what follows from the answers.

`talk` yields steps and takes an answer after each `Ask`. Nothing becomes louder but by an answer that asks for it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field, replace
from math import isfinite

from controller.sound.calibration import (
    PROGRAMME_DBA,
    QUIETER_FOR_SIDES_DB,
    STEP_DB,
    BusLevels,
    Implausible,
    Place,
    check_background,
    check_reading,
    check_step,
    rewire,
    sensitivity,
    without_background,
)

SIDES = ("left", "right")


@dataclass(frozen=True, slots=True)
class Play:
    """Let the tone sound on one bus and nowhere else; None: not on this side."""

    bus: str
    left_dbfs: float | None = None
    right_dbfs: float | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """Wants an answer."""

    question: str


@dataclass(frozen=True, slots=True)
class Say:
    """Something to read."""

    text: str


Step = Play | Ask | Say
Steps = Generator[Step, str, None]


class Skipped(Exception):
    """The technician leaves this bus out."""


@dataclass(slots=True)
class Talk:
    """A check of all buses; `buses` are in the end as they were found.

    `moved`: some hang at other channels than was thought; then none is measured. `measured`: those that were.
    """

    buses: tuple[BusLevels, ...]
    moved: bool = False
    measured: set[str] = field(default_factory=set)

    def steps(self) -> Steps:
        """The whole talk. Raises `Implausible` where it cannot go on: nothing that was found is then worth keeping."""
        yield Say("Put the meter where the participant's ear will be: A, slow. All begins very quietly.")
        yield Say("Enter plays again, + is louder, - softer, skip leaves a bus out; Ctrl+C ends it, nothing is kept.")
        heard: dict[Place, Place] = {}
        tones: dict[str, float] = {}
        for bus in self.buses:
            try:
                tones[bus.name] = yield from self._sides(bus, heard)
            except Skipped:
                heard = {meant: place for meant, place in heard.items() if meant[0] != bus.name}
                yield Say(f"{bus.name} is left out.")
            yield Play(bus.name)
        self.moved = any(meant != place for meant, place in heard.items())
        if self.moved:
            self.buses = rewire(self.buses, heard)
            yield Say("The jacks hang at other channels than the room file says.")
        elif tones:
            yield from self._levels(tones)

    def _levels(self, tones: dict[str, float]) -> Steps:
        background = yield from _background()
        found = []
        for bus in self.buses:
            if bus.name in tones:
                try:
                    dba = yield from self._level(bus, tones[bus.name], background)
                    found.append(replace(bus, sensitivity_dba=dba))
                    self.measured.add(bus.name)
                    yield Play(bus.name)
                    continue
                except Skipped:
                    yield Say(f"{bus.name} is left out.")
                yield Play(bus.name)
            found.append(bus)
        self.buses = tuple(found)

    def _sides(self, bus: BusLevels, heard: dict[Place, Place]) -> Generator[Step, str, float]:
        """Ask where each side is heard; returns the level of the tone at which both were."""
        tone = bus.first_tone_dbfs - (QUIETER_FOR_SIDES_DB if bus.sensitivity_dba is not None else 0.0)
        places = [other.name for other in self.buses]
        for side, channel in zip(SIDES, bus.channels, strict=True):
            place = None
            while place is None:
                yield Play(bus.name, *(tone if side == other else None for other in SIDES))
                answer = yield Ask(f"{bus.name}, channel {channel}: which jack sounds? left, right, nothing:")
                if answer == "skip":
                    raise Skipped
                if answer in ("+", "nothing", "n"):
                    if tone >= bus.loudest_tone_dbfs:
                        raise Implausible(
                            f"channel {channel} ({bus.name} {side}) is not heard at {tone:.0f} dBFS, as loud as its "
                            "ceiling allows: is the plug in, the amplifier on, the card's own volume up?"
                        )
                    tone = min(tone + STEP_DB, bus.loudest_tone_dbfs)
                    continue
                if answer == "-":
                    tone -= STEP_DB
                    continue
                place = place_in(answer, bus.name, places)
                if place is None and answer:
                    yield Say(f'"{answer}" is no jack of this room: left, right, or {places[-1]} left')
            heard[bus.name, side] = place
        return tone

    def _level(self, bus: BusLevels, tone: float, background: float) -> Generator[Step, str, float]:
        """Ask what the meter reads; returns the bus's sensitivity."""
        if bus.sensitivity_dba is not None:
            tone = bus.first_tone_dbfs
            yield Say(f"{bus.name} is at its calibrated level: {bus.sensitivity_dba + tone:.0f} dB(A) are expected.")
        while True:
            yield Play(bus.name, tone, tone)
            answer = yield Ask(f"{bus.name}, both sides, {tone:.0f} dBFS. The meter reads, dB(A):")
            if answer == "skip":
                raise Skipped
            if answer in ("+", "-"):
                wanted = min(tone + (STEP_DB if answer == "+" else -STEP_DB), bus.loudest_tone_dbfs)
                if wanted == tone:
                    yield Say("Its ceiling lets it go no louder: turn the amplifier up, and mind what it plays next.")
                tone = wanted
                continue
            reading = number_in(answer)
            if reading is None:
                continue
            try:
                check_reading(reading, background)
                yield Play(bus.name, tone - STEP_DB, tone - STEP_DB)
                softer = number_in((yield Ask(f"{bus.name}, {STEP_DB:.0f} dB softer. The meter reads, dB(A):")))
                if softer is None:
                    continue
                alone = without_background(reading, background)
                check_step(alone, without_background(softer, background), STEP_DB)
            except Implausible as why:
                yield Say(f"{why}.")
                continue
            found = sensitivity(alone, tone)
            if bus.sensitivity_dba is not None:
                yield Say(f"{bus.name} has moved by {found - bus.sensitivity_dba:+.1f} dB since it was measured.")
            return found


def opening(buses: Iterable[BusLevels]) -> Iterator[str]:
    """What a check of these buses would play first, a line a step: for somebody who wants to see it beforehand."""
    for bus in buses:
        known = bus.sensitivity_dba
        tone = bus.first_tone_dbfs
        soft = tone - (QUIETER_FOR_SIDES_DB if known is not None else 0.0)
        for side, channel in zip(SIDES, bus.channels, strict=True):
            yield f"{bus.name} {side} (channel {channel}): {soft:.1f} dBFS"
        about = f"{PROGRAMME_DBA:.0f} dB(A) at the ear" if known is not None else "louder only when asked"
        yield f"{bus.name} both: {tone:.1f} dBFS, {about}; never above {bus.loudest_tone_dbfs:.1f} dBFS"


def place_in(answer: str, bus: str, buses: Iterable[str]) -> Place | None:
    """The jack that an answer names: "left", "r", "headphones left"; None for none."""
    words = answer.split()
    name = words[0] if len(words) == 2 else bus
    sides = [side for side in SIDES if words and words[-1] in (side, side[0])]
    return (name, sides[0]) if sides and len(words) <= 2 and name in buses else None


def number_in(answer: str) -> float | None:
    """A reading, with a point or a comma; None for no number."""
    try:
        number = float(answer.lower().removesuffix("db(a)").removesuffix("dba").strip().replace(",", "."))
    except ValueError:
        return None
    return number if isfinite(number) else None


def _background() -> Generator[Step, str, float]:
    while True:
        number = number_in((yield Ask("Nothing plays now. The meter reads, dB(A):")))
        if number is None:
            continue
        try:
            check_background(number)
        except Implausible as why:
            yield Say(f"{why}.")
        else:
            return number
