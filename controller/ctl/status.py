"""`stillroom ctl status`: what the room does now."""

from __future__ import annotations

import json

import typer

from controller import wording
from controller.ctl.asking import Person, seen
from controller.messages import Status, to_plain
from controller.options import AsJson, StateDir
from controller.places import STATE

app = typer.Typer()


@app.command()
def status(as_json: AsJson = False, state: StateDir = STATE, person: Person = None) -> None:
    """What the room does now.

    Example: stillroom ctl status --json
    """
    found = seen(state, person)
    if as_json:
        print(json.dumps(to_plain(found), ensure_ascii=False))
        return
    people = ", ".join(
        person.code
        + ("" if person.t_plus_s is None else f" T+ {wording.t_plus(person)}")
        + (f" {went}" if (went := wording.departed(person)) else "")
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
        ("call", wording.call(found.call)),
        ("next", wording.booking(found.bookings[0]) if found.bookings else ""),
        (
            "preflight",
            wording.preflight.summary(found.preflight).removeprefix("preflight: ")
            if found.state in ("idle", "ended")
            else "",
        ),
        ("alarms", ", ".join(alarm.code for alarm in found.alarms)),
    ]
    for name, value in rows:
        if value:
            print(f"{name:<13} {value}")


def _besides(found: Status) -> list[str]:
    """What is true beside the state's one word."""
    flags = (("held", found.hold), ("quiet", found.quiet), ("landing", found.landing), ("evacuated", found.evacuated))
    told = [word for word, holds in flags if holds]
    if found.waiting_for in wording.WAITS:
        told.append(wording.WAITS[found.waiting_for])
    return [f", {word}" for word in told]
