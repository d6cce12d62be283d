"""A real terminal without a screen: a private tmux server with one console in it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.waiting import PATIENCE_S

PYTHON = sys.executable
RUN = "from pathlib import Path; from controller.console.app import run_console; run_console(Path({!r}), {!r})"


class Tmux:
    """Types real keys into the console of the room whose sockets lie in `runtime_dir`, and reads its screen."""

    def __init__(
        self, socket: Path, runtime_dir: Path, *, term: str = "screen-256color", size: tuple[int, int] = (80, 24),
        person: str | None = "AB", command: str = "",
    ) -> None:  # fmt: skip
        if shutil.which("tmux") is None:
            pytest.fail("tmux is not installed: bash deploy/setup.sh --dev")
        self.socket = str(socket)
        run = command or f'{PYTHON} -c "{RUN.format(str(runtime_dir), person)}"'
        width, height = map(str, size)
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", width, "-y", height, f"exec env TERM={term} {run}")

    def tmux(self, *words: str) -> str:
        return subprocess.run(["tmux", "-S", self.socket, *words], check=True, capture_output=True, text=True).stdout

    def screen(self) -> str:
        return self.tmux("capture-pane", "-p")

    def pid(self) -> int:
        return int(self.tmux("list-panes", "-F", "#{pane_pid}"))

    def press(self, *keys: str) -> None:
        self.tmux("send-keys", *keys)

    def type(self, text: str) -> None:
        self.tmux("send-keys", "-l", text)

    def paste(self, text: str, *brackets: str) -> None:
        """All at once; with "-p" the terminal says that it is a paste."""
        self.tmux("set-buffer", text)
        self.tmux("paste-buffer", *brackets)

    def wait(self, true: Callable[[], object], timeout: float = PATIENCE_S) -> None:
        end = time.monotonic() + timeout
        while not true():
            assert time.monotonic() < end, f"not in time; the screen:\n{self.screen()}"
            time.sleep(0.03)

    def alive(self) -> bool:
        shown = subprocess.run(["tmux", "-S", self.socket, "list-panes"], check=False, capture_output=True)
        return shown.returncode == 0

    def close(self) -> None:
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], check=False, capture_output=True)
