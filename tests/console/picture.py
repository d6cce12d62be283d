"""Pictures of the console: `python -m tests.console.picture OUT_DIR [NAME …]` writes SVG, and PNG where
rsvg-convert is installed."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from controller.console.app import ConsoleApp
from controller.console.client import Client
from controller.console.doing.table import named, path
from controller.console.looks import DAY, LINUX, RED, VGA, Look
from controller.messages import CallView, LampView, Status
from tests.console.fake_daemon import FakeRoom, demo_status, with_alarm, with_bookings

Picture = tuple[Status, tuple[int, int], Look, tuple[str, ...]]


def pictures() -> dict[str, Picture]:
    """Name to (Status, size, look, keys pressed before the picture)."""
    well = demo_status()
    lost_lamp = replace(
        with_alarm(well, "light_unconfirmed", "medium", name="lamp-2", level=0.08),
        light=(well.light[0], LampView(lamp="lamp-2", target=0.08, confirmed=None, state="unconfirmed")),
    )
    called = replace(well, call=CallView(call="k", stage="acknowledged", by="Mara"))
    undelivered = replace(well, call=CallView(call="k", stage="not_delivered"))
    idle = Status(room="room-2", utc=well.utc, light=well.light, sound=well.sound)
    linux = Look(palette=VGA, signs=LINUX)
    return {
        "well-80x24": (well, (80, 24), Look(), ()),
        "well-100x30": (well, (100, 30), Look(), ()),
        "well-160x45": (well, (160, 45), Look(), ()),
        "linux-80x24": (well, (80, 24), linux, ()),
        "linux-128x48": (lost_lamp, (128, 48), linux, ()),
        "red-100x30": (lost_lamp, (100, 30), Look(palette=RED), ()),
        "day-100x30": (lost_lamp, (100, 30), Look(palette=DAY), ()),
        "light-100x30": (lost_lamp, (100, 30), Look(), ()),
        "called-80x24": (called, (80, 24), Look(), ()),
        "undelivered-80x24": (undelivered, (80, 24), Look(), ()),
        "undelivered-linux-80x24": (undelivered, (80, 24), linux, ()),
        "idle-80x24": (idle, (80, 24), Look(), ()),
        "booked-80x24": (with_bookings(idle), (80, 24), Look(), ()),
        "booked-start-100x30": (with_bookings(idle), (100, 30), Look(), tuple(path(named("start")).split())),
        "booked-linux-80x24": (with_bookings(idle), (80, 24), linux, ()),
        "note-80x24": (well, (80, 24), Look(), ("n", *_typed("cold hands, asks for a blanket"))),
        "dose-100x30": (well, (100, 30), Look(), ("d", *_typed("12.5 mg, 5 ago"), "enter")),
        "go-80x24": (well, (80, 24), Look(), ("g",)),
        "menu-100x30": (well, (100, 30), Look(), ("m",)),
        "keys-80x24": (well, (80, 24), Look(), ("question_mark",)),
        "small-60x12": (undelivered, (60, 12), Look(), ()),
    }  # fmt: skip


def _typed(text: str) -> tuple[str, ...]:
    return tuple({" ": "space"}.get(letter, letter) for letter in text)


async def svg_of(picture: Picture) -> str:
    """One picture of the real app against a room with this Status."""
    status, size, look, keys = picture
    with tempfile.TemporaryDirectory() as where:
        room = FakeRoom(Path(where), status)
        await room.start()
        app = ConsoleApp(Client(Path(where), console="console-3f2a", person="AB"), look)
        async with app.run_test(size=size) as pilot:
            for _ in range(100):
                await pilot.pause(0.02)
                if app.client.status.room:
                    break
            await pilot.press(*keys)
            await pilot.pause(0.1)
            svg = app.export_screenshot(title=status.room)
        await room.stop()
    return svg.replace("Fira Code", "DejaVu Sans Mono").replace("<text ", '<text xml:space="preserve" ')


def main(out: Path, names: list[str]) -> None:
    """Write the pictures named, or all."""
    out.mkdir(parents=True, exist_ok=True)
    for name, picture in pictures().items():
        if names and name not in names:
            continue
        svg = out / f"{name}.svg"
        svg.write_text(asyncio.run(svg_of(picture)), encoding="utf-8")
        if converter := shutil.which("rsvg-convert"):
            subprocess.run([converter, "-o", str(svg.with_suffix(".png")), str(svg)], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
