"""The bare engine, `python -m controller.sound SETTINGS`: what `stillroom sound` becomes with its room file read.

Nothing that a command line or a room file needs stays in memory beside the music.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import NoReturn

from controller.messages import decode, encode
from controller.sound.entry import prepare_process
from controller.sound.settings import SoundSettings


def become_engine(settings: SoundSettings) -> NoReturn:
    """Put the engine and its warden in the place of this process."""
    # Each of libVLC's threads would else keep a heap of its own.
    environment = {"MALLOC_ARENA_MAX": "2", **os.environ}
    words = [sys.executable, "-m", "controller.sound", encode(settings).decode()]
    os.execve(sys.executable, words, environment)


def main() -> None:
    """Be the warden of the engine whose settings are the one argument."""
    prepare_process()
    # asyncio would load TLS, which nothing here speaks: 4 MB.
    sys.modules.setdefault("ssl", None)  # type: ignore[arg-type]
    from controller.sound.engine import keep_engine

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    keep_engine(decode(SoundSettings, sys.argv[1]))


if __name__ == "__main__":
    main()
