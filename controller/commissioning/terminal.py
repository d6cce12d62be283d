"""Asking a person at a terminal, or a script that answers line by line."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from controller.files import ConfigError

T = TypeVar("T")


class NobodyAnswers(Exception):
    """The answers have ended before the questions."""


class Person(Protocol):
    """Who is asked."""

    def say(self, text: str) -> None:
        """Tell."""
        ...

    async def ask(self, question: str, default: str = "") -> str:
        """An answer in words; the default for an empty one. Raises NobodyAnswers."""
        ...


class Terminal:
    """Standard input and output."""

    def __init__(self) -> None:
        self._rest = b""

    def say(self, text: str) -> None:
        """A line."""
        print(text, flush=True)

    async def ask(self, question: str, default: str = "") -> str:
        """The line that is typed next, or the default for an empty one. Raises NobodyAnswers at the end of input."""
        print(f"{question}{f' [{default}]' if default else ''} ", end="", flush=True)
        answer = (await self._line()).strip()
        if not os.isatty(sys.stdin.fileno()):
            print(answer or default, flush=True)  # a script's answers stand in its log
        return answer or default

    async def confirm(self, question: str) -> bool:
        """Yes or no."""
        return await yes(self, question)

    async def _line(self) -> str:
        while b"\n" not in self._rest:
            read = await _readable(sys.stdin.fileno())
            if not read:
                raise NobodyAnswers("Nobody answers any more; nothing was changed since the last line.")
            self._rest += read
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode("utf-8", "replace")


async def _readable(number: int) -> bytes:
    """What can be read next. Waiting is done by the loop, so that a Ctrl+C ends it at once."""
    loop = asyncio.get_running_loop()
    came: asyncio.Future[None] = loop.create_future()
    try:
        loop.add_reader(number, _tell, came)
    except PermissionError:  # a plain file: it never lets anybody wait
        return os.read(number, 4096)
    try:
        await came
    finally:
        loop.remove_reader(number)
    try:
        return os.read(number, 4096)
    except OSError:  # a terminal that was closed
        return b""


def _tell(came: asyncio.Future[None]) -> None:
    if not came.done():
        came.set_result(None)


async def ask_until(person: Person, question: str, read: Callable[[str], T], default: str = "") -> T:
    """What an answer means, asked until `read` takes it; its ConfigError says what is wrong with one."""
    while True:
        try:
            return read(await person.ask(question, default))
        except ConfigError as error:
            person.say(str(error))


async def choose(person: Person, question: str, allowed: Sequence[str], default: str = "") -> str:
    """One of the allowed words, asked until it is one; its first letter will do."""
    while True:
        answer = (await person.ask(f"{question} ({'/'.join(allowed)})", default)).lower()
        for word in allowed:
            if answer and word.startswith(answer):
                return word
        person.say(f"Please one of: {', '.join(allowed)}.")


async def yes(person: Person, question: str, default: str = "") -> bool:
    """Whether a person says yes."""
    return await choose(person, question, ("yes", "no"), default) == "yes"
