"""Which acts wait for nobody's sign-on: the whole list. It holds on a locked console and in a lockout as well.

Fear keeps no timetable, so whatever stops, lights the way or calls somebody is there for any hand. What ends a call is
not on the list: a call that was placed by mistake brings somebody, one that was ended by mistake does not.
"""

from __future__ import annotations

from controller.messages.acts import (
    PEOPLES_ACTS,
    Act,
    Call,
    Evacuate,
    Light,
    Pause,
    Resume,
    SeeAlarm,
)
from controller.messages.archive import Addendum, Redaction, Retention, SignOff

ALWAYS: tuple[type, ...] = (Call, Pause, Evacuate, SeeAlarm)
SCENES = ("exit", "medical")
"""Light to stand up by, and light to help by."""


def needs_sign_on(act: Act) -> bool:
    """Whether a room with sitters takes this act only from somebody who signed on."""
    match act:
        case Light(scene=scene):
            return scene not in SCENES
        case Resume(direct_t=float()):  # the sound engine has done it already, without a daemon
            return False
        case _:
            by_people = isinstance(act, (*PEOPLES_ACTS, SignOff, Addendum, Redaction, Retention))
            return by_people and not isinstance(act, ALWAYS)
