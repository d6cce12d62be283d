"""From an MQTT message to a lamp's command, and what 64 fading lamps cost: `python -m tests.bench.bench_lights`.

The daemon beside a bare paho bridge that does nothing but pass a message on; both are processes of their own, asked in
turn in the same run. A light step reaches its lamp after its record is on the disk, which no bare bridge does: an
append with fsync on the same disk is measured beside it, and bridge and append together are its floor. Medical light
acts at once. The lamp is one without a bridge's pace: nothing but our own work lies between. Then where the daemon's
time goes, and the light driver alone, with 64 lamps in one long fade: behind one bridge, and each its own client.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from threading import Event

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from controller.broker import BrokerLink, BrokerSettings
from controller.broker_private import PrivateBroker
from controller.clock import RoomClock, boottime
from controller.config import load_profile, load_room, shipped
from controller.daemon import SWITCH_S, Daemon
from controller.lights.mqtt import LampSettings, LightSettings, MqttLights
from controller.lights.profile import Profile
from controller.messages import FadeLight, Input, Light, Point
from tests.bench.budget import Budget, spans

ROUNDS, WARM_UP = 300, 10
APART_S = 0.15
LAMPS, FADE_S, WATCHED_S = 64, 120.0, 20.0

ROOM = """
format = 1
name = "bench"
[[light.lamps]]
name = "lamp"
profile = "esphome-light"
device = "lamp"
base = "node"
[broker]
port = {port}
"""


def client(port: int, name: str) -> paho.Client:
    made = paho.Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=paho.MQTTv5)
    made.connect("127.0.0.1", port)
    return made


# What runs in processes of their own


def run_bare(port: int) -> None:
    bridge = client(port, "bare")
    bridge.on_message = lambda link, data, message: link.publish("bare/out", message.payload)
    bridge.subscribe("bare/in")
    print("ready", flush=True)
    bridge.loop_forever()


async def run_daemon(directory: Path) -> None:
    sys.setswitchinterval(SWITCH_S)
    budget = Budget(directory / "budget")
    daemon = Daemon(load_room(directory / "room.toml"), directory / "state")
    running = asyncio.create_task(daemon.run(lambda: print("ready", flush=True)))
    await asyncio.sleep(0.5)

    def pressed(topic: str, payload: bytes, retained: bool, at: float) -> None:
        budget.begin()
        word = payload.decode()
        act = Light(scene=word) if word in ("medical", "arc") else Light(level=float(word))  # type: ignore[arg-type]
        daemon.runner.post(Input(act=act))
        asyncio.get_running_loop().call_later(
            APART_S / 2, budget.keep, "medical light" if word == "medical" else "step"
        )

    daemon._link.subscribe("daemon/in", pressed)
    await running


async def run_fade(port: int, name: str) -> None:
    profile = load_profile(shipped("devices")[name])
    assert isinstance(profile, Profile)
    lamps = tuple(LampSettings(f"lamp-{k}", profile, f"lamp-{k}", profile.base or "node") for k in range(LAMPS))
    clock = RoomClock()
    lights = MqttLights(LightSettings(lamps), BrokerLink(BrokerSettings("127.0.0.1", port, "fading")), clock)
    await lights.start(lambda act: None)
    now = clock.now()
    for k in range(LAMPS):
        end = Point(level=0.8, t=now + FADE_S)
        lights.apply(FadeLight(lamp=f"lamp-{k}", start=Point(level=0.1, t=now), end=end), 1)
    await asyncio.sleep(10)  # past asking and finding out where they are
    before, began = resource.getrusage(resource.RUSAGE_SELF), boottime()
    await asyncio.sleep(WATCHED_S)
    after, took = resource.getrusage(resource.RUSAGE_SELF), boottime() - began
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps({"share": used / took}), flush=True)
    await lights.close()


# The one that measures


class Lamp:
    """The far side of every lamp: echoes what it is told, and keeps when."""

    def __init__(self, port: int) -> None:
        self.arrived = Event()
        self.at = 0.0
        self.commands = 0
        self.link = client(port, "meter")
        self.link.on_message = self._heard
        for topic in ("bare/out", "zigbee2mqtt/+/set", "zigbee2mqtt/+/get", "node/light/+/command"):
            self.link.subscribe(topic)
        self.link.loop_start()

    def _heard(self, _link: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        at, topic = boottime(), message.topic
        if topic.endswith("/get"):
            self.link.publish(topic.removesuffix("/get"), b'{"state":"ON","brightness":26}')
            return
        if topic != "bare/out":
            self.commands += 1
            level = json.loads(message.payload).get("brightness")
            echo = json.dumps({"state": "ON", "brightness": level})
            self.link.publish(topic.removesuffix("/set").replace("/command", "/state"), echo)
        if not self.arrived.is_set():
            self.at = at
            self.arrived.set()

    def time(self, topic: str, payload: str) -> float:
        """Seconds from a message to the first command."""
        self.arrived.clear()
        start = boottime()
        self.link.publish(topic, payload)
        if not self.arrived.wait(3):
            raise RuntimeError(f"nothing came of {topic} {payload}")
        return self.at - start


def time_append(file: Path) -> float:
    """Seconds until a page that is appended is on the disk."""
    with file.open("ab", buffering=0) as book:
        start = boottime()
        book.write(bytes(4096))
        os.fsync(book)
        return boottime() - start


def started(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.bench.bench_lights", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    if arguments[0] != "fade":
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
    return process


def measure_latency(port: int, directory: Path) -> dict[str, list[float]]:
    (directory / "room.toml").write_text(ROOM.format(port=port), encoding="utf-8")
    bare, daemon = started("bare", str(port)), started("daemon", str(directory))
    lamp = Lamp(port)
    pause = Event()
    found: dict[str, list[float]] = {"bare paho bridge": [], "medical light": [], "light step": [], "append, fsync": []}
    try:
        pause.wait(14)  # sound and caller are looked for in vain, the lamp is found
        for turn in range(WARM_UP + ROUNDS):
            found["bare paho bridge"].append(lamp.time("bare/in", "x"))
            found["append, fsync"].append(time_append(directory / "append"))
            found["light step"].append(lamp.time("daemon/in", str(0.3 if turn % 2 else 0.35)))
            pause.wait(APART_S)
            found["medical light"].append(lamp.time("daemon/in", "medical"))
            pause.wait(APART_S)
    finally:
        for process in (bare, daemon):
            process.terminate()
            process.wait(10)
        lamp.link.loop_stop()
    return {way: times[WARM_UP:] for way, times in found.items()}


def measure_fades(port: int, profile: str) -> tuple[float, float]:
    """Share of a core, and commands a second."""
    lamp = Lamp(port)
    process = started("fade", str(port), profile)
    Event().wait(10)
    before, began = lamp.commands, boottime()
    output, _ = process.communicate(timeout=WATCHED_S + 30)
    rate = (lamp.commands - before) / (boottime() - began)
    lamp.link.loop_stop()
    return float(json.loads(output)["share"]), rate


def leave_out_others() -> str:
    """Real-time scheduling for this process and all that it starts: what else the machine does is not measured."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except OSError:
        return "beside whatever else this machine does"
    return "broker, bridge, daemon and meter alike before whatever else this machine does"


def tell_latency(found: dict[str, list[float]]) -> None:
    """Each way beside the bare bridge; a recorded step also beside the bridge and an append, one after the other."""
    bare, append = found["bare paho bridge"], found["append, fsync"]
    both = [one + other for one, other in zip(bare, append, strict=True)]

    def middle_and_worst(times: list[float]) -> tuple[float, float]:
        return statistics.median(times), statistics.quantiles(times, n=100)[98]

    for way, times in {**found, "bridge + append": both}.items():
        floors = {"bridge": bare, "bridge + append": both} if way == "light step" else {"bridge": bare}
        median, worst = middle_and_worst(times)
        beside = ", ".join(
            f"{median / p50:.1f} x / {worst / p99:.1f} x the {floor}"
            for floor, (p50, p99) in ((floor, middle_and_worst(there)) for floor, there in floors.items())
        )
        print(f"{way:<17} median {median * 1e3:6.2f} ms  p99 {worst * 1e3:6.2f} ms  {beside}")


def main() -> None:
    """Print medians, 99th percentiles, how they compare, and the share of a core."""
    print(leave_out_others())
    with tempfile.TemporaryDirectory() as name:
        broker = PrivateBroker(Path(name) / "broker")
        broker.start()
        try:
            found = measure_latency(broker.port, Path(name))
            tell_latency(found)
            for way in ("medical light", "step"):
                print(f"where the daemon's time goes, {way}: median and 90th percentile in ms")
                for what, median, most in spans(Path(name) / "budget", way):
                    print(f"    {what:<40} {median * 1e3:6.2f} {most * 1e3:6.2f}")
            for profile, what in (("zigbee2mqtt-dimmable", "behind one bridge"), ("esphome-light", "one client each")):
                share, rate = measure_fades(broker.port, profile)
                print(f"{LAMPS} lamps fading, {what:<18} {share:6.1%} of a core, {rate:5.1f} commands a second")
        finally:
            broker.stop()


if __name__ == "__main__":
    if len(sys.argv) == 1:
        main()
    elif sys.argv[1] == "bare":
        run_bare(int(sys.argv[2]))
    elif sys.argv[1] == "daemon":
        asyncio.run(run_daemon(Path(sys.argv[2])))
    else:
        asyncio.run(run_fade(int(sys.argv[2]), sys.argv[3]))
