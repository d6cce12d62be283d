"""`stillroom book`: keep the room for a session, through the daemon, so that it is on record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from controller.ctl.asking import READY_S, Person, Whom, reached, send_signed, visiting
from controller.ctl.signing import PinFrom, source
from controller.messages import Book, CancelBooking, Reply, Status, to_plain
from controller.options import AsJson, StateDir, fail
from controller.places import STATE
from controller.wording import clock_time, refusal
from controller.wording.quantities import duration


def book(
    when: Annotated[str, typer.Argument(metavar="[WHEN]", help="The room's clock time, like 2026-12-01T09:30.")] = "",
    programme: Annotated[str, typer.Argument(metavar="[PROGRAMME]", help="Name of a programme.")] = "",
    participant: Whom = None,
    list_: Annotated[bool, typer.Option("--list", help="What is booked.")] = False,
    cancel: Annotated[int | None, typer.Option("--cancel", metavar="ID", help="Cancel this booking.")] = None,
    room: Annotated[
        Path | None, typer.Option("--room", metavar="ROOM.toml", help="Only if the daemon runs this room.")
    ] = None,
    as_json: AsJson = False,
    state: StateDir = STATE,
    person: Person = None,
    pin_from: PinFrom = None,
) -> None:
    """Keep the room for a session. It warms the room and reminds of the preflight; it never starts a session.

    Example: stillroom book 2026-12-01T09:30 psilocybin-25mg --participant C-0412
    """
    source.set(pin_from)
    name = _room_name(room) if room else None
    asked = [bool(when or programme or participant), list_, cancel is not None]
    if sum(asked) != 1 or (asked[0] and not (when and programme)):
        fail("either WHEN and PROGRAMME, or --list, or --cancel ID; see stillroom book --help", 2)
    act: Book | CancelBooking | None = None
    if cancel is not None:
        act = CancelBooking(booking=cancel)
    elif not list_:
        act = Book(programme=programme, participants=tuple(participant or ()), wanted=when)
    reply, status = reached(state, lambda: _ask(act, state, person, name))
    if reply.refused:
        fail(refusal(reply.refused, reply.values))
    if list_:
        _print(status, as_json=as_json)
    elif cancel is not None:
        print(f"booking {cancel} cancelled, record {reply.seq}, {reply.utc}")
    else:
        _print_booked(reply, status, when)


async def _ask(
    act: Book | CancelBooking | None, state: Path, person: str | None, room: str | None
) -> tuple[Reply, Status]:
    async with visiting(state, "book", person) as client:
        status = await client.ready(READY_S)
        if room is not None and status.room != room:
            fail(f"the daemon in {state} runs {status.room}, not {room}")
        if act is None:
            return Reply(id=""), client.status
        return await send_signed(client, act), client.status


def _room_name(path: Path) -> str:
    from controller.config import load_room

    return load_room(path).name


def _print(status: Status, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps([to_plain(booking) for booking in status.bookings], ensure_ascii=False))
        return
    if not status.bookings:
        print(f"Nothing is booked in {status.room}.")
    for booking in status.bookings:
        begun = "  begun" if booking.session else ""
        whom = ", ".join(booking.participants)
        at = booking.at.replace("T", " ")
        print(f"{booking.id:>6}  {at}  {duration(booking.length_s):>7}  {booking.programme:<20} {whom}{begun}")


def _print_booked(reply: Reply, status: Status, wanted: str) -> None:
    booking = next((booking for booking in status.bookings if booking.id == reply.seq), None)
    if booking is None:
        print(f"booked as {reply.seq}, {reply.utc}")
        return
    whom = ", ".join(booking.participants)
    print(f"booked as {booking.id}: {clock_time(booking.at)} ({booking.zone}), {booking.programme} for {whom}, "
          f"{duration(booking.length_s)}")  # fmt: skip
    if booking.at != wanted.replace(" ", "T")[: len(booking.at)]:
        print(f"The clocks leave out {wanted} in that night: it is {booking.at.partition('T')[2]} on the clock there.")
