"""Rules of who is on duty: signing on and off, handing over, breaks, and how long a wrong PIN shuts somebody out. Pure.

1. A console has one person at a time; a person may be on duty at several consoles, or at none of them just now.
2. Whoever goes on a break leaves somebody in the room: another sitter on duty, or a cover by name. The consoles of the
   one who goes are given up, so that nothing is noted under the initials of somebody who is out.
3. Wrong PINs in a row are counted for the initials and for the console; a right one clears both.

`keep` alone changes `Duty`, now as in a replay; `settle` draws the alarms from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from controller.messages import (
    BreakBegun,
    BreakOver,
    Duty,
    DutyKept,
    Fact,
    HandOver,
    Input,
    Refused,
    RoomRules,
    Second,
    SignedOff,
    SignedOn,
    SignOnRefused,
    Sitter,
    SittersKnown,
    Wrong,
    needs_sign_on,
)
from controller.session.alarms import cleared, raised
from controller.session.calls import Ruled
from controller.session.state import State

LONGEST_BREAK_MINUTES = 120.0
MOST_COUNTED = 64
"""Initials and consoles whose wrong PINs are remembered: names of consoles are their own choice."""

SECOND_S = 120.0
"""For so long whoever stood by at a console counts as the second person of what is decided there (our judgement)."""

UNKNOWN = "?"

_INITIALS = re.compile(r"[A-Z]{2,4}")
_ALARMS = ("nobody_on_duty", "alone_in_room", "break_late")


def are_initials(text: str) -> bool:
    """Whether this is how a sitter is named: two to four capital letters, which no PIN can be."""
    return _INITIALS.fullmatch(text) is not None


def check_signed_on(state: State, given: Input) -> None:
    """Raise Refused for an act of people from a console where nobody is signed on, but for what never waits."""
    by_hand = given.origin.path == "socket" and given.origin.person is None
    if state.duty.signs_on and by_hand and needs_sign_on(given.act):
        raise Refused("sign_on_needed")


def lockout_s(duty: Duty, initials: str, console: str, now: float) -> float:
    """For so long no PIN of theirs is looked at; 0 where one may be tried."""
    return max(0.0, *(duty.wrong.get(name, Wrong()).until_t - now for name in _names(duty, initials, console)))


def _names(duty: Duty, initials: str, console: str) -> tuple[str, str]:
    """What wrong PINs are counted for: whoever they were for, all that nobody here has together, and the console."""
    return initials if initials in duty.known else UNKNOWN, console


def keep(duty: Duty, given: Input, t: float, rules: RoomRules) -> Duty:
    """How things stand after an act at room time `t`; other acts leave them alone. Raises Refused."""
    console = given.origin.console
    match given.act:
        case SittersKnown(readable=False):
            return replace(duty, signs_on=True)
        case SittersKnown(initials=known):
            for sitter in duty.sitters:
                duty = duty if sitter.initials in known else _without(duty, sitter.initials)
            return replace(duty, signs_on=bool(known), known=known)
        case SignedOn(once=True, initials=who):
            duty = _forgiven(duty, who, console)
            return _standing_by(duty, who, console, t) if given.act.seconds else duty
        case SignedOn(initials=who, key=key):
            return _seated(_forgiven(duty, who, console), who, console, key, t)
        case SignOnRefused(waits=True):
            return duty
        case SignOnRefused(initials=who):
            names = _names(duty, who, console)
            counted = {name: _counted(duty.wrong.get(name, Wrong()), t, rules) for name in names}
            kept = {name: wrong for name, wrong in duty.wrong.items() if name not in counted}
            while len(kept) + len(counted) > MOST_COUNTED:
                kept.pop(min(kept, key=lambda name: (kept[name].until_t, kept[name].count)))
            return replace(duty, wrong={**kept, **counted})
        case SignedOff():
            return _without(duty, _named(duty, given).initials)
        case HandOver(to=to, key=key):
            leaves = _named(duty, given).initials
            if to == leaves:
                raise Refused("bad_value", what="handover", why=f"{to} has it already")
            return _seated(_forgiven(_without(duty, leaves), to, console), to, console, key, t)
        case BreakBegun() as act:
            return _gone(duty, _named(duty, given), act, t, rules)
        case BreakOver():
            sitter = _resting(duty, given)
            return _with(duty, replace(sitter, break_since_t=None, break_until_t=None, cover=""))
        case DutyKept(duty=kept_duty):
            return kept_duty
        case _:
            return duty


def ruled(state: State, given: Input, now: float, _seq: int) -> Ruled:
    """What an act of these does to the room's people, and what there is to tell of it."""
    if isinstance(given.act, SignedOff | HandOver | BreakBegun | BreakOver) and not state.duty.signs_on:
        raise Refused("no_sitters")
    before = state.duty
    state = replace(state, duty=keep(before, given, now, state.rules))
    return state, tuple(_facts(before, state.duty, given, now))


def settle(before: State, after: State, now: float) -> Ruled:
    """The alarms that the room's people give cause for, each told once; with a session its breaks are over."""
    if not (before.duty.signs_on or after.duty.signs_on):
        return after, ()
    if not after.in_session:
        rested = tuple(
            replace(one, break_since_t=None, break_until_t=None, cover="") if one.on_break else one
            for one in after.duty.sitters
        )
        if rested != after.duty.sitters:
            after = replace(after, duty=replace(after.duty, sitters=rested))
    wanted = set(_wanted(after, now))
    standing = {(alarm.code, str(alarm.values.get("name", ""))) for alarm in after.alarms if alarm.code in _ALARMS}
    for code, name in standing - wanted:
        after = cleared(after, code, name or None)
    facts = []
    for code, name in sorted(wanted - standing):
        values: dict[str, str | int | float] = {"name": name} if name else {}
        after = raised(after, code, "medium" if code == "nobody_on_duty" else "low", now, values)
        facts.append(Fact(code=code, values=values))
    return after, tuple(facts)


def deadlines(state: State) -> Iterator[float]:
    """When a break is over that nobody has been told of."""
    if not state.in_session:
        return
    told = {alarm.values.get("name") for alarm in state.alarms if alarm.code == "break_late"}
    for sitter in state.duty.sitters:
        if sitter.break_until_t is not None and sitter.initials not in told:
            yield sitter.break_until_t


def in_room(duty: Duty) -> tuple[str, ...]:
    """Who is with the participant: those on duty, and covers in the place of those on a break."""
    there = [sitter.initials for sitter in duty.sitters if not sitter.on_break]
    return tuple(dict.fromkeys([*there, *(sitter.cover for sitter in duty.sitters if sitter.cover)]))


def _wanted(state: State, now: float) -> Iterator[tuple[str, str]]:
    duty = state.duty
    if not (state.in_session and duty.signs_on):
        return
    there = in_room(duty)
    if not there:
        yield "nobody_on_duty", ""
    if len(there) == 1 and any(sitter.on_break for sitter in duty.sitters):
        yield "alone_in_room", there[0]
    for sitter in duty.sitters:
        if sitter.break_until_t is not None and sitter.break_until_t <= now:
            yield "break_late", sitter.initials


def _facts(before: Duty, after: Duty, given: Input, now: float) -> Iterator[Fact]:
    act = given.act
    if isinstance(act, SignOnRefused) and not act.waits:
        for name in _names(before, act.initials, given.origin.console):
            was, wrong = before.wrong.get(name, Wrong()), after.wrong.get(name, Wrong())
            if wrong.until_t > max(now, was.until_t):
                seconds = round(wrong.until_t - now)
                yield Fact(code="locked_out", values={"name": name, "count": wrong.count, "seconds": seconds})
    for sitter in before.sitters:
        now_is = after.sitter(sitter.initials)
        if now_is is None and isinstance(act, SittersKnown):
            yield Fact(code="signed_off", values={"initials": sitter.initials})
        if sitter.break_since_t is not None and (now_is is None or not now_is.on_break):
            minutes = round((now - sitter.break_since_t) / 60.0, 1)
            yield Fact(code="break_ended", values={"initials": sitter.initials, "minutes": minutes})


def _named(duty: Duty, given: Input) -> Sitter:
    """The one on duty whom an act names, or whose console it is. Raises Refused."""
    match given.act:
        case HandOver(leaves=name) | SignedOff(initials=name) | BreakBegun(initials=name):
            who = name or given.origin.person or ""
        case _:
            who = given.origin.person or ""
    found = duty.sitter(who)
    if found is None:
        raise Refused("not_on_duty", who=who, allowed=", ".join(sitter.initials for sitter in duty.sitters))
    return found


def _resting(duty: Duty, given: Input) -> Sitter:
    assert isinstance(given.act, BreakOver)
    resting = [sitter for sitter in duty.sitters if sitter.on_break]
    who = given.act.initials or given.origin.person
    found = next((sitter for sitter in resting if sitter.initials == who), None)
    if found is None and not given.act.initials and len(resting) == 1:
        found = resting[0]
    if found is None:
        raise Refused("not_on_break", allowed=", ".join(sitter.initials for sitter in resting))
    return found


def _gone(duty: Duty, sitter: Sitter, act: BreakBegun, t: float, rules: RoomRules) -> Duty:
    who, minutes = sitter.initials, act.minutes if act.minutes is not None else rules.break_minutes
    if sitter.on_break:
        raise Refused("already", what="break_begun")
    if not 0.0 < minutes <= LONGEST_BREAK_MINUTES:
        raise Refused("bad_value", what="break", why=f"more than 0 and at most {LONGEST_BREAK_MINUTES:g} minutes")
    if act.cover and (act.cover == who or not are_initials(act.cover)):
        raise Refused("bad_value", what="cover", why="initials of somebody else, two to four capitals")
    if not act.cover and not any(other is not sitter and not other.on_break for other in duty.sitters):
        raise Refused("no_cover", who=who)
    keys = {console: key for console, key in duty.keys.items() if console not in sitter.consoles}
    gone = replace(sitter, consoles=(), break_since_t=t, break_until_t=t + minutes * 60.0, cover=act.cover)
    return _with(replace(duty, keys=keys), gone)


def _seated(duty: Duty, who: str, console: str, key: str, t: float) -> Duty:
    """`who` on duty, back from any break, and at this console where it has a key; the one before is there no more."""
    sitter = duty.sitter(who) or Sitter(initials=who, since_t=t)
    sitter = replace(sitter, break_since_t=None, break_until_t=None, cover="")
    if key:
        duty = replace(duty, keys={**duty.keys, console: key})
        for other in duty.sitters:
            if console in other.consoles:
                duty = _with(duty, replace(other, consoles=tuple(one for one in other.consoles if one != console)))
        here = (*(one for one in sitter.consoles if one != console), console)
        sitter = replace(sitter, consoles=here)
    return _with(duty, sitter)


def _with(duty: Duty, sitter: Sitter) -> Duty:
    if duty.sitter(sitter.initials) is None:
        return replace(duty, sitters=(*duty.sitters, sitter))
    return replace(duty, sitters=tuple(sitter if one.initials == sitter.initials else one for one in duty.sitters))


def _without(duty: Duty, who: str) -> Duty:
    gone = duty.sitter(who)
    consoles = gone.consoles if gone else ()
    return replace(
        duty,
        sitters=tuple(one for one in duty.sitters if one.initials != who),
        keys={console: key for console, key in duty.keys.items() if console not in consoles},
    )


def _standing_by(duty: Duty, who: str, console: str, t: float) -> Duty:
    seconds = {name: second for name, second in duty.seconds.items() if second.until_t > t}
    return replace(duty, seconds={**seconds, console: Second(initials=who, until_t=t + SECOND_S)})


def second_at(duty: Duty, console: str, t: float) -> str:
    """Who stands by at a console, by their own PIN; "" for nobody."""
    second = duty.seconds.get(console)
    return second.initials if second is not None and t <= second.until_t else ""


def _forgiven(duty: Duty, who: str, console: str) -> Duty:
    return replace(duty, wrong={name: wrong for name, wrong in duty.wrong.items() if name not in (who, console)})


def _counted(wrong: Wrong, t: float, rules: RoomRules) -> Wrong:
    count = wrong.count + 1
    over = count - rules.wrong_pins
    if over < 0:
        return replace(wrong, count=count)
    waits = min(rules.lockout_most_s, rules.lockout_s * 2.0 ** min(over, 30))
    return Wrong(count=count, until_t=t + waits)
