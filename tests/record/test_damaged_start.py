"""A daemon that finds its record damaged keeps what it found, says so, and goes on from the good part."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from controller.journal.reading import read_records, room_file, session_file, verify
from controller.journal.store import set_aside
from controller.messages import Dose, JournalDamaged, Mark
from tests.journal.test_salvage import Damage, flip, fold, lose_the_log
from tests.record.daemon_alone import begin, daemon_alone
from tests.waiting import until


def flip_a_mark(file: Path) -> None:
    fold(file)
    flip(file, b'"kind":"mark","code":"cold"')


def leave_nothing(file: Path) -> None:
    fold(file)
    file.write_bytes(bytes(file.stat().st_size))


@pytest.mark.parametrize("damage", [flip_a_mark, pytest.param(lose_the_log, marks=pytest.mark.proof)])
async def test_a_session_whose_record_was_damaged_goes_on_and_everybody_is_told(tmp_path: Path, damage: Damage) -> None:
    state = tmp_path / "state"
    async with daemon_alone(tmp_path, state) as daemon, daemon.client() as client:
        session = await begin(client)
        assert not (await client.send(Dose(amount=25, unit="mg"), ("D-001",))).refused
        for number in range(40):  # the log is folded into the file every hundred commits
            await client.send(Mark(code="spoke" if number != 25 else "cold"))
        if damage is lose_the_log:
            for _ in range(80):
                await client.send(Mark(code="spoke"))
        written = [record for record, _ in read_records(session_file(state, session))]
        daemon.end(signal.SIGKILL)
        damage(session_file(state, session))
        daemon.start()
        await until(lambda: any(alarm.code == "journal_damaged" for alarm in client.status.alarms))
        assert client.status.session == session
        assert client.status.state == "running"
        assert client.status.participants[0].doses == 1
        assert client.status.participants[0].t_plus_s is not None
        reply = await client.send(Mark(code="spoke"))
        daemon.end()
    assert verify(session_file(state, session)).ok
    assert verify(room_file(state)).ok
    now = [record for record, _ in read_records(session_file(state, session))]
    (told,) = [record.input.act for record in now if isinstance(record.input.act, JournalDamaged)]
    assert now[: told.kept] == written[: told.kept]
    assert told.lost is not None and told.lost >= len(written) - told.kept > 0
    assert now[reply.seq - 1].input.id == reply.id
    (kept_as,) = set_aside(state)
    assert kept_as.name == told.kept_as


async def test_a_session_of_which_nothing_is_left_gives_an_idle_room_that_can_begin_another(tmp_path: Path) -> None:
    state = tmp_path / "state"
    async with daemon_alone(tmp_path, state) as daemon, daemon.client() as client:
        session = await begin(client)
        daemon.end(signal.SIGKILL)
        leave_nothing(session_file(state, session))
        daemon.start()
        await until(lambda: any(alarm.code == "journal_damaged" for alarm in client.status.alarms))
        assert client.status.state == "idle"
        assert await begin(client) != session
        daemon.end()
    assert len(set_aside(state)) == 1
