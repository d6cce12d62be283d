"""What a programme says of doses, vitals and release. Every figure is a default for the clinic's medical lead."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from controller.arc.model import FileModel

Minutes = Annotated[float, Field(ge=0, le=48 * 60)]


class DosePlan(FileModel):
    """How the substance is given.

    `shape`: "single" (one ingestion), "devices" (several, minutes apart), "infusion" (start and stop are events), or
    "none" (music and light without a dose). `unit` of amounts; `kit` where only kit numbers may be named.
    """

    shape: Literal["single", "devices", "infusion", "none"] = "single"
    unit: str = ""
    kit: bool = False
    apart_minutes: Minutes = 0.0
    """So long after one device the next one comes; a sooner one is recorded as such."""


Least = tuple[Annotated[float, Field(ge=0)], Annotated[float, Field(ge=0)]]
"""(least, most)."""


class VitalsLimits(FileModel):
    """Beside what a reading is shown, as [least, most]. They raise no alarm: the sitter judges."""

    systolic: Least | None = None
    diastolic: Least | None = None
    pulse: Least | None = None
    spo2: Least | None = None
    celsius: Least | None = None

    @model_validator(mode="after")
    def _check(self) -> VitalsLimits:
        for name, (low, high) in self.given().items():
            if low >= high:
                raise ValueError(f"{name}: the least comes first")
        return self

    def given(self) -> dict[str, tuple[float, float]]:
        """Those that are said."""
        both = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: limit for name, limit in both.items() if limit is not None}


class VitalsPlan(FileModel):
    """When vitals fall due, in minutes from each participant's ingestion.

    A time is done if vitals were taken from `early_minutes` before it, and overdue `late_minutes` after it.
    """

    minutes: tuple[Minutes, ...] = ()
    temperature_minutes: tuple[Minutes, ...] = ()
    spo2_minutes: tuple[Minutes, ...] = ()
    after_stop_minutes: tuple[Minutes, ...] = ()
    """Further times, counted from the stop of an infusion."""
    repeat_minutes: Minutes = 0.0
    """After the last time: again every so many minutes until a person says that they are stable; 0 for never."""
    baseline: bool = True
    """Taken before ingestion."""
    before_booster: bool = False
    """Taken again before a booster is given."""
    early_minutes: Minutes = 5.0
    late_minutes: Minutes = 10.0
    limits: VitalsLimits = VitalsLimits()


class BoosterPlan(FileModel):
    """A second dose that may be offered, in minutes from the first. It lengthens `extends_phase`."""

    opens_minutes: Minutes
    closes_minutes: Minutes
    extends_phase: str
    extends_minutes: Minutes = 0.0
    share: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Of the first dose's amount."""

    @model_validator(mode="after")
    def _check(self) -> BoosterPlan:
        if self.closes_minutes <= self.opens_minutes:
            raise ValueError("the window closes before it opens")
        return self


class DoseLine(FileModel):
    """From this total dose on (in the dose's unit), release is not before so many minutes."""

    from_amount: Annotated[float, Field(ge=0)]
    minutes: Minutes


class Criterion(FileModel):
    """A question of the release checklist; unanswered counts as not ready."""

    code: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    label: str


class ReleasePlan(FileModel):
    """Earliest release, in minutes from the last dose or the stop of an infusion: the latest of all that is said."""

    counts_from: Literal["last-dose", "stop"] = "last-dose"
    law_minutes: Minutes = 0.0
    by_total_dose: tuple[DoseLine, ...] = ()
    """The law's lines; at a border between two the stricter one holds."""
    programme_minutes: Minutes = 0.0
    not_below_minutes: Minutes = 0.0
    with_criteria_minutes: Minutes | None = None
    """An earlier time that holds where every criterion is met; never below the law's."""
    criteria: tuple[Criterion, ...] = ()

    def earliest_minutes(self, total_amount: float | None, *, criteria_met: bool = False) -> float:
        """Minutes after the last dose (or stop) before which nobody is released; an unknown amount counts as most."""
        lines = sorted(self.by_total_dose, key=lambda line: line.from_amount)
        reached = [line.minutes for line in lines if total_amount is None or line.from_amount <= total_amount]
        law = max(self.law_minutes, reached[-1] if reached else 0.0)
        if criteria_met and self.with_criteria_minutes is not None:
            return max(law, self.with_criteria_minutes)
        return max(law, self.programme_minutes, self.not_below_minutes)
