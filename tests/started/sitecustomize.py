"""Every Python process that the tests start begins with this, before anything of the product is imported.

Another boot of the machine, and a clinic's own files elsewhere than in /etc, where the environment says so; and a card
that waits for the mixer, so that a machine that stood still for a moment is not heard. What is heard of such a machine
is a matter of proofs (deploy/proof.sh), and of the tests of the card itself.
"""

import os
import sys


def _wait_for_the_mixer(outputs):
    """The card's clock stands still while there is no block; beside the capture lies what was played when."""
    boottime, rate = outputs.clock.boottime, outputs.RATE

    def work(self):
        self._filled.wait()
        started, first = boottime(), self.frame
        played_at = None
        if self._capture is not None:
            self.frame = first = self._capture.begin(started)
            played_at = f"{self._capture.path}.played"

        def say():
            if played_at is not None:
                with open(played_at, "a", encoding="ascii") as file:  # noqa: PTH123
                    print(started, first, file=file)

        say()
        while not self._stop.is_set():
            due = started + (self.frame - first) / rate
            wait = due - boottime()
            if wait > 0:
                self._stop.wait(wait)
            elif self._blocks or self._gone:
                self.take(due)
            else:
                while not (self._blocks or self._gone or self._stop.wait(0.005)):
                    pass
                started, first = boottime(), self.frame
                say()

    outputs.PacedOutput._work = work


class _Afterwards:
    """Changes a module of the product as it is imported, and imports nothing itself."""

    def find_spec(self, name, path=None, target=None):
        if name != "controller.sound.outputs":
            return None
        sys.meta_path.remove(self)
        spec = sys.meta_path[-1].find_spec(name, path, target)
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            _wait_for_the_mixer(module)

        spec.loader.exec_module = exec_module
        return spec


if not os.environ.get("STILLROOM_QUIET"):
    sys.meta_path.insert(0, _Afterwards())
if boot := os.environ.get("ROOM_BOOT_ID"):
    from controller import clock

    clock.boot_id = lambda: boot
if own := os.environ.get("ROOM_OWN_FILES"):
    from pathlib import Path

    from controller.config import collection

    collection.OVERRIDES = Path(own)
