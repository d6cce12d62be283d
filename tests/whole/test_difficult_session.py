"""The written walk through a difficult session, pressed key by key: what is written there is what happens."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import pytest

from controller.journal.reading import list_sessions, read_records, verify
from controller.messages import Call, DeclineBooster, End, Hold, Land, Mark, Quiet, Record, Release
from controller.report.gathering import account_of
from tests.measure_audio import analyse
from tests.waiting import PATIENCE_S
from tests.whole.room import WholeRoom, whole_room

REPOSITORY = Path(__file__).parents[2]
WALK = REPOSITORY / "deploy" / "difficult-session.md"
PINS = {"AB": "02468", "CD": "01357"}
NAMES = {"→": "Right"}

ANSWER_S = 3.0
"""Within it the screen shows that a key has arrived; a hurried hand would press it again for nothing."""

REST_S = 0.75
"""A key counts once until it has rested for 0.7 s."""

BETWEEN_S = 0.3
"""Five letters within a second are somebody who types."""


@dataclass(frozen=True)
class Line:
    """One line of the walk: what is pressed or typed, or what befalls the room, and what the screen then says."""

    number: int
    keys: tuple[str, ...]
    befalls: str
    says: str


def walk() -> Iterator[Line]:
    for number, text in enumerate(WALK.read_text(encoding="utf-8").splitlines(), start=1):
        cells = [cell.strip() for cell in text.strip("|").split("|")]
        if not text.startswith("|") or len(cells) != 3 or cells[0] in ("press", "---"):
            continue
        befalls = re.fullmatch(r"\*(.+)\*", cells[0])
        keys = () if befalls else tuple(re.findall(r'"[^"]*"|`[^`]+`|\S+', cells[0]))
        yield Line(number, keys, befalls[1] if befalls else "", cells[1])


class Hand:
    """A private terminal with the console of the room in it, and a hand on its keys."""

    def __init__(self, state_dir: Path) -> None:
        self._socket = str(state_dir / "tmux")
        self._last = ""
        console = shlex.join(
            [
                "env",
                "-u",
                "COLUMNS",
                "-u",
                "LINES",
                sys.executable,
                "-m",
                "controller",
                "console",
                "--state",
                str(state_dir),
            ]
        )
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "30", f"exec {console}")

    def _tmux(self, *words: str) -> str:
        return subprocess.run(["tmux", "-S", self._socket, *words], check=True, capture_output=True, text=True).stdout

    def screen(self) -> str:
        return self._tmux("capture-pane", "-p")

    async def press(self, key: str) -> None:
        if key.startswith('"'):
            self._tmux("send-keys", "-l", "--", key.strip('"'))
            await asyncio.sleep(0.1)
            return
        if key == self._last:
            await asyncio.sleep(REST_S)
        self._last = key
        before = self.screen()
        self._tmux("send-keys", NAMES.get(key, key.strip("`")))
        for _ in range(int(ANSWER_S / 0.1)):
            await asyncio.sleep(0.1)
            if self.screen() != before:
                break
        await asyncio.sleep(BETWEEN_S)

    async def see(self, words: str, place: str) -> None:
        for _ in range(int(PATIENCE_S / 0.2)):
            shown = self.screen()
            if words in shown:
                return
            await asyncio.sleep(0.2)
        pytest.fail(f'{place}: "{words}" does not come; the screen:\n{shown}')

    def close(self) -> None:
        subprocess.run(["tmux", "-S", self._socket, "kill-server"], check=False, capture_output=True)


def lay_out(state_dir: Path) -> dict[str, str]:
    """The clinic's own programme, and the environment in which the room finds it."""
    playlists = state_dir / "own" / "playlists"
    playlists.mkdir(parents=True)
    text = (REPOSITORY / "playlists" / "mdma.toml").read_text(encoding="utf-8")
    text = text.replace('name = "mdma"', 'name = "evening"').replace('title = "MDMA with booster"', 'title = "Evening"')
    (playlists / "evening.toml").write_text(text, encoding="utf-8")
    return {"ROOM_OWN_FILES": str(state_dir / "own")}


def sign_in_book(state_dir: Path) -> None:
    for initials, pin in PINS.items():
        file = state_dir / "pin"
        file.touch(mode=0o600)
        file.write_text(f"{pin}\n", encoding="utf-8")
        verb = ["sitters", "add", initials, "--pin-from", str(file), "--state", str(state_dir)]
        subprocess.run([sys.executable, "-m", "controller", *verb], check=True, capture_output=True)
        file.unlink()


def lose_power(room: WholeRoom) -> None:
    """Everything is gone at once; what it sounded like until then is kept, for another boot begins a new recording."""
    for verb in ("run", "sound", "caller"):
        process = room.processes.running(verb)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    shutil.copy(room.wav, room.wav.with_name("before.wav"))


def regain_power(room: WholeRoom) -> None:
    room.environment["ROOM_BOOT_ID"] = "the-next"
    with patch.dict(os.environ, room.environment):
        room.processes.start("sound")
        room.processes.start("caller")
    room.start_daemon()


@pytest.fixture
def short_dir() -> Iterator[Path]:
    """Sockets' paths have 107 letters at most."""
    with tempfile.TemporaryDirectory(prefix="day") as where:
        yield Path(where)


async def test_the_written_walk_is_what_happens(short_dir: Path) -> None:
    environment = lay_out(short_dir)
    async with whole_room(short_dir, environment=environment, preflight=True) as room:
        hand = Hand(short_dir)
        try:
            sign_in_book(short_dir)
            await hand.see("nobody is signed on here", "the console")
            for line in walk():
                if "the power goes" in line.befalls:
                    lose_power(room)
                elif "the power returns" in line.befalls:
                    regain_power(room)
                for key in line.keys:
                    await hand.press(key)
                await hand.see(line.says, f"{WALK.name}:{line.number}")
        finally:
            hand.close()
    check_record(short_dir)
    for part in (room.wav.with_name("before.wav"), room.wav):
        check_sound(part)


def check_record(state_dir: Path) -> None:
    """Everything that was pressed is there, by whom, and the chain is whole."""
    session = list_sessions(state_dir)[0]
    assert verify(session.file).ok and session.closed
    told = [record for record, _ in read_records(session.file)]
    assert by(told, Mark, "anxious") == "CD" and by(told, Mark, "bathroom") == "CD"
    for act, person in ((Hold, "CD"), (Quiet, "CD"), (Call, "CD"), (DeclineBooster, "CD"), (Land, "AB"), (End, "CD")):
        assert by(told, act) == person, act
    assert by(told, Release) == "CD"
    account = account_of(session.file)
    assert [person.who for person in account.people][:2] == ["AB", "CD"]
    boots = {record.stamp.boot_id for record in told}
    assert len(boots) == 2 and "the-next" in boots


def by(records: list[Record], act: type, code: str = "") -> str | None:
    """Who did it."""
    return next(
        record.input.origin.person
        for record in records
        if isinstance(record.input.act, act) and getattr(record.input.act, "code", "") == code
    )


def check_sound(wav: Path) -> None:
    """Never a click, and never above the ceiling."""
    heard = analyse(str(wav))
    print(f"{heard.seconds:.0f} s, peak {heard.peak_db:.1f} dBFS, clicks {heard.clicks}")
    assert heard.peak_db <= -6.0
    assert not heard.clicks
