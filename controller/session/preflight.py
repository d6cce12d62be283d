"""Rules of the preflight: what is looked at before a session, and whether one may begin.

It is kept in the room's own book, beside any session: `keep` alone changes it, now as in a replay. One preflight is for
one session; once that is open it counts no more.

1. The machine makes its own checks at once. A person begins those that are heard or seen, answers what is asked, and
   overrides what stays red: with a reason, which lies with its record.
2. What was found counts for the room's `preflight_s`, and no longer than what it was found for: a lost device, a
   music library, a programme or a room file that changes turns it red again. What a person entered does not age.
3. A test call is a call of its own that nobody runs for. No other call ever becomes one, and it never becomes the
   room's call.
"""

from __future__ import annotations

import re
from math import inf

from msgspec import Struct, field
from msgspec.structs import replace

from controller.messages import (
    AnswerPreflight,
    BeginPreflight,
    CallChanged,
    DeviceLost,
    DropPreflight,
    Fact,
    Input,
    LampChanged,
    Limits,
    Opened,
    OverridePreflight,
    PreflightLine,
    PreflightUsed,
    Probed,
    Redaction,
    Refused,
    RoomRules,
    RunPreflight,
    Start,
    Timer,
)
from controller.messages.free_words import REDACTED
from controller.nearest import nearest
from controller.session.codes import check_are_codes

MACHINES = ("engine", "broker", "disk", "clock", "commissioning", "card", "library", "lights")
"""Checks that the room makes by itself as soon as the preflight begins."""

ENTRIES = ("sitter", "participants", "touch", "limits")
"""What a person enters; it does not age. Each participant consents alone: "touch.CODE", once the codes are known."""

KEYS = ("1", "9", "c", "space")
"""The keys that are tried, one of each kind: both ends of the row of marks, the call and the pause."""

NONE = "none"
LONGEST_SCOPE = 40
"""The scope of touch is a code of the clinic's; longer ones would be stories."""

_INITIALS = re.compile(r"\S{1,8}")

_OF_DEVICES = {
    "sound": ("engine", "sound"),
    "broker": ("broker", "lights"),
    "light": ("lights",),
    "port": ("lights",),
    "journal": ("disk",),
    "caller": ("call",),
}
"""The checks that a lost device turns red, by the first part of its name."""


class Preflight(Struct, frozen=True, kw_only=True):
    """The preflight at one moment; `programme` is "" while there is none."""

    programme: str = ""
    participants: tuple[str, ...] = ()
    least: int = 1
    most: int = 1
    touch_scopes: dict[str, str] = field(default_factory=dict)
    """The touch that was consented to, by participant."""
    limits: Limits | None = None
    lines: tuple[PreflightLine, ...] = ()
    call: str = ""
    """The test call that stands open."""
    console: str = ""
    """Where keys are being tried."""
    digest: str = ""
    """Of the room file that it was begun under."""

    def line(self, check: str) -> PreflightLine:
        """One check; of one who takes part alone "touch" is theirs. Raises Refused."""
        if not self.programme:
            raise Refused("no_preflight")
        if check == "touch" and len(self.participants) == 1:
            check = f"touch.{self.participants[0]}"
        names = [line.check for line in self.lines]
        if check not in names:
            raise Refused("unknown_check", check=check, nearest=nearest(check, names), allowed=", ".join(names))
        return self.lines[names.index(check)]

    def put(self, *fresh: PreflightLine) -> Preflight:
        """The preflight with these lines in the place of those of their names."""
        by_name = {line.check: line for line in fresh}
        return replace(self, lines=tuple(by_name.get(line.check, line) for line in self.lines))


def checks_of(rules: RoomRules, participants: tuple[str, ...] = ()) -> tuple[str, ...]:
    """What a room looks at, in the order in which a sitter goes through it."""
    left_out = {"card": not rules.card_measured, "lights": not rules.lamps}
    machines = [check for check in MACHINES if not left_out.get(check, False)]
    touch = [f"touch.{code}" for code in participants] or ["touch"]
    buses = (f"sound.{bus}" for bus in rules.buses)
    return (*machines, *buses, "keys", "call", "sitter", "participants", *touch, "limits")


def is_entry(check: str) -> bool:
    """Whether a person enters it."""
    return check.partition(".")[0] in ENTRIES


def keep(preflight: Preflight, given: Input, rules: RoomRules, t: float, seq: int) -> Preflight:
    """The preflight after an Input, recorded as `seq` at room time `t`. Raises Refused."""
    match given.act:
        case BeginPreflight() as act:
            return _begun(act, given, rules, t, seq)
        case DropPreflight():
            preflight.line("participants")
            return Preflight()
        case PreflightUsed():
            return Preflight()
        case RunPreflight() as act:
            return _running(preflight, act, given, t, seq)
        case AnswerPreflight() as act:
            return _answered(preflight, act, given, rules, t, seq)
        case OverridePreflight() as act:
            return _overridden(preflight, act, given, t, seq)
        case Probed() as act:
            return _found(preflight, act, t, seq)
        case CallChanged(test=True) as act:
            return _call_came(preflight, act, t, seq)
        case DeviceLost() as act:
            return _lost(preflight, act, t, seq)
        case LampChanged(confirmed=False) as act:
            return _red(preflight, ("lights",), t, seq, "lost", {"name": act.lamp})
        case Timer():
            return _aged(preflight, rules, t, seq)
        case Opened() as act:
            return _reopened(preflight, act.rules, t, seq)
        case Redaction(session="room") as act:
            return _redacted(preflight, act.seq)
        case _:
            return preflight


def _begun(act: BeginPreflight, given: Input, rules: RoomRules, t: float, seq: int) -> Preflight:
    who = given.origin.person or ""
    lines = tuple(
        PreflightLine(check=check, stage="running" if check in MACHINES else "open", t=t, seq=seq)
        for check in checks_of(rules)
    )
    begun = Preflight(programme=act.programme, least=act.least, most=act.most, lines=lines, digest=rules.digest)
    if who:
        begun = begun.put(PreflightLine(check="sitter", stage="green", t=t, by=who, seq=seq))
    return _with_codes(begun, act.participants, who, rules, t, seq) if act.participants else begun


def _running(preflight: Preflight, act: RunPreflight, given: Input, t: float, seq: int) -> Preflight:
    if not act.check:
        preflight.line("participants")
        again = [line.check for line in preflight.lines if line.stage == "red" and line.check in MACHINES]
    else:
        again = [preflight.line(act.check).check]
        if is_entry(act.check) or act.check == "keys":
            raise Refused("check_is_answered", check=act.check)
    fresh = [PreflightLine(check=check, stage="running", t=t, seq=seq) for check in again]
    placed = given.id if "call" in again else preflight.call
    return replace(preflight.put(*fresh), call=placed)


def _answered(
    preflight: Preflight, act: AnswerPreflight, given: Input, rules: RoomRules, t: float, seq: int
) -> Preflight:
    line, who = preflight.line(act.check), given.origin.person or ""
    green = PreflightLine(check=line.check, stage="green", t=t, by=who, seq=seq)
    if act.check == "sitter":
        if not _INITIALS.fullmatch(act.value):
            raise Refused("bad_value", what="sitter", why="initials, up to 8 letters")
        return preflight.put(replace(green, by=act.value))
    if act.check == "participants":
        return _with_codes(preflight, tuple(act.value.split()), who, rules, t, seq)
    kind, _, code = line.check.partition(".")
    if kind == "touch":
        if not code:
            raise Refused("bad_value", what="touch", why="who takes part comes first: each consents alone")
        if not 0 < len(act.value) <= LONGEST_SCOPE:
            raise Refused("bad_value", what="touch", why=f"its scope in at most {LONGEST_SCOPE} letters, or {NONE}")
        return replace(preflight.put(green), touch_scopes={**preflight.touch_scopes, code: act.value})
    if act.check == "limits":
        if act.limits is None:
            raise Refused("bad_value", what="limits", why=f"needs limits, or {NONE}")
        return replace(preflight.put(green), limits=act.limits)
    if act.check == "keys":
        return _key_came(preflight, act.value, given, t, seq)
    if kind != "sound":
        raise Refused("check_is_made", check=act.check)
    if line.stage != "asked":
        raise Refused("not_played", check=act.check)
    if act.value == "heard":
        return preflight.put(green)
    if act.value == "not_heard":
        return preflight.put(replace(green, stage="red", code="not_heard"))
    raise Refused("bad_value", what=act.check, why="heard or not_heard")


def _with_codes(
    preflight: Preflight, codes: tuple[str, ...], who: str, rules: RoomRules, t: float, seq: int
) -> Preflight:
    check_are_codes(rules, codes)
    if len(set(codes)) != len(codes):
        raise Refused("bad_value", what="participants", why="a code is given twice")
    if not preflight.least <= len(codes) <= preflight.most:
        least, most = preflight.least, preflight.most
        number = f"{least}" if least == most else f"{least} to {most}"
        raise Refused("bad_value", what="participants", why=f"this programme is for {number}")
    told = PreflightLine(check="participants", stage="green", t=t, by=who, seq=seq, values={"codes": ", ".join(codes)})
    fresh = preflight.put(told)
    known = {line.check: line for line in fresh.lines}
    lines = (known.get(check, PreflightLine(check=check, t=t, seq=seq)) for check in checks_of(rules, codes))
    scopes = {code: scope for code, scope in fresh.touch_scopes.items() if code in codes}
    return replace(fresh, participants=codes, touch_scopes=scopes, lines=tuple(lines))


def _key_came(preflight: Preflight, key: str, given: Input, t: float, seq: int) -> Preflight:
    """Keys count for the console that they were pressed on. The call's own is a test call, whatever is known of it.

    So that whoever presses it in earnest while keys are being tried still reaches somebody.
    """
    if key not in KEYS:
        raise Refused("bad_value", what="keys", why=f"one of {', '.join(KEYS)}")
    line, console = preflight.line("keys"), given.origin.console
    before = str(line.values.get("pressed", "")).split() if preflight.console == console else []
    pressed = [known for known in KEYS if known in before or known == key]
    fresh = PreflightLine(
        check="keys",
        stage="green" if len(pressed) == len(KEYS) else "running",
        t=t,
        by=given.origin.person or "",
        seq=seq,
        values={"pressed": " ".join(pressed)},
    )
    kept = replace(preflight.put(fresh), console=console)
    if key != "c" or preflight.line("call").stage == "running":
        return kept
    return _running(kept, RunPreflight(check="call"), given, t, seq)


def _overridden(preflight: Preflight, act: OverridePreflight, given: Input, t: float, seq: int) -> Preflight:
    line, who = preflight.line(act.check), given.origin.person
    if not who:
        raise Refused("no_person", what=given.act.kind)
    if line.check == "participants":
        raise Refused("bad_value", what="participants", why="no session is without one")
    if line.stage == "green":
        raise Refused("already", what="green")
    fresh = replace(line, stage="overridden", t=t, by=who, seq=seq)
    return replace(preflight.put(fresh), call="" if line.check == "call" else preflight.call)


def _found(preflight: Preflight, act: Probed, t: float, seq: int) -> Preflight:
    """The answer to the newest question of its check; an older one is worth nothing."""
    line = next((line for line in preflight.lines if line.check == act.check), None)
    if line is None or line.stage not in ("running", "asked", "green") or line.seq != act.number:
        return preflight
    stage = line.stage if not act.well else "asked" if act.check.startswith("sound.") else "green"
    if not act.well:
        fresh = replace(line, stage="red", t=t, seq=seq, code=act.code, values=act.values)
    else:
        # A check that asks a person keeps its number: the machine may yet have to say that it broke off.
        fresh = replace(line, stage=stage, t=t, seq=line.seq if stage == "asked" else seq, mark=act.mark, values={})
    return preflight.put(fresh)


def _call_came(preflight: Preflight, act: CallChanged, t: float, seq: int) -> Preflight:
    """How far the test call has come. Only somebody who gives a name has answered it."""
    if not preflight.call or act.call != preflight.call:
        return preflight
    line = preflight.line("call")
    fresh = replace(line, stage="running", t=t, seq=seq, code=act.stage, by="")
    if act.stage == "acknowledged":
        answered = replace(fresh, stage="green" if act.by else "red", by=act.by, code="" if act.by else "nobody")
        return replace(preflight.put(answered), call="")
    if act.stage == "not_delivered":
        fresh = replace(fresh, stage="red", code="not_answered" if line.code == "sent" else "not_delivered")
    elif act.stage == "stood_down":
        return replace(preflight.put(replace(fresh, stage="red", code="stood_down")), call="")
    return preflight.put(fresh)


def _redacted(preflight: Preflight, seq: int) -> Preflight:
    gone = {line.check.removeprefix("touch.") for line in preflight.lines if line.seq == seq}
    scopes = {code: REDACTED if code in gone else scope for code, scope in preflight.touch_scopes.items()}
    return replace(preflight, touch_scopes=scopes)


def _lost(preflight: Preflight, act: DeviceLost, t: float, seq: int) -> Preflight:
    checks = _OF_DEVICES.get(act.name.split(".", maxsplit=1)[0], ())
    return _red(preflight, checks, t, seq, "lost", {"name": act.name, "why": act.why})


def _aged(preflight: Preflight, rules: RoomRules, t: float, seq: int) -> Preflight:
    old = [
        replace(line, stage="red", t=t, seq=seq, code="old", by="", values={"minutes": rules.preflight_s / 60.0})
        for line in preflight.lines
        if ages(line) and line.t + rules.preflight_s <= t
    ]
    return preflight.put(*old) if old else preflight


def _reopened(preflight: Preflight, rules: RoomRules, t: float, seq: int) -> Preflight:
    """A daemon goes on with it: with the lines of the room as it is now, and what an older room file showed is gone.

    What was being played broke off, and nobody can say what was heard of it.
    """
    if not preflight.programme:
        return preflight
    known = {line.check: line for line in preflight.lines if line.stage != "asked"}
    fresh = (PreflightLine(check=check, t=t, seq=seq) for check in checks_of(rules, preflight.participants))
    kept = replace(preflight, lines=tuple(known.get(line.check, line) for line in fresh), digest=rules.digest)
    if rules.digest == preflight.digest:
        return kept
    found = tuple(line.check for line in kept.lines if not is_entry(line.check) and line.check not in ("keys", "call"))
    return _red(kept, found, t, seq, "changed", {})


def _red(
    preflight: Preflight, checks: tuple[str, ...], t: float, seq: int, code: str, values: dict[str, str | int | float]
) -> Preflight:
    """The preflight without what these checks had found. "sound" stands for every bus."""
    red = [
        replace(line, stage="red", t=t, seq=seq, code=code, values=values, by="")
        for line in preflight.lines
        if line.check.split(".", maxsplit=1)[0] in checks or line.check in checks
        if line.stage in ("green", "asked", "running")
    ]
    return preflight.put(*red) if red else preflight


def ages(line: PreflightLine) -> bool:
    """Whether a check that stands well will be too old one day."""
    return line.settled and not is_entry(line.check)


def next_age(preflight: Preflight, rules: RoomRules) -> float:
    """Room time at which the next check is too old; infinite where none will be."""
    return min((line.t + rules.preflight_s for line in preflight.lines if ages(line)), default=inf)


def carried(act: Start, preflight: Preflight) -> Start:
    """The opening with what the preflight before it found and was told, where it was for this session."""
    if preflight.programme != act.programme or set(preflight.participants) != set(act.participants):
        return act
    return replace(
        act,
        preflight=preflight.lines,
        touch_scopes=act.touch_scopes if act.touch_scope else {**preflight.touch_scopes, **act.touch_scopes},
        limits=act.limits if act.limits != Limits() else preflight.limits or Limits(),
    )


def carried_facts(act: Start) -> tuple[Fact, ...]:
    """How the preflight of a session came out, and what was overridden: its reasons lie in the room's own book."""
    if not act.preflight:
        return ()
    over = [line for line in act.preflight if line.stage == "overridden"]
    values: dict[str, str | int | float] = {
        "checks": len(act.preflight),
        "green": sum(line.stage == "green" for line in act.preflight),
        "overridden": ", ".join(line.check for line in over),
    }
    told = [
        Fact(
            code="preflight_overridden", values={"check": line.check, "by": line.by, "seq": line.seq, "code": line.code}
        )
        for line in over
    ]
    return (Fact(code="preflight_carried", values=values), *told)


def check_start(preflight: Preflight, act: Start, rules: RoomRules) -> None:
    """Raise Refused where the room asks for a preflight and has none that lets this session begin."""
    if not rules.preflight:
        return
    if not preflight.programme:
        raise Refused("preflight_missing")
    if preflight.programme != act.programme or set(preflight.participants) != set(act.participants):
        whom = ", ".join(preflight.participants)
        raise Refused("preflight_other", programme=preflight.programme, whom=whom)
    if open_lines := [line.check for line in preflight.lines if not line.settled]:
        raise Refused("preflight_open", checks=", ".join(open_lines))
