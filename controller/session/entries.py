"""What people entered, as it stands now: noted once, corrected by amendments, taken back by whoever entered it."""

from __future__ import annotations

from msgspec.structs import replace

from controller.arc.programme import ONSET
from controller.messages import Amend, Challenge, Fact, Input, Mark, Note, Refused, Touch, Vitals, plain_fields
from controller.messages.free_words import REDACTED, plain_without, reference
from controller.nearest import nearest
from controller.session import onset
from controller.session.calls import Ruled
from controller.session.people import anybody, changed, short
from controller.session.state import UNDO_KEPT, Entry, State, Undoable

LONGEST_AGO_S = 24 * 3600.0


def happened(given: Input, now: float) -> float:
    """Room time at which it happened what is entered now. Raises Refused beyond a day."""
    if not 0.0 <= given.ago_s <= LONGEST_AGO_S:
        raise Refused("bad_value", what="time", why="it lies within the last 24 hours, and not in the future")
    return now - given.ago_s


def undoable(
    state: State,
    given: Input,
    seq: int,
    targets: tuple[str, ...] = (),
    before: tuple[float, ...] = (),
    kind: str = "",
) -> State:
    """The state in which this act can be taken back."""
    item = Undoable(
        seq=seq, console=given.origin.console, kind=kind or given.act.kind, targets=targets, before=before,
        person=given.origin.person or "",
    )  # fmt: skip
    return replace(state, undoable=(*state.undoable, item)[-UNDO_KEPT:])


def noted(state: State, given: Input, now: float, seq: int, participants: tuple[str, ...] | None = None) -> State:
    """The state that keeps what was entered, to be corrected or taken back."""
    act = given.act
    assert isinstance(act, Mark | Note | Vitals | Touch | Challenge)
    t = happened(given, now)
    if isinstance(act, Note):  # its words are the journal's alone
        t = min(t, act.pressed_t) if act.pressed_t is not None else t
        act = replace(act, text="")
    whom = given.participants if participants is None else participants
    entry = Entry(seq=seq, t=t, act=act, participants=whom, person=given.origin.person or "")
    return replace(undoable(state, given, seq), entries=(*state.entries, entry))


def found(state: State, seq: int) -> Entry | None:
    """The entry of a record, as it stands."""
    return next((entry for entry in reversed(state.entries) if entry.seq == seq), None)


def going_on(state: State, code: str, kind: type[Touch | Challenge]) -> Entry | None:
    """The entry with which touch, or a challenging experience, began for this participant and has not ended."""
    mine = [entry for entry in state.entries if isinstance(entry.act, kind) and code in entry.participants]
    parts = [(entry.t, entry.seq, entry) for entry in mine if _part(entry) in ("start", "stop", "end")]
    last = max(parts, default=None, key=lambda one: one[:2])
    return last[2] if last is not None and _part(last[2]) == "start" else None


def _part(entry: Entry) -> str:
    return entry.act.part if isinstance(entry.act, Touch | Challenge) else ""


def amend(state: State, given: Input, now: float, seq: int) -> Ruled:
    """Put right what an entry says, when it was or whom it meant; what stood before is told beside it."""
    act = given.act
    assert isinstance(act, Amend)
    old = found(state, act.entry)
    if old is None:
        raise Refused("unknown_entry", seq=act.entry)
    fresh = _as_it_should_be(old, act)
    check(state, fresh)
    if isinstance(fresh, Note):
        fresh = replace(fresh, text="", pressed_t=None)
    t = old.t if act.minutes_ago is None else happened(replace(given, ago_s=act.minutes_ago * 60.0), now)
    whom = old.participants
    if given.participants:
        whom = tuple(person.code for person in anybody(state, given))
    new = replace(old, act=fresh, t=t, participants=whom)
    if act.only == () and new == old:
        raise Refused("already", what="amend")
    if act.only != ():
        new = replace(new, corrected_in=seq)
    state, facts = _told_to_the_arc(state, old, new, now)
    state = _among_readings(state, old, new)
    state = replace(state, entries=tuple(new if entry is old else entry for entry in state.entries))
    return state, (Fact(code="amended", values=_before_and_after(old, new)), *facts)


def _as_it_should_be(old: Entry, said: Amend) -> Mark | Note | Vitals | Touch | Challenge:
    """What an entry says once this is said of it. Raises Refused where it cannot be said of it."""
    if said.only == ():
        return old.act
    if old.act.kind != said.act.kind:
        raise Refused("not_this_kind", seq=old.seq, what=old.act.kind)
    if said.only is None:
        return said.act
    if unknown := set(said.only) - set(said.act.__struct_fields__):
        raise Refused("bad_value", what="only", why=f"no {' '.join(sorted(unknown))} in {said.act.kind}")
    fresh = replace(old.act, **{name: getattr(said.act, name) for name in said.only})
    if isinstance(fresh, Vitals) and isinstance(said.act, Vitals):
        # What is read was not missed, and what was asked about it does not stand any more.
        fresh = replace(fresh, missed=said.act.missed, kept=_still_kept(fresh.kept, said.only))
    return fresh


def _still_kept(codes: str, corrected: tuple[str, ...]) -> str:
    gone = {f"{name}_{why}" for name in corrected for why in ("range", "far")}
    if {"systolic", "diastolic"} & set(corrected):
        gone.add("pressure_order")
    return " ".join(code for code in codes.split() if code not in gone)


def redacted(state: State, seq: int) -> State:
    """The state without the words of record `seq`."""
    for old in state.entries:
        if old.said_in == seq and isinstance(old.act, Vitals) and old.act.missed:
            new = replace(old, act=replace(old.act, missed=REDACTED))
            state = _among_readings(state, old, new)
            state = replace(state, entries=tuple(new if entry is old else entry for entry in state.entries))
    return state


def removed(state: State, seq: int) -> tuple[State, Entry | None]:
    """The state without an entry and its reading, and the entry."""
    old = found(state, seq)
    if old is None:
        return state, None
    state = _among_readings(state, old, None)
    return replace(state, entries=tuple(entry for entry in state.entries if entry is not old)), old


def check(state: State, act: Mark | Note | Vitals | Touch | Challenge) -> None:
    """Raise Refused where this cannot be said in this session."""
    match act:
        case Mark():
            assert state.programme is not None
            codes = [item.code for item in state.programme.marks]
            if act.code not in codes:
                near = nearest(act.code, codes)
                raise Refused("unknown_mark", code=act.code, nearest=near, allowed=", ".join(codes))
        case Vitals():
            short("missed", act.missed)
        case Touch():
            short("touch", act.touch)
            short("where", act.where)
            if act.minutes is not None and not 0 < act.minutes <= LONGEST_AGO_S / 60:
                raise Refused("bad_value", what="minutes", why="more than 0, and at most a day")


def _told_to_the_arc(state: State, old: Entry, new: Entry, now: float) -> Ruled:
    """Onset that was marked by mistake waits again; one that had been marked as something else was there."""
    was, will = (isinstance(one.act, Mark) and one.act.code == ONSET for one in (old, new))
    if was and not will:
        return onset.mark_taken_back(state), ()
    return onset.marked(state, now) if will and not was else (state, ())


def _among_readings(state: State, old: Entry, new: Entry | None) -> State:
    """The readings of each participant, with the corrected one in the place of the old."""
    if not isinstance(old.act, Vitals):
        return state
    fresh = {}
    for person in state.participants:
        lines = list(person.vitals)
        if person.code in old.participants and (old.t, old.act) in lines:
            lines.remove((old.t, old.act))
        if new is not None and person.code in new.participants:
            assert isinstance(new.act, Vitals)
            lines.append((new.t, new.act))
        fresh[person.code] = replace(person, vitals=tuple(sorted(lines, key=lambda line: line[0])))
    return changed(state, fresh)


def _plain(entry: Entry) -> dict[str, str | int | float]:
    return plain_without(entry.act.kind, plain_fields(entry.act), reference(entry.said_in))


def _before_and_after(old: Entry, new: Entry) -> dict[str, str | int | float]:
    """Both as plain values: what stands now by its names, what stood before behind "was_" where it was another."""
    values: dict[str, str | int | float] = {"entry": old.seq, "what": old.act.kind, **_plain(new)}
    before, after = ({**_plain(one), "participants": ",".join(one.participants)} for one in (old, new))
    values |= {"participants": after["participants"]} if after["participants"] else {}
    values |= {
        f"was_{name}": before.get(name, "") for name in {**before, **after} if before.get(name) != after.get(name)
    }
    if new.t != old.t:
        values["moved_s"] = round(new.t - old.t, 1)
    return values
