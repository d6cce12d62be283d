"""The room file's broker: where it is, who we are there, and whom we trust."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from controller.broker import BrokerSettings
from controller.broker_tls import TlsSettings
from controller.files import ConfigError
from controller.validation import Table


class BrokerTable(Table):
    """The room's MQTT broker. The password lies in a file of its own."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 1883
    """Brokers with TLS usually listen on 8883."""
    username: str = ""
    password_file: Path | None = None
    tls: bool = False
    """Speak TLS; the broker's certificate must be for `host`."""
    ca_file: Path | None = None
    """Who signed the broker's certificate (PEM), in place of those whom the machine trusts anyway."""
    cert_file: Path | None = None
    """Our own certificate (PEM), for a broker that asks for one."""
    key_file: Path | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if not self.tls and (self.ca_file or self.cert_file or self.key_file):
            raise ValueError("ca_file, cert_file and key_file need tls = true")
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file go together")
        return self


def broker_settings(path: Path, table: BrokerTable, client_id: str) -> BrokerSettings:
    """For one client of the broker that the room file at `path` names. Raises ConfigError with all that is wrong."""
    mistakes: list[str] = []
    password = None
    if table.password_file is not None:
        try:
            password = table.password_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            mistakes.append(f"{path}: broker.password_file: {table.password_file} cannot be read: {error.strerror}")
        except ValueError:  # not text, or a name that no file can have
            mistakes.append(f"{path}: broker.password_file: {table.password_file} does not hold a password in UTF-8")
    tls = TlsSettings(table.ca_file, table.cert_file, table.key_file) if table.tls else None
    mistakes += [f"{path}: broker.{mistake}" for mistake in tls.mistakes()] if tls is not None else []
    if mistakes:
        raise ConfigError(mistakes)
    return BrokerSettings(table.host, table.port, client_id, table.username or None, password, tls)
