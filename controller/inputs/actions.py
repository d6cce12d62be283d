"""What a press may do: the words of a room file, and the acts they stand for."""

from __future__ import annotations

import re
from dataclasses import dataclass

from controller.messages import Act, CallLevel, Light, Mark, Pause, Quiet, Resume

ACTIONS = (
    "call assist", "call emergency", "pause", "resume", "quiet", "light exit", "light medical", "light arc",
    "mark CODE", "fire",
)  # fmt: skip

_MARK = re.compile(r"^mark ([a-z0-9_-]{1,40})$")
_PLAIN: dict[str, Act] = {
    "pause": Pause(),
    "resume": Resume(),
    "quiet": Quiet(),
    "light exit": Light(scene="exit"),
    "light medical": Light(scene="medical"),
    "light arc": Light(scene="arc"),
}


@dataclass(frozen=True, slots=True)
class Action:
    """A call of a level, a fire, or an act. Exactly one is set."""

    call: CallLevel | None = None
    fire: bool = False
    act: Act | None = None

    @property
    def urgent(self) -> bool:
        """Whether it counts although it may have stood so before anybody listened."""
        return self.fire or self.call is not None


def parse_action(text: str) -> Action | None:
    """The action that a room file names; None where there is no such thing."""
    if text == "fire":
        return Action(fire=True)
    if text == "call assist":
        return Action(call="assist")
    if text == "call emergency":
        return Action(call="emergency")
    mark = _MARK.match(text)
    if mark:
        return Action(act=Mark(code=mark[1]))
    return Action(act=_PLAIN[text]) if text in _PLAIN else None
