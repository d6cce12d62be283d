"""The two-minute demo, begun before the first test and run beside those that mostly wait."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from controller.clock import boottime
from tests.waiting import PATIENCE_S

LONGEST_S = 500.0


@dataclass
class RunningDemo:
    """`stillroom demo --headless --minutes 2`, under way; several test processes may share one."""

    state_dir: Path
    process: subprocess.Popen[bytes] | None = None
    """Where it is ours to end."""

    @classmethod
    def begin(cls, directory: Path) -> RunningDemo:
        """Start it, unless another test process did."""
        try:
            directory.mkdir(parents=True)
        except FileExistsError:
            return cls(directory / "state")
        command = [sys.executable, "-m", "controller", "demo", "--headless", "--minutes", "2"]
        demo = shlex.join([*command, "--state", str(directory / "state")])
        told, ended = shlex.quote(str(directory / "told")), shlex.quote(str(directory / "ended"))
        script = f"{demo} >{told} 2>&1; echo $? >{ended}.new; mv {ended}.new {ended}"
        return cls(directory / "state", subprocess.Popen(["sh", "-c", script], start_new_session=True))

    def finish(self) -> str:
        """Wait for its end; what it printed. Fails where it found anything not as it should be."""
        ended = self.state_dir.parent / "ended"
        late = boottime() + LONGEST_S
        while not ended.exists():
            assert boottime() < late, "the demo does not end"
            Event().wait(0.2)
        told = (self.state_dir.parent / "told").read_text()
        assert ended.read_text().strip() == "0", told
        return told

    def stop(self) -> None:
        """End it if it is ours and still runs."""
        if self.process is not None and self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(PATIENCE_S)
