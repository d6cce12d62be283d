"""What the preflight does to the room: the light's gentle move, the test call, and what is asked of the machine."""

from __future__ import annotations

from msgspec.structs import replace

from controller.messages import (
    PREFLIGHT_ACTS,
    AnswerPreflight,
    CallChanged,
    Effect,
    Fact,
    Input,
    Opened,
    PlaceCall,
    PreflightLine,
    Probe,
    Probed,
    Refused,
)
from controller.session.calls import Ruled, is_open
from controller.session.light import bounded, fade_to
from controller.session.limits import check_limits
from controller.session.preflight import MACHINES, Preflight, keep
from controller.session.state import State

BREATH = 0.10
"""How far the lights move, in perceived level."""
BREATH_S = 3.0
"""A third of the slew that a room's light has as a default."""


def ruled(state: State, given: Input, now: float, seq: int) -> Ruled:
    """An act of the preflight's own."""
    if isinstance(given.act, AnswerPreflight) and given.act.limits is not None:
        check_limits(given.act.limits, state.rules)
    if isinstance(given.act, AnswerPreflight) and given.act.check == "sitter" and state.duty.signs_on:
        raise Refused("sign_on_needed")
    kept = replace(state, preflight=keep(state.preflight, given, state.rules, now, seq))
    kept = replace(kept, preflight=_signed_on(kept, now, seq))
    if isinstance(given.act, Probed) and given.act.check == "lights":
        kept = _put_back(kept, given.act, now)
    return _light_moved(state, kept, now), ()


def followed(before: State, after: State, given: Input, now: float, seq: int) -> State:
    """The state with what any other act means for a preflight that is under way."""
    if not after.preflight.programme or after.in_session or isinstance(given.act, PREFLIGHT_ACTS):
        return after
    kept = keep(after.preflight, given, after.rules, now, seq)
    kept = _signed_on(replace(after, preflight=kept), now, seq)
    if kept is after.preflight:
        return after
    fresh = replace(after, preflight=kept)
    return _light_moved(None if isinstance(given.act, Opened) else before, fresh, now)


def facts(before: State, after: State) -> tuple[Fact, ...]:
    """What became red by itself, and that all is well at last."""
    was, now = before.preflight, after.preflight
    if was is now or not now.lines:
        return ()
    known = {line.check: line.stage for line in was.lines} if was.programme == now.programme else {}
    told = [
        Fact(code="preflight_red", values={**line.values, "check": line.check, "code": line.code})
        for line in now.lines
        if line.stage == "red" and known.get(line.check) != "red"
    ]
    answer = next((line for line in now.lines if line.check == "call"), None)
    if answer is not None and answer.stage == "green" and answer not in was.lines:
        told.append(Fact(code="preflight_answered", values={"by": answer.by}))
    well = all(line.settled for line in now.lines)
    if well and not (known and all(line.settled for line in was.lines)):
        told.append(Fact(code="preflight_ready", values={"programme": now.programme}))
    return tuple(told)


def effects(before: State, after: State, given: Input) -> list[Effect]:
    """What is asked of the machine anew; a daemon that opens asks again for what is under way."""
    was, now, act = before.preflight, after.preflight, given.act
    asked: list[Effect] = []
    if not after.in_session:
        asked += [
            _probe(line, now.programme)
            for line in now.lines
            if _is_probed(line) and (line not in was.lines or isinstance(act, Opened))
        ]
    over = was.call if was.call and (now.call != was.call or after.in_session) and not before.in_session else ""
    if isinstance(act, CallChanged) and act.test and act.call != now.call and act.stage != "stood_down":
        over = act.call  # one that a daemon left behind
    if over:
        asked.append(PlaceCall(call=over, level="assist", stood_down=True, test=True))
    return asked


def picture(state: State) -> list[Effect]:
    """The test call that is to stand."""
    if not state.preflight.call or state.in_session:
        return []
    return [PlaceCall(call=state.preflight.call, level="assist", test=True)]


def _signed_on(state: State, now: float, seq: int) -> Preflight:
    """The preflight with who is on duty, where the room's sitters sign on."""
    kept = state.preflight
    line = next((line for line in kept.lines if line.check == "sitter"), None)
    if line is None or not state.duty.signs_on:
        return kept
    who = ", ".join(sitter.initials for sitter in state.duty.sitters)
    if (line.stage, line.by) == (("green", who) if who else ("open", "")):
        return kept
    return kept.put(PreflightLine(check="sitter", stage="green" if who else "open", t=now, by=who, seq=seq))


def _is_probed(line: PreflightLine) -> bool:
    return line.stage == "running" and (line.check in MACHINES or line.check.startswith("sound."))


def _probe(line: PreflightLine, programme: str) -> Probe:
    return Probe(check=line.check, number=line.seq, programme=programme, values=line.values)


def _light_moved(before: State | None, after: State, now: float) -> State:
    """The light on its way to where the lamps are to answer from, where that was just asked for."""
    line = next((line for line in after.preflight.lines if line.check == "lights"), None)
    if line is None or line.stage != "running" or (before is not None and line in before.preflight.lines):
        return after
    if is_open(after.call) or after.scene in ("exit", "medical"):
        red = replace(line, stage="red", code="light_in_use")
        return replace(after, preflight=after.preflight.put(red))
    back = after.light.end.level if now >= after.light.end.t else after.light.level(now)
    up = bounded(after, back + BREATH)
    to = up if up - back >= BREATH / 2 else bounded(after, back - BREATH)
    moving = replace(line, values={"to": to, "back": back})
    light = fade_to(after, now, to, BREATH_S)
    return replace(after, preflight=after.preflight.put(moving), light=light)


def _put_back(state: State, act: Probed, now: float) -> State:
    """The light back to where it was, unless somebody has moved it meanwhile."""
    to, back = act.values.get("to"), act.values.get("back")
    if not isinstance(to, float) or not isinstance(back, float) or state.light.end.level != to:
        return state
    return replace(state, light=fade_to(state, now, back, BREATH_S))
