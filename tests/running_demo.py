"""The two-minute demo, begun before the first test and run beside those that mostly wait."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass
class RunningDemo:
    """`stillroom demo --headless --minutes 2`, under way."""

    state_dir: Path
    process: subprocess.Popen[str]

    @classmethod
    def begin(cls, state_dir: Path) -> RunningDemo:
        """Start it."""
        command = [sys.executable, "-m", "controller", "demo", "--headless", "--minutes", "2"]
        process = subprocess.Popen(
            [*command, "--state", str(state_dir)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        return cls(state_dir, process)

    def finish(self) -> str:
        """Wait for its end; what it printed. Fails where it found anything not as it should be."""
        output, _ = self.process.communicate(timeout=240)
        assert self.process.returncode == 0, output
        return output

    def stop(self) -> None:
        """End it if it still runs."""
        if self.process.poll() is None:
            self.process.terminate()
            self.process.communicate(timeout=20)
