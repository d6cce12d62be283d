"""The desk that looks after the register."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from controller import wording
from controller.files import ConfigError
from controller.messages import Act, DeviceBack, DeviceLost, Duty, Input, Reply, SittersKnown
from controller.sitters import desk as sign_on
from controller.sitters.desk import Asked, SignOnDesk, Visitor
from controller.sitters.register import NotCompared, Register
from tests.waiting import until

PIN = "0739154826"


@dataclass(frozen=True)
class HinderedRegister(Register):
    """One that is not to be read at first: too many files are open, or it is not yet ours."""

    hindrances: list[Exception] = field(default_factory=list)

    def sitters(self) -> tuple[str, ...]:
        if self.hindrances:
            raise self.hindrances.pop()
        return super().sitters()


async def test_a_register_that_could_not_be_read_for_a_moment_is_read_when_it_can_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_on, "LOOK_S", 0.05)
    Register(tmp_path).keep("AB", "0739154826")
    acts: list[Act] = []

    def post(given: Input, _listener: object) -> None:
        acts.append(given.act)

    hindrances = [RuntimeError("a fault of the program"), ConfigError(["it cannot be read"])]
    found = SignOnDesk(HinderedRegister(tmp_path, hindrances), Duty, post, lambda: 0.0)
    await found.start()
    await until(lambda: SittersKnown(initials=("AB",)) in acts)
    assert [act for act in acts if isinstance(act, DeviceLost | DeviceBack)] == [
        DeviceLost(name="sitters", why="unreadable"),
        DeviceBack(name="sitters"),
    ]
    await found.close()


async def test_a_register_that_was_away_and_is_put_back_as_it_was_is_taken_up_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_on, "LOOK_S", 0.05)
    register = Register(tmp_path)
    register.keep("AB", "0739154826")
    acts: list[Act] = []
    duty = Duty(known=("AB",), signs_on=True)
    desk = SignOnDesk(register, lambda: duty, lambda given, _listener: acts.append(given.act), lambda: 0.0)
    await desk.start()
    away = register.file.rename(tmp_path / "away")
    await until(lambda: DeviceLost(name="sitters", why="missing") in acts)
    away.rename(register.file)
    await until(lambda: DeviceBack(name="sitters") in acts)
    await desk.close()


async def test_a_pin_that_could_not_be_looked_at_counts_against_nobody(tmp_path: Path) -> None:
    Register(tmp_path).keep("AB", PIN)
    acts: list[Act] = []
    replies: list[Reply] = []
    duty = Duty(known=("AB",), signs_on=True)
    desk = SignOnDesk(ForgetfulRegister(tmp_path), lambda: duty, lambda given, _: acts.append(given.act), lambda: 0.0)
    await desk.sign_on(Visitor("console-1", None), Asked("1", "AB", PIN), replies.append)
    assert [reply.refused for reply in replies] == ["pin_not_compared"] and acts == []
    assert "not looked at, nor counted" in wording.refusal(replies[0].refused, replies[0].values)


class ForgetfulRegister(Register):
    """One of a machine whose memory is full."""

    def matches(self, initials: str, pin: str) -> bool:
        raise NotCompared("Memory allocation error")
