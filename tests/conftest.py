"""Fixtures that the tests of several parts share."""

from __future__ import annotations

from tests.broker_fixture import mosquitto

__all__ = ["mosquitto"]
