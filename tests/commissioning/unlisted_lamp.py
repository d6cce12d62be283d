"""A lamp that no shipped profile speaks of: `python unlisted_lamp.py PORT`. Enter pulls its plug for two seconds."""

import json
import sys
import threading

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

ROOT = "lumen/7f3a"


class UnlistedLamp:
    """Takes {"dim": 0..1000, "over": ms} on ROOT/do, says {"light": {"now": …, "lit": …}} on ROOT/is; full at first."""

    def __init__(self, port: int) -> None:
        self.now = 1000
        self.answers_after_s = 0.0
        self.born = threading.Event()
        self._last_word = -1
        self._port = port
        self._client: paho.Client | None = None

    def plug(self) -> None:
        """Power: at full, and it says so as soon as it has its broker."""
        self.now = 1000
        client = self._client = paho.Client(CallbackAPIVersion.VERSION2)
        client.will_set(f"{ROOT}/alive", "no", retain=True)
        client.on_connect = self._born
        client.on_message = self._told
        client.on_publish = self._published
        client.connect("127.0.0.1", self._port, keepalive=5)
        client.loop_start()

    def unplug(self) -> None:
        """No power; the broker says so in its place."""
        client, self._client = self._client, None
        if client is not None:
            client._sock_close()  # no goodbye, as a power cut has none
            client.loop_stop()

    def _born(self, client: paho.Client, *_: object) -> None:
        client.subscribe(f"{ROOT}/do")
        client.publish(f"{ROOT}/alive", "yes", retain=True)
        self._say(client)
        self._last_word = client.publish(
            f"{ROOT}/born", "1", qos=1
        ).mid  # the broker has what was said before when it acknowledges this

    def _published(self, _client: paho.Client, _data: object, mid: int, *_: object) -> None:
        if mid == self._last_word:
            self.born.set()

    def _told(self, client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        told = json.loads(message.payload)
        self.now = max(0, min(1000, int(told.get("dim", self.now))))
        threading.Event().wait(self.answers_after_s)
        self._say(client)

    def _say(self, client: paho.Client) -> None:
        client.publish(f"{ROOT}/is", json.dumps({"light": {"now": self.now, "lit": self.now > 0}}))


if __name__ == "__main__":
    lamp = UnlistedLamp(int(sys.argv[1]))
    lamp.plug()
    for _ in sys.stdin:
        lamp.unplug()
        threading.Event().wait(2)
        lamp.plug()
