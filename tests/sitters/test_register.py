"""The register of sitters, and the verb that writes it."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from typer.testing import CliRunner

from controller.__main__ import app
from controller.files import ConfigError
from controller.sitters.register import NotCompared, Register

PIN = "0739154826"


@pytest.fixture
def register(tmp_path: Path) -> Register:
    found = Register(tmp_path)
    found.keep("AB", PIN)
    return found


def test_a_pin_is_kept_hashed_in_a_file_that_nobody_else_can_read(register: Register) -> None:
    kept = register.file.read_text(encoding="utf-8")
    assert PIN not in kept and json.loads(kept)["sitters"]["AB"].startswith("$argon2id$")
    assert stat.S_IMODE(register.file.stat().st_mode) == 0o600
    assert [path.name for path in register.state_dir.iterdir()] == ["sitters.json"]


def test_the_mode_holds_whatever_the_umask_is(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        Register(tmp_path).keep("AB", PIN)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "sitters.json").stat().st_mode) == 0o600


def test_only_the_right_pin_of_the_right_person_is_right(register: Register) -> None:
    assert register.matches("AB", PIN)
    assert not register.matches("AB", "07391")
    assert not register.matches("CD", PIN)
    register.keep("AB", "00042")
    assert register.matches("AB", "00042") and not register.matches("AB", PIN)


@pytest.mark.parametrize("kept", ["none", "$argon2id$nonsense", "$argon2id$ü", "$argon2id$v=19$m=19456,t=2,p=1$x"])
def test_a_hash_that_was_broken_is_nobodys_wrong_pin(register: Register, kept: str) -> None:
    register.file.write_text(json.dumps({"format": 1, "sitters": {"AB": kept}}), encoding="utf-8")
    with pytest.raises(NotCompared):
        register.matches("AB", PIN)


NO_MEMORY = """
import resource, sys
from pathlib import Path
from controller.sitters.register import NotCompared, Register
register = Register(Path(sys.argv[1]))
if sys.argv[2] == "AB":
    held = register.matches("AB", "07391")  # and nothing is loaded later
taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (taken + 4_000_000, taken + 4_000_000))
try:
    register.matches(sys.argv[2], "0739154826")
except NotCompared as trouble:
    print(trouble)
"""


@pytest.mark.parametrize("initials", ["AB", "CD"])
def test_a_machine_without_memory_for_a_pin_says_so(register: Register, initials: str) -> None:
    """Argon2 asks for 19 MB, and this machine has 4 MB left."""
    command = [sys.executable, "-c", NO_MEMORY, str(register.state_dir), initials]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "emory" in told.stdout, told


def test_a_pin_of_before_is_the_same_behind_a_0(register: Register) -> None:
    kept = json.loads(register.file.read_text(encoding="utf-8"))
    kept["sitters"]["AB"] = PasswordHasher().hash("0042")
    register.file.write_text(json.dumps(kept), encoding="utf-8")
    assert register.matches("AB", "00042") and not register.matches("AB", "0042")


@pytest.mark.parametrize("pin", ["", "000", "0123", "1234", "012 4", "0abcd", "01234567890123", "٠١٢٣٤"])
def test_what_can_be_no_pin_is_refused_without_being_repeated(register: Register, pin: str) -> None:
    with pytest.raises(ValueError, match="0, then 4 to 12 digits") as refused:
        register.keep("AB", pin)
    assert not pin or pin not in str(refused.value)
    assert register.matches("AB", PIN)


@pytest.mark.parametrize("text", ["{", "[]", '{"format": 2, "sitters": {}}', '{"format": 1, "sitters": {"AB": 1}}'])
def test_a_broken_register_opens_nothing_and_is_not_written_over(register: Register, text: str) -> None:
    register.file.write_text(text, encoding="utf-8")
    for ask in (register.sitters, lambda: register.matches("AB", PIN), lambda: register.keep("CD", PIN)):
        with pytest.raises(ConfigError, match=r"sitters\.json"):
            ask()
    assert register.file.read_text(encoding="utf-8") == text


def typed(monkeypatch: pytest.MonkeyPatch, *pins: str) -> None:
    """What is typed at the hidden question."""
    answers = iter(pins)
    monkeypatch.setattr("getpass.getpass", lambda _question: next(answers))
    monkeypatch.setattr("controller.ctl.signing._at_a_terminal", lambda: True)


def sitters(state: Path, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["sitters", *words, "--state", str(state)])
    return done.exit_code, done.output


def test_sitters_are_added_listed_and_removed_and_a_pin_is_asked_for_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "initials are taken as they are given" in sitters(tmp_path, "list")[1]
    typed(monkeypatch, PIN, PIN)
    assert sitters(tmp_path, "add", "AB") == (0, "AB can sign on. From now on acts of people need a sign-on here.\n")
    assert sitters(tmp_path, "list")[1] == "AB\n"
    typed(monkeypatch, PIN, "01234")
    assert sitters(tmp_path, "pin", "AB")[0] == 1
    assert Register(tmp_path).matches("AB", PIN)
    typed(monkeypatch, "04711", "04711")
    assert sitters(tmp_path, "pin", "AB") == (0, "AB has another PIN.\n")
    assert Register(tmp_path).matches("AB", "04711")
    for words in (["add", "AB"], ["pin", "CD"], ["remove", "CD"], ["add", "Anna"], ["add", "1234"]):
        assert sitters(tmp_path, *words)[0] == 1
    assert sitters(tmp_path, "remove", "AB")[0] == 0
    assert not Register(tmp_path).sitters()


def test_a_pin_comes_from_a_file_only_where_nobody_else_can_read_it(tmp_path: Path) -> None:
    pin = tmp_path / "pin"
    pin.write_text(f"{PIN}\n", encoding="utf-8")
    pin.chmod(0o644)
    code, said = sitters(tmp_path, "add", "AB", "--pin-from", str(pin))
    assert code == 1 and "chmod 600" in said and PIN not in said
    pin.chmod(0o600)
    assert sitters(tmp_path, "add", "AB", "--pin-from", str(pin))[0] == 0
    assert Register(tmp_path).matches("AB", PIN)


def test_without_a_terminal_and_without_a_file_there_is_no_pin(tmp_path: Path) -> None:
    code, said = sitters(tmp_path, "add", "AB")
    assert code == 1 and "--pin-from" in said


def test_no_verb_takes_a_pin_as_an_argument() -> None:
    import click
    import typer

    def options(command: click.Command) -> set[str]:
        below = getattr(command, "commands", {}).values()
        return {flag for one in command.params for flag in one.opts}.union(*map(options, below))

    assert not {"--pin", "-p", "--PIN"} & options(typer.main.get_command(app))
