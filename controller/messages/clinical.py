"""What an Input can say of doses, vitals and release: the acts that are one participant's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

DosePart = Literal["dose", "booster", "device", "start", "stop"]
"""What was given: a dose, a second one, one device of several, or an infusion's start or stop."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Dose:
    """A dose was taken, `minutes_ago` minutes before it was logged. `override`: outside the booster's window."""

    kind: Literal["dose"] = "dose"
    amount: float | None = None
    unit: str = ""
    kit: str = ""
    witness: str = ""
    minutes_ago: float = 0.0
    part: DosePart = "dose"
    override: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class CorrectDose:
    """The true minute, amount, kit or witness of a dose logged as record `dose`: an amendment, never a deletion.

    Either `minutes_ago` (before this was said) or `by_minutes` (negative: it was taken earlier than was logged).
    """

    kind: Literal["correct_dose"] = "correct_dose"
    dose: int
    minutes_ago: float | None = None
    by_minutes: float | None = None
    amount: float | None = None
    unit: str | None = None
    kit: str | None = None
    witness: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DeclineBooster:
    """The booster was offered and is not wanted, or is not given."""

    kind: Literal["decline_booster"] = "decline_booster"


@dataclass(frozen=True, kw_only=True, slots=True)
class Vitals:
    """One line of vitals; `missed` holds the reason where they were not taken, in at most 40 letters.

    `kept`: codes of what the console asked about as implausible and the person kept, with spaces between.
    """

    kind: Literal["vitals"] = "vitals"
    systolic: int | None = None
    diastolic: int | None = None
    pulse: int | None = None
    spo2: int | None = None
    celsius: float | None = None
    missed: str = ""
    kept: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stable:
    """The vitals are stable: the repeated ones end."""

    kind: Literal["stable"] = "stable"


@dataclass(frozen=True, kw_only=True, slots=True)
class ReleaseAnswer:
    """The answer to one question of the release checklist."""

    kind: Literal["release_answer"] = "release_answer"
    criterion: str
    met: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Leave:
    """A participant leaves before release: one person's word is enough.

    `condition`, `told` (who knows) and `transport` (how they get home): at most 40 letters each.
    """

    kind: Literal["leave"] = "leave"
    condition: str = ""
    told: str = ""
    transport: str = ""
