"""Real keys through a real terminal: tmux at 80 x 24, the console as its own process."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import random
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.console.repeat import REST_S
from tests.console.tmux import PYTHON, RUN, Tmux
from tests.waiting import PATIENCE_S, QUIET


class Terminal(Tmux):
    """A console in tmux, and the fake room beside it."""

    def __init__(self, where: Path, term: str) -> None:
        self.inputs_file = where / "inputs"
        self.room = subprocess.Popen([PYTHON, "-m", "tests.console.fake_daemon", str(where), str(self.inputs_file)])
        while not (where / "sound.sock").exists():
            time.sleep(0.03)
        super().__init__(where / "tmux", where, term=term)

    def inputs(self) -> list[dict[str, object]]:
        if not self.inputs_file.exists():
            return []
        lines = self.inputs_file.read_text(encoding="utf-8").splitlines()
        return [json.loads(line)["act"] for line in lines]

    def come_to_rest(self) -> None:
        """Lock and unlock: then every key before is worked off, no question or menu is open, and each counts again."""
        self.press("C-l")
        self.wait(lambda: "LOCKED" in self.screen())
        self.press("x")
        self.wait(lambda: "LOCKED" not in self.screen())
        time.sleep(REST_S + 0.1)

    def close(self) -> None:
        super().close()
        self.room.kill()
        self.room.wait()


@pytest.fixture
def terminal(request: pytest.FixtureRequest) -> Iterator[Terminal]:
    with tempfile.TemporaryDirectory(prefix="room") as where:
        made = Terminal(Path(where), getattr(request, "param", "screen-256color"))
        try:
            made.wait(lambda: "RUNNING" in made.screen())
            yield made
        finally:
            made.close()


def test_the_console_answers_every_key_in_a_real_terminal(terminal: Terminal) -> None:
    def kinds() -> list[object]:
        return [act["kind"] for act in terminal.inputs()]

    assert "c CALL" in terminal.screen() and "m menu" in terminal.screen()
    simple = (
        ("1", "mark"), ("Space", "pause"), ("r", "resume"), ("Up", "volume"), ("h", "hold"), ("s", "quiet"),
        ("PPage", "volume"), ("l", "light"), ("f", "light"), ("Left", "light"),
        ("BSpace", "take_back"), ("é", "mark"), ("F2", "call"),
    )  # fmt: skip
    for count, (key, kind) in enumerate(simple, 1):
        terminal.press(key)
        terminal.wait(lambda count=count: len(kinds()) >= count)
        assert kinds()[-1] == kind, key
    terminal.wait(lambda: "SUPPORT CALLED" in terminal.screen())
    terminal.press("n")
    terminal.wait(lambda: "no names" in terminal.screen())
    terminal.type("cold hands")
    terminal.press("C-q", "Enter")
    terminal.wait(lambda: kinds()[-1] == "note")
    assert terminal.inputs()[-1]["text"] == "cold hands"
    terminal.press("v")
    terminal.wait(lambda: "Vitals" in terminal.screen())
    terminal.type("120/80 72")
    time.sleep(0.8)
    terminal.press("Enter")
    terminal.wait(lambda: kinds()[-1] == "vitals")
    terminal.press("g")
    terminal.wait(lambda: "Go to" in terminal.screen())
    terminal.press("6")
    time.sleep(0.8)
    terminal.press("Enter")
    terminal.wait(lambda: kinds()[-1] == "go")
    terminal.press("?")
    terminal.wait(lambda: "All actions" in terminal.screen())
    terminal.press("Escape")
    terminal.press("C-c")
    terminal.wait(lambda: "Ctrl+C again" in terminal.screen())
    terminal.press("C-c")
    terminal.wait(lambda: not terminal.alive())


@pytest.mark.timed
def test_a_key_held_in_a_real_terminal_acts_once_however_fast_it_repeats(terminal: Terminal) -> None:
    for digit, gap in zip("123", (0.0, 0.033, 0.092), strict=True):
        if gap and QUIET:  # a loaded machine has no such rhythm; by their own clock: tests/console/test_held_keys.py
            for count in range(15):
                terminal.press(digit)
                time.sleep(gap if count else 0.25)
        else:
            terminal.press("-N", "15", digit)
    terminal.press("r")  # what was held comes before it
    terminal.wait(lambda: terminal.inputs() and terminal.inputs()[-1]["kind"] == "resume")
    assert [act.get("code") for act in terminal.inputs()[:-1]] == ["spoke", "crying", "touch"]


@pytest.mark.parametrize("terminal", ["linux"], indirect=True)
def test_the_bare_linux_console_is_readable(terminal: Terminal) -> None:
    screen = terminal.screen()
    assert "RUNNING" in screen and "c CALL" in screen
    assert not set("▁▂▃▄▅▆▇▀⌫━") & set(screen)


@pytest.mark.parametrize("how", ["hang up", "close the terminal"])
def test_a_console_whose_terminal_goes_ends_and_does_not_spin(how: str) -> None:
    with tempfile.TemporaryDirectory(prefix="room") as where:
        child, terminal = pty.fork()
        if child == 0:
            os.environ.update(TERM="xterm-256color", COLUMNS="80", LINES="24")
            os.execv(PYTHON, [PYTHON, "-c", RUN.format(where, "AB")])
        seen = b""
        end = time.monotonic() + PATIENCE_S
        while b"CALL" not in seen and time.monotonic() < end:
            if select.select([terminal], [], [], 0.1)[0]:
                seen += os.read(terminal, 65536)
        assert b"CALL" in seen
        if how == "hang up":
            os.kill(child, signal.SIGHUP)
        else:
            os.close(terminal)
        end = time.monotonic() + PATIENCE_S
        ended = 0
        while not ended and time.monotonic() < end:
            if how == "hang up" and select.select([terminal], [], [], 0)[0]:
                with contextlib.suppress(OSError):
                    os.read(terminal, 65536)
            ended, _ = os.waitpid(child, os.WNOHANG)
            time.sleep(0.02)
        if not ended:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        if how == "hang up":
            os.close(terminal)
        assert ended, "the console outlived its terminal"


def test_a_storm_of_keys_and_a_paste_leave_a_console_that_answers(terminal: Terminal) -> None:
    chance = random.Random(698461)
    keys = (*"crhgnvdslfam?e123456789", "Space", "Tab", "BSpace", "Enter", "Up", "F2")
    for _ in range(15):
        terminal.press(*chance.choices(keys, k=4))
    terminal.come_to_rest()
    pasted = "she says the light is too bright"
    terminal.paste(pasted, "-p")
    terminal.wait(lambda: pasted in terminal.screen())
    assert pasted not in [act.get("text") for act in terminal.inputs()]
    before = len(terminal.inputs())
    terminal.press("F9")
    terminal.wait(
        lambda: "call" in [act["kind"] for act in terminal.inputs()[before:]] or "called already" in terminal.screen()
    )
    assert "NOT ANSWERING" not in terminal.screen()
