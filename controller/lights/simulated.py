"""Lamps that are not there: a twin of the driver for rehearsal, and simulated Zigbee lamps on a real broker.

`SimulatedZigbee` speaks zigbee2mqtt's dialect, its traps included, and remembers what every lamp showed.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable
from functools import partial
from itertools import pairwise

from controller.broker import BrokerLink, BrokerSettings
from controller.clock import Clock, boottime
from controller.lights.fader import Envelope, Fade, steady
from controller.messages import Act, Effect, FadeLight, LampChanged, LampView, Point

_FULL = 254


class SimulatedLights:
    """Lamps that follow at once and always confirm; posts each lamp's first confirmation, as the real driver does.

    Raises `RuntimeError` where it is used as the real one may not be: before its start, or with a level outside 0..1.
    """

    def __init__(self, clock: Clock, envelope: Envelope | None = None) -> None:
        self._clock = clock
        self._envelope = envelope or Envelope()
        self._fades: dict[str, tuple[int, Fade]] = {}
        self._post: Callable[[Act], None] | None = None

    async def start(self, post: Callable[[Act], None]) -> None:
        """Take effects from now on."""
        self._post = post

    def apply(self, effect: Effect, seq: int) -> None:
        """Take over a `FadeLight`; anything else and an older seq are ignored."""
        if self._post is None:
            raise RuntimeError("the lights were not started")
        if not isinstance(effect, FadeLight):
            return
        if not (0 <= effect.start.level <= 1 and 0 <= effect.end.level <= 1):
            raise RuntimeError(f"no level: {effect}")
        before = self._fades.get(effect.lamp)
        if before is not None and seq < before[0]:
            return
        self._fades[effect.lamp] = seq, Fade(effect.start, effect.end, effect.swift)
        if before is None:
            self._post(LampChanged(lamp=effect.lamp, confirmed=True, level=self._level(effect.lamp, self._clock.now())))

    async def close(self) -> None:
        """Nothing is held; twice is fine."""

    def view(self, now: float) -> tuple[LampView, ...]:
        """Every lamp that was ever told something."""
        return tuple(self._view(lamp, now) for lamp in self._fades)

    def _level(self, lamp: str, now: float) -> float:
        return self._envelope.bound(self._fades[lamp][1].level_at(now))

    def _view(self, lamp: str, now: float) -> LampView:
        level = self._level(lamp, now)
        _, fade = self._fades[lamp]
        moving = fade.start.t < now < fade.end.t
        return LampView(lamp=lamp, target=level, confirmed=level, state="moving" if moving else "confirmed")


class SimulatedLamp:
    """One lamp of the simulated bridge. Levels are brightness / 254; times are CLOCK_BOOTTIME.

    The switches: `reachable` (commands get lost without a word), `echoes` (it obeys, but nothing is reported).
    """

    def __init__(self, name: str, level: float) -> None:
        self.name = name
        self.reachable = True
        self.echoes = True
        self.commands: list[tuple[float, dict[str, object]]] = []
        """(time, what was asked): every command that reached the lamp."""
        self.history: list[tuple[float, float]] = [(boottime(), level)]
        """(time, level): the corners of what it showed; two of the same time are a jump."""
        self._ramp = steady(level)

    @property
    def level(self) -> float:
        """What it shows now."""
        return self._ramp.level_at(boottime())

    @property
    def target(self) -> float:
        """Where it is going."""
        return self._ramp.end.level

    def move(self, level: float, seconds: float) -> None:
        """Fade to `level`; the fade that was under way ends where it is."""
        now = boottime()
        present = self._settle(now)
        self._ramp = Fade(Point(level=present, t=now), Point(level=level, t=now + seconds))
        if seconds <= 0:
            self.history.append((now, level))

    def levels(self) -> tuple[float, float]:
        """The lowest and the highest level that it has shown."""
        self._settle(boottime())
        shown = [level for _, level in self.history]
        return min(shown), max(shown)

    def largest_jump(self, within_s: float = 1.0, since: float = 0.0) -> float:
        """The largest change within so many seconds, after boot time `since`."""
        self._settle(boottime())
        corners = [each for each in self.history if each[0] >= since]
        times = [t for t, _ in corners]
        largest = 0.0
        for (t, level), (at, after) in pairwise(corners):
            largest = max(largest, abs(after - level) if at == t else 0.0)
        for t, level in corners:  # between corners it is straight: the largest change begins or ends at one
            for other in (t - within_s, t + within_s):
                if times and times[0] <= other <= times[-1]:
                    largest = max(largest, abs(_level_at(corners, times, other) - level))
        return largest

    def _settle(self, now: float) -> float:
        level = self._ramp.level_at(now)
        if self._ramp.start.t < self._ramp.end.t <= now and self.history[-1][0] < self._ramp.end.t:
            self.history.append((self._ramp.end.t, level))
        self.history.append((now, level))
        return level


def _level_at(corners: list[tuple[float, float]], times: list[float], t: float) -> float:
    after = min(bisect_right(times, t), len(corners) - 1)
    (t0, a), (t1, b) = corners[max(0, after - 1)], corners[after]
    return b if t1 <= t0 else a + (b - a) * min(1.0, (t - t0) / (t1 - t0))


class SimulatedZigbee:
    """zigbee2mqtt with some lamps behind it, as a client of a real broker.

    Speaks bridge/state and availability (retained, JSON), /set with transition, /get, the state echo (the *target*, not
    retained) and device_announce. Refused commands are only told on bridge/logging.
    """

    def __init__(
        self, settings: BrokerSettings, names: tuple[str, ...], base: str = "zigbee2mqtt", level: float = 0.3
    ) -> None:
        self.lamps = {name: SimulatedLamp(name, level) for name in names}
        self._base = base
        self._link = BrokerLink(settings, will=(f"{base}/bridge/state", b'{"state":"offline"}'))

    @property
    def connected(self) -> bool:
        """Whether its own link is up."""
        return self._link.connected

    async def start(self) -> None:
        """Connect in the background, and say so on the broker."""
        for lamp in self.lamps.values():
            self._link.subscribe(f"{self._base}/{lamp.name}/set", partial(self._on_set, lamp), own=False)
            self._link.subscribe(f"{self._base}/{lamp.name}/get", partial(self._on_get, lamp), own=False)
        self._link.start(self._on_link)

    async def close(self) -> None:
        """Go offline in an orderly way; twice is fine."""
        self._say("bridge/state", {"state": "offline"}, retain=True)
        await self._link.close()

    def cut_power(self, name: str) -> None:
        """The lamp is dark and silent; the bridge notices."""
        lamp = self.lamps[name]
        lamp.reachable = False
        lamp.move(0.0, 0.0)
        self.set_available(name, False)

    def restore_power(self, name: str) -> None:
        """The lamp comes back at full brightness, while the bridge still believes in the old level."""
        lamp = self.lamps[name]
        believed = lamp.commands[-1][1].get("brightness") if lamp.commands else None
        lamp.reachable = True
        lamp.move(1.0, 0.0)
        self.set_available(name, True)
        if believed is not None:
            self._say(name, {"state": "ON", "brightness": believed, "linkquality": 90})
        self.announce(name)

    def set_available(self, name: str, available: bool) -> None:
        """What the bridge says of the lamp's reach."""
        self._say(f"{name}/availability", {"state": "online" if available else "offline"}, retain=True)

    def announce(self, name: str) -> None:
        """The lamp has joined the network again, for whatever reason."""
        self._say("bridge/event", {"type": "device_announce", "data": {"friendly_name": name}})

    def _on_link(self, up: bool, _why: str) -> None:
        if up:
            self._say("bridge/state", {"state": "online"}, retain=True)
            for name, lamp in self.lamps.items():
                self.set_available(name, lamp.reachable)

    def _on_set(self, lamp: SimulatedLamp, _topic: str, payload: bytes, _retained: bool, _at: float) -> None:
        try:
            asked = json.loads(payload)
            brightness = asked.get("brightness")
            seconds = float(asked.get("transition", 0))
        except (ValueError, TypeError, AttributeError):
            return self._reject(lamp, "invalid message")
        if not lamp.reachable:
            return self._reject(lamp, "no response from the device")
        if brightness is None and "state" in asked:
            # The trap of zigbee2mqtt: ON with a transition but without a brightness goes to the maximum.
            brightness = 0 if asked["state"] == "OFF" else _FULL
        if isinstance(brightness, bool) or not isinstance(brightness, int | float) or not 0 <= brightness <= _FULL:
            return self._reject(lamp, f"brightness {brightness!r}")
        lamp.commands.append((boottime(), asked))
        lamp.move(brightness / _FULL, seconds)
        return self._report(lamp, lamp.target)

    def _on_get(self, lamp: SimulatedLamp, _topic: str, _payload: bytes, _retained: bool, _at: float) -> None:
        if lamp.reachable:
            self._report(lamp, lamp.level)

    def _report(self, lamp: SimulatedLamp, level: float) -> None:
        if lamp.echoes:
            brightness = round(level * _FULL)
            state = "ON" if brightness else "OFF"
            self._say(lamp.name, {"brightness": brightness, "linkquality": 120, "state": state})

    def _reject(self, lamp: SimulatedLamp, why: str) -> None:
        self._say("bridge/logging", {"level": "error", "message": f"Publish 'set' to '{lamp.name}' failed: {why}"})

    def _say(self, topic: str, document: dict[str, object], *, retain: bool = False) -> None:
        self._link.publish(f"{self._base}/{topic}", json.dumps(document), retain=retain)
