"""`stillroom new-room`: a few questions, a look around, and a first room file."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
from pathlib import Path
from typing import Annotated

import typer

from controller.broker import BrokerSettings
from controller.commissioning.blocks import Block, blocks_for, slug
from controller.commissioning.found import devices_in
from controller.commissioning.listening import NoBroker, broker_place, hear_devices, plugged_in
from controller.commissioning.new_room import OUTPUTS, SCHEMA, Answers, room_text
from controller.commissioning.terminal import NobodyAnswers, Terminal, ask_until, choose, yes
from controller.config import load_room, shipped_profiles
from controller.config.tables import SoundTable
from controller.files import ConfigError, did_you_mean
from controller.options import fail
from controller.schema import schema_of
from controller.validation import mistakes_in
from controller.wording.quantities import counted

_DELIVER_S, _ANSWER_S = (1.0, 60.0), (5.0, 300.0)


def new_room(
    path: Annotated[Path, typer.Argument(metavar="ROOM.toml", help="The file to make; an existing one is left alone.")],
    name: Annotated[str, typer.Option(help="The room's name; the file's where not given.")] = "",
    defaults: Annotated[
        bool, typer.Option("--yes", help="Ask nothing: the options, and otherwise what is usual.")
    ] = False,
    output: Annotated[str, typer.Option(help='Where the sound goes: "auto" or "device:NAME".')] = "auto",
    listen: Annotated[str, typer.Option(help=f"What there is to listen to: {' or '.join(OUTPUTS)}.")] = OUTPUTS[0],
    music: Annotated[str, typer.Option(metavar="DIR", help="Folder of music.")] = "/srv/music",
    broker: Annotated[str, typer.Option(metavar="HOST[:PORT]", help="The room's MQTT broker.")] = "127.0.0.1:1883",
    username: Annotated[str, typer.Option(help="At the broker.")] = "",
    password_file: Annotated[str, typer.Option(metavar="FILE", help="Holds the broker's password.")] = "",
    deliver_s: Annotated[float, typer.Option(help="A call not delivered by then is passed on.")] = 5.0,
    answer_s: Annotated[float, typer.Option(help="A call not answered by then is passed on.")] = 30.0,
    seconds: Annotated[float, typer.Option(min=0.0, max=120.0, help="How long to listen for devices; 0: not.")] = 4.0,
) -> None:
    """Ask about a room, look for its devices, and write a first room file that passes `stillroom check`.

    Example: stillroom new-room room-1.toml
    """
    if path.exists():
        raise ConfigError([f"{path}: is there already and was left as it is; choose another name"])
    if listen not in OUTPUTS:
        raise ConfigError([f'--listen: "{listen}" is nothing to listen to{did_you_mean(listen, OUTPUTS)}'])
    if not path.parent.is_dir():
        raise ConfigError([f"{path}: there is no folder {path.parent}"])
    place, called = broker_place(broker), name or slug(path.stem)
    usual = Answers(called, output, listen, music, *place, username, password_file, deliver_s, answer_s)
    try:
        answers = asyncio.run(_ask(usual, seconds, quiet=defaults))
    except NobodyAnswers as error:
        fail(f"{error} No file was written.")
    write_new(path, room_text(path, answers))
    lamps = sum(block.kind == "lamp" for block in answers.blocks)
    print(f"{path}: a room with {counted(lamps, 'lamp')}; it is right.")
    if not Path(answers.music).is_dir():
        print(f"There is no folder {answers.music} yet: the music goes there.")
    file = shlex.quote(str(path))
    if lamps:
        print(f"Next: stillroom devices identify NAME --room {file}, then stillroom devices commission {file}")
    else:
        print(f"No lamp spoke of itself. When one does: stillroom devices discover --room {file} --write")
        print('Any other is written into the file: devices/README.md, "Add a lamp that is not in the list".')


def write_new(path: Path, text: str) -> None:
    """Write a room file that is not there yet; raises ConfigError, and leaves none, where it would not be right."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise ConfigError([f"{path}: cannot be written: {error.strerror}"]) from None
    try:
        load_room(path)
    except ConfigError:
        path.unlink()
        raise
    schema = path.with_name(SCHEMA)
    if not schema.exists():
        schema.write_text(json.dumps(schema_of("room"), indent=1, ensure_ascii=False), encoding="utf-8")


def _output(text: str) -> str:
    """Where the sound goes. Raises ConfigError."""
    _, wrong = mistakes_in(Path("sound"), SoundTable, {"output": text})
    if wrong:
        raise ConfigError([f'"{text}" is no place for the sound; like auto or device:hw:2'])
    return text


async def _ask(usual: Answers, seconds: float, *, quiet: bool) -> Answers:
    person = Terminal()
    if not quiet:
        person.say("Enter alone takes what stands in brackets.")
        host = f"{usual.broker_host}:{usual.broker_port}"
        called = await person.ask("The room's name:", usual.name)
        if (name := slug(called)) != called:
            person.say(f"It is {name} in files and topics.")
        output = await ask_until(person, 'Where the sound goes, "auto" or "device:NAME":', _output, usual.output)
        listen = await choose(person, "What there is to listen to:", OUTPUTS, usual.listen)
        music = await person.ask("Folder of music:", usual.music)
        place = await ask_until(person, "The room's MQTT broker, HOST[:PORT]:", broker_place, host)
        username = await person.ask("User name there (Enter for none):", usual.username)
        password = usual.password_file
        if username:
            password = await person.ask("File that holds its password:", password or "/etc/stillroom/broker.password")
        deliver = await _seconds(person, "A call for help that is not delivered is passed on after seconds:",
                                 usual.deliver_within_s, _DELIVER_S)  # fmt: skip
        answer = await _seconds(person, "One that nobody answers, after seconds:", usual.answer_within_s, _ANSWER_S)
        usual = Answers(name, output, listen, music, *place, username, password, deliver, answer)
    blocks = await _look_around(person, usual, seconds)
    if not quiet:
        blocks = [block for block in blocks if await _wanted(person, block)]
    return Answers(**{key: getattr(usual, key) for key in Answers.__slots__} | {"blocks": tuple(blocks)})


async def _seconds(person: Terminal, question: str, usual: float, between: tuple[float, float]) -> float:
    low, high = between

    def read(answer: str) -> float:
        try:
            if low <= float(answer) <= high:
                return float(answer)
        except ValueError:
            pass
        raise ConfigError([f"Please a number from {low:g} to {high:g}."])

    return await ask_until(person, question, read, f"{usual:g}")


async def _look_around(person: Terminal, answers: Answers, seconds: float) -> list[Block]:
    said: dict[str, list[bytes]] = {}
    if seconds:
        person.say(f"Listening for devices on {answers.broker_host}:{answers.broker_port} …")
        password = None
        if answers.password_file:
            try:
                password = Path(answers.password_file).read_text(encoding="utf-8").strip()
            except OSError as error:
                person.say(f"{answers.password_file} cannot be read: {error.strerror}")
        settings = BrokerSettings(
            answers.broker_host, answers.broker_port, f"stillroom-new-{os.getpid()}", answers.username or None, password
        )
        try:
            said = await hear_devices(settings, seconds)
        except NoBroker as error:
            person.say(f"{error}. Lamps can be added later: stillroom devices discover --room ROOM.toml --write")
    blocks, rest = blocks_for(devices_in(said), plugged_in(), shipped_profiles())
    for line in rest:
        person.say(f"not usable as it is: {line}")
    return blocks


async def _wanted(person: Terminal, block: Block) -> bool:
    person.say("\n" + block.text().rstrip())
    return await yes(person, f"Is this {block.kind} in the room?", "yes")
