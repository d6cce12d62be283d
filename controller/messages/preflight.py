"""What the preflight says: what is looked at before a session, what was found, and who answered for the rest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from controller.messages.words import Limits

PreflightStage = Literal["open", "running", "asked", "green", "red", "overridden"]
"""Nobody has begun it; the machine or the desk is at it; a person is asked; how it came out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PreflightLine:
    """One check of the preflight and how it stands since room time `t`.

    `check` names it: "lights", or "sound.BUS" for each bus. `code` with `values`: why it is red, or how far it is.
    """

    check: str
    stage: PreflightStage = "open"
    t: float = 0.0
    by: str = ""
    seq: int = 0
    """The record in the room's book that says so; of one that was overridden, the reason stands with that record."""
    code: str = ""
    values: dict[str, str | int | float] = field(default_factory=dict)
    mark: str = ""
    """A digest of the files that it was found for."""

    @property
    def settled(self) -> bool:
        """Whether a session may begin, as far as this one is concerned."""
        return self.stage in ("green", "overridden")


@dataclass(frozen=True, kw_only=True, slots=True)
class PreflightView:
    """The preflight as consoles show it. `programme` is "" where none has begun; `required`: no session without."""

    required: bool = False
    programme: str = ""
    participants: tuple[str, ...] = ()
    touch: str | None = None
    limits: Limits | None = None
    lines: tuple[PreflightLine, ...] = ()
    """In the order in which a sitter goes through them."""

    @property
    def ready(self) -> bool:
        """Whether every check is green or overridden."""
        return bool(self.lines) and all(line.settled for line in self.lines)


@dataclass(frozen=True, kw_only=True, slots=True)
class BeginPreflight:
    """Look at everything before a session of this programme. The daemon fills in how many take part, least and most."""

    kind: Literal["begin_preflight"] = "begin_preflight"
    programme: str
    participants: tuple[str, ...] = ()
    least: int = 1
    most: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswerPreflight:
    """A person's answer to one check: "heard" or "not_heard", initials, codes with spaces, a touch scope or "none",
    a key that arrived ("1", "9", "c", "space"); for "limits" the limits themselves.
    """

    kind: Literal["answer_preflight"] = "answer_preflight"
    check: str
    value: str = ""
    limits: Limits | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RunPreflight:
    """Make one check (again): play the tone, move the light, place the test call, look. "": all that are red."""

    kind: Literal["run_preflight"] = "run_preflight"
    check: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class OverridePreflight:
    """Begin without this check being green. The reason is `Input.why`, and there is none without."""

    kind: Literal["override_preflight"] = "override_preflight"
    check: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DropPreflight:
    """There will be no session: what was found counts no more."""

    kind: Literal["drop_preflight"] = "drop_preflight"


@dataclass(frozen=True, kw_only=True, slots=True)
class Probed:
    """What a `Probe` of this number found, or that it holds no longer. `mark`: digest of the files it looked at."""

    kind: Literal["probed"] = "probed"
    check: str
    number: int
    well: bool
    code: str = ""
    values: dict[str, str | int | float] = field(default_factory=dict)
    mark: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class PreflightUsed:
    """The session that it was made for has been opened; the next one needs another."""

    kind: Literal["preflight_used"] = "preflight_used"
    session: str


PREFLIGHT_ACTS: tuple[type, ...] = (
    BeginPreflight, AnswerPreflight, RunPreflight, OverridePreflight, DropPreflight, Probed, PreflightUsed,
)  # fmt: skip
"""Acts that concern the room and never its session; they are recorded in the room's own book."""
