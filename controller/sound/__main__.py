"""The sound engine's process, `python -m controller.sound DIR SETTINGS`: what `stillroom sound` becomes.

It is the engine's warden, and stays beside the music all day: what an engine needs, each life imports for itself.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from controller.sound.entry import prepare_process
from controller.warden import Heart, Past, keep_alive

if TYPE_CHECKING:
    from controller.sound.settings import SoundSettings

_SILENT_S = 0.8
"""An engine that has not mixed for so long is killed: with what a start takes, sound is back within two seconds."""

_STARTING_S = 10.0
"""Its imports take a third of a second, and some seconds on a small machine that has just booted."""


def become_engine(settings: SoundSettings) -> NoReturn:
    """Put the engine's warden in the place of this process."""
    from controller.messages import encode

    # Each of libVLC's threads would else keep a heap of its own.
    environment = {"MALLOC_ARENA_MAX": "2", **os.environ}
    words = [sys.executable, "-m", "controller.sound", str(settings.runtime_dir), encode(settings).decode()]
    os.execve(sys.executable, words, environment)


def main() -> None:
    """Be the warden of the engine with this runtime directory and these settings.

    Raises SystemExit where the room's engine is watched already.
    """
    prepare_process()
    keep_alive("sound", Path(sys.argv[1]), _live, silent_s=_SILENT_S, starting_s=_STARTING_S)


def _live(heart: Heart, past: Past) -> None:
    # asyncio would load TLS, which nothing here speaks: 4 MB.
    sys.modules.setdefault("ssl", None)  # type: ignore[arg-type]
    import logging

    from controller.messages import decode
    from controller.sound.engine import run_engine
    from controller.sound.settings import SoundSettings

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    run_engine(decode(SoundSettings, sys.argv[2]), heart, past)


if __name__ == "__main__":
    main()
