"""Light, and leaving the room in a hurry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.console.doing.action import Action, choose_way, sending
from controller.messages import Evacuate, Light

if TYPE_CHECKING:
    from controller.console.commands import Commands

LIGHT_STEP = 0.05


def light(do: Commands, key: str) -> None:
    """One step by hand."""
    if not key:
        choose_way(do, "Light", ("right", "brighter"), ("left", "darker"), light)
        return
    step = LIGHT_STEP if key == "right" else -LIGHT_STEP
    do.send(Light(scene="manual", step=step), "brighter" if step > 0 else "darker", ())


ACTIONS = (
    Action(
        name="light", run=light, keys=("left", "right"), shown="←→", short="light",
        caps=("darker", "brighter"), long="light", repeat="step", ctl="light", sends=(Light,),
        help="darker and brighter by hand, in small ramps",
    ),
    Action(
        name="exit_light", run=sending(Light(scene="exit"), "light to stand up by; f gives it back"), keys=("l",),
        shown="l", short="exit", long="exit light", ctl="light exit", sends=(Light,),
        help="light to stand up by, for the bathroom",
    ),
    Action(
        name="follow_arc", run=sending(Light(scene="arc"), "light follows the arc"), keys=("f",), shown="f",
        short="arc", long="follow arc", ctl="light arc", sends=(Light,), help="the light follows the arc again",
    ),
    Action(
        name="medical_light", run=sending(Light(scene="medical"), "medical light; f gives it back"), menu="room",
        long="medical light", ctl="light medical", sends=(Light,),
        help="bright as day, to see skin and lips; f gives it back",
    ),
    Action(
        name="evacuate", run=sending(Evacuate(), "EVACUATE; r brings all back"), menu="room", confirm=True,
        long="EVACUATE", ctl="evacuate", sends=(Evacuate,), help="music out, light to leave by; r brings all back",
    ),
)  # fmt: skip
