"""Write it down, then do it: the process dies at every effect in turn, and no effect was ever without its record."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from controller.clock import RoomClock
from controller.journal.reading import book_file, read_records, verify
from controller.journal.recovery import recover
from controller.messages import Effect, FadeLight, FadeMusic, PlaceCall, Record, SetTransport, decode
from controller.restoring import restore
from tests.session.room import RULES
from tests.waiting import PATIENCE_S

EFFECTS_OF_A_SESSION = 34
"""Rather more than the script has; a number beyond the last effect lets it end by itself."""


def live_and_die(state_dir: Path, die_at: int, *flags: str) -> tuple[list[Effect], list[Record], int]:
    """Effects that reached a device, records on disk, and how the process ended."""
    state_dir.mkdir(parents=True, exist_ok=True)
    ended = subprocess.run(
        [sys.executable, "-m", "tests.crash.scripted_room", str(state_dir), str(die_at), *flags],
        check=False,
        capture_output=True,
        timeout=PATIENCE_S,
    )
    assert ended.returncode in (0, -signal.SIGKILL), ended.stderr.decode()
    lines = (state_dir / "effects.jsonl").read_bytes().splitlines()
    effects: list[Effect] = [decode(Effect, line) for line in lines]  # type: ignore[arg-type]
    records: list[Record] = []
    for book in ("room", "s1"):
        file = book_file(state_dir, book)
        if file.exists():
            assert verify(file).ok
            records += [record for record, _ in read_records(file)]
    return effects, records, ended.returncode


def urgent(effect: Effect) -> bool:
    """The closed exception: pause, silence, call and light to stand up by act at once."""
    match effect:
        case SetTransport(transport="pause") | PlaceCall() | FadeLight(swift=True):
            return True
        case FadeMusic(level=0.0):
            return True
        case _:
            return False


def without_record(effects: list[Effect], records: list[Record]) -> list[Effect]:
    known = {repr(effect) for record in records for effect in record.effects}
    return [effect for effect in effects if not urgent(effect) and repr(effect) not in known]


@pytest.mark.parametrize("die_at", [1, 5, 13, 14, 20, 26, EFFECTS_OF_A_SESSION])
def test_no_effect_reaches_a_device_before_its_record_is_on_disk(tmp_path: Path, die_at: int) -> None:
    effects, records, _ = live_and_die(tmp_path, die_at)
    assert effects
    assert without_record(effects, records) == []
    acknowledged = (tmp_path / "acknowledged").read_text().split() if (tmp_path / "acknowledged").exists() else []
    assert set(acknowledged) <= {record.input.id for record in records}


@pytest.mark.proof
@pytest.mark.parametrize("die_at", range(1, EFFECTS_OF_A_SESSION + 1))
def test_no_effect_is_ever_before_its_record(tmp_path: Path, die_at: int) -> None:
    effects, records, _ = live_and_die(tmp_path, die_at)
    assert without_record(effects, records) == []


def test_the_crash_test_notices_effects_that_go_first(tmp_path: Path) -> None:
    found = []
    for die_at in (4, 9):
        effects, records, _ = live_and_die(tmp_path / str(die_at), die_at, "--swapped")
        found += without_record(effects, records)
    assert found, "the order was swapped and nothing was noticed"


def test_the_state_after_a_crash_is_the_state_that_was_recorded(tmp_path: Path) -> None:
    live_and_die(tmp_path, EFFECTS_OF_A_SESSION)
    clock = RoomClock()
    restored = restore(recover(tmp_path), RULES, clock)
    assert restored.state.session == "s1"
    assert restored.state.here.code == "peak"
    assert restored.state.call.call == "k1"
    assert restored.state.buses == {"speakers": -4.0, "headphones": -2.0}
    assert not restored.rebooted
