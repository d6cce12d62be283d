"""One question to the daemon of a state directory, and the exit of the verb that asked it.

A refusal exits 1 with its reason; a daemon that cannot be reached exits 2.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from controller import bedside
from controller.clock import utc_now
from controller.console.client import Client
from controller.ctl.signing import NoPin, read_pin, second_source, source
from controller.lines import ProtocolMismatch
from controller.messages import Act, Call, HandOver, Pause, Release, Reply, Resume, SignedOn, Status, needs_sign_on
from controller.options import StateDir, fail
from controller.places import STATE, runtime_dir
from controller.wording import refusal

Person = Annotated[str | None, typer.Option("--person", help="Initials for the record.")]
Why = Annotated[str, typer.Option("--why", help="The reason, in a few words, for the record; never a name.")]
Whom = Annotated[list[str] | None, typer.Option("--participant", help="Code of whom it concerns; may be repeated.")]
Ago = Annotated[str, typer.Option("--ago", help="When it happened: minutes ago (12), or the wall clock (14:41).")]

T = TypeVar("T")

READY_S = 5.0
READY_FIRST_S = 0.5
ANSWER_S = 30.0

heard: ContextVar[list[tuple[Act, tuple[str, ...]]] | None] = ContextVar("heard", default=None)
"""Where acts, and whom they concern, go instead of to a daemon."""


def visiting(state: Path, name: str, person: str | None) -> Client:
    """A client for one command: nobody stays signed on at it."""
    return Client(runtime_dir(state), console=f"{name}-{os.getpid()}", person=person, stays=False)


async def send_signed(
    client: Client,
    act: Act,
    participants: tuple[str, ...] = (),
    why: str = "",
    ago_s: float = 0.0,
    answer_s: float = ANSWER_S,
) -> Reply:
    """The daemon's answer to an act; where the act waits for a sign-on, the client's person signs on for it alone.

    What waits for no sign-on does not wait for a PIN either. Raises TimeoutError or NoPin.
    """
    if client.status.signs_on and isinstance(act, Release) and act.override and act.second and not act.desk:
        pin = await asyncio.to_thread(read_pin, act.second, second_source.get())
        stood_by = await client.sign_on(act.second, pin, "second")
        if stood_by.refused:
            return stood_by
    if client.person is not None and client.status.signs_on and needs_sign_on(act):
        pin = await asyncio.to_thread(read_pin, client.person, source.get())
        signed = await client.sign_on(client.person, pin, "once")
        if signed.refused:
            return signed
    async with asyncio.timeout(answer_s):
        return await client.send(act, participants, why, ago_s)


def reached(state: Path, ask: Callable[[], Coroutine[object, object, T]]) -> T:
    """What the daemon of this state directory answers; says why and exits 2 where it cannot be reached."""
    try:
        return asyncio.run(ask())
    except TimeoutError:
        fail(f"No answer from the daemon in {state}. Is `stillroom run` up?", 2)
    except (ProtocolMismatch, NoPin) as error:
        fail(str(error), 2)


def seen(state: Path, person: str | None) -> Status:
    """All that the room shows now."""

    async def see() -> Status:
        async with visiting(state, "ctl", person) as client:
            return await client.ready(READY_S)

    return reached(state, see)


def send(
    act: Act,
    participant: Whom = None,
    ago: Ago = "",
    state: StateDir = STATE,
    person: Person = None,
    why: Why = "",
) -> None:
    """Ask for an act; says what became of it."""
    participants, ago_s = tuple(participant or ()), seconds_ago(ago) if ago else 0.0

    async def ask() -> Reply:
        async with visiting(state, "ctl", person) as client:
            if isinstance(act, Pause | Resume | Call):
                # These have ways of their own where there is no daemon.
                with contextlib.suppress(TimeoutError):
                    await client.ready(READY_FIRST_S)
            else:
                await client.ready(READY_S)
            return await send_signed(client, act, participants, why, ago_s)

    _deliver(act, participants, state, ask)


def sign_on_as(state: Path, act: SignedOn | HandOver, why: str = "") -> None:
    """Ask for what takes a PIN, which is no part of the act; says what became of it."""

    async def ask() -> Reply:
        async with visiting(state, "ctl", None) as client:
            status = await client.ready(READY_S)
            who = act.initials if isinstance(act, SignedOn) else act.to
            pin = await asyncio.to_thread(read_pin, who, source.get()) if status.signs_on else ""
            if isinstance(act, SignedOn):
                return await client.sign_on(who, pin, why=why)
            leaves = act.leaves or (status.sitters[0].initials if len(status.sitters) == 1 else "")
            return await client.sign_on(who, pin, "hand_over", leaves, why)

    _deliver(act, (), state, ask)


def _deliver(
    act: Act, participants: tuple[str, ...], state: Path, ask: Callable[[], Coroutine[object, object, Reply]]
) -> None:
    listening = heard.get()
    if listening is not None:
        listening.append((act, participants))
        return
    reply = reached(state, ask)
    if reply.refused == "sign_on_needed":  # no verb stays signed on: each says whose it is
        fail("a sitter's act: say whose, with --person AB and that PIN. Call, pause and exit light need neither")
    if reply.refused:
        fail(refusal(reply.refused, reply.values))
    path = reply.values.get("path")
    print(f"done by the {path}; the record follows" if path else f"noted, record {reply.seq}, {reply.utc}")


def seconds_ago(said: str) -> float:
    """How long ago a time was that somebody wrote; says what is wrong with it and exits 1."""
    try:
        return bedside.seconds_ago(said, utc_now())
    except ValueError as wrong:
        fail(str(wrong))
