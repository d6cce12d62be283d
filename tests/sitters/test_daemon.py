"""A real daemon with sitters: the PIN leaves no trace, nobody acts as somebody else, and a kill forgets nothing."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from controller.ctl import app
from controller.journal.reading import read_records, room_file, session_file, verify
from controller.messages import (
    BreakBegun,
    Call,
    End,
    Evacuate,
    Hold,
    Input,
    Light,
    Mark,
    Origin,
    Pause,
    Record,
    Redaction,
    Refused,
    Resume,
    SeeAlarm,
    SignedOff,
    StandDown,
    Start,
    Status,
)
from controller.places import runtime_dir
from controller.sitters.register import Register
from controller.verbs.archive import _check_pin
from controller.verbs.sitters import app as sitters_app
from controller.wording import alarm as alarm_words
from tests.sitters.room import PINS, console, daemon_here, sign_on, staffed_daemon
from tests.waiting import PATIENCE_S, until

START = Start(programme="demo", participants=("D-001",), seed=1)


@pytest.fixture
def state_dir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="room") as where:
        yield Path(where)


def kept(state_dir: Path, session: str = "") -> list[Record]:
    file = session_file(state_dir, session) if session else room_file(state_dir)
    return [record for record, _ in read_records(file)]


def every_byte(state_dir: Path) -> bytes:
    """Of all that the daemon keeps, says and writes."""
    return b"".join(file.read_bytes() for file in sorted(state_dir.rglob("*")) if file.is_file())


async def test_a_session_is_kept_by_who_signed_on_and_no_pin_leaves_a_trace(state_dir: Path) -> None:
    with staffed_daemon(state_dir) as daemon:
        async with console(state_dir, person="CD") as client:
            assert client.status.signs_on and not client.signed_on
            refused = await client.send(START)
            assert refused.refused == "sign_on_needed"
            assert (await sign_on(client, "AB", "0739182640")).refused == "wrong_pin"
            assert (await sign_on(client, "AB", "12")).refused == "bad_value"
            assert not (await sign_on(client, "AB")).refused
            await until(lambda: client.signed_on == "AB")
            assert not (await client.send(START)).refused
            await until(lambda: client.status.state in ("ready", "running"))
            assert not (await client.send(Mark(code="spoke"))).refused
            assert not (await sign_on(client, "CD", purpose="hand_over", why="settled since two")).refused
            await until(lambda: client.signed_on == "CD")
            assert not (await client.send(Mark(code="spoke"))).refused
            session = client.status.session
        daemon.kill()
        records = kept(state_dir, session)
        marks = [record.input.origin.person for record in records if record.input.act.kind == "mark"]
        assert marks == ["AB", "CD"]
        (over,) = [record for record in records if record.input.act.kind == "hand_over"]
        assert over.input.origin.person == "AB"
        assert verify(session_file(state_dir, session)).ok and verify(room_file(state_dir)).ok
        wrong = [record.input for record in kept(state_dir) if record.input.act.kind == "sign_on_refused"]
        assert [given.origin.console for given in wrong] == ["console-a"], "what can be no PIN was never compared"
        traces = every_byte(state_dir)
        for pin in (*PINS.values(), "0739182640"):
            assert pin.encode() not in traces


async def test_nobody_acts_as_somebody_else(state_dir: Path) -> None:
    async with daemon_here(state_dir):
        async with console(state_dir) as honest, console(state_dir, "console-a", "AB") as rogue:
            await sign_on(honest, "AB")
            assert not (await honest.send(START)).refused
            await until(lambda: rogue.signed_on == "AB")  # by its name it takes itself for the other
            assert (await rogue.send(Mark(code="spoke"))).refused == "sign_on_needed"
            assert not (await honest.send(Mark(code="spoke"))).refused
            session = honest.status.session
        people = {record.input.act.kind: record.input.origin.person for record in kept(state_dir, session)}
        assert people["refused"] is None and people["mark"] == "AB"


async def test_what_never_waits_works_without_a_sign_on_and_in_a_lockout_and_the_lockout_outlives_a_kill(
    state_dir: Path,
) -> None:
    with staffed_daemon(state_dir) as daemon:
        async with console(state_dir) as client:
            await sign_on(client, "CD")
            assert not (await client.send(START)).refused
            await client.send(SignedOff())
        async with console(state_dir, "console-b") as client:
            for wanted in ("wrong_pin", "wrong_pin", "locked_out"):
                assert (await sign_on(client, "AB", "011111111")).refused == wanted
            reply = await sign_on(client, "AB")
            assert reply.refused == "locked_out", "the right PIN is not looked at either"
            assert 0 < float(reply.values["wait_s"]) <= 60
            await daemon.restart(client)
            assert (await sign_on(client, "AB")).refused == "locked_out"
            assert (await sign_on(client, "EF")).refused == "locked_out", "the console waits as well"
            for act in (Call(call="k1"), Pause(), Light(scene="exit"), Light(scene="medical"), SeeAlarm(), Evacuate()):
                assert not (await client.send(act)).refused, act
            for act in (Hold(), StandDown(), Resume(), Light(scene="arc"), Mark(code="spoke")):
                assert (await client.send(act)).refused == "sign_on_needed", act
            session = client.status.session
        facts = [fact for record in kept(state_dir, session) for fact in record.facts if fact.code == "locked_out"]
        assert [(fact.values["name"], fact.values["seconds"]) for fact in facts] == [("AB", 60), ("console-b", 60)]


async def test_who_is_on_duty_and_on_a_break_is_the_same_after_a_kill_in_and_after_a_session(state_dir: Path) -> None:
    with staffed_daemon(state_dir) as daemon:
        async with console(state_dir) as client:
            await sign_on(client, "AB")
            await sign_on(client, "CD")
            assert not (await client.send(START)).refused
            assert not (await client.send(BreakBegun(initials="AB", minutes=7))).refused
            await until(lambda: any(one.on_break for one in client.status.sitters))
            before: Status = client.status
            await daemon.restart(client)
            await until(lambda: client.status.utc > before.utc)
            assert client.status.sitters == before.sitters
            assert [alarm.code for alarm in client.status.alarms if alarm.code == "alone_in_room"]
            assert not (await client.send(Mark(code="spoke"))).refused, "the console is known again"
            assert not (await client.send(End())).refused
            await until(lambda: any(record.input.act.kind == "duty_kept" for record in kept(state_dir)))
            await daemon.restart(client)
            await until(lambda: client.status.state in ("idle", "ended"))
            assert [(one.initials, one.on_break) for one in client.status.sitters] == [("AB", False), ("CD", False)]
            assert client.signed_on == "CD"
            assert not (await client.send(Light(level=0.2))).refused
        light = [record for record in kept(state_dir) if record.input.act.kind == "light"]
        assert light[0].input.origin.person == "CD"


async def test_a_change_of_the_register_holds_in_a_running_room(state_dir: Path) -> None:
    async with daemon_here(state_dir, sitters=False), console(state_dir, person="XY") as client:
        assert not client.status.signs_on
        assert not (await client.send(Light(level=0.2))).refused
        assert (await sign_on(client, "AB")).refused == "no_sitters"
        register = Register(state_dir)
        register.keep("AB", PINS["AB"])
        await until(lambda: client.status.signs_on)
        assert (await client.send(Light(level=0.3))).refused == "sign_on_needed"
        await sign_on(client, "AB")
        register.file.write_text("{", encoding="utf-8")
        await until(lambda: any(alarm.code == "sitters_lost" for alarm in client.status.alarms))
        assert (await sign_on(client, "AB")).refused == "sitters_unreadable"
        assert not (await client.send(Light(level=0.4))).refused, "who is signed on goes on"
        register.file.unlink()
        register.keep("CD", PINS["CD"])
        await until(lambda: (not client.status.sitters and not client.status.alarms) or _only_broker(client.status))
        assert (await client.send(Light(level=0.3))).refused == "sign_on_needed", "whom it no longer knows is out"


async def test_a_register_that_is_gone_opens_no_door_and_says_what_is_to_be_done(state_dir: Path) -> None:
    async with daemon_here(state_dir), console(state_dir) as client:
        await until(lambda: client.status.signs_on)
        await sign_on(client, "AB")
        Register(state_dir).file.unlink()
        assert (await sign_on(client, "CD", purpose="hand_over")).values["why"] == "missing"
        await until(lambda: "sitters_lost" in {alarm.code for alarm in client.status.alarms})
        (gone,) = [alarm for alarm in client.status.alarms if alarm.code == "sitters_lost"]
        assert "stillroom sitters add" in alarm_words(gone)
        assert not (await client.send(Light(level=0.4))).refused, "who is signed on goes on"
    async with daemon_here(state_dir, sitters=False), console(state_dir, "console-b", "XY") as client:
        await until(lambda: "sitters_lost" in {alarm.code for alarm in client.status.alarms})
        assert client.status.signs_on
        assert (await client.send(Light(level=0.3))).refused == "sign_on_needed"
        for act in (Call(call="k1"), Light(scene="exit")):
            assert not (await client.send(act)).refused
    done = CliRunner().invoke(sitters_app, ["list", "--state", str(state_dir)])
    assert done.exit_code == 1 and "AB, CD, EF are on record" in done.output
    with pytest.raises(Refused, match="sitters_unreadable"):
        _check_pin(state_dir, Input(act=Redaction(session="room", seq=1), origin=Origin(person="AB")))
    async with daemon_here(state_dir, sitters=False), console(state_dir, "console-b", "XY") as client:
        Register(state_dir).keep("EF", PINS["EF"])
        assert not (await sign_on(client, "EF")).refused
        await until(lambda: "sitters_lost" not in {alarm.code for alarm in client.status.alarms})
        Register(state_dir).remove("EF")  # emptied by hand: nobody needs to sign on any more
        await until(lambda: not client.status.signs_on)
        assert not (await client.send(Light(level=0.3))).refused


def _only_broker(status: Status) -> bool:
    return not status.sitters and "sitters_lost" not in {alarm.code for alarm in status.alarms}


async def test_a_call_does_not_wait_for_a_pin_and_nobody_waits_for_a_storm_of_them(state_dir: Path) -> None:
    async with daemon_here(state_dir), console(state_dir) as client, console(state_dir, "console-b") as other:
        first = asyncio.create_task(sign_on(client, "AB"))
        await asyncio.sleep(0)
        second = await sign_on(client, "CD")
        call = await client.send(Call(call="k1"))
        assert second.refused == "one_at_a_time" and not call.refused
        assert not (await first).refused
        assert not (await other.send(Pause())).refused


async def talk(where: Path, *messages: dict[str, Any]) -> list[dict[str, Any]]:
    """What the daemon answers to lines that no console of ours would send."""
    reader, writer = await asyncio.open_unix_connection(str(where / "daemon.sock"), limit=1 << 22)
    answers = []
    for message in ({"protocol": 1, "console": "by-hand"}, *messages):
        writer.write(json.dumps(message).encode() + b"\n")
    async with asyncio.timeout(PATIENCE_S):
        while len(answers) < len(messages):
            found = json.loads(await reader.readline())
            if "reply" in found or "error" in found:
                answers.append(found)
    writer.close()
    return answers


async def test_what_is_no_sign_on_is_answered_without_a_word_of_it(state_dir: Path) -> None:
    secret = "05558675309"
    async with daemon_here(state_dir):
        answers = await talk(
            runtime_dir(state_dir),
            {"sign_on": secret},
            {"sign_on": {"id": "1", "initials": secret, "pin": secret}},
            {"sign_on": {"id": "2", "initials": "AB", "pin": [secret]}},
            {"sign_on": {"id": "3", "initials": "AB", "pin": secret, "purpose": secret}},
            {"input": {"act": {"kind": "signed_on", "initials": "AB"}}},
            {"input": {"act": {"kind": "hand_over", "to": "AB"}}},
            {"input": {"act": {"kind": "sign_on", "pin": secret}}},
        )
        assert [next(iter(answer)) for answer in answers].count("reply") == 1
        assert secret not in json.dumps(answers)
    assert secret.encode() not in every_byte(state_dir)


def ctl(state_dir: Path, *words: str, pin: str = "") -> tuple[int, str]:
    """`stillroom ctl WORDS`, with the PIN in a file."""
    from typer.testing import CliRunner

    before = []
    if pin:
        file = state_dir / "pin.txt"
        file.write_text(pin, encoding="utf-8")
        file.chmod(0o600)
        before = ["--pin-from", str(file)]
    done = CliRunner().invoke(app, [*before, *words, "--state", str(state_dir)])
    (state_dir / "pin.txt").unlink(missing_ok=True)
    return done.exit_code, done.output


async def test_a_script_acts_for_one_person_by_one_pin_and_calls_without(state_dir: Path) -> None:
    async with daemon_here(state_dir):

        async def run(*words: str, pin: str = "") -> tuple[int, str]:
            return await asyncio.to_thread(ctl, state_dir, *words, pin=pin)

        code, said = await run("light", "20")
        assert code == 1 and "--person AB" in said, "who signed on elsewhere is no help to a script"
        code, said = await run("light", "20", "--person", "AB")
        assert code == 2 and "--pin-from" in said
        assert (await run("light", "20", "--person", "AB", pin="04711"))[0] == 1
        assert (await run("light", "20", "--person", "AB", pin=PINS["AB"]))[0] == 0
        assert (await run("pause", "--person", "AB"))[0] == 0, "no PIN is asked for what never waits"
        assert "no session" in (await run("resume", "--person", "AB", pin=PINS["AB"]))[1], "the PIN was right"
        assert "say whose" in (await run("resume"))[1]
        assert (await run("sign-on", "AB", pin=PINS["AB"]))[0] == 0
        assert (await run("hand-over", "CD", pin=PINS["CD"]))[0] == 0
        assert "on duty       CD" in (await run("status"))[1]
        assert (await run("sign-off", "CD", "--person", "EF", pin=PINS["EF"]))[0] == 0
        assert "on duty       nobody" in (await run("status"))[1]
        assert (await run("start", "psilocybin-25mg", "--participant", "D-001", "--person", "EF", pin=PINS["EF"]))[
            0
        ] == 0
        assert (await run("dose", "25", "mg", "--person", "EF", pin=PINS["EF"]))[0] == 0
        kept_pin = state_dir.parent / f"{state_dir.name}.pin"
        kept_pin.touch(mode=0o600)
        over = ["release", "--override", "--reason", "asked", "--second", "CD", "--second-pin-from", str(kept_pin)]
        for pin, code in (("04711", 1), (PINS["CD"], 0)):
            kept_pin.write_text(pin)
            assert (await run(*over, "--person", "EF", pin=PINS["EF"]))[0] == code
        kept_pin.unlink()
        kinds = [(record.input.act.kind, record.input.origin.person) for record in kept(state_dir)]
        assert ("light", "AB") in kinds and ("pause", None) in kinds and ("signed_off", "EF") in kinds
        assert all(pin.encode() not in every_byte(state_dir) for pin in PINS.values())
