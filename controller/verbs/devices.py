"""`stillroom devices …`: find a room's devices, see what they say, move one gently."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from controller.broker import BrokerSettings
from controller.commissioned import commissioning_report
from controller.commissioning.blocks import Block, add_blocks, blocks_for, slug, write_copy
from controller.commissioning.found import devices_in
from controller.commissioning.gentle import breathe
from controller.commissioning.hand import Hand
from controller.commissioning.listening import NoBroker, broker_place, hear_devices, plugged_in
from controller.commissioning.permission import NotNow, ask_permission
from controller.commissioning.terminal import NobodyAnswers, Terminal
from controller.commissioning.walk import Walk
from controller.commissioning.watching import Watch
from controller.commissioning.words import standing_lines
from controller.config import Room, load_room, shipped, shipped_profiles
from controller.config.collection import OVERRIDES, none_such
from controller.files import ConfigError, did_you_mean
from controller.lights.board import Board
from controller.lights.profile import Profile
from controller.one_line import one_line
from controller.options import StateDir, fail
from controller.places import STATE
from controller.room_file import replace_room_file
from controller.schema import schema_of

app = typer.Typer(
    help="Find a room's devices, see what they say, move a lamp gently, put them through their paces.",
    no_args_is_help=True,
)

T = TypeVar("T")

RoomOption = Annotated[
    Path, typer.Option("--room", envvar="STILLROOM_ROOM", metavar="ROOM.toml", help="The room file.")
]
ROOM = Path("/etc/stillroom/room.toml")
LampName = Annotated[str, typer.Argument(metavar="NAME", help="The lamp's name in the room file.")]


@app.command()
def discover(
    broker: Annotated[str, typer.Option("--broker", metavar="HOST[:PORT]", help="Listen on this broker.")] = "",
    room: Annotated[
        Path | None, typer.Option("--room", metavar="ROOM.toml", help="Its broker; its devices are left out.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.5, max=120.0, help="How long to listen.")] = 4.0,
    write: Annotated[
        bool, typer.Option("--write", help="Add what was found to the room file, after a question.")
    ] = False,
) -> None:
    """Listen for devices and look for adapters; print room-file blocks with the nearest profile. Moves nothing.

    Example: stillroom devices discover --broker 127.0.0.1
    """
    if write and room is None:
        raise ConfigError(["--write needs --room ROOM.toml, the file to add to"])
    known = load_room(room) if room else None
    settings = known.broker("discover") if known else _broker("127.0.0.1")
    if broker:
        settings = _broker(broker)
    said = _run(hear_devices(settings, seconds))
    blocks, rest = blocks_for(devices_in(said), plugged_in(), shipped_profiles(), _names(known) if known else ())
    blocks = [block for block in blocks if not (known and _has(known, block))]
    for block in blocks:
        print(block.text())
    for line in rest:
        print(f"not usable as it is: {one_line(line)}")
    if not blocks and not rest:
        what = "Nothing new" if known else "Nothing"
        print(f"{what} spoke of itself on {settings.host}:{settings.port}, and no adapter is plugged in.")
        print("A device of its maker's own kind says nothing here: see devices/README.md, Add a lamp.")
    if write and room and blocks and _run(Terminal().confirm(f"Add these {len(blocks)} to {room}?")):
        replace_room_file(room, add_blocks(room, room.read_text(encoding="utf-8"), blocks))
        print(f"{room}: {len(blocks)} added. Check their names, then: stillroom check {room}")


@app.command()
def identify(name: LampName, room: RoomOption = ROOM, state: StateDir = STATE) -> None:
    """Let one lamp breathe: slowly, at most 10 % brighter, and back.

    Example: stillroom devices identify bed-left
    """
    found = _room_with(room, name)
    if _switched(found, name):
        raise ConfigError(
            [f"{name} is only on or off: it cannot breathe. To switch it: stillroom devices set {name} 1"]
        )

    async def breath() -> None:
        await ask_permission(state)
        print(f"{name} breathes; it takes some seconds …", flush=True)
        async with Hand(found, state) as hand:
            taken = await breathe(hand, name)
            said = hand.what_it_said(name)
        if taken is None:
            fail(f"{name} does not say that it follows. {said} More: stillroom devices watch")
        went = f"{taken.start * 100:.0f} % to {taken.top * 100:.0f} % and back"
        print(
            f"{name} breathed from {went}."
            if taken.put_back
            else f"{name} breathed from {went}, within the room's limits."
        )

    _run(breath())


@app.command(name="set")
def set_(
    name: LampName,
    level: Annotated[float, typer.Argument(metavar="LEVEL", help="Perceived brightness, 0 to 1.")],
    room: RoomOption = ROOM,
    state: StateDir = STATE,
) -> None:
    """Fade one lamp to a level, no faster than the room's slew, between its floor and ceiling; exit 1 unconfirmed.

    Example: stillroom devices set bed-left 0.3
    """
    if not 0.0 <= level <= 1.0:
        raise ConfigError([f"LEVEL is perceived brightness from 0 to 1 (it is {level:g})"])
    found = _room_with(room, name)
    light = found.table.light
    wanted = level if _switched(found, name) else min(light.ceiling, max(light.floor, level))

    async def move() -> None:
        await ask_permission(state)
        print(f"{name} fades to {wanted:.0%} …", flush=True)
        async with Hand(found, state) as hand:
            there = await hand.move(name, wanted, await hand.ask(name))
            said = hand.what_it_said(name)
        if wanted != level:
            print(f"The room's light stays between {light.floor * 100:.0f} % and {light.ceiling * 100:.0f} %.")
        if not there:
            fail(
                f"{name} was told {wanted:.0%} and has not said that it is there. {said} More: stillroom devices watch"
            )
        print(f"{name} says that it is at {wanted * 100:.0f} %.")

    _run(move())


@app.command()
def watch(
    room: RoomOption = ROOM,
    state: StateDir = STATE,
    seconds: Annotated[float | None, typer.Option(min=0.1, help="Stop by itself after so long.")] = None,
) -> None:
    """Show live what every device says: levels and their delay, loss and return, batteries, presses. Ctrl+C ends it.

    Example: stillroom devices watch --room room.toml
    """
    found = load_room(room)
    with contextlib.suppress(KeyboardInterrupt):
        _run(Watch(found, state, lambda line: print(line, flush=True)).run(seconds))


@app.command()
def commission(
    room: Annotated[Path, typer.Argument(metavar="ROOM.toml", help="The room file.")], state: StateDir = STATE
) -> None:
    """Walk a technician through every lamp, and keep a signed report that the preflight looks for.

    Reachable, lowest steady level, full range, echo, fades, retained commands, and what comes back after a power cut.

    Example: stillroom devices commission /etc/stillroom/room.toml
    """

    async def walk() -> bool:
        await ask_permission(state)
        return await Walk(room, state, Terminal()).go()

    if not _run(walk()):
        raise typer.Exit(1)


@app.command()
def report(
    room: Annotated[Path, typer.Argument(metavar="ROOM.toml", help="The room file.")], state: StateDir = STATE
) -> None:
    """Show the room's signed commissioning; exit 1 where there is none, or the room has changed since.

    Example: stillroom devices report /etc/stillroom/room.toml
    """
    found = load_room(room)
    standing = commissioning_report(state, found)
    for line in standing_lines(found.name, standing):
        print(line)
    if standing.state != "signed":
        raise typer.Exit(1)


@app.command()
def copy(
    profile: Annotated[str, typer.Argument(metavar="PROFILE", help="The profile that looks most like it.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="The new profile's name.")],
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="Where the clinic's own lie.")] = OVERRIDES
    / "devices",
) -> None:
    """Begin a profile of one's own as a copy of another, its schema beside it for the editor; overwrites nothing.

    Example: stillroom devices copy home-assistant-json-light lumen
    """
    known = shipped("devices")
    if profile not in known:
        raise ConfigError([none_such("devices", profile, known)])
    if name in known or name != slug(name):
        raise ConfigError([f'"{name}": a new profile needs a name of its own, of small letters, digits and hyphens'])
    try:
        target = write_copy(known[profile], name, to, json.dumps(schema_of("profile"), indent=1, ensure_ascii=False))
    except OSError as error:
        raise ConfigError([f"{to}: cannot be written: {error.strerror}; sudo?"]) from None
    print(f"{target}: change it, then: stillroom check {target}")


def _run(work: Coroutine[object, object, T]) -> T:
    """What it gives; says why and exits 1 where it cannot be done now."""
    try:
        return asyncio.run(work)
    except (NoBroker, NotNow, NobodyAnswers) as error:
        fail(str(error))


def _broker(text: str) -> BrokerSettings:
    return BrokerSettings(*broker_place(text), f"stillroom-discover-{os.getpid()}")


def _room_with(path: Path, lamp: str) -> Room:
    room = load_room(path)
    names = [each.name for each in room.table.light.lamps]
    if lamp not in names:
        raise ConfigError([f'{path}: there is no lamp "{lamp}"{did_you_mean(lamp, names)}'])
    return room


def _switched(room: Room, lamp: str) -> bool:
    """Whether it is only on or off."""
    profile = room.profiles[next(each.profile for each in room.table.light.lamps if each.name == lamp)]
    return isinstance(profile, Board) or (isinstance(profile, Profile) and profile.switch is not None)


def _names(room: Room) -> set[str]:
    table = room.table
    return {lamp.name for lamp in table.light.lamps} | set(table.buttons) | set(table.ports)


def _has(room: Room, block: Block) -> bool:
    """Whether the room file knows this device already."""
    table = room.table
    devices = {each.device for each in table.light.lamps} | {each.device for each in table.buttons.values()}
    return block.table["device"] in devices | {each.device for each in table.ports.values()}
