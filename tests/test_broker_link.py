"""The MQTT link goes on whatever becomes of one connection."""

from __future__ import annotations

import pytest

from controller import broker
from controller.broker import BrokerLink
from controller.broker_private import PrivateBroker
from tests.broker_fixture import mosquitto  # noqa: F401
from tests.waiting import until


async def test_a_connection_that_fails_as_nobody_foresaw_is_told_and_tried_again(
    mosquitto: PrivateBroker,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[bool] = []
    link = BrokerLink(mosquitto.settings("room"))
    link.start(lambda up, why: told.append(up))
    await until(lambda: link.connected)
    client = link._client
    assert client is not None
    monkeypatch.setattr(client, "loop_misc", lambda: 1 / 0)
    await until(lambda: told == [True, False, True])
    monkeypatch.setattr(broker, "_connect", lambda *_: 1 / 0)
    mosquitto.kill()
    await until(lambda: told == [True, False, True, False])
    monkeypatch.undo()
    mosquitto.start()
    await until(lambda: link.connected)
    await link.close()


async def test_a_message_beyond_all_measure_is_left_with_the_broker(
    mosquitto: PrivateBroker,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(broker, "_LARGEST", 10_000)
    link, heard = BrokerLink(mosquitto.settings("room")), list[int]()
    told: list[bool] = []
    link.subscribe("lamp/state", lambda _topic, payload, _retained, _at: heard.append(len(payload)))
    link.start(lambda up, why: told.append(up))
    await until(lambda: link.connected)
    for size in (9_000, 11_000, 10):
        await until(lambda: link.answering)
        assert link.publish("lamp/state", bytes(size))
    await until(lambda: 10 in heard)
    assert heard == [9_000, 10]
    assert told == [True], "nothing else is lost for it"
    await link.close()
