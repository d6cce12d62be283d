"""The fire panel's contact while the daemon hangs, on what the room sounded like."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from controller.clock import boottime
from controller.inputs.panel import Panel
from controller.inputs.settings import ButtonSettings
from controller.inputs.simulated import SimulatedContacts
from controller.messages import PROTOCOL, Cue, line_of
from tests.inputs.room import BrokerSettings, button
from tests.sound.room import EngineProcess, Link, noise, play, sheet
from tests.waiting import PATIENCE_S, promised, until

OUT_S = 2.0


def until_it_is_out(link: Link) -> None:
    late = boottime() + PATIENCE_S
    while link.until("telemetry")["buses"]["speakers"]["rms_dbfs"] > -80:
        assert boottime() < late
    link.read_for(0.5)


@pytest.mark.timed
async def test_the_music_is_out_in_two_seconds_although_the_daemon_hangs(tmp_path: Path) -> None:
    engine = await asyncio.to_thread(EngineProcess(tmp_path).start)
    (tmp_path / "adapter").touch()
    lines = SimulatedContacts(cts=True)
    contact = button("fire-panel", "button-fire-panel", on=str(tmp_path / "adapter"), open="fire")
    settings = ButtonSettings("room-1", tmp_path, BrokerSettings("127.0.0.1", 1, "nobody"), (contact,))
    stop = asyncio.Event()
    panel = asyncio.create_task(Panel(settings, opener=lines.opener).run(stop))
    try:
        link = await asyncio.to_thread(engine.link)
        piece = noise(tmp_path / "music.wav", 20)
        engine.tell(link, sheet(Cue(id=1, piece=piece, start_s=0.0, length_s=20.0)), play())
        await until((tmp_path / "buttons.sock").exists)
        _, hung = await asyncio.open_unix_connection(str(tmp_path / "buttons.sock"))
        hung.write(line_of({"protocol": PROTOCOL, "client": "daemon"}))  # and then it takes nothing
        await asyncio.to_thread(link.until, "piece_started")
        await asyncio.sleep(1.0)
        lines.closed["cts"] = False
        pressed = boottime()
        await asyncio.to_thread(until_it_is_out, link)
        hung.close()
    finally:
        stop.set()
        await panel
        await asyncio.to_thread(engine.stop)
    heard = engine.heard()
    at = heard.frame_at(pressed)
    loud = np.flatnonzero(np.abs(heard.samples[at:]).max(axis=1) > 10 ** (-60 / 20))
    assert np.abs(heard.samples[at - 4800 : at]).max() > 0.02, "there was music until then"
    out = loud[-1] / 48_000
    print(f"fire with a hung daemon: the last sound {out:.2f} s after the contact opened")
    assert 0.5 < out <= promised(OUT_S)
