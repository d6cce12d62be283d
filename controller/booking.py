"""From what a person asks to be booked to a booking that the rules can judge."""

from __future__ import annotations

from datetime import datetime, tzinfo
from pathlib import Path

from msgspec.structs import replace

from controller.config import load_programme, shipped
from controller.files import ConfigError
from controller.messages import Book, Refused
from controller.nearest import nearest
from controller.session.blinding import check_codes
from controller.timetable.dates import resolve

EXAMPLE = "2026-12-01T09:30"


def prepare_booking(act: Book, zone: tzinfo, now_unix: float) -> Book:
    """The booking with its moment and length. Raises Refused for a time or a programme that cannot be."""
    try:
        local = datetime.fromisoformat(act.wanted)
    except ValueError:
        raise Refused("bad_value", what=f'"{act.wanted}"', why=f"no time; write it like {EXAMPLE}") from None
    if local.tzinfo is not None or len(act.wanted) <= len("2026-12-01"):
        raise Refused("bad_value", what=f'"{act.wanted}"', why=f"the room's own clock time is asked, like {EXAMPLE}")
    try:
        moment = resolve(local.replace(second=0, microsecond=0), zone)
    except (ValueError, OverflowError):
        raise Refused("bad_value", what=f'"{act.wanted}"', why="no year that can be booked") from None
    at = moment.strftime("%Y-%m-%dT%H:%M")
    if moment.timestamp() < now_unix:
        raise Refused("booking_past", at=at)
    return replace(
        act,
        at=at,
        zone=str(zone),
        starts_unix=moment.timestamp(),
        length_s=_length_s(act.programme, act.participants),
    )


def known_programme(name: str) -> Path:
    """The file of a programme that can be played. Raises Refused."""
    known = shipped("playlists")
    if name not in known:
        raise Refused("programme_unknown", name=name, nearest=nearest(name, known))
    try:
        load_programme(known[name])
    except ConfigError as error:
        raise Refused("bad_value", what="programme", why=error.mistakes[0]) from None
    return known[name]


def _length_s(name: str, participants: tuple[str, ...]) -> float:
    """From the arrival's beginning to the end of the arc, or to the earliest release where that is later."""
    programme = load_programme(known_programme(name))
    check_codes(programme, participants)
    least, most = programme.participants_least, programme.participants_most
    if participants and not least <= len(participants) <= most:
        wanted = f"{least}" if least == most else f"{least} to {most}"
        people = "participant" if most == 1 else "participants"
        raise Refused("bad_value", what="participants", why=f"{name} is for {wanted} {people}")
    release_s = programme.release.earliest_minutes(None) * 60.0
    return programme.arrival_s + max(programme.arc_end_s, release_s)
