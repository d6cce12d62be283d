"""The programme: one arc with its music, lights, vitals and release rule, as a file in playlists/ says it."""

from __future__ import annotations

import tomllib
from typing import Annotated, Literal

from pydantic import Field, model_validator

from controller.arc.blinding import BlindedPlan, strictest
from controller.arc.clinical import BoosterPlan, DosePlan, ReleasePlan, VitalsPlan
from controller.arc.model import FileModel
from controller.arc.sources import Arrangement, FromFolder, Music, SetPlan

Share = Annotated[float, Field(ge=0.0, le=1.0)]
"""A perceived light level or an intensity, 0..1."""

Kelvin = Annotated[float, Field(ge=1500, le=8000)]

SILENCE = "silence"
"""As a phase's music: none."""

ONSET = "onset"
"""What a phase can wait for, and the code of the mark that ends the wait."""


class Phase(FileModel):
    """A stretch of the arc. `intensity`, `light` and `kelvin` are values spread evenly over it, joined by lines."""

    code: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    title: str
    minutes: Annotated[float, Field(gt=0, le=24 * 60)]
    least_minutes: Annotated[float, Field(gt=0)] | None = None
    """How far it may be shortened; half its minutes where nothing is said."""
    most_minutes: Annotated[float, Field(gt=0)] | None = None
    """How long it may last by itself while it waits for onset; a sitter's hold is never cut short."""
    intensity: Annotated[tuple[Share, ...], Field(min_length=1)]
    light: Annotated[tuple[Share, ...], Field(min_length=1)]
    kelvin: tuple[Kelvin, ...] = ()
    """Colour temperature; lamps keep theirs where nothing is said."""
    music: FromFolder = Music()
    """A source, or a folder of the library to draw from; the phase's code where empty; "silence" for none."""
    arrangement: Arrangement = "any"
    gapless: bool = False
    """Pieces as they are listed belong together: joined without a crossfade, and levelled as one work."""
    crossfade_s: Annotated[float, Field(ge=0, le=60)] = 8.0
    loudness_offset_db: Annotated[float, Field(ge=-20, le=0)] = 0.0
    vocals: bool = True
    """Whether pieces with a voice may appear."""
    exclude_languages: tuple[str, ...] = ()
    may_hold: bool = True
    wait_for: Literal["", "ingestion", "onset"] = ""

    @property
    def source(self) -> str:
        """The name under which its pieces are found in a pool; `SILENCE` for none."""
        return self.music.key or self.code

    @property
    def length_s(self) -> float:
        """Planned length in seconds."""
        return self.minutes * 60.0

    @property
    def least_s(self) -> float:
        """The shortest it may be made, in seconds."""
        return (self.least_minutes if self.least_minutes is not None else self.minutes / 2) * 60.0

    @property
    def most_s(self) -> float | None:
        """The longest it waits by itself, in seconds; None where it waits for ever."""
        return self.most_minutes * 60.0 if self.most_minutes is not None else None

    @model_validator(mode="after")
    def _check(self) -> Phase:
        if self.least_minutes is not None and self.least_minutes > self.minutes:
            raise ValueError(f'"{self.code}" has more least_minutes than minutes')
        if self.most_minutes is not None and self.most_minutes < self.minutes:
            raise ValueError(f'"{self.code}" has fewer most_minutes than minutes')
        if self.wait_for == "onset" and self.most_minutes is None:
            raise ValueError(f'"{self.code}" waits for onset: it needs most_minutes, after which it goes on')
        return self


class MarkPlan(FileModel):
    """A one-key event: its code in the record and its word on the key row."""

    code: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    label: Annotated[str, Field(max_length=14)]


class Programme(FileModel):
    """A whole programme. Figures are defaults for the clinic's medical lead to sign (`reviewed_by`, `reviewed_on`)."""

    format: Literal[1]
    name: Annotated[str, Field(pattern=r"^[a-z0-9.-]+$")]
    title: str
    reviewed_by: str = ""
    reviewed_on: str = ""
    blinded: BlindedPlan | None = None
    """Nothing on a screen, in a record or a file's name may tell substance, dose or arm."""
    labels: dict[str, str] = Field(default_factory=dict)
    """What its papers, the account of a session and the fallback card, call a participant, a sitter and a session."""
    participants_least: Annotated[int, Field(ge=1, le=12)] = 1
    participants_most: Annotated[int, Field(ge=1, le=12)] = 1
    t_plus_of: Literal["first-dosed", "last-dosed"] = "first-dosed"
    """Whose ingestion the arc begins with where there are several participants."""
    pieces: Literal["whole", "may-be-cut"] = "whole"
    """May a piece be faded out where its phase ends? Only for demonstrations; a session plays pieces whole."""
    repeats: Literal["never", "when-needed"] = "never"
    loudness_offset_db: Annotated[float, Field(ge=-20, le=0)] = 0.0
    long_pause_minutes: Annotated[float, Field(gt=0)] = 10.0
    """A pause longer than this offers to shorten the phase by its length."""
    landing_minutes: Annotated[float, Field(gt=0)] = 30.0
    """Length of the early, gentle end that `land` makes of the last phase."""
    marks: Annotated[tuple[MarkPlan, ...], Field(max_length=9)] = ()
    dose: DosePlan = DosePlan()
    vitals: VitalsPlan = VitalsPlan()
    booster: BoosterPlan | None = None
    release: ReleasePlan = ReleasePlan()
    sets: tuple[SetPlan, ...] = ()
    phases: Annotated[tuple[Phase, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _check(self) -> Programme:
        wrong: list[str] = []
        for what, codes in (("phases", [p.code for p in self.phases]), ("sets", [s.code for s in self.sets])):
            twice = sorted({code for code in codes if codes.count(code) > 1})
            if twice:
                wrong.append(f"two {what} have the same code: {', '.join(twice)}")
        waits = self.phases[0].wait_for == "ingestion"
        if self.dose.shape == "none" and waits:
            wrong.append("a programme without a dose has no phase that waits for ingestion")
        if self.dose.shape != "none" and not (waits and len(self.phases) > 1):
            wrong.append('the first phase is the arrival: it needs wait_for = "ingestion" and a phase behind it')
        if any(phase.wait_for == "ingestion" for phase in self.phases[1:]):
            wrong.append("only the first phase can wait for ingestion")
        if self.phases[-1].wait_for:
            wrong.append("the last phase has nothing to wait for")
        try:
            boosters = [strictest(self).booster, *(arm.booster for arm in (self.blinded.arms if self.blinded else ()))]
        except ValueError as error:
            boosters = []
            wrong.append(str(error))
        lengthened = {plan.extends_phase for plan in boosters if plan} - {phase.code for phase in self.phases}
        wrong += [f'booster.extends_phase: there is no phase "{code}"' for code in sorted(lengthened)]
        if self.blinded and self.dose.shape != "none" and not (self.dose.kit and not self.dose.unit):
            wrong.append("a blinded programme's dose has kit = true and no unit: kit numbers, never amounts")
        if self.participants_most < self.participants_least:
            wrong.append("participants_most is less than participants_least")
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    @property
    def reviewed(self) -> bool:
        """Whether the clinic's medical lead has signed it."""
        return bool(self.reviewed_by and self.reviewed_on)

    @property
    def arrival_s(self) -> float:
        """Planned length of the arrival in seconds; 0 where there is none."""
        return self.phases[0].length_s if self.phases[0].wait_for == "ingestion" else 0.0

    def start_s(self, index: int) -> float:
        """Arc second at which phase `index` begins: 0 at ingestion, so arrival's is negative."""
        return sum(phase.length_s for phase in self.phases[:index]) - self.arrival_s

    def end_s(self, index: int) -> float:
        """Arc second at which phase `index` ends."""
        return self.start_s(index) + self.phases[index].length_s

    @property
    def arc_end_s(self) -> float:
        """Arc second at which the programme is over."""
        return self.end_s(len(self.phases) - 1)

    def index_of(self, code: str) -> int:
        """Place of a phase; raises KeyError."""
        for index, phase in enumerate(self.phases):
            if phase.code == code:
                return index
        raise KeyError(code)

    def with_minutes(self, index: int, minutes: float) -> Programme:
        """The same programme with phase `index` of another length; its own limits give way to it."""
        phase = self.phases[index]
        bent = phase.model_copy(
            update={
                "minutes": minutes,
                "least_minutes": min(phase.least_minutes, minutes) if phase.least_minutes is not None else None,
                "most_minutes": max(phase.most_minutes, minutes) if phase.most_minutes is not None else None,
            }
        )
        return self.model_copy(update={"phases": (*self.phases[:index], bent, *self.phases[index + 1 :])})

    def scaled(self, minutes: float) -> Programme:
        """The same programme in `minutes` in all, arrival included; crossfades keep at most a quarter of a phase."""
        ratio = minutes * 60.0 / sum(phase.length_s for phase in self.phases)
        phases = tuple(
            phase.model_copy(
                update={
                    "minutes": phase.minutes * ratio,
                    "least_minutes": phase.least_minutes * ratio if phase.least_minutes is not None else None,
                    "most_minutes": phase.most_minutes * ratio if phase.most_minutes is not None else None,
                    "crossfade_s": min(phase.crossfade_s, phase.length_s * ratio / 4),
                }
            )
            for phase in self.phases
        )
        return self.model_copy(update={"phases": phases})


def parse_programme(text: str) -> Programme:
    """A programme from TOML as it is followed: a blinded one with the strictest arm's times.

    Raises tomllib.TOMLDecodeError or pydantic.ValidationError with every mistake in it.
    """
    return strictest(Programme.model_validate(tomllib.loads(text)))
