"""`stillroom ctl`: what a console does, from a script. A refusal exits 1 with its reason."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import sys
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated, TypeVar
from uuid import uuid4

import typer

from controller import bedside, wording
from controller.clock import utc_now
from controller.console.client import Client
from controller.ctl.limits import read_limits
from controller.ctl.signing import NoPin, PinFrom, read_pin, sign_on_for, source
from controller.files import ConfigError
from controller.lines import ProtocolMismatch
from controller.messages import (
    Act,
    Call,
    End,
    Go,
    HandOver,
    Hold,
    Light,
    Limits,
    Mark,
    Note,
    Pause,
    Quiet,
    Reply,
    Resume,
    SeeAlarm,
    SignedOn,
    StandDown,
    Start,
    Status,
    TakeBack,
    Volume,
    to_plain,
)
from controller.options import STATE, AsJson, StateDir, runtime_dir
from controller.wording import refusal

app = typer.Typer(no_args_is_help=True)


@app.callback()
def ctl(pin_from: PinFrom = None) -> None:
    """Do from a script what a console does. A refusal exits 1 with its reason."""
    source.set(pin_from)


Person = Annotated[str | None, typer.Option("--person", help="Initials for the record.")]
Why = Annotated[str, typer.Option("--why", help="The reason, in a few words, for the record; never a name.")]
Whom = Annotated[list[str] | None, typer.Option("--participant", help="Code of whom it concerns; may be repeated.")]

Ago = Annotated[str, typer.Option("--ago", help="When it happened: minutes ago (12), or the wall clock (14:41).")]

T = TypeVar("T")

READY_S = 5.0
READY_FIRST_S = 0.5
ANSWER_S = 30.0


async def _ask(
    act: Act, participants: tuple[str, ...], state: Path, person: str | None, why: str, ago_s: float
) -> Reply:
    async with visiting(state, "ctl", person) as client:
        if isinstance(act, Pause | Resume | Call):
            # These have ways of their own where there is no daemon.
            with contextlib.suppress(TimeoutError):
                await client.ready(READY_FIRST_S)
        else:
            await client.ready(READY_S)
        if (refused := await sign_on_for(client, act, person)) is not None:
            return refused
        return await asyncio.wait_for(client.send(act, participants, why, ago_s), ANSWER_S)


def visiting(state: Path, name: str, person: str | None) -> Client:
    """A client for one command: nobody stays signed on at it."""
    return Client(runtime_dir(state), console=f"{name}-{os.getpid()}", person=person, stays=False)


async def _sign_on(act: SignedOn | HandOver, state: Path, why: str) -> Reply:
    async with visiting(state, "ctl", None) as client:
        status = await client.ready(READY_S)
        who = act.initials if isinstance(act, SignedOn) else act.to
        pin = await asyncio.to_thread(read_pin, who, source.get()) if status.signs_on else ""
        if isinstance(act, SignedOn):
            return await client.sign_on(who, pin, why=why)
        leaves = act.leaves or (status.sitters[0].initials if len(status.sitters) == 1 else "")
        return await client.sign_on(who, pin, "hand_over", leaves, why)


async def see(state: Path, person: str | None) -> Status:
    """All that the room shows. Raises TimeoutError or ProtocolMismatch."""
    async with visiting(state, "ctl", person) as client:
        return await client.ready(READY_S)


def reached(state: Path, ask: Callable[[], T]) -> T:
    """What the daemon of this state directory answers; says why and exits 2 where it cannot be reached."""
    try:
        return ask()
    except TimeoutError:
        print(f"No answer from the daemon in {state}. Is `stillroom run` up?", file=sys.stderr)
    except (ProtocolMismatch, NoPin) as error:
        print(error, file=sys.stderr)
    raise typer.Exit(2)


_heard: ContextVar[list[tuple[Act, tuple[str, ...]]] | None] = ContextVar("heard", default=None)
"""Where acts go instead of to a daemon."""


def acts_of(words: list[str]) -> tuple[Act, tuple[str, ...]]:
    """The act, and whom it concerns, that `stillroom ctl WORDS` would send. Raises ValueError with the reason."""
    heard: list[tuple[Act, tuple[str, ...]]] = []
    token = _heard.set(heard)
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            typer.main.get_command(app).main(args=words, prog_name="", standalone_mode=False)
    except typer.TyperException as error:
        raise ValueError(str(error)) from None
    finally:
        _heard.reset(token)
    if not heard:
        raise ValueError(said.getvalue().strip() or f'"{words[0]}" is nothing that a sitter does')
    return heard[0]


def send(
    state: Path, person: str | None, why: str, act: Act, participants: list[str] | None = None, ago: str = ""
) -> None:
    """Ask the daemon of this state directory for an act; says why and exits 1 where it is refused."""
    ago_s = ago_of(ago) * 60.0
    heard = _heard.get()
    if heard is not None:
        heard.append((act, tuple(participants or ())))
        return
    _tell(reached(state, lambda: asyncio.run(_ask(act, tuple(participants or ()), state, person, why, ago_s))))


def sign_on_as(state: Path, act: SignedOn | HandOver, why: str = "") -> None:
    """Ask the daemon for what takes a PIN, which is no part of the act; says why and exits 1 where it is refused."""
    heard = _heard.get()
    if heard is not None:
        heard.append((act, ()))
        return
    _tell(reached(state, lambda: asyncio.run(_sign_on(act, state, why))))


def _tell(reply: Reply) -> None:
    if reply.refused:
        print(refusal(reply.refused, reply.values), file=sys.stderr)
        raise typer.Exit(1)
    path = reply.values.get("path")
    print(f"done by the {path}; the record follows" if path else f"noted, record {reply.seq}, {reply.utc}")


def ago_of(said: str) -> float:
    """Minutes before now; says what is wrong with it and exits 1."""
    try:
        return bedside.seconds_ago(said, f"{utc_now().astimezone():%H:%M:%S}") / 60.0 if said else 0.0
    except ValueError as wrong:
        print(wrong, file=sys.stderr)
        raise typer.Exit(1) from None


def _besides(found: Status) -> list[str]:
    """What is true beside the state's one word."""
    flags = (("held", found.hold), ("quiet", found.quiet), ("landing", found.landing), ("evacuated", found.evacuated))
    told = [word for word, holds in flags if holds]
    if found.waiting_for in wording.WAITS:
        told.append(wording.WAITS[found.waiting_for])
    return [f", {word}" for word in told]


def limits_in(file: Path) -> Limits:
    """The limits in a file; says every mistake in it and exits 1."""
    try:
        return read_limits(file)
    except ConfigError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from None


def seen_status(state: Path, person: str | None) -> Status:
    """The room as it is now; says why and exits 2 where it cannot be reached."""
    return reached(state, lambda: asyncio.run(see(state, person)))


@app.command()
def status(as_json: AsJson = False, state: StateDir = STATE, person: Person = None) -> None:
    """What the room does now.

    Example: stillroom ctl status --json
    """
    found = seen_status(state, person)
    if as_json:
        print(json.dumps(to_plain(found), ensure_ascii=False))
        return
    people = ", ".join(
        person.code
        + ("" if person.t_plus_s is None else f" T+ {wording.t_plus(person)}")
        + (" left" if person.left else "")
        for person in found.participants
    )
    rows = [
        ("room", found.room),
        ("state", f"{found.state}{''.join(_besides(found))}"),
        ("programme", found.programme_title),
        ("phase", found.phase),
        ("participants", people),
        ("music", f"{found.track.title}, {found.track.position_s:.0f} s" if found.track else ""),
        ("light", ", ".join(f"{lamp.lamp} {lamp.target:.0%} {lamp.state}" for lamp in found.light)),
        ("ends", wording.ends(found)),
        ("due", "; ".join(wording.due(item, named=len(found.participants) > 1) for item in found.due)),
        ("offered", wording.offers(found)),
        ("release", "; ".join(wording.release(view, found.t) for view in found.release)),
        ("limits", wording.limits(found.limits)),
        ("on duty", wording.on_duty(found)),
        ("call", f"{found.call.level} {found.call.stage}" if found.call.call else ""),
        ("next", wording.booking(found.bookings[0]) if found.bookings else ""),
        ("preflight", wording.preflight.summary(found.preflight) if found.state in ("idle", "ended") else ""),
        ("alarms", ", ".join(alarm.code for alarm in found.alarms)),
    ]
    for name, value in rows:
        if value:
            print(f"{name:<13} {value}")


@app.command()
def start(
    programme: Annotated[str, typer.Argument(help="Name of a programme.")],
    participant: Whom = None,
    minutes: Annotated[float | None, typer.Option(help="Compress or stretch it to so many minutes.")] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same pieces.")] = None,
    touch: Annotated[str, typer.Option(help="Scope of touch that was consented to.")] = "",
    limits: Annotated[Path | None, typer.Option(help="File of what is not wanted to be heard.")] = None,
    state: StateDir = STATE,
    person: Person = None,
    why: Why = "",
) -> None:
    """Open a session.

    Example: stillroom ctl start psilocybin-25mg --participant C-0412
    """
    act = Start(
        programme=programme, participants=tuple(participant or ()), minutes=minutes, seed=seed, touch_scope=touch,
        limits=limits_in(limits) if limits else Limits(),
    )  # fmt: skip
    send(state, person, why, act)


@app.command()
def pause(state: StateDir = STATE, person: Person = None, why: Why = "") -> None:
    """Fade to silence; arc and music stand still.

    Example: stillroom ctl pause
    """
    send(state, person, why, Pause())


@app.command()
def resume(state: StateDir = STATE, person: Person = None, why: Why = "") -> None:
    """Go on: ends pause, silence and hold.

    Example: stillroom ctl resume
    """
    send(state, person, why, Resume())


@app.command()
def hold(state: StateDir = STATE, person: Person = None, why: Why = "") -> None:
    """Stay in this phase; the music goes on.

    Example: stillroom ctl hold
    """
    send(state, person, why, Hold())


@app.command()
def go(
    phase: Annotated[str, typer.Argument(help="Code of a phase.")],
    state: StateDir = STATE,
    person: Person = None,
    why: Why = "",
) -> None:
    """Cross over to the beginning of a phase.

    Example: stillroom ctl go return
    """
    send(state, person, why, Go(phase=phase))


@app.command()
def quiet(
    minutes: Annotated[float | None, typer.Argument(help="Until `resume` without.")] = None,
    state: StateDir = STATE,
    person: Person = None,
    why: Why = "",
) -> None:
    """Silence that is asked for; the arc goes on.

    Example: stillroom ctl quiet 10
    """
    send(state, person, why, Quiet(minutes=minutes))


@app.command()
def volume(
    level_db: Annotated[float | None, typer.Argument(help="dB below the calibrated level: 0 to -40.")] = None,
    bus: Annotated[str, typer.Option(help="One bus; all without.")] = "",
    step: Annotated[float | None, typer.Option(help="Move by so many dB.")] = None,
    state: StateDir = STATE,
    person: Person = None,
    why: Why = "",
) -> None:
    """Set or move the volume; it never goes above the calibrated level.

    Example: stillroom ctl volume --bus headphones --step -2
    """
    send(state, person, why, Volume(bus=bus, level_db=level_db, step_db=step))


@app.command()
def light(
    what: Annotated[str, typer.Argument(help="arc, exit, medical, or a level in %.")],
    state: StateDir = STATE,
    person: Person = None,
    why: Why = "",
) -> None:
    """Take the light over, or give it back to the arc.

    Example: stillroom ctl light exit
    """
    if what == "arc":
        send(state, person, why, Light(scene="arc"))
    elif what == "exit":
        send(state, person, why, Light(scene="exit"))
    elif what == "medical":
        send(state, person, why, Light(scene="medical"))
    else:
        try:
            level = float(what.removesuffix("%")) / 100.0
        except ValueError:
            print(f'"{what}" is no light; allowed: arc, exit, medical, or a level in % like 20', file=sys.stderr)
            raise typer.Exit(1) from None
        send(state, person, why, Light(level=level))


@app.command()
def mark(
    code: str,
    participant: Whom = None,
    ago: Ago = "",
    state: StateDir = STATE,
    person: Person = None,
    why: Why = "",
) -> None:
    """A one-key event of the programme's list.

    Example: stillroom ctl mark spoke --ago 12
    """
    send(state, person, why, Mark(code=code), participant, ago)


@app.command()
def note(
    text: str,
    participant: Whom = None,
    ago: Ago = "",
    state: StateDir = STATE,
    person: Person = None,
    why: Why = "",
) -> None:
    """A few words. Codes and behaviour, never a name.

    Example: stillroom ctl note "asked for water" --ago 14:41
    """
    send(state, person, why, Note(text=text), participant, ago)


@app.command()
def call(
    emergency: Annotated[bool, typer.Option("--emergency", help="At once to the emergency level.")] = False,
    call_id: Annotated[str, typer.Option("--id", help="Of a call that stands, to escalate it.")] = "",
    state: StateDir = STATE,
    person: Person = None,
    why: Why = "",
) -> None:
    """Call support. An addition to the wired nurse call, never instead of it.

    Example: stillroom ctl call
    """
    send(state, person, why, Call(call=call_id or str(uuid4()), level="emergency" if emergency else "assist"))


@app.command("stand-down")
def stand_down(state: StateDir = STATE, person: Person = None, why: Why = "") -> None:
    """Nobody needs to come any more.

    Example: stillroom ctl stand-down
    """
    send(state, person, why, StandDown())


@app.command("take-back")
def take_back(
    seq: Annotated[int, typer.Argument(help="Number of the record.")],
    state: StateDir = STATE,
    person: Person = None,
    why: Why = "",
) -> None:
    """Take back a mark, note, step or assist call: an amendment, never a deletion.

    Example: stillroom ctl take-back 42
    """
    send(state, person, why, TakeBack(seq=seq))


@app.command()
def seen(
    code: Annotated[str, typer.Argument(help="Of one alarm; all without.")] = "",
    state: StateDir = STATE,
    person: Person = None,
    why: Why = "",
) -> None:
    """Alarm seen: silences, never clears.

    Example: stillroom ctl seen
    """
    send(state, person, why, SeeAlarm(code=code))


@app.command()
def end(state: StateDir = STATE, person: Person = None, why: Why = "") -> None:
    """Close the session: music and light come down gently, the record is closed.

    Example: stillroom ctl end
    """
    send(state, person, why, End())
