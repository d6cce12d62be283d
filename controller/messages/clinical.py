"""What an Input can say of doses, vitals and release: the acts that are one participant's own."""

from __future__ import annotations

from typing import Literal

from controller.messages.codec import Tagged

DosePart = Literal["dose", "booster", "device", "start", "stop"]
"""What was given: a dose, a second one, one device of several, or an infusion's start or stop."""


class Dose(Tagged, frozen=True, kw_only=True, tag="dose"):
    """A dose was taken, `minutes_ago` minutes before it was logged. `override`: outside the booster's window."""

    amount: float | None = None
    unit: str = ""
    kit: str = ""
    witness: str = ""
    minutes_ago: float = 0.0
    part: DosePart = "dose"
    override: bool = False


class CorrectDose(Tagged, frozen=True, kw_only=True, tag="correct_dose"):
    """The true minute, amount, kit or witness of a dose logged as record `dose`: an amendment, never a deletion.

    Either `minutes_ago` (before this was said) or `by_minutes` (negative: it was taken earlier than was logged).
    """

    dose: int
    minutes_ago: float | None = None
    by_minutes: float | None = None
    amount: float | None = None
    unit: str | None = None
    kit: str | None = None
    witness: str | None = None


class DeclineBooster(Tagged, frozen=True, kw_only=True, tag="decline_booster"):
    """The booster was offered and is not wanted, or is not given."""


class Vitals(Tagged, frozen=True, kw_only=True, tag="vitals"):
    """One line of vitals; `missed` holds the reason where they were not taken, in at most 40 letters.

    `kept`: codes of what the console asked about as implausible and the person kept, with spaces between.
    """

    systolic: int | None = None
    diastolic: int | None = None
    pulse: int | None = None
    spo2: int | None = None
    celsius: float | None = None
    missed: str = ""
    kept: str = ""


class Stable(Tagged, frozen=True, kw_only=True, tag="stable"):
    """The vitals are stable: the repeated ones end."""


class ReleaseAnswer(Tagged, frozen=True, kw_only=True, tag="release_answer"):
    """The answer to one question of the release checklist."""

    criterion: str
    met: bool


class Leave(Tagged, frozen=True, kw_only=True, tag="leave"):
    """A participant leaves before release: one person's word is enough.

    `condition`, `told` (who knows) and `transport` (how they get home): at most 40 letters each.
    """

    condition: str = ""
    told: str = ""
    transport: str = ""
