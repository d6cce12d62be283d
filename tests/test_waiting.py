"""What the tests' patience rests on."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import QUIET

HALTS = """
import sys, time
from pathlib import Path
import numpy as np
from controller.sound.capture import Capture
from controller.sound.mixer import BLOCK
from controller.sound.outputs import QUEUE_BLOCKS, open_output
capture = Capture(Path(sys.argv[1]), 2)
card = open_output("file:", 2, lambda *_: None, capture)
for _ in range(3):
    for _ in range(QUEUE_BLOCKS):
        card.put(np.full((BLOCK, 2), 0.5), (), 1.0)
    time.sleep(0.6)
card.close()
capture.close()
print(card.late_blocks, card.frame // BLOCK)
"""


@pytest.mark.skipif(QUIET, reason="a proof hears the card as it is")
def test_a_mixer_that_stood_still_is_waited_for_by_the_card_of_a_test(tmp_path: Path) -> None:
    wav = tmp_path / "heard.wav"
    told = subprocess.run([sys.executable, "-c", HALTS, str(wav)], check=True, capture_output=True, text=True).stdout
    late, blocks = map(int, told.split())
    assert (late, blocks) == (0, 30)
    stretches = [line.split() for line in Path(f"{wav}.played").read_text().splitlines()]
    assert [int(frame) for _, frame in stretches][:3] == [0, 9_600, 19_200]
