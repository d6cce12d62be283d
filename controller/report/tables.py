"""A session's record for programs: every record whole as JSON Lines, and the same as CSV; the music alone as CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict

from controller.files import inert
from controller.messages import to_plain
from controller.report.account import Account, Event

FORMAT = 2
"""Version of the columns and keys below."""

_COLUMNS = (
    "seq", "t_plus_s", "utc", "utc_as_read", "clock_synchronised", "boot_id", "boottime_s", "person", "console", "path",
    "participants", "act", "words", "text", "taken_back", "values", "facts", "effects", "afterwards", "about_t_plus_s",
    "after_sign_off",
)  # fmt: skip


INCOMPLETE = "part of the room's record is lost: pieces may be missing here"


def jsonl(account: Account) -> str:
    """One JSON object a line: first what the file is and whether its chain holds, then every record whole."""
    head = {
        "stillroom_export": FORMAT,
        "session": account.session,
        "room": account.room,
        "programme": account.programme.name,
        "programme_sha256": account.programme_digest,
        "software": account.software,
        "kept": [to_plain(kept) for kept in account.kept],
        "role": account.role.name,
        "withheld": account.role.withheld,
        "zero_t": account.zero_t,
        "zero": "first ingestion" if account.dosed else "opening",
        "chain": asdict(account.chain),
        "missing": account.missing,
        "signatures": [asdict(signature) for signature in account.signatures],
    }
    lines = [head]
    marked = {event.seq: event for event in account.events}
    for record, text in account.records:
        t_plus = round(account.t_plus(record.stamp.t), 3)
        whole = {"t_plus_s": t_plus, "utc": account.stamps[record.seq][1], **to_plain(record), "text": text}
        told = marked.get(record.seq)
        if told is not None and told.afterwards:
            whole |= {"afterwards": True, "about_t_plus_s": _about(account, told)}
        if told is not None and told.after_sign_off:
            whole["after_sign_off"] = True
        lines.append(whole)
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def records_csv(account: Account) -> str:
    """One row a record, nothing left out: what has no column of its own stands as JSON in the last three.

    What damage took comes first, in rows without a number whose `act` is "missing".
    """
    words: dict[int, list[str]] = {}
    for event in account.events:
        words.setdefault(event.seq, []).append(f"{event.word} {event.text}".strip())
    taken_back = {event.seq for event in account.events if event.taken_back}
    marked = {event.seq: event for event in account.events}
    rows: list[Iterable[object]] = []
    for what in account.damage:
        row = dict.fromkeys(_COLUMNS, "") | {"act": "missing", "words": what}
        rows.append(row.values())
    for record, text in account.records:
        plain = to_plain(record)
        act = plain["input"]["act"]
        stamp, origin = record.stamp, record.input.origin
        told = marked.get(record.seq)
        rows.append(
            (
                record.seq, round(account.t_plus(stamp.t), 3), account.stamps[record.seq][1], stamp.utc,
                int(stamp.synced), stamp.boot_id, round(stamp.boottime, 6), origin.person or "", origin.console,
                origin.path, " ".join(record.input.participants), act["kind"], "; ".join(words.get(record.seq, [])),
                text, int(record.seq in taken_back), _json(act), _json(plain["facts"]), _json(plain["effects"]),
                int(told is not None and told.afterwards), _about(account, told),
                int(told is not None and told.after_sign_off),
            )
        )  # fmt: skip
    return written(_COLUMNS, rows)


def _about(account: Account, event: Event | None) -> float | None:
    """T+ in seconds of what a late or later entry speaks of; None where it says nothing, or is none."""
    if event is None or not event.timed or not (event.afterwards or event.ago_s):
        return None
    return round(account.t_plus(event.t - event.ago_s), 3)


def music_csv(account: Account) -> str:
    """The pieces that were heard and when, for the participant: nothing else of the session."""
    rows: list[Iterable[object]] = [("", INCOMPLETE, "", "")] if account.damage else []
    rows += [
        (clock_of(account.t_plus(piece.t)), piece.title, piece.artist, round(piece.played_s / 60, 1))
        for piece in account.pieces
    ]
    return written(("t_plus", "title", "artist", "minutes"), rows)


def written(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """CSV (RFC 4180, UTF-8) with a heading; a cell that a spreadsheet would take for a formula is kept as text."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([[inert(cell) for cell in row] for row in rows])
    return out.getvalue()


def clock_of(seconds: float) -> str:
    """T+ as "1:09:59", with its sign before zero."""
    whole = round(abs(seconds))
    sign = "-" if seconds < -0.5 else ""
    return f"{sign}{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


TABLES: dict[str, Callable[[Account], str]] = {"jsonl": jsonl, "csv": records_csv}
"""By the suffix of the file."""
