"""A whole room with keys on serial lines: the fire panel silences it, and a hung daemon swallows no press."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import numpy as np
import pytest
import soundfile

from controller.inputs.simulated import SimulatedWriter
from controller.journal.reading import read_records, session_file
from controller.messages import Call, Fire, Light, Resume, StandDown
from tests.waiting import until
from tests.whole.hearing import RATE, listen
from tests.whole.room import whole_room
from tests.whole.test_crash import begin

pytestmark = pytest.mark.proof


def now_in(wav: Path) -> int:
    """The frame that is written now, by the file's size: its header tells it late."""
    with soundfile.SoundFile(str(wav)) as sound:
        assert sound.subtype == "PCM_16"
        return wav.stat().st_size // (2 * sound.channels)


def silent_after(wav: Path, frame: int) -> float:
    """Seconds after `frame` at which the last sound above -60 dBFS was, in the four seconds that follow it."""
    heard = np.abs(listen(wav)[frame : frame + 4 * RATE]).max(axis=1)
    loud = np.flatnonzero(heard > 10 ** (-60 / 20))
    return float(loud[-1]) / RATE if len(loud) else 0.0


async def test_fire_silences_the_room_and_a_hung_daemon_swallows_neither_fire_nor_call(tmp_path: Path) -> None:
    keys = {name: SimulatedWriter(tmp_path / name) for name in ("fire", "call")}
    for key in keys.values():
        key.plug()
    more = "".join(
        f'\n[ports.{name}]\ndevice = "{key.device}"\n[buttons.{name}]\nprofile = "button-serial-key"\nport = "{name}"\n'
        f'does = {{ single = "{"fire" if name == "fire" else "call assist"}" }}\n'
        for name, key in keys.items()
    )
    async with whole_room(tmp_path / "room", more) as room, room.client() as client:
        room.processes.start("buttons")
        await begin(client, minutes=3)
        session = client.status.session
        await asyncio.sleep(4.0)
        assert not [alarm.code for alarm in client.status.alarms if alarm.code.startswith("button")]

        frame = now_in(room.wav)
        keys["fire"].write("P\n")
        await until(lambda: client.status.state == "paused" and client.status.scene == "exit")
        await asyncio.sleep(4.5)
        out = silent_after(room.wav, frame)
        lamp = next(iter(room.bridge.lamps.values()))
        print(f"fire: the last sound {out:.2f} s after the press; light {lamp.level:.0%}")
        assert 0.0 < out <= 2.0
        assert lamp.level >= 0.39
        assert not (await client.send(Resume())).refused
        assert not (await client.send(Light(scene="arc"))).refused
        await asyncio.sleep(6.0)

        daemon = room.processes.running("run").pid
        os.kill(daemon, signal.SIGSTOP)
        frame = now_in(room.wav)
        keys["call"].write("P\n")
        keys["fire"].write("P\n")
        await until(lambda: client.desk.view(client.status.call, False).stage == "acknowledged")
        await asyncio.sleep(4.5)
        out = silent_after(room.wav, frame)
        print(f"fire with a hung daemon: the last sound {out:.2f} s after the press")
        assert 0.0 < out <= 2.0
        os.kill(daemon, signal.SIGCONT)
        await until(lambda: client.status.call.stage == "acknowledged" and client.status.state == "paused")
        assert not (await client.send(StandDown())).refused
        records = [record for record, _ in read_records(session_file(room.state_dir, session))]
        acts = [record.input.act for record in records]
        assert [act.contact for act in acts if isinstance(act, Fire)] == ["fire", "fire"]
        assert len({act.call for act in acts if isinstance(act, Call)}) == 1
    for key in keys.values():
        key.unplug()
