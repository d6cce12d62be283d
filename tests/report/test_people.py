"""Who was present and when, as the exports say it."""

from __future__ import annotations

from controller.messages import Sitter
from controller.report.people import present, told


def at(clock: str) -> str:
    return f"2026-03-03T{clock}:00.000Z"


def on(initials: str, cover: str | None = None) -> Sitter:
    out = cover is not None
    return Sitter(initials=initials, since_t=0.0, break_until_t=300.0 if out else None, cover=cover or "")


def test_stays_breaks_and_covers_stand_with_their_times() -> None:
    duties = [
        (at("09:00"), (on("AB"),)),
        (at("09:30"), (on("AB"), on("CD"))),
        (at("11:02"), (on("AB", ""), on("CD"))),
        (at("11:09"), (on("AB"), on("CD"))),
        (at("12:00"), (on("AB"),)),
        (at("12:30"), (on("AB", "EF"),)),
        (at("12:36"), (on("AB"),)),
        (at("13:00"), (on("GH"),)),
    ]
    line = told(present(duties, [("AB", at("09:10"))], at("15:00")))
    assert line == (
        "AB (09:00 to 13:00; out 11:02 to 11:09, 12:30 to 12:36), CD (09:30 to 12:00), GH (13:00 to 15:00), "
        "EF (cover 12:30 to 12:36)"
    )


def test_who_comes_twice_has_two_stays_and_a_room_where_nobody_signs_on_goes_by_its_entries() -> None:
    duties = [(at("09:00"), (on("AB"),)), (at("10:00"), ()), (at("11:00"), (on("AB"),))]
    assert told(present(duties, [], at("12:00"))) == "AB (09:00 to 10:00), AB (11:00 to 12:00)"
    entries = [("AB", at("09:05")), ("", at("09:06")), ("CD", at("09:07")), ("AB", at("10:00"))]
    assert told(present([(at("09:00"), ())], entries, at("12:00"))) == "AB (09:05 to 10:00), CD (09:07 to 09:07)"
    assert told(present([], [], at("12:00"))) == ""
