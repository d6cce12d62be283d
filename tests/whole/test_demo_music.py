"""The demo's music is made once, however many demos begin at the same time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.waiting import PATIENCE_S

MAKE = """
import os
import sys
from pathlib import Path
from controller.demo import room
from controller.library import generate
two = ("return/3-the-door-ajar.mp3", "ascent/3-thin-cloud.ogg")
generate._PLANS = tuple(plan for plan in generate._PLANS if plan.name in two)
compose = generate._compose
def told(plan, rng):
    # Pieces are composed in threads: one write, so that none runs into another.
    os.write(1, f"made {plan.name}\\n".encode())
    return compose(plan, rng)
generate._compose = told
print(room.prepare_music(Path(sys.argv[1])))
"""


def test_two_demos_that_begin_together_make_the_music_once(tmp_path: Path) -> None:
    music = tmp_path / "music"
    environment = {**os.environ, "STILLROOM_DEMO_MUSIC": str(music)}
    makers = []
    for name in ("one", "two", "three"):
        (tmp_path / name).mkdir()
        command = [sys.executable, "-c", MAKE, str(tmp_path / name)]
        makers.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True))
    told = [maker.communicate(timeout=5 * PATIENCE_S)[0].splitlines() for maker in makers]
    assert [maker.returncode for maker in makers] == [0, 0, 0]
    assert sorted(line for lines in told for line in lines if line.startswith("made")) == [
        "made ascent/3-thin-cloud.ogg",
        "made return/3-the-door-ajar.mp3",
    ]
    assert all((tmp_path / name / "library.db").is_file() for name in ("one", "two", "three"))
