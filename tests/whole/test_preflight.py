"""A whole room is looked at before a session: its sound is heard, its lights answer, somebody takes the test call."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
from typer.testing import CliRunner

from controller.console.client import Client
from controller.ctl import app
from controller.journal.reading import read_records, room_file, session_file
from controller.messages import (
    AnswerPreflight,
    BeginPreflight,
    Limits,
    OverridePreflight,
    PlaceCall,
    PreflightLine,
    PreflightUsed,
    Probed,
    RunPreflight,
    Start,
)
from controller.report.gathering import account_of
from controller.report.preflight import preflight_words
from controller.report.terminal import head_lines
from tests.waiting import PATIENCE_S, until
from tests.whole.hearing import RATE, Audio, level_db, listen
from tests.whole.room import WholeRoom, whole_room

HEADPHONES = '[[sound.buses]]\nname = "headphones"\nchannels = [3, 4]\nceiling_dbfs = -12.0\nlevel_db = -6.0\n'
WHO = ("D-001",)


def line(client: Client, check: str) -> PreflightLine:
    return next(line for line in client.status.preflight.lines if line.check == check)


async def refused(client: Client, act: object, why: str = "") -> str:
    return (await client.send(act, why=why)).refused  # type: ignore[arg-type]


async def well(client: Client, act: object, why: str = "") -> None:
    assert await refused(client, act, why) == ""


async def play(client: Client, bus: str) -> None:
    await well(client, RunPreflight(check=f"sound.{bus}"))
    await until(lambda: line(client, f"sound.{bus}").stage == "asked")


async def script(room: WholeRoom, *words: str) -> tuple[int, str]:
    """`stillroom ctl preflight WORDS`: its exit code, and what it says."""
    command = ["preflight", *words, "--state", str(room.state_dir)]
    done = await asyncio.to_thread(CliRunner().invoke, app, command)
    return done.exit_code, done.output


async def test_a_room_is_looked_at_and_then_a_session_begins(tmp_path: Path) -> None:
    async with whole_room(tmp_path / "room", HEADPHONES, preflight=True) as room, room.client() as client:
        await client.ready(PATIENCE_S)
        await until(lambda: client.status.sound.state == "ok")
        assert client.status.preflight.required
        start = Start(programme="demo", participants=WHO, minutes=2, seed=1)
        assert await refused(client, start) == "preflight_missing"
        assert await refused(client, BeginPreflight(programme="demo", participants=("Robert",))) == "not_a_code"

        study = BeginPreflight(programme="blinded-two-arms", participants=("D-1",))
        assert await refused(client, study) == "blinded_code"
        await well(client, BeginPreflight(programme="demo", participants=WHO))
        await play(client, "speakers")
        await asyncio.sleep(3.8)
        await well(client, AnswerPreflight(check="sound.speakers", value="heard"))
        room.kill_daemon()
        room.start_daemon()
        await until(lambda: not client.connected)
        await until(lambda: client.connected and client.status.preflight.programme == "demo")
        assert line(client, "sound.speakers").stage == "green", "it goes on where it was"
        await until(lambda: line(client, "lights").stage == "green" and line(client, "library").settled)
        reply = await client.send(start)
        assert reply.refused == "preflight_open" and "sound.headphones" in str(reply.values["checks"])

        await play(client, "headphones")
        await asyncio.sleep(3.8)
        await well(client, AnswerPreflight(check="sound.headphones", value="heard"))
        for key in ("1", "9", "c", "space"):
            await well(client, AnswerPreflight(check="keys", value=key))
        await until(lambda: line(client, "call").stage == "green")
        await until(lambda: room.desk.heard[-1]["stage"] == "stood_down")
        assert all(notice["test"] is True for notice in room.desk.heard)
        assert not client.status.call.call and not client.call.call
        await until(lambda: not client.status.alarms)
        await well(client, AnswerPreflight(check="touch", value="none"))
        await well(client, AnswerPreflight(check="limits", limits=Limits(volume_cap_db=-6.0)))

        assert line(client, "commissioning").code == "commissioning_missing"
        assert await refused(client, OverridePreflight(check="commissioning")) == "no_reason"
        code, told = await script(room, "show")
        assert code == 1 and "RED  commissioning" in told and "never done" in told
        code, told = await script(
            room, "override", "commissioning", "--why", "lamps are simulated here", "--person", "T"
        )
        assert code == 0, told
        if line(client, "clock").stage == "red":
            await well(client, OverridePreflight(check="clock"), "no network in a test")
        assert (await script(room, "show"))[0] == 0
        assert client.status.preflight.ready, client.status.preflight.lines
        other = Start(programme="demo", participants=("D-002",), minutes=2)
        assert await refused(client, other) == "preflight_other"
        await well(client, start)
        await until(lambda: client.status.state == "running")
        assert client.status.limits.volume_cap_db == -6.0
        session = client.status.session
        await until(lambda: _used(room) == [session])
    _look_at_the_record(room, session)
    heard = listen(room.wav)
    _look_at_the_tone(heard[:, 0:2], heard[:, 2:4], -23.0 - 3.5 - 10.0)
    _look_at_the_tone(heard[:, 2:4], heard[:, 0:2], -23.0 - 3.5 - 10.0 - 6.0)


def _used(room: WholeRoom) -> list[str]:
    acts = [record.input.act for record, _ in read_records(room_file(room.state_dir))]
    return [act.session for act in acts if isinstance(act, PreflightUsed)]


def _look_at_the_record(room: WholeRoom, session: str) -> None:
    told = list(read_records(room_file(room.state_dir)))
    found = {record.input.act.check for record, _ in told if isinstance(record.input.act, Probed)}
    assert {"engine", "broker", "disk", "clock", "lights", "library"} <= found
    opening = next(read_records(session_file(room.state_dir, session)))[0].input.act
    assert isinstance(opening, Start) and set(opening.touch_scopes.values()) == {"none"}
    over = next(line for line in opening.preflight if line.check == "commissioning")
    assert (over.stage, over.by) == ("overridden", "T")
    assert next(text for record, text in told if record.seq == over.seq) == "lamps are simulated here"
    assert {line.check for line in opening.preflight if line.stage == "green"} >= {"sound.headphones", "call", "keys"}
    calls = [effect for record, _ in told for effect in record.effects if isinstance(effect, PlaceCall)]
    assert calls and all(effect.test for effect in calls) and calls[-1].stood_down
    account = account_of(session_file(room.state_dir, session))
    assert any("commissioning: overridden by T" in event.text for event in account.events)
    words = preflight_words(account)
    assert f"(why: record {over.seq} of the room's book)" in words and "headphones heard" in words
    assert words in "\n".join(head_lines(account))
    lamps = room.bridge.lamps.values()
    for lamp in lamps:
        low, high = lamp.levels()
        assert high - low >= 0.08 and lamp.largest_jump() <= 0.12, "they moved, and gently"


def _look_at_the_tone(bus: Audio, other: Audio, dbfs: float) -> None:
    """Left, then right, at the level that was meant, by ramps, and nothing on the other bus meanwhile."""
    window = RATE // 10
    levels = np.array([
        [level_db(bus[at : at + window, side : side + 1]) for side in (0, 1)]
        for at in range(0, len(bus) - window, window)
    ])  # fmt: skip
    sides = [np.flatnonzero(np.abs(levels[:, side] - dbfs) < 1.5) for side in (0, 1)]
    first = sides[0][0]
    assert len(sides[0]) >= 8 and len(sides[1]) >= 8, "each side sounds for more than a second"
    assert first < sides[1][0], "left first"
    assert levels[first, 1] < dbfs - 20
    elsewhere = level_db(other[first * window : (first + 8) * window])
    assert elsewhere < -90, "and on no other bus"
    rise = levels[:first, 0]
    before = rise[rise > -70]
    assert len(before) >= 2 and np.all(np.diff(before) > 0), "it comes by a ramp"
