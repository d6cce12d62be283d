"""Finding, moving and watching real clients of a real broker, as a technician does from the command line."""

import asyncio
import contextlib
import json
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from controller.__main__ import app
from controller.broker_private import PrivateBroker
from controller.commissioning.gentle import BREATH, breath_of, breathe
from controller.commissioning.hand import Hand
from controller.commissioning.listening import NoBroker, hear_devices
from controller.commissioning.permission import NotNow, ask_permission
from controller.commissioning.watching import Watch
from controller.config import load_room
from controller.lights.profile import Profile
from controller.lights.simulated_mqtt import SimulatedLamps
from tests.lights.shipped import PROFILES
from tests.waiting import patiently, until


def room_file(folder: Path, broker: PrivateBroker, lamps: dict[str, str], more: str = "") -> Path:
    """A room whose lamps are called alike at their bridge; quick, so that tests are."""
    path = folder / "room.toml"
    tables = "\n".join(
        f'[[light.lamps]]\nname = "{name}"\nprofile = "{profile}"\ndevice = "{name}"\n'
        for name, profile in lamps.items()
    )
    path.write_text(
        f'format = 1\nname = "test"\n[broker]\nport = {broker.port}\n'
        f"[light]\nfloor = 0.3\nceiling = 0.6\nslew_per_s = 0.5\n{tables}{more}",
        encoding="utf-8",
    )
    return path


@asynccontextmanager
async def bridge(
    broker: PrivateBroker, profile: str | Profile, *names: str, level: float = 0.4
) -> AsyncIterator[SimulatedLamps]:
    kind = PROFILES[profile] if isinstance(profile, str) else profile
    lamps = SimulatedLamps(broker.settings(f"far-{kind.name}"), kind, names, level=level)
    await lamps.start()
    try:
        await until(lambda: lamps.connected)
        yield lamps
    finally:
        await lamps.close()


@pytest.mark.parametrize("level", [0.0, 0.3, 0.55, 0.75, 1.0])
def test_a_breath_stays_within_the_rooms_limits_and_is_never_more_than_a_tenth(level: float) -> None:
    breath = breath_of(level, 0.05, 0.8)
    assert min(breath.start.level, breath.end.level) >= 0.05 and max(breath.start.level, breath.end.level) <= 0.8
    assert 0 < abs(breath.end.level - breath.start.level) <= BREATH + 1e-9


async def test_a_lamp_breathes_gently_and_is_put_back(mosquitto: PrivateBroker, tmp_path: Path) -> None:
    room = load_room(room_file(tmp_path, mosquitto, {"bed": "zigbee2mqtt-dimmable"}))
    async with bridge(mosquitto, "zigbee2mqtt-dimmable", "bed") as far:
        async with Hand(room, tmp_path) as hand:
            breath = await breathe(hand, "bed")
        assert breath is not None and breath.put_back
        lamp = far.lamps["bed"]
        await until(lambda: abs(lamp.level - 0.4) < 0.01)
        low, high = lamp.levels()
        assert low >= 0.39 and high <= 0.4 + BREATH + 0.01
        assert lamp.largest_jump(0.2) <= 0.12


async def test_a_lamp_that_does_not_answer_is_said_so(mosquitto: PrivateBroker, tmp_path: Path) -> None:
    room = load_room(room_file(tmp_path, mosquitto, {"bed": "tasmota-dimmer"}))
    async with bridge(mosquitto, "tasmota-dimmer", "bed") as far, Hand(room, tmp_path) as hand:
        far.lamps["bed"].echoes = False
        assert await breathe(hand, "bed") is None
        assert far.lamps["bed"].commands == []


async def test_a_lamp_that_cannot_be_reached_is_not_waited_for(
    mosquitto: PrivateBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controller.commissioning.hand._SPARE_S", 1e6)
    monkeypatch.setattr("controller.commissioning.hand._LOST_S", 0.2)
    room = load_room(room_file(tmp_path, mosquitto, {"bed": "zigbee2mqtt-dimmable"}))
    async with bridge(mosquitto, "zigbee2mqtt-dimmable", "bed") as far:
        far.cut_power("bed")
        async with Hand(room, tmp_path) as hand:
            assert not await patiently(hand.move("bed", 0.4))
            assert hand.what_it_said("bed") == "It cannot be reached."


async def test_without_a_broker_nothing_hangs(tmp_path: Path) -> None:
    broker = PrivateBroker(tmp_path / "mosquitto")
    broker.start()
    broker.stop()
    room = load_room(room_file(tmp_path, broker, {"bed": "tasmota-dimmer"}))
    with pytest.raises(NoBroker, match="no broker"):
        async with Hand(room, tmp_path):
            pass
    with pytest.raises(NoBroker, match="no broker"):
        await hear_devices(broker.settings("x"), 0.1)


async def with_daemon(tmp_path: Path, status: dict[str, object], then: Callable[[], Awaitable[None]]) -> None:
    """A daemon's socket that says how its room is."""
    run = tmp_path / "run"
    run.mkdir()

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(json.dumps({"status": status}).encode() + b"\n")
        await reader.read()
        writer.close()

    server = await asyncio.start_unix_server(greet, str(run / "daemon.sock"))
    async with server:
        await then()


async def test_lamps_are_left_alone_while_a_daemon_has_them(tmp_path: Path) -> None:
    async def refused() -> None:
        with pytest.raises(NotNow, match="A session is open in room-1"):
            await ask_permission(tmp_path)

    await with_daemon(tmp_path, {"room": "room-1", "state": "running", "session": "s"}, refused)
    await ask_permission(tmp_path)  # its socket lies there still, and nobody listens


async def test_no_lamp_is_moved_beside_a_daemon_that_only_cannot_be_asked(tmp_path: Path) -> None:
    place = tmp_path / "run" / "daemon.sock"
    place.parent.mkdir()
    with contextlib.ExitStack() as open_:
        busy = open_.enter_context(socket.socket(socket.AF_UNIX))
        busy.bind(str(place))
        busy.listen(0)
        with pytest.raises(BlockingIOError):
            while True:
                one = open_.enter_context(socket.socket(socket.AF_UNIX))
                one.setblocking(False)
                one.connect(str(place))
        with pytest.raises(NotNow, match=r"Whether a daemon runs in .* cannot be told"):
            await ask_permission(tmp_path)


def test_two_commands_do_not_move_lamps_beside_each_other(tmp_path: Path) -> None:
    code = (
        "import asyncio, sys, pathlib; from controller.commissioning.permission import ask_permission;"
        "asyncio.run(ask_permission(pathlib.Path(sys.argv[1]))); print('moves', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == b"moves\n"
        with pytest.raises(NotNow, match="Another stillroom command"):
            asyncio.run(ask_permission(tmp_path))
        other.communicate()
    asyncio.run(ask_permission(tmp_path))


async def test_what_every_device_says_is_shown_in_words(mosquitto: PrivateBroker, tmp_path: Path) -> None:
    button = '[buttons.bell]\nprofile = "button-zigbee2mqtt"\ndevice = "bell"\ndoes = { single = "call assist" }\n'
    room = load_room(room_file(tmp_path, mosquitto, {"bed": "zigbee2mqtt-dimmable"}, button))
    lines: list[str] = []
    async with bridge(mosquitto, "zigbee2mqtt-dimmable", "bed") as far:
        watching = asyncio.create_task(Watch(room, tmp_path, lines.append).run())
        await until(lambda: any("broker" in line for line in lines))
        async with Hand(room, tmp_path) as hand:
            assert await hand.move("bed", 0.5, 0.4)
        far.set_available("bed", False)
        await until(lambda: any("is lost" in line for line in lines))
        far.set_available("bed", True)
        await until(lambda: any("is back" in line for line in lines))
        far._link.publish("zigbee2mqtt/bell", json.dumps({"action": "single", "battery": 4}))
        await until(lambda: any("battery" in line for line in lines))
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    said = "\n".join(lines)
    assert "is told 50 % in 1 s" in said or "is told" in said
    assert "s after it was told" in said
    assert "was pressed: single" in said and "4 % of its battery, which is low" in said
    assert "RETAINED" not in said


def invoke(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["devices", *words])
    return result.exit_code, result.output


async def test_what_is_discovered_is_added_after_a_question_and_not_twice(
    mosquitto: PrivateBroker, tmp_path: Path
) -> None:
    path = room_file(tmp_path, mosquitto, {"bed": "zigbee2mqtt-dimmable"})
    light = {"type": "light", "features": [{"name": "brightness"}]}
    told = [
        {"friendly_name": name, "definition": {"vendor": "IKEA", "model": "LED1836G9", "exposes": [light]}}
        for name in ("bed", "wall lamp")
    ]
    async with bridge(mosquitto, "zigbee2mqtt-dimmable", "bed") as far:
        far._link.publish("zigbee2mqtt/bridge/devices", json.dumps(told), retain=True)
        words = ("discover", "--room", str(path), "--seconds", "0.5")
        before = path.read_text(encoding="utf-8")
        code, shown = await asyncio.to_thread(invoke, *words)
        assert code == 0 and 'name = "wall-lamp"' in shown and path.read_text(encoding="utf-8") == before
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "controller", "devices", *words, "--write", stdin=asyncio.subprocess.PIPE
        )
        await process.communicate(b"maybe\ny\n")
        assert [lamp.name for lamp in load_room(path).table.light.lamps] == ["bed", "wall-lamp"]
        assert "Nothing new spoke of itself" in (await asyncio.to_thread(invoke, *words))[1]


def test_a_lamp_that_the_room_does_not_have_is_explained(mosquitto: PrivateBroker, tmp_path: Path) -> None:
    path = room_file(tmp_path, mosquitto, {"bed-left": "zigbee2mqtt-dimmable", "plug": "zigbee2mqtt-plug"})
    result = CliRunner().invoke(app, ["devices", "identify", "bed-lefd", "--room", str(path)])
    assert "did you mean" in str(result.exception)
    result = CliRunner().invoke(app, ["devices", "identify", "plug", "--room", str(path)])
    assert "only on or off" in str(result.exception)


async def test_a_plug_is_not_confirmed_before_it_was_switched(mosquitto: PrivateBroker, tmp_path: Path) -> None:
    plug = PROFILES["zigbee2mqtt-plug"]
    quick = plug.model_copy(update={"rate": plug.rate.model_copy(update={"lamp_interval_s": 0.1})})
    room = load_room(room_file(tmp_path, mosquitto, {"plug": "zigbee2mqtt-plug"}))
    room = replace(room, profiles={"zigbee2mqtt-plug": quick})
    async with bridge(mosquitto, quick, "plug", level=1.0) as far, Hand(room, tmp_path) as hand:
        assert await hand.move("plug", 0.0, await hand.ask("plug"))
        assert far.lamps["plug"].level == 0.0
        assert await hand.move("plug", 1.0)
        assert far.lamps["plug"].level == 1.0


async def test_a_lamp_is_set_and_says_so(mosquitto: PrivateBroker, tmp_path: Path) -> None:
    path = room_file(tmp_path, mosquitto, {"bed": "tasmota-dimmer"})
    async with bridge(mosquitto, "tasmota-dimmer", "bed") as far:
        code, out = await asyncio.to_thread(invoke, "set", "bed", "0.9", "--room", str(path), "--state", str(tmp_path))
        assert (code, "stays between 30 % and 60 %" in out, "says that it is at 60 %" in out) == (0, True, True)
        assert far.lamps["bed"].target == pytest.approx(0.6, abs=0.01)
