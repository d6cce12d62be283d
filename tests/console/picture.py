"""Pictures of the console, as text that is compared and as SVG that is looked at.

python -m tests.console.picture --store [NAME …]      writes tests/console/screens/NAME.txt, after a wanted change
python -m tests.console.picture OUT_DIR [NAME …]      writes SVG, and PNG where rsvg-convert is installed
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from msgspec.structs import fields, replace

from controller.console.app import ConsoleApp
from controller.console.client import Client
from controller.console.doing.table import named, path
from controller.console.looks import DAY, LINUX, RED, VGA, Look, Palette
from controller.messages import CallView, LampView, Sitter, Status
from tests.console.fake_daemon import FakeRoom, demo_status, with_alarm, with_bookings, with_preflight

SCREENS = Path(__file__).with_name("screens")

SIZES: dict[str, tuple[tuple[int, int], Look]] = {
    "80x24": ((80, 24), Look()),
    "100x30": ((100, 30), Look()),
    "160x45": ((160, 45), Look()),
    "linux-80x24": ((80, 24), Look(palette=VGA, signs=LINUX)),
}


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A Status at a size and in a look, with the keys pressed before the picture. `lost`: the daemon is gone."""

    status: Status
    size: tuple[int, int] = (80, 24)
    look: Look = Look()
    keys: tuple[str, ...] = ()
    lost: bool = False


class _Still(Client):
    """A client to which the room has been silent for exactly seven seconds, whenever it is asked."""

    @property
    def silent_s(self) -> float:
        return 7.0


class _Heard(Client):
    """A client that has only just heard from the room, however long a picture takes."""

    @property
    def silent_s(self) -> float:
        return 0.0


def on_duty(status: Status) -> Status:
    """AB signed on at this console, CD out for two more minutes."""
    out = Sitter(initials="CD", since_t=status.t - 9000, break_since_t=status.t - 180, break_until_t=status.t + 120)
    here = Sitter(initials="AB", since_t=status.t - 9000, consoles=("console-3f2a",))
    return with_alarm(replace(status, signs_on=True, sitters=(here, out)), "alone_in_room", "low", name="AB")


def states() -> dict[str, Picture]:
    """What is looked at in every size: name to picture. A further state of the console is added here."""
    well = demo_status()
    alarmed = with_alarm(well, "caller_lost", "high", name="caller", why="")
    alarmed = with_alarm(alarmed, "music_short", "low", minutes=12.0)
    return {
        "well": Picture(status=well),
        "alarm": Picture(status=alarmed),
        "dialog": Picture(status=well, keys=("d", *_typed("12.5 mg, 5 ago"), "enter")),
        "lost": Picture(status=well, lost=True),
        "closed": Picture(status=_idle(well), keys=(*_way("closed"), "enter", "down")),
        "preflight": Picture(status=with_preflight(_idle(well)), keys=_way("preflight")),
        "locked": Picture(status=on_duty(well), keys=("ctrl+l",)),
        "blinded": Picture(status=_blinded(well), keys=("d", *_typed("kit K-17"), "enter")),
        "blinded-sheet": Picture(status=_blinded(well), keys=_way("sheet")),
    }  # fmt: skip


def pictures() -> dict[str, Picture]:
    """Every picture by its name."""
    well = demo_status()
    lost_lamp = replace(
        with_alarm(well, "light_unconfirmed", "medium", name="lamp-2", level=0.08),
        light=(well.light[0], LampView(lamp="lamp-2", target=0.08, confirmed=None, state="unconfirmed")),
    )
    called = replace(well, call=CallView(call="k", stage="acknowledged", by="Mara"))
    undelivered = replace(well, call=CallView(call="k", stage="not_delivered"))
    idle = _idle(well)
    linux = Look(palette=VGA, signs=LINUX)
    every = {
        f"{name}-{size}": dataclasses.replace(picture, size=columns, look=look)
        for name, picture in states().items()
        for size, (columns, look) in SIZES.items()
    }
    return every | {
        "well-linux-128x48": Picture(status=lost_lamp, size=(128, 48), look=linux),
        "red-100x30": Picture(status=lost_lamp, size=(100, 30), look=Look(palette=RED)),
        "day-100x30": Picture(status=lost_lamp, size=(100, 30), look=Look(palette=DAY)),
        "called-80x24": Picture(status=called),
        "undelivered-linux-80x24": Picture(status=undelivered, look=linux),
        "booked-80x24": Picture(status=with_bookings(idle)),
        "start-booked-100x30": Picture(
            status=with_bookings(idle), size=(100, 30), keys=tuple(path(named("start")).split())
        ),
        "preflight-couple-80x24": Picture(
            status=with_preflight(idle, ("P-017", "P-018"), library="green", sound__headphones="green", keys="green"),
            keys=(*_way("preflight"), "down", "enter"),
        ),
        "preflight-idle-80x24": Picture(status=with_preflight(idle)),
        "preflight-keys-80x24": Picture(
            status=with_preflight(idle, library="green", sound__headphones="green"), keys=(*_way("preflight"), "enter")
        ),
        "note-80x24": Picture(status=well, keys=("n", *_typed("cold hands, asks for a blanket"))),
        "go-80x24": Picture(status=well, keys=("g",)),
        "menu-linux-80x24": Picture(status=well, look=linux, keys=("m", "3")),
        "find-80x24": Picture(status=well, keys=("ctrl+p", *"medi")),
        "duty-80x24": Picture(status=on_duty(well)),
        "duty-100x30": Picture(status=on_duty(well), size=(100, 30)),
        "nobody-80x24": Picture(status=replace(well, signs_on=True)),
        "sign-on-80x24": Picture(status=on_duty(well), keys=("0",)),
        "pin-80x24": Picture(status=on_duty(well), keys=("ctrl+l", *"07391")),
        "locked-60x12": Picture(status=on_duty(well), size=(60, 12), keys=("ctrl+l",)),
        "small-60x12": Picture(status=undelivered, size=(60, 12)),
    }


def _idle(well: Status) -> Status:
    return Status(room="room-2", utc=well.utc, light=well.light, sound=well.sound)


def _blinded(well: Status) -> Status:
    """The same session as a study's, in which a kit was taken."""
    log = tuple(
        replace(entry, values={"kit": "K-17", "witness": "CD"}) if entry.kind == "dose" else entry for entry in well.log
    )
    return replace(
        well, log=log, programme="blinded-two-arms", programme_title="Study session", dose_unit="", blinded=True,
        unblinding_phone="+00 0000", guesses=("experimental", "comparator", "unsure"),
    )  # fmt: skip


def _way(name: str) -> tuple[str, ...]:
    """The keys that lead through the menus to an action."""
    return tuple(path(named(name)).split())


def _typed(text: str) -> tuple[str, ...]:
    return tuple({" ": "space"}.get(letter, letter) for letter in text)


@asynccontextmanager
async def shown(picture: Picture) -> AsyncIterator[ConsoleApp]:
    """The real app as the picture wants it, in a room whose wall clock is in UTC."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    with tempfile.TemporaryDirectory() as where:
        room = FakeRoom(Path(where), picture.status, still=True)
        await room.start()
        client = (_Still if picture.lost else _Heard)(Path(where), console="console-3f2a", person="AB")
        app = ConsoleApp(client, picture.look)
        async with app.run_test(size=picture.size) as pilot:
            while not (client.status.room and client.desk.path_state == "ok"):
                await pilot.pause(0.01)
            await pilot.press(*picture.keys)
            if picture.lost:
                await room.stop("daemon")
            while client.connected and picture.lost:
                await pilot.pause(0.01)
            await pilot.pause(0.05)
            yield app
        await room.stop()


async def screen_of(picture: Picture) -> str:
    """The rows as a person reads them; beneath, the colours of each row as runs of `columns*colour`."""
    async with shown(picture) as app:
        return told_of(app, picture)


def told_of(app: ConsoleApp, picture: Picture) -> str:
    """The same of a screen that is shown."""
    names = _names(picture.look.colours)
    texts, colours = [], []
    for strip in app.screen._compositor.render_strips()[: picture.size[1]]:
        cells = [(letter, _colour(names, segment.style)) for segment in strip for letter in segment.text]
        cells = cells[: picture.size[0]]
        texts.append("".join(letter for letter, _ in cells).rstrip())
        runs = [(name, len(list(run))) for name, run in groupby(name for letter, name in cells if letter != " ")]
        colours.append(" ".join(f"{many}*{name}" for name, many in runs))
    return "\n".join([*texts, "", *(f"{row:>2} {told}" for row, told in enumerate(colours, 1) if told), ""])


def _names(palette: Palette) -> dict[str, str]:
    found: dict[str, str] = {}
    for field in fields(palette):
        value = getattr(palette, field.name)
        if isinstance(value, str):
            found.setdefault(value, field.name)
    return found


def _colour(names: dict[str, str], style: object) -> str:
    front, back = getattr(style, "color", None), getattr(style, "bgcolor", None)
    told = names.get(front.name if front else "", front.name if front else "none")
    ground = names.get(back.name if back else "", "other") if back else "ground"
    swapped = "~" if getattr(style, "reverse", False) else ""
    return f"{told}{swapped}" if ground == "ground" else f"{told}{swapped}/{ground}"


async def svg_of(picture: Picture) -> str:
    """The picture as a browser shows it."""
    async with shown(picture) as app:
        svg = app.export_screenshot(title=picture.status.room)
    return svg.replace("Fira Code", "DejaVu Sans Mono").replace("<text ", '<text xml:space="preserve" ')


def main(out: str, names: list[str]) -> None:
    """Write the pictures named, or all."""
    folder = SCREENS if out == "--store" else Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in pictures().items():
        if names and name not in names:
            continue
        if out == "--store":
            (folder / f"{name}.txt").write_text(asyncio.run(screen_of(picture)), encoding="utf-8")
            continue
        svg = folder / f"{name}.svg"
        svg.write_text(asyncio.run(svg_of(picture)), encoding="utf-8")
        if converter := shutil.which("rsvg-convert"):
            subprocess.run([converter, "-o", str(svg.with_suffix(".png")), str(svg)], check=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
