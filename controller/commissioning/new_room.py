"""A first room file, from a few answers and what was found. Pure: the answers come in, the text goes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import tomlkit

from controller.commissioning.blocks import Block, add_blocks

_BUSES = {
    "speakers": (("speakers", -6.0),),
    "speakers+headphones": (("speakers", -6.0), ("headphones", -12.0)),
}
OUTPUTS = tuple(_BUSES)
"""What a room may have to listen to; each is a pair of channels of one interface."""


SCHEMA = "room.schema.json"
"""The file beside a room file that lets an editor complete it."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What a first room file needs to know. `listen`: one of OUTPUTS."""

    name: str
    output: str = "auto"
    listen: str = OUTPUTS[0]
    music: str = "/srv/music"
    broker_host: str = "127.0.0.1"
    broker_port: int = 1883
    username: str = ""
    password_file: str = ""
    deliver_within_s: float = 5.0
    answer_within_s: float = 30.0
    blocks: Sequence[Block] = field(default_factory=tuple)


def room_text(path: Path, answers: Answers) -> str:
    """The room file for `path`; `stillroom check` decides whether it is right."""
    document = tomlkit.document()
    document.add(
        tomlkit.comment("A first room file, made by stillroom new-room. Change it, then: stillroom check FILE")
    )
    document["format"] = 1
    document["name"] = answers.name
    document["sound"] = _table({"output": answers.output, "target_lufs": -23.0}, {
        "output": '"auto", "device:NAME", "file:PATH.wav" or "null"',
        "target_lufs": "loudness every piece is brought to; set it with a meter: stillroom sound check",
    })  # fmt: skip
    buses = tomlkit.aot()
    for place, (name, ceiling) in enumerate(_BUSES[answers.listen]):
        buses.append(_table({"name": name, "channels": [2 * place + 1, 2 * place + 2], "ceiling_dbfs": ceiling}))
    document["sound"]["buses"] = buses
    document["music"] = _table({"folders": [answers.music]}, {"folders": "with a folder for each phase of a programme"})
    document["light"] = _table({"floor": 0.05, "ceiling": 0.8, "exit": 0.4, "medical": 0.8, "rest": 0.3}, {
        "floor": "perceived brightness, 0 to 1; never darker: a person must find the door",
        "exit": "light to stand up by",
        "rest": "when no session runs",
    })  # fmt: skip
    broker = {"host": answers.broker_host, "port": answers.broker_port}
    if answers.username:
        broker |= {"username": answers.username, "password_file": answers.password_file}
    document["broker"] = _table(broker)
    call = {"deliver_within_s": answers.deliver_within_s, "answer_within_s": answers.answer_within_s}
    document["call"] = _table(call, {"deliver_within_s": "later, a call counts as not delivered, and is passed on"})
    document["preflight"] = _table({"required": True, "minutes": 60}, {
        "required": "no session begins before every check is green, or overridden with a reason",
        "minutes": "what was found counts for so long",
    })  # fmt: skip
    return add_blocks(path, f"#:schema ./{SCHEMA}\n{tomlkit.dumps(document)}", answers.blocks)


def _table(values: Mapping[str, object], comments: Mapping[str, str] | None = None) -> tomlkit.items.Table:
    table = tomlkit.table()
    for key, value in values.items():
        item = tomlkit.item(value)  # a truth value is taken out of a table as a bare one, which has no comment
        if comments and key in comments:
            item.comment(comments[key])
        table[key] = item
    return table
