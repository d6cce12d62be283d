"""Calls through the real caller process, a real broker and the daemon's client."""

import asyncio
import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from controller.broker import BrokerLink, BrokerSettings
from controller.broker_private import PrivateBroker
from controller.calls.caller import Caller, CallerSettings
from controller.calls.client import CallerClient
from controller.calls.ladder import CallState
from controller.calls.outbox import Outbox
from controller.calls.simulated import SimulatedDesk
from controller.clock import RoomClock
from controller.messages import Act, CallChanged, DeviceBack, DeviceLost, PlaceCall
from tests.waiting import PATIENCE_S, patiently, until

PROGRAM = """
import sys
from pathlib import Path
from controller.broker import BrokerSettings
from controller.calls.caller import CallerSettings, keep_caller, run_caller
where, port, deliver, answer = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
be = keep_caller if sys.argv[5:] else run_caller
be(CallerSettings("room-1", where, where, BrokerSettings("127.0.0.1", port, "caller"), deliver, answer))
"""


@dataclass
class Desk:
    """Everything around one caller: its process, and what the daemon was told."""

    where: Path
    broker: PrivateBroker
    client: CallerClient
    posted: list[Act] = field(default_factory=list)
    process: subprocess.Popen[bytes] | None = None
    deliver_s: float = PATIENCE_S
    answer_s: float = PATIENCE_S

    def launch(self, *, watched: bool = False) -> None:
        arguments = [str(self.where), str(self.broker.port), str(self.deliver_s), str(self.answer_s)]
        arguments += ["watched"] if watched else []
        self.process = subprocess.Popen([sys.executable, "-c", PROGRAM, *arguments])

    def end(self, number: int = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(PATIENCE_S)
            self.process = None

    def stages(self, call: str = "c1") -> list[str]:
        return [act.stage for act in self.posted if isinstance(act, CallChanged) and act.call == call]

    def devices(self) -> list[str]:
        return [type(act).__name__ for act in self.posted if isinstance(act, DeviceLost | DeviceBack)]


@pytest.fixture
def desk(tmp_path: Path, mosquitto: PrivateBroker, request: pytest.FixtureRequest) -> Iterator[Desk]:
    """With a caller that has all patience, or the seconds of the parameters for a call to be sent, and answered."""
    room = Desk(tmp_path / "room", mosquitto, CallerClient(tmp_path / "room", RoomClock()))
    room.deliver_s, room.answer_s = getattr(request, "param", (PATIENCE_S, PATIENCE_S))
    room.launch()
    yield room
    room.end()


soon_not_delivered = pytest.mark.parametrize("desk", [(1.0, 1.0)], indirect=True)
soon_not_sent = pytest.mark.parametrize("desk", [(1.0, PATIENCE_S)], indirect=True)


@asynccontextmanager
async def support(broker: PrivateBroker, delay_s: float = 0.1) -> AsyncIterator[SimulatedDesk]:
    simulated = SimulatedDesk(broker.settings("desk"), delay_s, room="room-1")
    await simulated.start()
    await until(lambda: simulated.connected)
    yield simulated
    await simulated.close()


@asynccontextmanager
async def connected(room: Desk) -> AsyncIterator[None]:
    await until((room.where / "caller.sock").exists)
    await room.client.start(room.posted.append)
    try:
        yield
    finally:
        await room.client.close()
        await room.client.close()


def assist(call: str = "c1") -> PlaceCall:
    return PlaceCall(call=call, level="assist")


async def test_a_call_is_placed_then_sent_then_acknowledged_by_name(desk: Desk) -> None:
    async with support(desk.broker, 0.5) as support_desk, connected(desk):
        desk.client.apply(assist(), 1)
        await until(lambda: "acknowledged" in desk.stages())
        # The broker may be faster than the disk: then "placed" is skipped.
        assert [stage for stage in desk.stages() if stage != "placed"] == ["sent", "acknowledged"]
        assert desk.client.view().by == "desk (simulated)"
        notice = support_desk.heard[0]
        assert {**notice, "utc": ""} == {
            "protocol": 1, "call": "c1", "level": "assist", "room": "room-1", "utc": "", "stage": "placed",
        }  # fmt: skip
        # The same call again is no second one, and an older seq is ignored.
        desk.client.apply(assist(), 2)
        desk.client.apply(PlaceCall(call="c1", level="assist", stood_down=True), 1)
        desk.client.apply(PlaceCall(call="c1", level="emergency"), 3)
        await until(lambda: desk.stages().count("acknowledged") == 2)
        desk.client.apply(PlaceCall(call="c1", level="emergency", stood_down=True, by="Kim"), 4)
        await until(lambda: support_desk.heard[-1]["stage"] == "stood_down")
        await until(lambda: desk.stages()[-1] == "stood_down")
        assert [(n["level"], n["stage"]) for n in support_desk.heard] == [
            ("assist", "placed"), ("emergency", "placed"), ("emergency", "stood_down"),
        ]  # fmt: skip


@soon_not_delivered
async def test_a_call_that_nobody_hears_or_answers_is_not_delivered(desk: Desk) -> None:
    async with connected(desk):
        desk.client.apply(assist(), 1)
        await until(lambda: "not_delivered" in desk.stages())
        assert desk.stages() == ["placed", "not_delivered"]
        async with support(desk.broker) as support_desk:
            support_desk.answering = False
            await until(lambda: "sent" in desk.stages())
            await until(lambda: "not_delivered" in desk.stages()[desk.stages().index("sent") :])
            support_desk.answering = True
            await until(lambda: desk.stages()[-1] == "acknowledged")
            assert len(support_desk.heard) >= 2


@soon_not_sent
async def test_a_call_while_the_broker_is_dead_is_not_delivered_and_goes_out_once_when_it_is_back(desk: Desk) -> None:
    async with support(desk.broker) as support_desk, connected(desk):
        desk.broker.kill()
        await until(lambda: desk.devices() == ["DeviceLost"])
        desk.client.apply(assist(), 1)
        await until(lambda: desk.stages() == ["placed", "not_delivered"])
        desk.broker.restart()
        await until(lambda: desk.stages()[-1] == "acknowledged")
        assert len(support_desk.heard) == 1
        assert desk.devices() == ["DeviceLost", "DeviceBack"]


@soon_not_delivered
async def test_a_call_into_a_frozen_broker_is_never_called_sent(desk: Desk) -> None:
    async with support(desk.broker) as support_desk, connected(desk):
        await until(lambda: desk.client.view().call == "" and (desk.where / "caller.db").exists())
        await asyncio.sleep(0.3)
        desk.broker.freeze()
        desk.client.apply(assist(), 1)
        await until(lambda: desk.stages() == ["placed", "not_delivered"])
        await until(lambda: desk.devices() == ["DeviceLost"])
        assert "sent" not in desk.stages()
        desk.broker.thaw()
        await until(lambda: desk.stages()[-1] == "acknowledged")
        assert {notice["call"] for notice in support_desk.heard} == {"c1"}


async def test_a_caller_killed_between_placed_and_sent_still_sends_the_call(desk: Desk) -> None:
    async with connected(desk):
        desk.broker.kill()
        await until(lambda: desk.devices() == ["DeviceLost"])
        desk.client.apply(assist(), 1)
        await until(lambda: "placed" in desk.stages())
        desk.end(signal.SIGKILL)
    desk.broker.restart()
    async with support(desk.broker) as support_desk:
        desk.launch()
        await until(lambda: bool(support_desk.heard))
        assert [notice["call"] for notice in support_desk.heard] == ["c1"]


@soon_not_delivered
async def test_a_caller_that_is_not_there_or_hangs_is_trouble_and_the_call_not_delivered(desk: Desk) -> None:
    async with connected(desk):
        await asyncio.sleep(0.3)
        assert desk.process is not None
        desk.process.send_signal(signal.SIGSTOP)
        desk.client.apply(assist(), 1)
        await until(lambda: desk.stages() == ["not_delivered"])
        await until(lambda: desk.devices() == ["DeviceLost"])
        desk.process.send_signal(signal.SIGCONT)
        await until(lambda: "DeviceBack" in desk.devices())
        await until(lambda: "placed" in desk.stages() or desk.stages()[-1] == "not_delivered")


async def test_a_caller_that_hangs_is_started_anew_and_the_call_gets_through(desk: Desk) -> None:
    desk.end()
    desk.launch(watched=True)
    async with connected(desk), support(desk.broker):
        hung = int((desk.where / "caller.life").read_text())
        os.kill(hung, signal.SIGSTOP)
        desk.client.apply(assist(), 1)
        await until(lambda: desk.stages()[-1:] == ["acknowledged"])
        assert int((desk.where / "caller.life").read_text()) != hung


async def test_whatever_a_desk_writes_as_its_name_everybody_is_told_that_somebody_comes(desk: Desk) -> None:
    async with support(desk.broker) as support_desk, connected(desk):
        support_desk.answering = False
        desk.client.apply(assist(), 1)
        await until(lambda: "sent" in desk.stages())
        link = BrokerLink(desk.broker.settings("odd"))
        link.start(lambda up, why: None)
        await until(lambda: link.connected)
        link.publish("stillroom/room-1/call/ack", json.dumps({"call": "c1", "by": "Kim\ud800\x1b[2J\n Lee"}), qos=1)
        await until(lambda: desk.stages()[-1] == "acknowledged")
        assert desk.client.view().by == "Kim [2J Lee"
        await link.close()
        # Whoever connects now is told as well.
        reader, writer = await asyncio.open_unix_connection(str(desk.where / "caller.sock"))
        assert (await said(reader, stage="acknowledged"))["by"] == "Kim [2J Lee"
        say(writer, {"protocol": 1, "client": "console"})
        say(writer, {"call": "c\ud800", "level": "assist"})
        await said(reader, error="line")
        writer.close()
        await writer.wait_closed()


async def test_one_word_of_the_caller_that_the_room_cannot_take_does_not_end_the_way_to_it(desk: Desk) -> None:
    faults = [ZeroDivisionError()]

    def post(act: Act) -> None:
        if isinstance(act, CallChanged) and faults:
            raise faults.pop()
        desk.posted.append(act)

    async with support(desk.broker):
        await until((desk.where / "caller.sock").exists)
        await desk.client.start(post)
        desk.client.apply(assist(), 1)
        await until(lambda: "acknowledged" in desk.stages())
        await desk.client.close()


async def test_a_caller_that_can_climb_no_ladder_ends_so_that_the_next_one_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox = Outbox(tmp_path / "caller.db")
    await outbox.load()
    await outbox.save(CallState(call="c1", level="assist", placed_at=1.0, publish_at=1.0), "boot")
    await outbox.close()

    def fault(*_: object) -> CallState:
        raise ZeroDivisionError

    monkeypatch.setattr("controller.calls.ladder.passed", fault)
    caller = Caller(CallerSettings("room-1", tmp_path, tmp_path, BrokerSettings("127.0.0.1", 1, "caller")))
    with pytest.raises(ZeroDivisionError):
        await patiently(caller.run(asyncio.Event()))


async def test_a_console_places_a_call_that_the_daemon_learns_of_later(desk: Desk) -> None:
    await until((desk.where / "caller.sock").exists)
    reader, writer = await asyncio.open_unix_connection(str(desk.where / "caller.sock"))
    hello = json.loads(await reader.readline())
    assert (hello["protocol"], hello["server"], hello["room"]) == (1, "caller", "room-1")
    say(writer, {"protocol": 1, "client": "console"})
    say(writer, {"call": "c7", "level": "emergency", "origin": {"person": None, "console": "room", "path": "caller"}})
    await said(reader, stage="placed")
    say(writer, {"nonsense": 1})
    assert (await said(reader, error="line"))["error"] == "line"
    say(writer, {"stand_down": "c7", "by": "Kim"})
    report = await said(reader, stage="stood_down")
    assert report["origin"]["console"] == "room"
    async with connected(desk):
        await until(lambda: desk.stages("c7") == ["stood_down"])
    writer.close()
    await writer.wait_closed()
    assert (desk.where / "caller.sock").stat().st_mode & 0o777 == 0o660
    await until((desk.where / "caller.db").exists)
    assert (desk.where / "caller.db").stat().st_mode & 0o777 == 0o640


async def test_a_client_of_another_protocol_is_told_so(desk: Desk) -> None:
    await until((desk.where / "caller.sock").exists)
    reader, writer = await asyncio.open_unix_connection(str(desk.where / "caller.sock"))
    say(writer, {"protocol": 2, "client": "console"})
    assert (await said(reader, error="protocol"))["server"] == 1
    assert await patiently(reader.read()) == b""
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def test_a_damaged_outbox_stands_in_no_calls_way(desk: Desk) -> None:
    await until((desk.where / "caller.sock").exists)
    desk.end()
    (desk.where / "caller.db").write_bytes(b"no database at all, and long enough to be read as one" * 100)
    desk.launch()
    async with support(desk.broker), connected(desk):
        desk.client.apply(assist(), 1)
        await until(lambda: "acknowledged" in desk.stages())
    assert (desk.where / "caller.db.damaged").exists()
    kept = sqlite3.connect(desk.where / "caller.db")
    assert kept.execute("select id from calls").fetchall() == [("c1",)]
    kept.close()


async def test_nothing_of_a_call_is_retained(desk: Desk) -> None:
    async with support(desk.broker), connected(desk):
        desk.client.apply(assist(), 1)
        await until(lambda: "acknowledged" in desk.stages())
    late = BrokerLink(desk.broker.settings("late"))
    topics: list[str] = []
    late.subscribe("stillroom/room-1/#", lambda topic, payload, retained, at: topics.append(topic))
    late.start(lambda up, why: None)
    await until(lambda: late.connected)
    await late.close()
    assert topics == []


def say(writer: asyncio.StreamWriter, message: dict[str, Any]) -> None:
    writer.write(json.dumps(message).encode() + b"\n")


async def said(reader: asyncio.StreamReader, **wanted: str) -> dict[str, Any]:
    """The next line with these values."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            message: dict[str, Any] = json.loads(await reader.readline())
            if all(message.get(key) == value for key, value in wanted.items()):
                return message
