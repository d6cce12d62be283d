"""The client against a room that dies, hangs and comes back."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from controller.console import client as client_module
from controller.console.client import Client
from controller.lines import ProtocolMismatch
from controller.messages import Call, CallView, Mark, Pause, Sitter, StandDown, Volume
from tests.console.fake_daemon import FakeRoom
from tests.waiting import PATIENCE_S, patiently, until


async def test_a_script_connects_sends_and_is_answered(room: FakeRoom) -> None:
    async with Client(room.runtime_dir, console="ctl") as client:
        status = await client.ready(PATIENCE_S)
        assert status.room == "room-2"
        reply = await client.send(Mark(code="spoke"), ("P-017",))
        assert not reply.refused and reply.seq > 0
        assert room.inputs[0].participants == ("P-017",)
        assert room.inputs[0].origin.console == "ctl" and room.inputs[0].origin.path == "socket"
        secret = room.hellos[0].pop("key")
        assert room.hellos[0] == {"protocol": 1, "console": "ctl", "person": None, "path": "socket"}
        assert isinstance(secret, str) and len(secret) == 32


async def test_a_refusal_arrives_with_its_values(room: FakeRoom) -> None:
    room.refusals["mark"] = ("unknown_mark", {"code": "spok", "nearest": "spoke"})
    async with Client(room.runtime_dir) as client:
        await client.ready(PATIENCE_S)
        reply = await client.send(Mark(code="spok"))
        assert reply.refused == "unknown_mark" and reply.values["nearest"] == "spoke"


async def test_telemetry_is_merged_into_the_status(room: FakeRoom) -> None:
    async with Client(room.runtime_dir) as client:
        before = (await client.ready(PATIENCE_S)).t
        await until(lambda: client.status.t > before)
        assert client.status.phases == room.status.phases


async def test_a_mark_made_while_the_daemon_is_dead_is_kept_and_noted_once(room: FakeRoom) -> None:
    async with Client(room.runtime_dir) as client:
        await client.ready(PATIENCE_S)
        await room.stop("daemon")
        await until(lambda: not client.connected)
        waiting = asyncio.create_task(client.send(Mark(code="spoke")))
        await until(lambda: client.unanswered)
        await room.start("daemon")
        assert (await patiently(waiting)).seq > 0
        assert [given.act.kind for given in room.inputs] == ["mark"]
        assert not client.unanswered


async def test_a_hung_daemon_counts_as_lost_after_two_seconds(room: FakeRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "LOST_S", 0.7)
    async with Client(room.runtime_dir) as client:
        await client.ready(PATIENCE_S)
        room.silent = True
        await until(lambda: not client.connected)
        room.silent = False
        await until(lambda: client.connected)


async def test_a_volume_step_is_not_made_up_for_later(room: FakeRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "STALE_S", 0.3)
    async with Client(room.runtime_dir) as client:
        await client.ready(PATIENCE_S)
        await room.stop("daemon")
        reply = await client.send(Volume(step_db=1.5))
        assert reply.refused == "not_reached"
        await room.start("daemon")
        await until(lambda: client.connected)
        assert not room.inputs


async def test_pause_goes_straight_to_the_sound_when_the_daemon_is_dead_and_is_recorded_later(room: FakeRoom) -> None:
    async with Client(room.runtime_dir) as client:
        await client.ready(PATIENCE_S)
        await room.stop("daemon")
        await until(lambda: not client.connected)
        pressed = client.room_time
        reply = await patiently(client.send(Pause()))
        done = client.room_time
        assert reply.values == {"path": "engine"} and not reply.refused
        assert room.directs[0]["direct"] == "pause" and room.directs[0]["origin"]["path"] == "engine"
        await room.start("daemon")
        await until(lambda: room.inputs)
        act = room.inputs[0].act
        assert room.inputs[0].id == room.directs[0]["id"]
        assert isinstance(act, Pause) and pressed - 0.01 <= act.direct_t <= done + 0.01
        await until(lambda: not client.unanswered)


async def test_pause_goes_straight_to_the_sound_when_the_daemon_hangs(room: FakeRoom) -> None:
    async with Client(room.runtime_dir) as client:
        await client.ready(PATIENCE_S)
        room.silent = True
        reply = await patiently(client.send(Pause()))
        assert reply.values == {"path": "engine"}


async def test_a_pause_that_nobody_took_is_not_claimed(room: FakeRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "DIRECT_TRY_S", 0.3)
    async with Client(room.runtime_dir) as client:
        await client.ready(PATIENCE_S)
        await room.stop("daemon", "sound")
        await until(lambda: not client.connected)
        assert (await client.send(Pause())).refused == "not_reached"


async def test_a_call_goes_both_ways_and_is_shown_no_further_than_it_is(room: FakeRoom) -> None:
    async with Client(room.runtime_dir) as client:
        await client.ready(PATIENCE_S)
        await until(lambda: client.desk.reachable)
        await client.send(Call(call="k-1"))
        await until(lambda: room.calls)
        assert room.calls[0]["call"] == "k-1" and room.calls[0]["level"] == "assist"
        assert room.inputs[0].act.kind == "call"
        assert client.call.stage == "placed"
        room.caller_says({"call": "k-1", "stage": "sent", "by": ""})
        await until(lambda: client.call.stage == "sent")
        room.caller_says({"call": "k-1", "stage": "acknowledged", "by": "Mara"})
        await until(lambda: client.call.stage == "acknowledged")
        assert client.call.by == "Mara"
        await client.send(StandDown(call="k-1"))
        await until(lambda: client.call.stage == "stood_down")


async def test_nobody_ends_a_call_past_a_daemon_that_would_refuse_it(room: FakeRoom) -> None:
    room.status = replace(room.status, signs_on=True)
    async with Client(room.runtime_dir, console="console-a") as client:
        await client.ready(PATIENCE_S)
        await until(lambda: client.desk.reachable)
        await client.send(Call(call="k-1"))
        room.caller_says({"call": "k-1", "stage": "sent", "by": ""})
        await until(lambda: client.call.stage == "sent")
        assert (await client.send(StandDown(call="k-1"))).refused == "sign_on_needed"
        await asyncio.sleep(0.05)
        assert client.call.stage == "sent" and [given.act.kind for given in room.inputs] == ["call"]
        room.push(sitters=(Sitter(initials="AB", since_t=0.0, consoles=("console-a",)),))
        await until(lambda: client.signed_on)
        assert not (await client.send(StandDown(call="k-1"))).refused
        await until(lambda: client.call.stage == "stood_down")


async def test_a_call_reaches_the_caller_while_the_daemon_is_dead(room: FakeRoom) -> None:
    async with Client(room.runtime_dir) as client:
        await client.ready(PATIENCE_S)
        await room.stop("daemon")
        await until(lambda: not client.connected)
        reply = await patiently(client.send(Call(call="k-2", level="emergency")))
        assert reply.values["path"] == "caller"
        assert room.calls[0]["level"] == "emergency"
        assert client.call.stage == "placed"


async def test_a_call_that_stands_is_handed_to_a_caller_that_was_started_anew(room: FakeRoom) -> None:
    async with Client(room.runtime_dir) as client:
        await client.ready(PATIENCE_S)
        await room.stop("daemon")
        await until(lambda: not client.connected)
        assert (await patiently(client.send(Call(call="k-2")))).values["path"] == "caller"
        await room.stop("caller")  # whose disk took nothing
        room.calls.clear()
        await until(lambda: not client.desk.reachable)
        await room.start("caller")
        await until(lambda: client.desk.reachable)
        await until(lambda: [call["call"] for call in room.calls] == ["k-2"])


async def test_a_call_that_nobody_can_take_is_not_delivered_at_once(room: FakeRoom) -> None:
    async with Client(room.runtime_dir) as client:
        await client.ready(PATIENCE_S)
        await room.stop("daemon", "caller")
        await until(lambda: not client.connected and not client.desk.reachable)
        waiting = asyncio.create_task(client.send(Call(call="k-3")))
        await asyncio.sleep(0)
        await until(lambda: client.call.call == "k-3")
        assert client.call.stage == "not_delivered"
        await room.start("caller")
        await until(lambda: client.call.stage == "placed")
        assert (await waiting).values["path"] == "caller"


async def test_a_hung_daemon_and_a_dead_caller_are_not_delivered_within_a_second(room: FakeRoom) -> None:
    async with Client(room.runtime_dir) as client:
        await client.ready(PATIENCE_S)
        await room.stop("caller")
        room.silent = True
        waiting = asyncio.create_task(client.send(Call(call="k-4")))
        await until(lambda: client.call.stage == "not_delivered")
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)


async def test_another_consoles_emergency_of_this_call_is_not_shown_as_lost(room: FakeRoom) -> None:
    async with Client(room.runtime_dir) as client:
        await client.ready(PATIENCE_S)
        await room.stop("caller")
        await client.send(Call(call="k-5"))
        room.push(call=CallView(call="k-5", level="emergency", stage="sent"))
        await until(lambda: client.call.level == "emergency")
        assert client.call.stage == "sent"


async def test_an_answer_to_the_assist_is_not_shown_as_one_to_the_emergency(room: FakeRoom) -> None:
    async with Client(room.runtime_dir) as client:
        await client.ready(PATIENCE_S)
        await until(lambda: client.desk.reachable)
        await client.send(Call(call="k-6"))
        await client.send(Call(call="k-6", level="emergency"))
        await until(lambda: len(room.calls) == 2)
        room.caller_says({"call": "k-6", "level": "assist", "stage": "acknowledged", "by": "Mara"})
        room.caller_says({"call": "k-6", "level": "emergency", "stage": "sent", "by": ""})
        await until(lambda: client.call.stage == "sent")
        assert client.call.level == "emergency"


async def test_another_consoles_call_is_seen_and_stood_down_while_the_daemon_is_dead(room: FakeRoom) -> None:
    async with Client(room.runtime_dir) as client:
        await client.ready(PATIENCE_S)
        await room.stop("daemon")
        await until(lambda: not client.connected and client.desk.reachable)
        room.caller_says({"call": "k-7", "level": "assist", "stage": "acknowledged", "by": "Mara"})
        await until(lambda: client.call.stage == "acknowledged")
        waiting = asyncio.create_task(client.send(StandDown(call="k-7")))
        await until(lambda: client.call.stage == "stood_down")
        await room.start("daemon")
        await waiting


async def test_another_protocol_is_explained(runtime_dir: Path) -> None:
    room = FakeRoom(runtime_dir, protocol=7)
    await room.start("daemon")
    async with Client(runtime_dir) as client:
        with pytest.raises(ProtocolMismatch, match="protocol 7"):
            await client.ready(PATIENCE_S)
    await room.stop()


async def test_no_daemon_is_a_timeout_not_a_hang(runtime_dir: Path) -> None:
    async with Client(runtime_dir) as client:
        with pytest.raises(TimeoutError):
            await client.ready(0.3)
