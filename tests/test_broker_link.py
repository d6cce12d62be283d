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
