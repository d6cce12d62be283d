"""Rendering ahead of the card, and going back as soon as a command overtakes what is rendered.

A long queue lets no block be late beside a busy machine; a command shall be heard at once. So every block in the queue
remembers how the mixer was before it. A command sends the mixer back to the first block that the card has not taken,
and what was rendered from there on is replaced; until then the card plays on what is there.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from controller.sound.ceiling import Frames
from controller.sound.mixer import Action, Held, Mark, Mixer
from controller.sound.outputs import QUEUE_BLOCKS, Output

_PATIENCE_S = 0.2

_AT_ONCE = 2
"""Blocks that are rendered anew before they replace the old ones: the card never finds less than these."""


@dataclass(frozen=True, slots=True, eq=False)
class _Rendered:
    """A block, its marks, and the way back to it."""

    audio: Frames
    marks: tuple[Mark, ...]
    before: Held
    actions: list[Action]


class Ahead:
    """Keeps an output's queue full; belongs to the mixer's thread."""

    def __init__(self, mixer: Mixer) -> None:
        self._mixer = mixer
        self._rendered: deque[_Rendered] = deque(maxlen=QUEUE_BLOCKS + 1)

    def step(self, output: Output) -> bool:
        """Render the next block when there is room for it, or anew what a command overtakes; False if it took none."""
        mixer = self._mixer
        if mixer.urgent:
            return self._revise(output)
        if output.has_room(_PATIENCE_S, lambda: mixer.urgent):
            block = self._render(mixer.posted())
            self._rendered.append(block)
            return output.put(block.audio, block.marks, 0.0)
        return False

    def _render(self, actions: list[Action]) -> _Rendered:
        before = self._mixer.hold()
        audio, marks = self._mixer.render(actions)
        return _Rendered(audio, marks, before, actions)

    def _revise(self, output: Output) -> bool:
        """Do what was posted before the first block that the card has not taken."""
        asked = self._mixer.posted()
        end = self._mixer.hold()
        while True:
            first = output.queued()
            while self._rendered and self._rendered[0].audio is not first:
                self._rendered.popleft()
            if first is None or not self._rendered:
                break
            self._mixer.go_back(self._rendered[0].before)
            actions = [action for block in self._rendered for action in block.actions] + asked
            fresh = [self._render(actions if number == 0 else []) for number in range(_AT_ONCE)]
            if output.replace(first, [(block.audio, block.marks) for block in fresh]):
                self._rendered = deque(fresh, QUEUE_BLOCKS + 1)
                return True
        # The card has nothing left, or it is another one: there is nothing to go back to, and what was rendered for it
        # meanwhile nobody hears.
        self._mixer.go_back(end)
        block = self._render(asked)
        self._rendered = deque([block], QUEUE_BLOCKS + 1)
        return output.put(block.audio, block.marks, 0.0)
