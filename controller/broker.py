"""The MQTT link: one client of one broker, for the loop that opened it.

Every connection is a fresh paho client. paho keeps QoS 1 messages of a lost connection and replays them at the next,
so a client that outlived its connection would speak of a past that is over.
The loop itself reads and writes the socket: a message is ruled in the turn of the loop in which it comes, and a
publish is with the kernel when `publish` returns. Only connecting, which blocks, is done in a thread.
A connection counts as up once our own heartbeat has gone to the broker and come back: a frozen broker takes messages
for as long as its buffers last, and only a round trip tells.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from controller.broker_tls import TlsSettings, why_not
from controller.clock import boottime
from controller.tasks import cancel

_log = logging.getLogger(__name__)

_KEEPALIVE_S = 5
_TICK_S = 0.25
_BEAT_S = 0.5
_PROOF_HOLDS_S = 1.0
_FRESH_S = 0.05
_BEAT_LATE_S = 0.5
"""An unanswered heartbeat of this age stops QoS 0: what is not heard now must not be heard later."""
_BEAT_LOST_S = 3.5
"""With `_BEAT_S` and two ticks: a frozen broker is noticed within 5 s."""
_CONNECT_S = 4.0
_CONNECT_TCP_S = 2.0
_RECONNECT_S = (1.0, 2.0)
_LARGEST = 2 * 1024 * 1024
"""Bytes of a message that the broker may send us: five times as many hold up the loop for a third of a second.

A bridge's list of two hundred devices, the largest that anybody here asks for, has about half of it.
"""
_NO_MATCHING_SUBSCRIBERS = 0x10
_FAILURE = 0x80

OnMessage = Callable[[str, bytes, bool, float], None]
"""(topic, payload, retained, CLOCK_BOOTTIME at which it was received)."""
OnChange = Callable[[bool, str], None]
"""(connected, why not)."""


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """Where the broker is and who we are there. A client id belongs to one link only: two of the same take turns."""

    host: str
    port: int
    client_id: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: TlsSettings | None = None


@dataclass(frozen=True, slots=True)
class _Subscription:
    filter: str
    callback: OnMessage
    qos: int
    own: bool


class BrokerLink:
    """MQTT v5, clean start, keepalive 5 s. All methods belong to the loop's thread; callbacks come on it too.

    The broker must let this client write and read `stillroom/beat/CLIENT_ID`.
    """

    def __init__(self, settings: BrokerSettings, will: tuple[str, bytes] | None = None) -> None:
        self.settings = settings
        self._will = will
        self._beat_topic = f"stillroom/beat/{settings.client_id}"
        self._subscriptions: list[_Subscription] = []
        self._by_topic: dict[str, list[_Subscription]] = {}
        self._by_pattern: list[_Subscription] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._client: paho.Client | None = None
        self._down: asyncio.Future[str] | None = None
        self._connected = False
        self._greeted = False
        self._reported: bool | None = None
        self._why = ""
        self._watchers: list[OnChange] = []
        self._early: list[Callable[[], None]] = []
        self._beat = 0
        self._beat_at = 0.0
        self._unanswered_since: float | None = None
        self._proved_at = self._alive_at = 0.0
        self._on_proof: list[Callable[[], None]] = []
        self._confirming: dict[int, asyncio.Future[bool]] = {}
        self._inbox: list[tuple[str, bytes, bool, float]] = []
        self._writes_later = False

    @property
    def connected(self) -> bool:
        """Whether a round trip has been made and none is missing."""
        return self._connected

    @property
    def answering(self) -> bool:
        """Connected, and no heartbeat is late: what is published now is heard now."""
        return self._connected and self._late_s() < _BEAT_LATE_S

    @property
    def fresh(self) -> bool:
        """Whether it is certain that the broker lives: a round trip within 1 s, and a sign of life within 50 ms.

        What must not be heard late is only published then; where it is not so, `prove` makes it so.
        """
        now = boottime()
        return self.answering and now - self._proved_at < _PROOF_HOLDS_S and now - self._alive_at < _FRESH_S

    def prove(self, then: Callable[[], None]) -> None:
        """Make a round trip, and call `then` once it is made; never, where the connection ends first."""
        if self._client is None or not self._connected:
            return
        self._on_proof.append(then)
        if self._unanswered_since is None:
            self._send_beat()

    def start(self, on_change: OnChange) -> None:
        """Connect, and keep connecting. `on_change` is called once per change, and once if the first try fails.

        Who starts a link that is already started is told of its changes as well, and at once of its present state.
        """
        self._watchers.append(on_change)
        if self._task is not None:
            if self._reported is not None:
                on_change(self._reported, self._why)
            return
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._keep(), name=f"broker link {self.settings.client_id}")

    async def close(self) -> None:
        """Say goodbye to the broker and stop; twice is fine. Unconfirmed publishes resolve to False."""
        task, self._task = self._task, None
        if task is not None:
            await cancel(task)
            self._watchers.clear()
            self._reported = None

    def subscribe(self, topic_filter: str, callback: OnMessage, qos: int = 0, *, own: bool = True) -> None:
        """Hear `topic_filter` now and after every reconnection. `own`: also what this link itself publishes."""
        subscription = _Subscription(topic_filter, callback, qos, own)
        self._subscriptions.append(subscription)
        if "+" in topic_filter or "#" in topic_filter:
            self._by_pattern.append(subscription)
        else:  # found at once, however many lamps there are
            self._by_topic.setdefault(topic_filter, []).append(subscription)
        if self._client is not None and self._client.is_connected():
            self._client.subscribe(topic_filter, options=_options(subscription))
            self._flush(self._client)

    def publish(self, topic: str, payload: bytes | str, qos: int = 0, *, retain: bool = False) -> bool:
        """Publish at once or not at all. False: not connected, or the broker has not answered for half a second.

        A heartbeat follows every message, so that a broker that froze is sent one message per sender and no second.
        """
        if self._client is None or not self.answering:
            return False
        sent = self._client.publish(topic, payload, qos, retain).rc == paho.MQTT_ERR_SUCCESS
        self._flush(self._client)
        if sent and self._unanswered_since is None:
            self._send_beat()
        return sent

    async def publish_confirmed(self, topic: str, payload: bytes | str) -> bool:
        """QoS 1: True once the broker has acknowledged it and somebody listens; False when the connection ends first.

        A broker that says "no matching subscribers" has delivered it to nobody: that is False as well.
        """
        if self._client is None or self._loop is None or not self._connected:
            return False
        self._client.on_publish = self._on_publish  # from now on: paho reports every QoS 0 message as well, at a price
        info = self._client.publish(topic, payload, qos=1)
        self._flush(self._client)
        if info.rc != paho.MQTT_ERR_SUCCESS:
            return False
        confirmed: asyncio.Future[bool] = self._loop.create_future()
        self._confirming[info.mid] = confirmed
        return await confirmed

    async def _keep(self) -> None:
        tries = 0
        while True:
            client = self._make()
            connecting = asyncio.ensure_future(asyncio.to_thread(_connect, client, self.settings))
            graceful = True
            try:
                why = await self._live(client, connecting)
                graceful = False
            except Exception as error:  # a fault of the program must not end the watch over the broker
                _log.exception("the connection to the broker ends")
                why = f"connection ended: {error}"
            finally:
                tries = 0 if self._connected else tries + 1
                self._forget()
                await asyncio.shield(self._shut(client, connecting, graceful))
            self._report(False, why)
            await asyncio.sleep(_RECONNECT_S[min(tries, 1)])

    def _make(self) -> paho.Client:
        settings = self.settings
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=settings.client_id,
            protocol=paho.MQTTv5,
            reconnect_on_failure=False,
        )
        client.suppress_exceptions = True
        client.connect_timeout = _CONNECT_TCP_S
        if settings.username is not None:
            client.username_pw_set(settings.username, settings.password)
        if self._will is not None:
            client.will_set(*self._will, qos=1, retain=True)
        client.on_socket_open = _without_delay
        client.on_connect = self._on_connect
        client.on_message = self._on_message
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        assert self._loop is not None
        self._client = client
        self._down = self._loop.create_future()
        self._greeted = False
        self._unanswered_since = None
        return client

    async def _live(self, client: paho.Client, connecting: asyncio.Future[str]) -> str:
        """Keep the heartbeat going until the connection is over; returns why it is."""
        assert self._down is not None
        opened = boottime()
        why = await asyncio.shield(connecting)
        if self._down.done():  # it hung up while we said hello
            return self._down.result()
        if why:
            return why
        self._watch(client)
        while True:
            await asyncio.wait({self._down}, timeout=_TICK_S)
            if self._down.done():
                return self._down.result()
            client.loop_misc()
            self._flush(client)
            if self._unanswered_since is None and self._connected and boottime() - self._beat_at >= _BEAT_S:
                self._send_beat()
            if self._late_s() > _BEAT_LOST_S:
                return "the broker does not answer"
            if not self._connected and boottime() - opened > _CONNECT_S:
                return f"no broker at {self.settings.host}:{self.settings.port}"

    def _forget(self) -> None:
        self._client = None
        self._connected = False
        self._early.clear()
        self._inbox.clear()
        self._on_proof.clear()
        for confirmed in self._confirming.values():
            if not confirmed.done():
                confirmed.set_result(False)
        self._confirming.clear()

    def _report(self, up: bool, why: str) -> None:
        if self._reported is not up:
            self._reported = up
            if not up:
                _log.warning("broker lost: %s", why)
            self._why = why
            for watcher in tuple(self._watchers):
                try:
                    watcher(up, why)
                except Exception:
                    _log.exception("nobody was told that the broker is %s", "there" if up else "lost")

    async def _shut(self, client: paho.Client, connecting: asyncio.Future[str], graceful: bool) -> None:
        """End a client; waits for at most a TCP connection attempt."""
        await asyncio.wait({connecting})
        sock = client.socket()
        if graceful:
            client.disconnect()
        if isinstance(sock, socket.socket) and sock.fileno() >= 0:
            self._unwatch(client, None, sock)
            sock.close()

    # The socket, on the loop's thread

    def _watch(self, client: paho.Client) -> None:
        assert self._loop is not None
        self._writes_later = False
        client.on_socket_close = self._unwatch
        sock = client.socket()
        if sock is not None:
            self._loop.add_reader(sock.fileno(), self._read, client)
            self._flush(client)

    def _unwatch(self, _client: paho.Client, _data: Any, sock: Any) -> None:
        assert self._loop is not None
        self._loop.remove_reader(sock.fileno())
        self._loop.remove_writer(sock.fileno())

    def _read(self, client: paho.Client) -> None:
        """Take what has come, and then deliver it: paho writes nothing at once while it calls back."""
        try:
            client.loop_read()
            while _unread(client):
                client.loop_read()
        except Exception as error:  # what paho cannot read it would meet again and again
            _log.exception("the broker's words cannot be read")
            self._gone(client, f"connection ended: {error}")
        self._flush(client)
        inbox, self._inbox = self._inbox, []
        for message in inbox:
            self._heard(client, *message)

    def _flush(self, client: paho.Client) -> None:
        """Write what waits; where the connection takes no more, go on as soon as it does."""
        if client.want_write():
            client.loop_write()
        sock, later = client.socket(), client.want_write()
        if later is not self._writes_later and sock is not None and self._loop is not None:
            self._writes_later = later
            if later:
                self._loop.add_writer(sock.fileno(), self._flush, client)
            else:
                self._loop.remove_writer(sock.fileno())

    # Heartbeat

    def _send_beat(self) -> None:
        assert self._client is not None
        self._beat += 1
        self._beat_at = self._unanswered_since = boottime()
        self._client.publish(self._beat_topic, str(self._beat))
        self._flush(self._client)

    def _late_s(self) -> float:
        return 0.0 if self._unanswered_since is None else boottime() - self._unanswered_since

    def _heard_beat(self, payload: bytes) -> None:
        if payload != str(self._beat).encode():
            return
        self._unanswered_since = None
        self._proved_at = self._beat_at
        waiting, self._on_proof = self._on_proof, []
        for then in waiting:
            then()
        if not self._connected:
            self._connected = True
            self._report(True, "")
            early, self._early = self._early, []
            for deliver in early:
                deliver()

    # What has come

    def _up(self, client: paho.Client) -> None:
        if client is self._client:
            self._send_beat()

    def _gone(self, client: paho.Client, why: str) -> None:
        if client is self._client and self._down is not None and not self._down.done():
            self._down.set_result(why)

    def _heard(self, client: paho.Client, topic: str, payload: bytes, retained: bool, at: float) -> None:
        if client is not self._client:
            return
        self._alive_at = at
        if topic == self._beat_topic:
            self._heard_beat(payload)
        elif self._connected:
            self._deliver(topic, payload, retained, at)
        else:
            self._early.append(partial(self._deliver, topic, payload, retained, at))

    def _deliver(self, topic: str, payload: bytes, retained: bool, at: float) -> None:
        matching = [each for each in self._by_pattern if paho.topic_matches_sub(each.filter, topic)]
        for subscription in (*self._by_topic.get(topic, ()), *matching):
            try:
                subscription.callback(topic, payload, retained, at)
            except Exception:
                _log.exception("a message on %s could not be handled", topic)

    def _confirmed(self, client: paho.Client, mid: int, code: int) -> None:
        confirmed = self._confirming.pop(mid, None) if client is self._client else None
        if confirmed is not None and not confirmed.done():
            confirmed.set_result(code < _NO_MATCHING_SUBSCRIBERS)

    # What paho calls; only `_on_disconnect` may come from another thread, where connecting fails

    def _hand_over(self, function: Callable[..., None], *arguments: Any) -> None:
        assert self._loop is not None
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(function, *arguments)

    def _on_connect(self, client: paho.Client, _data: Any, _flags: Any, code: ReasonCode, _props: Any) -> None:
        self._greeted = True
        if code.is_failure:
            self._hand_over(self._gone, client, f"the broker refuses us: {code}")
            return
        client.subscribe(self._beat_topic, 0)
        for subscription in tuple(self._subscriptions):
            client.subscribe(subscription.filter, options=_options(subscription))
        self._hand_over(self._up, client)

    def _on_message(self, client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            return
        if client is self._client:
            self._inbox.append((topic, bytes(message.payload), bool(message.retain), boottime()))

    def _on_publish(self, client: paho.Client, _data: Any, mid: int, code: ReasonCode, _props: Any) -> None:
        self._confirmed(client, mid, int(code.value))

    def _on_subscribe(self, _client: paho.Client, _data: Any, _mid: int, codes: list[ReasonCode], _props: Any) -> None:
        for code in codes:
            if int(code.value) >= _FAILURE:
                _log.error("the broker refuses a subscription of %s: %s", self.settings.client_id, code)

    def _on_disconnect(self, client: paho.Client, _data: Any, _flags: Any, code: ReasonCode, _props: Any) -> None:
        # paho knows no more of a broker that hangs up before it has answered, over a certificate or the lack of one.
        self._hand_over(self._gone, client, f"connection ended: {code}" if self._greeted else "hangs_up")


def _options(subscription: _Subscription) -> SubscribeOptions:
    return SubscribeOptions(qos=subscription.qos, noLocal=not subscription.own)


def _without_delay(_client: paho.Client, _data: Any, sock: Any) -> None:
    with contextlib.suppress(OSError, AttributeError):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _connect(client: paho.Client, settings: BrokerSettings) -> str:
    """Open the connection and say hello; returns why that failed, or "".

    Blocks for at most `_CONNECT_TCP_S`, the same again for TLS, and the time to find the host.
    """
    nobody = f"no broker at {settings.host}:{settings.port}"
    try:
        if settings.tls is not None:
            client.tls_set_context(settings.tls.context())
        asked = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        asked.MaximumPacketSize = _LARGEST
        client.connect(settings.host, settings.port, keepalive=_KEEPALIVE_S, clean_start=True, properties=asked)
    except (OSError, ValueError) as error:
        _log.debug("no connection to %s:%d: %s", settings.host, settings.port, error)
        return (settings.tls is not None and why_not(error)) or nobody
    return "" if client.socket() is not None else nobody


def _unread(client: paho.Client) -> bool:
    """Whether TLS has decrypted more than was taken, which no selector sees."""
    sock = client.socket()
    return isinstance(sock, ssl.SSLSocket) and sock.pending() > 0
