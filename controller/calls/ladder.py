"""How far a support call has come: rules only, pure, time is an argument (CLOCK_BOOTTIME seconds).

    placed ──PUBACK──> sent ──answer──> acknowledged
      │                 │ nobody answers in time
      └─no PUBACK──> not_delivered ──PUBACK (unless nobody answered)──> sent
    any of them ──> stood_down, for good

"sent" is said only after the broker confirmed this very message and somebody listened; "acknowledged" only after an
answer to this id, and, once it became an emergency, to the emergency. A call that nobody answered stays "not_delivered"
until somebody does, and is published again and again. Making an assist an emergency begins anew; nothing makes an
emergency less. What is not confirmed is tried again. A test call climbs like any other, and says at every step
that it is one; a call of its id that is none makes it one in earnest, and nothing makes a call a test.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf

from controller.messages import CallLevel, CallStage, Origin

_RETRY_S = 2.0
UNKNOWN = Origin(path="caller")
"""Where a call came from that does not say."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds until a call counts as not delivered: without a confirmation, and without an answer."""

    deliver_within_s: float = 5.0
    answer_within_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Notice:
    """What is published of a call. Two of the same notice say the same thing."""

    call: str
    level: CallLevel
    stood_down: bool
    test: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class CallState:
    """A call. `publish_at`: when its notice goes out (again), None when there is nothing to publish."""

    call: str
    level: CallLevel
    stage: CallStage = "placed"
    by: str = ""
    utc: str = ""
    origin: Origin = UNKNOWN
    placed_at: float
    confirmed_at: float | None = None
    unanswered: bool = False
    raised: bool = False
    """It began as an assist and became an emergency."""
    test: bool = False
    """Nobody needs to come: the path is being tried."""
    tested: bool = False
    """It began as a test and is meant in earnest now."""
    publish_at: float | None = None

    @property
    def open(self) -> bool:
        """Whether nobody has stood it down."""
        return self.stage != "stood_down"

    @property
    def notice(self) -> Notice:
        """What the support desk is to know of it."""
        return Notice(self.call, self.level, not self.open, self.test)


def place(
    known: CallState | None,
    call: str,
    level: CallLevel,
    now: float,
    utc: str,
    origin: Origin = UNKNOWN,
    *,
    test: bool = False,
) -> CallState:
    """Place a call, or make an emergency of it. The same again, or less, changes nothing; a stand-down stands."""
    if known is None or (known.test and not test):
        fresh = CallState(call=call, level=level, utc=utc, origin=origin, placed_at=now, publish_at=now)
        return replace(fresh, test=test, tested=known is not None)
    if test or not known.open or level == "assist" or known.level == "emergency":
        return known
    return CallState(call=call, level="emergency", utc=utc, origin=origin, placed_at=now, publish_at=now, raised=True)


def stand_down(known: CallState | None, call: str, by: str, now: float, utc: str, *, test: bool = False) -> CallState:
    """Nobody needs to come. An unknown call is remembered as stood down, so that it cannot be placed late.

    The end of a test ends nothing that has become a call in earnest.
    """
    if known is not None and test and not known.test:
        return known
    if known is None:
        return CallState(call=call, level="assist", stage="stood_down", by=by, utc=utc, placed_at=now, test=test)
    if not known.open:
        return known
    return replace(known, stage="stood_down", by=by, utc=utc, confirmed_at=None, publish_at=now)


def trying(state: CallState, now: float) -> CallState:
    """Its notice is being published now; unless it is confirmed, it will be again."""
    return replace(state, publish_at=now + _RETRY_S)


def confirmed(state: CallState, notice: Notice, now: float, limits: Limits) -> CallState:
    """The broker has confirmed `notice`; one that no longer says what is so counts for nothing."""
    if notice != state.notice:
        return state
    if not state.open or state.stage == "acknowledged":
        return replace(state, confirmed_at=now, publish_at=None)
    if state.unanswered:
        return replace(state, confirmed_at=now, publish_at=now + limits.answer_within_s)
    first = state.confirmed_at if state.stage == "sent" and state.confirmed_at is not None else now
    return replace(state, stage="sent", confirmed_at=first, publish_at=None)


def acknowledged(state: CallState, call: str, level: CallLevel | None, by: str) -> CallState:
    """Somebody answers call `call`. An answer to the assist that it was does not answer the emergency that it is."""
    if call != state.call or not state.open or state.stage == "acknowledged":
        return state
    meant = level == state.level if level is not None else not state.raised or state.confirmed_at is not None
    if state.tested and state.confirmed_at is None:  # somebody answers the test that it was
        return state
    return replace(state, stage="acknowledged", by=by, publish_at=None) if meant else state


def passed(state: CallState, now: float, limits: Limits) -> CallState:
    """What time alone has changed."""
    if state.stage == "placed" and now >= state.placed_at + limits.deliver_within_s:
        return replace(state, stage="not_delivered", by="")
    answer_by = inf if state.confirmed_at is None else state.confirmed_at + limits.answer_within_s
    if state.stage == "sent" and now >= answer_by:
        return replace(state, stage="not_delivered", by="", unanswered=True, publish_at=now)
    return state


def resumed(state: CallState, now: float, *, same_boot: bool) -> CallState:
    """The caller was restarted. Its times are of no use after another boot; what stands open is published anew."""
    if not same_boot:
        known = None if state.confirmed_at is None else now
        state = replace(state, placed_at=now, confirmed_at=known)
    settled = state.stage == "acknowledged" or (not state.open and state.publish_at is None)
    return state if settled else replace(state, publish_at=now)


def next_deadline(state: CallState, limits: Limits) -> float:
    """When `passed` has something to say, or the notice is to be published; may be infinite."""
    due = inf if state.publish_at is None else state.publish_at
    if state.stage == "placed":
        due = min(due, state.placed_at + limits.deliver_within_s)
    if state.stage == "sent" and state.confirmed_at is not None:
        due = min(due, state.confirmed_at + limits.answer_within_s)
    return due
