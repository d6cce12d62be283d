"""The buttons' own process: a warden keeps it, and its end is told."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

from controller.inputs.client import ButtonsClient
from controller.inputs.simulated import SimulatedWriter
from controller.messages import DeviceBack, DeviceLost, Input, Pause
from controller.places import runtime_dir
from tests.waiting import PATIENCE_S, until

ROOM = """
format = 1
name = "room-1"
simulated = true
[[light.lamps]]
name = "lamp"
profile = "esphome-light"
device = "lamp"
base = "node"
[broker]
port = 1
[ports.wall]
device = "{device}"
[buttons.key]
profile = "button-serial-key"
port = "wall"
does = {{ single = "pause" }}
"""


def begin(folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "controller", "buttons", str(folder / "room.toml"), "--state", str(folder)]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL)


def life(folder: Path) -> int:
    """The process that the warden keeps."""
    return int((runtime_dir(folder) / "buttons.life").read_text())


async def test_buttons_that_are_killed_or_hang_are_back_at_once_and_their_end_is_told(tmp_path: Path) -> None:
    key = SimulatedWriter(tmp_path / "key")
    key.plug()
    (tmp_path / "room.toml").write_text(ROOM.format(device=key.device), encoding="utf-8")
    posted: list[Input] = []

    def acts(*kinds: type) -> list[object]:
        return [given.act for given in posted if isinstance(given.act, kinds)]

    async def pressed() -> None:
        await until(lambda: client._link.up)
        heard = len(acts(Pause))
        async with asyncio.timeout(PATIENCE_S):
            while len(acts(Pause)) == heard:  # a press before the port is open again is lost
                key.write("P\n")
                await asyncio.sleep(1.0)

    (runtime_dir(tmp_path)).mkdir(parents=True, exist_ok=True)
    client = ButtonsClient(runtime_dir(tmp_path))
    warden = begin(tmp_path)
    try:
        await client.start(lambda given, _noted: posted.append(given))
        await pressed()
        for number in (signal.SIGKILL, signal.SIGSTOP):
            before = life(tmp_path)
            os.kill(before, number)
            await until(lambda before=before: life(tmp_path) != before)  # type: ignore[misc]
            await until(lambda: not client._link.up)
            await pressed()
        told = len(acts(DeviceLost))  # none, but for a machine that is so busy that it takes them three seconds
        assert len(acts(DeviceBack)) == told
        warden.terminate()
        await until(lambda: acts(DeviceLost)[told:] == [DeviceLost(name="buttons", why="")])
        assert warden.wait(PATIENCE_S) == 0
        warden = begin(tmp_path)
        await until(lambda: acts(DeviceBack)[told:] == [DeviceBack(name="buttons")])
    finally:
        await client.close()
        warden.terminate()
        warden.wait(PATIENCE_S)
        key.unplug()
