"""Lamps behind simulated relay boards on real ptys."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from controller.clock import RoomClock
from controller.config import load_profile
from controller.lights.board import Board
from controller.lights.relays import RelayLamp, RelayLights, RelaySettings
from controller.lights.simulated_serial import SimulatedBoard
from controller.messages import (
    Act,
    DeviceBack,
    DeviceLost,
    FadeLight,
    LampChanged,
    LampTakenOver,
    LampView,
    Point,
    Scene,
)
from controller.serial_port import PortSettings
from tests.waiting import until


def kind(name: str) -> Board:
    found = load_profile(Path(f"devices/{name}.toml"))
    assert isinstance(found, Board)
    return found


@dataclass
class Room:
    lights: RelayLights
    board: SimulatedBoard
    clock: RoomClock
    posted: list[Act] = field(default_factory=list)
    seq: int = 0

    def fade(self, lamp: str, start: float, end: float, takes: float = 0.0, scene: Scene = "arc") -> None:
        now = self.clock.now()
        self.seq += 1
        first, last = Point(level=start, t=now), Point(level=end, t=now + takes)
        self.lights.apply(FadeLight(lamp=lamp, start=first, end=last, scene=scene), self.seq)

    def view(self, lamp: str) -> LampView:
        return next(view for view in self.lights.view(self.clock.now()) if view.lamp == lamp)

    def told(self) -> list[str]:
        return [f"{act.kind} {act.name}" for act in self.posted if isinstance(act, DeviceLost | DeviceBack)]


@asynccontextmanager
async def relay_room(folder: Path, board: Board, *lamps: RelayLamp) -> AsyncIterator[Room]:
    simulated = SimulatedBoard(folder / "board", board)
    simulated.plug()
    clock = RoomClock()
    settings = RelaySettings(PortSettings("relays", simulated.device, board.baud), board, lamps)
    room = Room(RelayLights(settings, clock), simulated, clock)
    await room.lights.start(room.posted.append)
    try:
        yield room
    finally:
        await room.lights.close()
        await room.lights.close()
        simulated.unplug()


def test_boards_are_told_in_their_own_bytes() -> None:
    lcus, kmtronic, numato = kind("relay-lcus"), kind("relay-kmtronic"), kind("relay-numato")
    assert lcus.switch(1, True) == bytes.fromhex("A0 01 01 A2")
    assert lcus.switch(1, False) == bytes.fromhex("A0 01 00 A1")
    assert lcus.switch(8, True) == bytes.fromhex("A0 08 01 A9")
    assert kmtronic.switch(1, True) == bytes.fromhex("FF 01 01")
    assert kmtronic.ask(1) == bytes.fromhex("FF 01 03")
    assert numato.switch(1, True) == b"relay on 0\r"
    assert numato.ask(2) == b"relay read 1\r"
    assert numato.answer(2, b"relay read 1\n\roff\n\r>") is False
    assert numato.answer(2, b"relay read 1\r\non\r\n>") is True
    assert numato.answer(2, b"relay on 1\n\r>") is None


def test_a_board_that_answers_for_all_its_channels_at_once_is_read_by_their_places() -> None:
    eight = kind("relay-kmtronic-8")
    assert eight.ask(1) == eight.ask(4) == bytes.fromhex("FF 09 00")
    said = bytes.fromhex("00 01 00 01")  # a board with four
    assert [eight.answer(channel, said) for channel in range(1, 6)] == [False, True, False, True, None]


@pytest.mark.parametrize("name", ["relay-lcus", "relay-numato"])
async def test_a_lamp_behind_a_relay_burns_above_its_level_and_is_never_part_of_a_fade(
    tmp_path: Path, name: str
) -> None:
    async with relay_room(tmp_path, kind(name), RelayLamp("plug", 2, on_above=0.3)) as room:
        room.fade("plug", 0.2, 0.2)
        await until(lambda: room.view("plug").state == "confirmed")
        room.fade("plug", 0.2, 0.4, 1.0)
        await until(lambda: room.board.on[1])
        await until(lambda: room.view("plug").state == "confirmed")
        assert room.view("plug").confirmed == 1.0
        # Beside its threshold it does not chatter.
        for level in (0.29, 0.31, 0.28, 0.32, 0.27):
            room.fade("plug", level, level)
            await asyncio.sleep(0.12)
        assert room.board.on[1]
        assert [on for _, channel, on in room.board.switched if channel == 2] == [False, True]
        assert [act.confirmed for act in room.posted if isinstance(act, LampChanged)] == [True]


async def test_a_lamp_for_named_scenes_burns_in_them_alone(tmp_path: Path) -> None:
    lamps = (
        RelayLamp("door", 1, on_in=("exit", "medical")),
        RelayLamp("sign", 2, on_in=("exit",), normally_closed=True),
    )
    async with relay_room(tmp_path, kind("relay-lcus"), *lamps) as room:
        for lamp in ("door", "sign"):
            room.fade(lamp, 0.8, 0.8)
        await until(lambda: room.board.on == [False, True, *[False] * 6])
        for lamp in ("door", "sign"):
            room.fade(lamp, 0.8, 0.4, 2.0, scene="exit")
        await until(lambda: room.board.on == [True, False, *[False] * 6])
        assert room.view("sign").confirmed == 1.0


async def test_a_board_pulled_and_put_back_is_told_once_and_switched_as_the_room_is_now(tmp_path: Path) -> None:
    async with relay_room(tmp_path, kind("relay-kmtronic"), RelayLamp("plug", 1, on_above=0.3)) as room:
        room.fade("plug", 0.5, 0.5)
        await until(lambda: room.view("plug").confirmed == 1.0)
        room.board.unplug()
        await until(lambda: room.view("plug").state == "lost")
        room.fade("plug", 0.1, 0.1)
        room.fade("plug", 0.6, 0.6)
        before = len(room.board.switched)
        room.board.plug()
        await until(lambda: room.view("plug").state == "confirmed")
        assert [(channel, on) for _, channel, on in room.board.switched[before:]] == [(1, True)]
        assert room.told() == ["device_lost port.relays", "device_back port.relays"]


async def test_a_relay_that_another_hand_moved_or_that_does_not_answer_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controller.lights.relays._ASK_AGAIN_S", 0.3)
    async with relay_room(tmp_path, kind("relay-numato"), RelayLamp("plug", 1, on_above=0.3)) as room:
        room.fade("plug", 0.5, 0.5)
        await until(lambda: room.view("plug").state == "confirmed")
        await until(lambda: any(isinstance(act, LampChanged) for act in room.posted))
        room.board.turn(1, False)
        await until(lambda: room.board.on[0])
        await until(lambda: room.view("plug").state == "confirmed")
        assert [act.level for act in room.posted if isinstance(act, LampTakenOver)] == [0.0]
        room.board.answers = False
        await until(lambda: room.view("plug").state == "unconfirmed")
        assert [act.confirmed for act in room.posted if isinstance(act, LampChanged)] == [True, True, False]
