"""Rules of the fire panel's contact: music out, light to leave by, and nothing comes back by itself.

What the contact set stays when it closes again; a person ends it, by going on or by taking the light.
"""

from __future__ import annotations

from msgspec.structs import replace

from controller.messages import Act, Fire, FireOver, Light, Opened, Refused, Resume, Start
from controller.session.alarms import cleared, raised
from controller.session.calls import Ruled
from controller.session.evacuation import let_out
from controller.session.state import State


def check_fire(state: State, act: Act) -> None:
    """Raise Refused for a session that would begin while a contact calls to leave."""
    if isinstance(act, Start) and state.fires:
        raise Refused("fire_standing", name=", ".join(sorted(state.fires)))


def fire(state: State, act: Fire, now: float) -> Ruled:
    """A contact calls to leave: in every state of a session and outside of any. Telling it again changes nothing."""
    if act.contact in state.fires:
        return state, ()
    state = replace(state, fires=state.fires | {act.contact})
    state = raised(cleared(state, "fire_over"), "fire", "high", now, {"name": act.contact})
    return let_out(state, now), ()


def fire_over(state: State, act: FireOver, now: float) -> Ruled:
    """A contact is closed again; the room waits for a person."""
    if act.contact not in state.fires:
        return state, ()
    state = cleared(replace(state, fires=state.fires - {act.contact}), "fire", act.contact)
    if state.fires or state.scene != "exit":
        return state, ()
    return raised(state, "fire_over", "medium", now, {"name": act.contact}), ()


def keep_fire(before: State, after: State, act: Act) -> State:
    """The state after any act: only a hand on the light changes it while a contact calls, and a person ends the rest.

    A daemon that opens hears of every contact anew; what they had set stands all the same.
    """
    if isinstance(act, Opened):
        return cleared(replace(after, fires=frozenset()), "fire")
    if before.fires and before.scene == "exit" and not isinstance(act, Light):
        return replace(after, scene=before.scene, light=before.light)
    if isinstance(act, Resume | Light) or after.mode != before.mode:
        return cleared(after, "fire_over")
    return after
