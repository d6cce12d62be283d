"""The programme: one arc with its music, lights, vitals and release rule, as a file in playlists/ says it."""

from __future__ import annotations

import tomllib
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Share = Annotated[float, Field(ge=0.0, le=1.0)]
"""A perceived light level or an intensity, 0..1."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Phase(_Model):
    """A stretch of the arc. `intensity` and `light` are values spread evenly over the phase, joined by lines."""

    code: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    title: str
    minutes: Annotated[float, Field(gt=0, le=24 * 60)]
    intensity: Annotated[tuple[Share, ...], Field(min_length=1)]
    light: Annotated[tuple[Share, ...], Field(min_length=1)]
    music: str = ""
    """Folder of the library to draw from; the phase's code where empty; "silence" for none."""
    crossfade_s: Annotated[float, Field(ge=0, le=60)] = 8.0
    may_hold: bool = True
    wait_for: Literal["", "ingestion"] = ""

    @property
    def length_s(self) -> float:
        """Planned length in seconds."""
        return self.minutes * 60.0


class VitalsPlan(_Model):
    """Minutes from ingestion at which vitals fall due."""

    minutes: tuple[float, ...] = ()
    temperature_minutes: tuple[float, ...] = ()


class ReleasePlan(_Model):
    """Earliest release, in minutes from the last dose: the law's and the programme's own; the later one holds."""

    law_minutes: float = 0.0
    programme_minutes: float = 0.0
    not_below_minutes: float = 0.0


class MarkPlan(_Model):
    """A one-key event: its code in the record and its word on the key row."""

    code: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    label: Annotated[str, Field(max_length=14)]


class Programme(_Model):
    """A whole programme. Figures are defaults for the clinic's medical lead to sign (`reviewed_by`, `reviewed_on`)."""

    format: Literal[1]
    name: Annotated[str, Field(pattern=r"^[a-z0-9.-]+$")]
    title: str
    reviewed_by: str = ""
    reviewed_on: str = ""
    pieces: Literal["whole", "may-be-cut"] = "whole"
    """May a piece be faded out where its phase ends? Only for demonstrations; a session plays pieces whole."""
    repeats: Literal["never", "when-needed"] = "never"
    loudness_offset_db: Annotated[float, Field(ge=-20, le=0)] = 0.0
    marks: Annotated[tuple[MarkPlan, ...], Field(max_length=9)] = ()
    vitals: VitalsPlan = VitalsPlan()
    release: ReleasePlan = ReleasePlan()
    phases: Annotated[tuple[Phase, ...], Field(min_length=2)]

    @model_validator(mode="after")
    def _check(self) -> Programme:
        codes = [phase.code for phase in self.phases]
        twice = sorted({code for code in codes if codes.count(code) > 1})
        if twice:
            raise ValueError(f"two phases have the same code: {', '.join(twice)}")
        if self.phases[0].wait_for != "ingestion":
            raise ValueError('the first phase is the arrival: it needs wait_for = "ingestion"')
        if any(phase.wait_for for phase in self.phases[1:]):
            raise ValueError("only the first phase can wait for ingestion")
        return self

    @property
    def reviewed(self) -> bool:
        """Whether the clinic's medical lead has signed it."""
        return bool(self.reviewed_by and self.reviewed_on)

    def start_s(self, index: int) -> float:
        """Arc second at which phase `index` begins: 0 for the first after arrival, negative for arrival."""
        return sum(phase.length_s for phase in self.phases[:index]) - self.phases[0].length_s

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

    def scaled(self, minutes: float) -> Programme:
        """The same programme in `minutes` in all, arrival included; crossfades keep at most a quarter of a phase."""
        ratio = minutes * 60.0 / sum(phase.length_s for phase in self.phases)
        phases = tuple(
            phase.model_copy(
                update={
                    "minutes": phase.minutes * ratio,
                    "crossfade_s": min(phase.crossfade_s, phase.length_s * ratio / 4),
                }
            )
            for phase in self.phases
        )
        return self.model_copy(update={"phases": phases})


def parse_programme(text: str) -> Programme:
    """A programme from TOML. Raises tomllib.TOMLDecodeError or pydantic.ValidationError with every mistake in it."""
    return Programme.model_validate(tomllib.loads(text))
