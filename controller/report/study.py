"""Tidy tables over many sessions for a coordinator: long format, one thing a row, UTC and T+ in each, codes only."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, astuple, fields
from datetime import datetime, timedelta
from typing import Any

from controller.clock import utc_text
from controller.messages import (
    Addendum,
    Amend,
    Call,
    CallChanged,
    Challenge,
    Dose,
    Mark,
    Note,
    Touch,
    Vitals,
)
from controller.report.account import Account, Event
from controller.report.codebook import TABLES, VARIABLES, VERSION, Variable, columns
from controller.report.fidelity import phases_of, vitals_of
from controller.report.tables import written
from controller.session.booster import given_t

Row = dict[str, object]

_FORMAT = (
    "CSV (RFC 4180), UTF-8; times ISO 8601 in UTC; T+ in minutes from the session's first ingestion (sessions.zero); "
    "empty: not known or does not apply"
)


class Told:
    """One session's account, with a clock by which any moment of it has its UTC."""

    def __init__(self, account: Account) -> None:
        self.account = account
        told = sorted((event.t, event.utc) for event in account.events if not event.afterwards)
        self._t = [t for t, _ in told]
        self._utc = [utc for _, utc in told]
        self.when = {utc: t for t, utc in reversed(list(account.stamps.values()))}
        """The room time of every UTC at which something was written."""
        self.acts = {record.seq: record for record, _ in account.records}
        acts = [record.input.act for record in self.acts.values()]
        self.amended = {act.entry for act in acts if isinstance(act, Amend)}
        self.amended |= {act.amends for act in acts if isinstance(act, Addendum)}

    def at(self, t: float) -> Row:
        """The session, T+ in minutes, and UTC by the entry before it."""
        index = max(0, bisect_right(self._t, t) - 1)
        near = datetime.fromisoformat(self._utc[index].replace("Z", "+00:00"))
        utc = utc_text(near + timedelta(seconds=t - self._t[index]))
        return {"session": self.account.session, "t_plus_min": _minutes(self.account.t_plus(t)), "utc": utc}

    def phase_of(self, seq: object) -> str:
        """The phase in which what a record logged happened."""
        return next((self.phase_at(entry.t) for entry in self.account.state.entries if entry.seq == seq), "")

    def phase_at(self, t: float) -> str:
        """The phase that was lived through then; "" outside."""
        return next((view.code for view in self.account.phases if view.start_s <= t < view.end_s), "")


def _minutes(seconds: float) -> float:
    return round(seconds / 60.0, 3) + 0.0  # never minus zero


def _sessions(told: Told) -> Iterator[Row]:
    account, phases = told.account, phases_of(told.account)
    kinds = Counter(event.kind for event in account.events if not event.taken_back)
    newest = account.signatures[-1] if account.signatures else None
    yield {
        **told.at(account.opened.t),
        "ended_utc": account.closed.utc if account.closed else "",
        "room": account.room,
        "programme": account.programme.name,
        "programme_sha256": account.programme_digest,
        "software": account.software,
        "blinded": int(account.programme.blinded is not None),
        "state": "signed" if newest else "closed" if account.closed else "open",
        "length_min": _minutes(account.last_t - account.opened.t),
        "zero": "ingestion" if account.dosed else "opening",
        "participants": len(account.participants),
        "sitters": len(account.people),
        "pieces": len(account.pieces),
        "music_min": round(sum(phase.music_heard for phase in phases), 3),
        "marks": kinds["mark"],
        "notes": kinds["note"],
        "vitals": len([it for it in account.state.entries if isinstance(it.act, Vitals) and not it.act.missed]),
        "calls": len(list(_calls(told))),
        "adverse_events": len(account.state.adverse),
        "incidents": len(account.incidents),
        "late_entries": sum(event.afterwards and event.kind != "sign_off" for event in account.events),
        "redacted": account.chain.redacted,
        "signed_by": newest.who if newest else "",
        "signed_utc": newest.utc if newest else "",
        "chain_ok": int(account.chain.ok),
        "missing": "; ".join(account.damage),
        "records": account.chain.records,
        "head": account.chain.head,
    }


def _participants(told: Told) -> Iterator[Row]:
    account = told.account
    for person in account.state.participants:
        taken = [dose for dose in person.doses if dose.part != "stop"]
        amounts = [dose.amount for dose in taken if dose.amount is not None]
        ingestion = person.ingestion_t
        when = told.at(ingestion) if ingestion is not None else {"session": account.session}
        boosted = "given" if given_t(person) is not None else "declined" if person.booster_declined else "none"
        yield {
            **when,
            "participant": person.code,
            "doses": len(taken),
            "total_amount": round(sum(amounts), 6) if amounts else "",
            "unit": next((dose.unit for dose in taken if dose.unit), ""),
            "booster": boosted,
            "touch_scope": person.touch_scope,
            "left_t_plus_min": _minutes(account.t_plus(person.left_t)) if person.left_t is not None else "",
            "released_t_plus_min": _minutes(account.t_plus(person.released_t)) if person.released_t is not None else "",
        }


def _doses(told: Told) -> Iterator[Row]:
    for person in told.account.state.participants:
        for dose in person.doses:
            record = told.acts.get(dose.seq)
            act = record.input.act if record else None
            yield {
                **told.at(dose.t),
                "participant": person.code,
                "part": dose.part,
                "amount": dose.amount if dose.amount is not None else "",
                "unit": dose.unit,
                "kit": dose.kit,
                "witness": act.witness if isinstance(act, Dose) else "",
                "by": record.input.origin.person or "" if record else "",
                "logged_after_min": _minutes(record.stamp.t - dose.t) if record else "",
                "record": dose.seq,
            }


def _entries(told: Told, kind: type) -> Iterator[tuple[Any, Row]]:
    """What was entered of a kind, as it stands after every correction, one row a participant."""
    for entry in told.account.state.entries:
        if isinstance(entry.act, kind):
            record = told.acts.get(entry.seq)
            for code in entry.participants or ("",):
                yield (
                    entry.act,
                    {
                        **told.at(entry.t),
                        "participant": code,
                        "by": entry.person,
                        "record": entry.seq,
                        "entered_after_min": _minutes(record.stamp.t - entry.t) if record else "",
                        "amended": int(entry.seq in told.amended),
                    },
                )


def _vitals(told: Told) -> Iterator[Row]:
    figures = ("systolic", "diastolic", "pulse", "spo2", "celsius")
    for act, row in _entries(told, Vitals):
        read = {name: "" if getattr(act, name) is None else getattr(act, name) for name in figures}
        yield {**row, **read, "missed": int(bool(act.missed))}


def _vitals_due(told: Told) -> Iterator[Row]:
    for it in vitals_of(told.account):
        yield {
            **told.at(it.due_t),
            "participant": it.participant,
            "what": it.what,
            "needs": " ".join(it.needs),
            "standing": it.standing,
            "taken_after_min": _minutes(it.taken_t - it.due_t) if it.taken_t is not None else "",
        }


def _marks(told: Told) -> Iterator[Row]:
    for act, row in _entries(told, Mark):
        yield {**row, "code": act.code, "phase": told.phase_of(row["record"]), "taken_back": 0}
    for event in told.account.events:
        act = told.acts[event.seq].input.act
        if event.kind == "mark" and event.taken_back and isinstance(act, Mark):
            for code in event.participants or ("",):
                t = event.t - event.ago_s
                yield {
                    **told.at(t), "participant": code, "by": event.who, "record": event.seq, "amended": 0,
                    "code": act.code, "phase": told.phase_at(t), "taken_back": 1,
                    "entered_after_min": _minutes(event.ago_s),
                }  # fmt: skip


def _touch(told: Told) -> Iterator[Row]:
    for act, row in _entries(told, Touch):
        minutes = "" if act.minutes is None else act.minutes
        yield {**row, "touch": act.touch, "where": act.where, "part": act.part, "minutes": minutes}


def _challenges(told: Told) -> Iterator[Row]:
    for act, row in _entries(told, Challenge):
        yield {**row, "part": act.part}


def _notes(told: Told) -> Iterator[Row]:
    notes = [entry.t for entry in told.account.state.entries if isinstance(entry.act, Note)]
    for phase, count in Counter(told.phase_at(t) for t in notes).items():
        start = next((view.start_s for view in told.account.phases if view.code == phase), told.account.opened.t)
        yield {**told.at(start), "phase": phase, "notes": count}


def _music(told: Told) -> Iterator[Row]:
    for piece in told.account.pieces:
        yield {
            **told.at(piece.t),
            "phase": piece.phase,
            "title": piece.title,
            "artist": piece.artist,
            "played_min": _minutes(piece.played_s),
            "ended": piece.why,
        }


def _light(told: Told) -> Iterator[Row]:
    for t, level in dict.fromkeys(told.account.light):
        yield {**told.at(t), "level_percent": round(level * 100, 2)}


def _volume(told: Told) -> Iterator[Row]:
    before: float | None = None
    for t, level in told.account.volume[1::2]:
        if level != before:
            yield {**told.at(t), "loudness_percent": round(level * 100, 2)}
        before = level


def _adverse_events(told: Told) -> Iterator[Row]:
    for it in told.account.state.adverse:
        for code in it.participants or ("",):
            yield {
                **told.at(it.t),
                "participant": code,
                "event": it.event.event,
                "grade": it.event.grade,
                "serious": int(it.event.serious),
                "related": it.event.related,
                "needed": " ".join(it.event.needed),
                "resolved": int(it.event.resolved),
                "by": it.person,
                "record": it.seq,
            }


def _calls(told: Told) -> Iterator[Row]:
    calls: dict[str, Row] = {}
    placed: dict[str, float] = {}
    for record, _ in told.account.records:
        act, t = record.input.act, record.stamp.t
        if not isinstance(act, Call | CallChanged):
            continue
        if act.call not in calls:
            placed[act.call] = t
            by = record.input.origin.person or record.input.origin.console
            calls[act.call] = {**told.at(t), "by": by, "outcome": "placed", "acknowledged_after_s": ""}
        row = calls[act.call]
        row["level"] = "emergency" if "emergency" in (act.level, row.get("level")) else act.level
        if isinstance(act, CallChanged):
            row["outcome"] = act.stage
            if act.stage == "acknowledged" and row["acknowledged_after_s"] == "":
                row["acknowledged_after_s"] = round(t - placed[act.call], 1)
    yield from calls.values()


def _incidents(told: Told) -> Iterator[Row]:
    for event in told.account.incidents:
        yield {**told.at(event.t), "code": event.kind, "name": _name(event)}


def _name(event: Event) -> str:
    return str(next((event.values[key] for key in ("name", "lamp", "title", "act") if event.values.get(key)), ""))


def _phases(told: Told) -> Iterator[Row]:
    for it in phases_of(told.account):
        when = told.at(it.start_t) if it.start_t is not None else {"session": told.account.session}
        yield {
            **when,
            "phase": it.code,
            "planned_min": round(it.planned, 3),
            "delivered_min": round(it.delivered, 3),
            "music_planned_min": round(it.music_planned, 3),
            "music_heard_min": round(it.music_heard, 3),
            "silence_min": round(it.silence, 3),
            "light_mean_deviation_percent": round(it.light_mean, 2),
            "light_off_min": round(it.light_off, 3),
            "interventions": sum(count for _, count in it.interventions),
        }


def _late_entries(told: Told) -> Iterator[Row]:
    for event in told.account.events:
        if event.afterwards and event.kind != "sign_off":
            about = told.at(event.t) if event.timed else {"session": told.account.session}
            amends = event.values.get("amends") or event.values.get("seq") or ""
            yield {
                **about, "utc": event.utc, "kind": event.kind, "amends": amends, "by": event.who,
                "after_sign_off": int(event.after_sign_off),
            }  # fmt: skip


def _presence(told: Told) -> Iterator[Row]:
    for person in told.account.people:
        yield {
            **told.at(told.when[person.first_utc]), "utc": person.first_utc, "by": person.who,
            "last_utc": person.last_utc,
        }  # fmt: skip


_ROWS: dict[str, Callable[[Told], Iterator[Row]]] = {
    "sessions": _sessions, "participants": _participants, "doses": _doses, "vitals": _vitals,
    "vitals_due": _vitals_due, "marks": _marks, "notes": _notes, "music": _music, "touch": _touch,
    "challenges": _challenges, "light": _light, "volume": _volume,
    "adverse_events": _adverse_events, "calls": _calls, "incidents": _incidents, "phases": _phases,
    "late_entries": _late_entries, "presence": _presence,
}  # fmt: skip


def study_files(
    accounts: Sequence[Account], head: dict[str, object], unreadable: Sequence[tuple[str, str]] = ()
) -> Iterator[tuple[str, str]]:
    """Every file of the study by its name: a CSV a table, and the codebook as CSV and JSON.

    `head`: said of the whole. `unreadable`: (session, why) of those that are left out; each has its row in `sessions`.
    Raises KeyError where a row has a column that the codebook lacks.
    """
    told = [Told(account) for account in accounts]
    counts: dict[str, int] = {}
    for table in TABLES:
        names = columns(table)
        rows = [row for one in told for row in _ROWS[table](one)]
        if table == "sessions":
            rows += [
                {"session": session, "state": "unreadable", "chain_ok": 0, "missing": why}
                for session, why in unreadable
            ]
        counts[table] = len(rows)
        for row in rows:
            if strange := row.keys() - set(names):
                raise KeyError(f"{table}: {', '.join(sorted(strange))}")
        yield f"{table}.csv", written(names, ([row.get(name, "") for name in names] for row in rows))
    yield "codebook.csv", written([field.name for field in fields(Variable)], (astuple(it) for it in VARIABLES))
    book = {
        "codebook": VERSION,
        **head,
        "format": _FORMAT,
        "tables": [{"table": table, "row": told, "rows": counts[table]} for table, told in TABLES.items()],
        "variables": [asdict(it) for it in VARIABLES],
    }
    yield "codebook.json", json.dumps(book, indent=1, ensure_ascii=False) + "\n"
