"""The register of sitters: a file of initials and hashed PINs, readable by the room's own user alone.

A PIN of four digits can be tried out by whoever holds the file, whatever the hash; the file's mode keeps it, and the
hash (Argon2id, RFC 9106) is what keeps a copy from showing a PIN at a glance.

Every PIN begins with 0, the one digit that is no mark: at a console it opens the hidden line, so that a PIN that is
typed where none is asked for makes no marks, however slowly. The hash is of the digits behind it.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, VerifyMismatchError

from controller.files import ConfigError, to_disk
from controller.places import make_dir
from controller.session.duty import are_initials

FILE = "sitters.json"
FORMAT = 1
LEAST_DIGITS = 4
MOST_DIGITS = 12
"""Behind the 0 that every PIN begins with."""

PIN_SHAPE = f"a PIN is 0, then {LEAST_DIGITS} to {MOST_DIGITS} digits"

NO_FILE = (0, 0, 0)
"""The stamp of a register that is not there."""

_MODE = 0o600
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""The least that OWASP's Password Storage Cheat Sheet asks of Argon2id; a Pi that plays music has it to spare."""


class NotCompared(Exception):
    """A PIN could not be looked at: nobody knows whether it was right. The text says why."""


def check_pin(pin: str) -> None:
    """Raise ValueError, which does not repeat it, for what can be no PIN."""
    digits = pin.removeprefix("0")
    if not (pin.isascii() and pin.isdigit() and len(digits) < len(pin) and LEAST_DIGITS <= len(digits) <= MOST_DIGITS):
        raise ValueError(PIN_SHAPE)


def check_initials(text: str) -> None:
    """Raise ValueError for what can be no initials."""
    if not are_initials(text):
        raise ValueError("initials are two to four capital letters, such as AB")


@dataclass(frozen=True)
class Register:
    """The register in one state directory. Nothing is kept in memory: a change holds from the next PIN on."""

    state_dir: Path

    @property
    def file(self) -> Path:
        """Where it lies."""
        return self.state_dir / FILE

    def sitters(self) -> tuple[str, ...]:
        """Everybody's initials. Raises ConfigError where the file cannot be read."""
        return tuple(sorted(self._read()))

    def stamp(self) -> tuple[int, int, int]:
        """Something that is another one after every change; `NO_FILE` where there is none."""
        try:
            found = self.file.stat()
        except OSError:
            return NO_FILE
        return (found.st_ino, found.st_mtime_ns, found.st_size)

    def matches(self, initials: str, pin: str) -> bool:
        """Whether this is the PIN of that sitter; takes as long where nobody has these initials.

        Raises ConfigError where the file cannot be read, and NotCompared where this machine has no memory for the hash,
        or what is kept of this sitter is none.
        """
        kept = self._read().get(initials)
        try:
            return _HASHER.verify(kept or _nobodys(), _behind_0(pin)) and kept is not None
        except VerifyMismatchError:
            return False
        except (Argon2Error, ValueError, MemoryError) as trouble:
            raise NotCompared(str(trouble) or "out of memory") from None

    def keep(self, initials: str, pin: str) -> None:
        """Write down a sitter, or another PIN of one. Raises ValueError, ConfigError or OSError."""
        check_initials(initials)
        check_pin(pin)
        self._write({**self._read(), initials: _HASHER.hash(_behind_0(pin))})

    def remove(self, initials: str) -> None:
        """Take a sitter out; signed on or not, that is over within seconds. Raises KeyError, ConfigError or OSError."""
        sitters = self._read()
        del sitters[initials]
        self._write(sitters)

    def _read(self) -> dict[str, str]:
        try:
            data = json.loads(self.file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise ConfigError([f"{self.file}: cannot be read: {type(error).__name__}"]) from None
        sitters = data.get("sitters") if isinstance(data, dict) and data.get("format") == FORMAT else None
        if not isinstance(sitters, dict) or not all(isinstance(kept, str) for kept in sitters.values()):
            raise ConfigError([f"{self.file}: is no register of sitters of format {FORMAT}"])
        return sitters

    def _write(self, sitters: dict[str, str]) -> None:
        """All of it or nothing, and never readable by others, not even while it is written."""
        fresh = self.file.with_suffix(f".{os.getpid()}")
        make_dir(self.state_dir)
        fresh.unlink(missing_ok=True)
        try:
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE), "w", encoding="utf-8") as out:
                json.dump({"format": FORMAT, "sitters": sitters}, out, indent=1, sort_keys=True)
                out.flush()
                os.fsync(out.fileno())
            owner = self.state_dir.stat()
            if os.geteuid() == 0:  # written by root, read by the room's own user
                os.chown(fresh, owner.st_uid, owner.st_gid)
            fresh.replace(self.file)
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise
        to_disk(self.state_dir)


def _behind_0(pin: str) -> str:
    """What is hashed of a PIN."""
    return pin.removeprefix("0")


@cache
def _nobodys() -> str:
    """A hash that no PIN has."""
    return _HASHER.hash(os.urandom(16).hex())
