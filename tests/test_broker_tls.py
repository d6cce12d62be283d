"""A broker that speaks TLS, with certificates made for the test: what is trusted, and what is said of the rest."""

from __future__ import annotations

import asyncio
import getpass
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from controller.broker import BrokerLink, BrokerSettings
from controller.broker_private import PrivateBroker
from controller.broker_tls import TlsSettings
from controller.config import load_room
from controller.files import ConfigError
from controller.messages import DeviceLost, Input
from controller.session.state import opening
from controller.session.step import step
from controller.wording import alarm as alarm_words
from tests.session.room import RULES
from tests.waiting import until

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


class Certificates:
    """Two authorities that know nothing of each other, and certificates of the first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("ca", "stranger"):
            self._run("req", "-x509", *_KEY, "-keyout", f"{name}.key", "-out", f"{name}.crt", "-subj", f"/CN={name}")
        for name, host, days in (
            ("broker", "IP:127.0.0.1", 2),
            ("other-host", "DNS:elsewhere", 2),
            ("old", "IP:127.0.0.1", 0),
            ("us", "DNS:us", 2),
        ):
            self._run("req", *_KEY, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
            (folder / "names").write_text(f"subjectAltName={host}")
            by = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", str(days), "-extfile", "names")
            self._run("x509", "-req", "-in", f"{name}.csr", "-out", f"{name}.crt", *by)

    def _run(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=self.folder)

    def tls(self, ca: str = "ca", us: str = "") -> TlsSettings:
        mine = (self.folder / f"{us}.crt", self.folder / f"{us}.key") if us else (None, None)
        return TlsSettings(self.folder / f"{ca}.crt", *mine)


class SecureBroker(PrivateBroker):
    """mosquitto with one of the certificates."""

    def __init__(self, made: Certificates, certificate: str, *, asks: bool = False) -> None:
        super().__init__(made.folder / "mosquitto")
        self._lines = (
            f"cafile {made.folder}/ca.crt\ncertfile {made.folder}/{certificate}.crt\n"
            f"keyfile {made.folder}/{certificate}.key\nrequire_certificate {str(asks).lower()}\n"
        )

    def configuration(self) -> str:
        return f"listener {self.port} 127.0.0.1\nallow_anonymous true\nuser {getpass.getuser()}\n{self._lines}"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def secure(made: Certificates, request: pytest.FixtureRequest) -> Iterator[PrivateBroker]:
    certificate, asks = getattr(request, "param", ("broker", False))
    broker = SecureBroker(made, certificate, asks=asks) if certificate else PrivateBroker(made.folder / "plain")
    broker.start()
    yield broker
    broker.stop()


async def told(settings: BrokerSettings) -> tuple[BrokerLink, list[tuple[bool, str]]]:
    """A link, once it has something to say."""
    link, said = BrokerLink(settings), list[tuple[bool, str]]()
    link.start(lambda up, why: said.append((up, why)))
    await until(lambda: bool(said))
    return link, said


def alarm_for(why: str) -> str:
    """What the console shows."""
    state = step(opening(RULES, 0.0), Input(act=DeviceLost(name="broker", why=why)), 1.0, 1).state
    return alarm_words(state.alarms[0])


@pytest.mark.parametrize(("secure", "us"), [(("broker", False), ""), (("broker", True), "us")], indirect=["secure"])
async def test_a_broker_whose_certificate_we_know_is_heard_and_spoken_to(
    secure: PrivateBroker, made: Certificates, us: str
) -> None:
    link, said = await told(replace(secure.settings("room"), tls=made.tls(us=us)))
    heard: list[bytes] = []
    link.subscribe("a", lambda topic, payload, retained, at: heard.append(payload))
    try:
        assert said == [(True, "")]
        for size in (1, 100, 40_000):  # one that fills more than a TLS record
            assert link.publish("a", b"x" * size)
        await until(lambda: len(heard) == 3)
        assert [len(payload) for payload in heard] == [1, 100, 40_000]
    finally:
        await link.close()


@pytest.mark.parametrize(
    ("secure", "ca", "code"),
    [
        (("broker", False), "stranger", "tls_untrusted"),
        (("other-host", False), "ca", "tls_another_host"),
        (("old", False), "ca", "tls_out_of_date"),
        (("", False), "ca", "tls_not_spoken"),
        (("broker", True), "ca", "hangs_up"),  # it asks for a certificate of ours
        (("broker", False), "", "hangs_up"),  # we speak no TLS
    ],
    indirect=["secure"],
)
async def test_a_broker_that_cannot_be_trusted_is_an_alarm_that_says_why(
    secure: PrivateBroker, made: Certificates, ca: str, code: str
) -> None:
    link, said = await told(replace(secure.settings("room"), tls=made.tls(ca) if ca else None))
    try:
        await asyncio.sleep(0.1)
        assert said == [(False, code)]
        words = alarm_for(code)
        assert words.startswith("MQTT BROKER ") and words != alarm_for("")
        assert len(words) <= 76, words
    finally:
        await link.close()


def room(folder: Path, *lines: str) -> Path:
    path = folder / "room.toml"
    lamp = '[[light.lamps]]\nname = "l"\nprofile = "esphome-light"\ndevice = "l"\nbase = "n"\n'
    path.write_text(f'format = 1\nname = "r"\n{lamp}[broker]\n' + "\n".join(lines), encoding="utf-8")
    return path


def test_the_room_file_names_the_certificates_and_what_is_wrong_with_them(tmp_path: Path, made: Certificates) -> None:
    there = made.folder
    good = room(tmp_path, "tls = true", f'ca_file = "{there}/ca.crt"')
    assert load_room(good).broker("daemon").tls == TlsSettings(there / "ca.crt")
    mine = [f'cert_file = "{there}/us.crt"', f'key_file = "{there}/broker.key"']
    for lines, said in (
        ([f'ca_file = "{there}/ca.crt"'], "need tls = true"),
        (["tls = true", mine[0]], "cert_file and key_file go together"),
        (["tls = true", 'ca_file = "/nowhere.crt"'], "broker.ca_file: /nowhere.crt cannot be read"),
        (["tls = true", f'ca_file = "{there}/ca.key"'], "holds no certificate"),
        (["tls = true", *mine], "are no certificate and its key"),
    ):
        with pytest.raises(ConfigError) as refused:
            load_room(room(tmp_path, *lines)).broker("daemon")
        assert said in refused.value.mistakes[0]
