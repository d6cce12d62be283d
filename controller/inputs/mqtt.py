"""Buttons behind MQTT, each as its profile says. What is retained or told again is never a press."""

from __future__ import annotations

from functools import partial
from typing import Any

from controller.broker import BrokerLink
from controller.clock import boottime
from controller.inputs.counts import Counts
from controller.inputs.hearing import Hearer
from controller.inputs.kind import Battery, Mqtt, Reach
from controller.inputs.presses import Charge, Presses
from controller.inputs.settings import Button
from controller.payloads import dig, document_of, fill, read_word


class MqttButtons:
    """Listens to every button behind the room's broker. Owns `link` and `counts`."""

    def __init__(self, buttons: tuple[Button, ...], link: BrokerLink, hearer: Hearer, counts: Counts) -> None:
        self._link = link
        self._counts = counts
        self._buttons = [
            _MqttButton(button, button.kind.mqtt, hearer, counts) for button in buttons if button.kind.mqtt
        ]

    def start(self) -> None:
        """Connect, for as long as it takes."""
        for button in self._buttons:
            button.listen(self._link)
        if self._buttons:
            self._link.start(self._link_changed)

    async def close(self) -> None:
        """Twice is fine."""
        await self._link.close()
        await self._counts.close()

    def _link_changed(self, up: bool, why: str) -> None:
        for button in self._buttons:
            button.link_changed("" if up else why)


class _MqttButton:
    def __init__(self, button: Button, mqtt: Mqtt, hearer: Hearer, counts: Counts) -> None:
        self._button = button
        self._mqtt = mqtt
        self._hearer = hearer
        self._counts = counts
        self._device = f"{button.device} {button.channel}"
        self._again = f"{self._device} again"
        self._presses = Presses(
            button.kind.again_after_s, counts.of(self._device), tells_again=counts.of(self._again) is True
        )
        self._charge = Charge(mqtt.battery.low_below if mqtt.battery else 0.0)
        self._only = {path: fill(value, button.tokens) for path, value in mqtt.only.items()}
        self._field = fill(mqtt.field, button.tokens)
        self._offline: set[str] = set()

    def listen(self, link: BrokerLink) -> None:
        subscribe, tokens = link.subscribe, self._button.tokens
        subscribe(fill(self._mqtt.topic, tokens), self._on_message)
        for reach in self._mqtt.availability:
            subscribe(fill(reach.topic, tokens), partial(self._on_reach, reach))
        if self._mqtt.battery is not None:
            topic = fill(self._mqtt.battery.topic or self._mqtt.topic, tokens)
            subscribe(topic, partial(self._on_battery, self._mqtt.battery))

    def link_changed(self, why: str) -> None:
        self._offline.clear()  # what can be reached is said anew, and retained
        self._presses.unheard()
        self._hearer.reached(self._button, why)

    def _on_message(self, _topic: str, payload: bytes, retained: bool, _at: float) -> None:
        found = document_of(payload)
        events = dig(found, self._mqtt.each) if self._mqtt.each else [found]
        for event in events if isinstance(events, list) else ():
            if all(str(dig(event, path)) == value for path, value in self._only.items()):
                self._hear(event, retained)

    def _hear(self, event: Any, retained: bool) -> None:
        count = dig(event, self._mqtt.count) if self._mqtt.count else None
        self._counts.keep(self._device, count)
        if retained:
            self._presses.know(count)
            return
        press = self._button.kind.press_of(dig(event, self._field))
        if press is None:  # a device that was started anew says so: no event yet, and its counter at its beginning
            self._presses.know(count)
        elif self._presses.counts(press, boottime(), count):
            self._hearer.pressed(self._button, press)
        self._counts.keep(self._again, self._presses.tells_again or None)

    def _on_reach(self, reach: Reach, topic: str, payload: bytes, retained: bool, _at: float) -> None:
        said = read_word(payload, reach.key)
        if said == reach.offline:
            self._offline.add(topic)
        elif said == reach.online:
            self._offline.discard(topic)
            if not retained:
                self._presses.connected()
        self._hearer.reached(self._button, "it is offline" if self._offline else "")

    def _on_battery(self, battery: Battery, _topic: str, payload: bytes, _retained: bool, _at: float) -> None:
        found = document_of(payload)
        percent = dig(found, battery.field) if battery.field else found
        if isinstance(percent, bool) or not isinstance(percent, int | float):
            return
        low = self._charge.changed(float(percent))
        if low is not None:
            self._hearer.charged(self._button, low, float(percent))
