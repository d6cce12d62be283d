"""A warden keeps its work alive, whatever happens to either of them."""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from controller.clock import boottime
from tests.waiting import PATIENCE_S

WORK = """
import os, signal, sys, threading
from pathlib import Path
from controller.warden import keep_alive

def live(heart, past):
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    with (where / "lives").open("a") as lives:
        print(os.getpid(), past.why or "-", past.falls, file=lives, flush=True)
    if (where / "crash").exists():
        os.abort()
    while not ended.wait(0.02):
        if not (where / "mute").exists():
            heart.beat(not (where / "unwell").exists())
    with (where / "lives").open("a") as lives:
        print(os.getpid(), "told to end", 0, file=lives, flush=True)

where = Path(sys.argv[1])
keep_alive("work", where, live, silent_s=1.5, starting_s=10.0)
"""


class Room:
    def __init__(self, where: Path) -> None:
        self.where = where
        self.started: list[subprocess.Popen[bytes]] = []

    def begin(self) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "PYTHONFAULTHANDLER": ""}
        arguments = [sys.executable, "-c", WORK, str(self.where)]
        self.started.append(subprocess.Popen(arguments, env=environment, stderr=subprocess.DEVNULL))
        return self.started[-1]

    def lives(self) -> list[tuple[int, str, int]]:
        with contextlib.suppress(FileNotFoundError):
            lines = [line.split() for line in (self.where / "lives").read_text().splitlines()]
            return [(int(words[0]), " ".join(words[1:-1]), int(words[-1])) for words in lines]
        return []

    def until_lives(self, count: int, seconds: float = PATIENCE_S) -> list[tuple[int, str, int]]:
        deadline = boottime() + seconds
        while len(self.lives()) < count and boottime() < deadline:
            Event().wait(0.01)
        assert len(self.lives()) == count
        return self.lives()


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    yield made
    for warden in made.started:
        warden.terminate()
        warden.wait(PATIENCE_S)
    for pid, _, _ in made.lives():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def test_a_work_that_is_killed_hangs_or_is_unwell_is_started_anew_and_told_why(room: Room) -> None:
    warden = room.begin()
    first = room.until_lives(1)[0][0]
    os.kill(first, signal.SIGKILL)
    second = room.until_lives(2)[1]
    assert second[1:] == ("killed", 1)
    os.kill(second[0], signal.SIGSTOP)
    third = room.until_lives(3)[2]
    assert third[1] == "hung"
    Event().wait(0.3)  # one that was never well has longer to begin
    (room.where / "unwell").touch()
    fourth = room.until_lives(4)[3]
    assert fourth[1] == "hung"
    (room.where / "unwell").unlink()
    Event().wait(0.6)
    warden.terminate()
    assert warden.wait(PATIENCE_S) == 0
    assert room.lives()[4:] == [(fourth[0], "told to end", 0)]


def test_a_work_whose_warden_is_killed_goes_on_and_the_next_warden_watches_it(room: Room) -> None:
    warden = room.begin()
    pid = room.until_lives(1)[0][0]
    warden.kill()
    warden.wait()
    Event().wait(0.5)
    os.kill(pid, 0)
    room.begin()
    Event().wait(0.9)
    assert len(room.lives()) == 1, "one that lives is not started a second time"
    (room.where / "mute").touch()
    again = room.until_lives(2)[1]
    (room.where / "mute").unlink()
    assert again[0] != pid
    assert again[1] == "hung"


def test_a_life_whose_number_is_not_written_yet_or_is_gone_is_waited_for(room: Room) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    with (room.where / "work.life").open("w+") as life:
        fcntl.lockf(life, fcntl.LOCK_EX, 1, 1)
        warden = room.begin()
        Event().wait(0.8)
        life.write(f"{ended.pid:<15}\n")
        life.flush()
        Event().wait(0.3)
        assert warden.poll() is None
        assert room.lives() == []
    room.until_lives(1)


def test_there_is_one_warden(room: Room) -> None:
    room.begin()
    room.until_lives(1)
    second = room.begin()
    assert second.wait(PATIENCE_S) == 1
    assert len(room.lives()) == 1


def test_a_directory_whose_name_is_too_long_for_a_socket_is_told_in_a_sentence(tmp_path: Path) -> None:
    where = tmp_path / ("r" * 120)
    where.mkdir()
    done = subprocess.run([sys.executable, "-c", WORK, str(where)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, f"{where}: AF_UNIX path too long\n")


@pytest.mark.proof
def test_a_work_that_cannot_live_is_tried_ever_more_slowly(room: Room) -> None:
    (room.where / "crash").touch()
    room.begin()
    lives = room.until_lives(4)
    assert [why for _, why, _ in lives] == ["-", "crashed", "crashed", "crashed"]
    assert [falls for _, _, falls in lives] == [0, 1, 2, 3]
    (room.where / "crash").unlink()


@pytest.mark.proof
def test_a_warden_that_stood_still_itself_does_not_take_its_work_for_dead(room: Room) -> None:
    warden = room.begin()
    room.until_lives(1)
    os.kill(warden.pid, signal.SIGSTOP)
    Event().wait(1.2)
    os.kill(warden.pid, signal.SIGCONT)
    Event().wait(0.8)
    assert len(room.lives()) == 1
