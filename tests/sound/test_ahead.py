"""Rendering ahead of a card, and going back for a command, in step with a card that does not wait."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from controller.sound.ahead import Ahead
from controller.sound.mixer import BLOCK, Mark
from controller.sound.outputs import BlockQueue
from tests.sound.test_mixer import cue, lay, mixer_for, sine, voice


class HastyCard(BlockQueue):
    """A card that takes its last block while a command is being rendered for it."""

    name = "hasty"

    def __init__(self, told: list[Mark]) -> None:
        super().__init__(2, lambda mark, _frame, _at: told.append(mark), None)
        self.heard: list[np.ndarray] = []
        self.hasty = False

    def take(self, boottime: float) -> np.ndarray:
        block = super().take(boottime)
        self.heard.append(block)
        return block

    def replace(self, block, fresh):  # type: ignore[no-untyped-def]
        if self.hasty:
            self.hasty = False
            self.take(0.0)
        return super().replace(block, fresh)


def test_a_command_that_comes_too_late_for_the_last_block_is_heard_in_the_next(tmp_path: Path) -> None:
    told: list[Mark] = []
    mixer, card = mixer_for(tmp_path), HastyCard(told)
    lay(mixer, voice(cue(1, 0.0, 2.0), sine(440.0, 2.0), ended=True))
    mixer.turn("play", 0.0)
    ahead = Ahead(mixer)
    for _ in range(6):
        assert ahead.step(card)
    while len(card._blocks) > 1:
        card.take(0.0)
    card.hasty = True
    done: list[int] = []
    mixer.command(lambda: done.append(1))
    assert ahead.step(card)
    while card._blocks:
        card.take(0.0)
    assert done
    assert mixer.timeline.frame == len(card.heard) * BLOCK, "music was skipped that nobody has heard"
