"""What the preflight says: what is looked at before a session, what was found, and who answered for the rest."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field

from controller.messages.codec import Tagged
from controller.messages.words import Limits

PreflightStage = Literal["open", "running", "asked", "green", "red", "overridden"]
"""Nobody has begun it; the machine or the desk is at it; a person is asked; how it came out."""


class PreflightLine(Struct, frozen=True, kw_only=True):
    """One check of the preflight and how it stands since room time `t`.

    `check` names it: "lights", or "sound.BUS" of each bus, "touch.CODE" of each
    participant. `code` with `values`: why it is red, or how far it is.
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


class PreflightView(Struct, frozen=True, kw_only=True):
    """The preflight as consoles show it. `programme` is "" where none has begun; `required`: no session without."""

    required: bool = False
    programme: str = ""
    participants: tuple[str, ...] = ()
    touch: dict[str, str] = field(default_factory=dict)
    """The scope of touch that each participant consented to, by code."""
    limits: Limits | None = None
    lines: tuple[PreflightLine, ...] = ()
    """In the order in which a sitter goes through them."""

    @property
    def ready(self) -> bool:
        """Whether every check is green or overridden."""
        return bool(self.lines) and all(line.settled for line in self.lines)


class BeginPreflight(Tagged, frozen=True, kw_only=True, tag="begin_preflight"):
    """Look at everything before a session of this programme. The daemon fills in how many take part, least and most."""

    programme: str
    participants: tuple[str, ...] = ()
    least: int = 1
    most: int = 1


class AnswerPreflight(Tagged, frozen=True, kw_only=True, tag="answer_preflight"):
    """A person's answer to one check: "heard" or "not_heard", initials, codes with spaces, a touch scope or "none",
    a key that arrived ("1", "9", "c", "space"); for "limits" the limits themselves.
    """

    check: str
    value: str = ""
    limits: Limits | None = None


class RunPreflight(Tagged, frozen=True, kw_only=True, tag="run_preflight"):
    """Make one check (again): play the tone, move the light, place the test call, look. "": all that are red."""

    check: str = ""


class OverridePreflight(Tagged, frozen=True, kw_only=True, tag="override_preflight"):
    """Begin without this check being green. The reason is `Input.why`, and there is none without."""

    check: str


class DropPreflight(Tagged, frozen=True, kw_only=True, tag="drop_preflight"):
    """There will be no session: what was found counts no more."""


class Probed(Tagged, frozen=True, kw_only=True, tag="probed"):
    """What a `Probe` of this number found, or that it holds no longer. `mark`: digest of the files it looked at."""

    check: str
    number: int
    well: bool
    code: str = ""
    values: dict[str, str | int | float] = field(default_factory=dict)
    mark: str = ""


class PreflightUsed(Tagged, frozen=True, kw_only=True, tag="preflight_used"):
    """The session that it was made for has been opened; the next one needs another."""

    session: str


PREFLIGHT_ACTS: tuple[type, ...] = (
    BeginPreflight, AnswerPreflight, RunPreflight, OverridePreflight, DropPreflight, Probed, PreflightUsed,
)  # fmt: skip
"""Acts that concern the room and never its session; they are recorded in the room's own book."""
