from tests.broker_fixture import mosquitto

__all__ = ["mosquitto"]
