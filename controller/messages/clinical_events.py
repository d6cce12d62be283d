"""What an Input can say of touch, adverse events, a challenging experience, and of release.

Words of a person's own never stand here: they are the Input's `why`, which goes to the side table.
"""

from __future__ import annotations

from typing import Literal

from controller.messages.codec import Tagged

Related = Literal["related", "possible", "unrelated", "unknown"]
"""Whether an event has to do with what was given."""

Needed = Literal["none", "rescue", "provider", "emergency", "transport"]
"""What an event needed: nothing, rescue medicine, a medical provider, emergency services, transport."""


class Touch(Tagged, frozen=True, kw_only=True, tag="touch"):
    """Supportive touch was given, begins or ends. `touch` (how) and `where` are short codes.

    `outside`: whether it lies outside the scope that was consented to, as the person sees it; None leaves that to
    the scope's own words.
    """

    touch: str = ""
    where: str = ""
    part: Literal["given", "start", "stop"] = "given"
    minutes: float | None = None
    outside: bool | None = None


class AdverseEvent(Tagged, frozen=True, kw_only=True, tag="adverse_event"):
    """An untoward medical occurrence, graded 1 (mild) to 5 (death) as in CTCAE. `event`: a short code, no story."""

    event: str
    grade: int
    serious: bool = False
    related: Related = "unknown"
    needed: tuple[Needed, ...] = ()
    rescue: str = ""
    """What was given as rescue medicine, how much and when, in at most 60 letters."""
    resolved: bool = False


class UpdateEvent(Tagged, frozen=True, kw_only=True, tag="update_event"):
    """What is now true, or always was, of the adverse event logged as record `event`; None leaves it as it stands."""

    event: int
    code: str | None = None
    grade: int | None = None
    serious: bool | None = None
    related: Related | None = None
    needed: tuple[Needed, ...] | None = None
    rescue: str | None = None
    resolved: bool | None = None
    onset_minutes_ago: float | None = None
    """Its true onset, before this was said."""


class Challenge(Tagged, frozen=True, kw_only=True, tag="challenge"):
    """A challenging experience begins or ends: part of the work, and no adverse event."""

    part: Literal["start", "end"] = "start"


class Release(Tagged, frozen=True, kw_only=True, tag="release"):
    """A participant is released. `override`: although the gate is not met, for `reason`, by two people.

    The first is who does it; `second` has the other's initials, `desk` where that is the support desk's person, whom
    nothing here verifies. A sitter who is the second confirms it by PIN where sitters sign on; see `SignedOn.seconds`.
    """

    override: bool = False
    reason: str = ""
    second: str = ""
    desk: bool = False
