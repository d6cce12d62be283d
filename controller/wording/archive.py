"""The words of the written record: signed, added to, redacted, backed up, removed when its time is over."""

from __future__ import annotations

from controller.wording.quantities import counted
from controller.wording.reasons import why_words
from controller.wording.templates import Template, Values, figure, text

MEANINGS: dict[str, str] = {"reviewed": "reviewed and complete"}


def _signed(values: Values) -> str:
    meaning = text(values, "meaning") or "reviewed"
    return f"signed off after record {text(values, 'after')}: {MEANINGS.get(meaning, meaning)}"


def _added(values: Values) -> str:
    amends = values.get("amends")
    return f"amends record {text(values, 'amends')}" if amends else "late entry to the closed record"


def _backed_up(values: Values) -> str:
    if not values.get("ok"):
        return f"NOT made at {text(values, 'place')}{why_words(values)}"
    mebibytes = float(values.get("bytes") or 0) / 1024**2
    return f"{_count(values, 'sessions', 'session')} at {text(values, 'place')}, {mebibytes:.1f} MiB copied, read back"


def _count(values: Values, key: str, one: str, many: str = "") -> str:
    return counted(figure(values, key) or 0, one, many)


_GOES = {
    "records": ("record",),
    "sheets": ("file of sheets", "files of sheets"),
    "copies": ("of its damaged copies",) * 2,
}
"""What goes of a session; of one that only damaged copies are left of, perhaps nothing else."""


def _removed(values: Values) -> str:
    held = " and ".join(_count(values, name, *words) for name, words in _GOES.items() if values.get(name))
    return f"session of {text(values, 'opened')} ({held}) after {_count(values, 'days', 'day')}"


REFUSALS: dict[str, Template] = {
    "unknown_record": "there is no session {session}",
    "record_open": "session {session} is not closed: sign, add and remove only what is closed",
    "record_damaged": "session {session} does not verify: `stillroom journal verify` says where",
    "no_signer": "under whose initials? sign on first, or start with --person",
    "no_text": "record {seq} of {session} has no text that could be redacted",
    "no_such_seq": "{session} has no record {seq}",
    "no_reason": "a reason is needed",
    "record_changed": "session {session} is not as it was when it was looked at: look again",
    "not_kept": "session {session} is neither signed nor in a backup that is there and holds it as it is: it stays",
    "not_over": "the time of session {session} is not over by the room's own rule and clock: it stays",
    "clock_unsure": "this computer's clock is not synchronised now: nothing is removed by it",
    "no_such_backup": "the room finds no such backup at {place}; its own user has to be able to read it",
}

FACTS: dict[str, tuple[str, Template]] = {
    "sign_off": ("signed", _signed),
    "addendum": ("late", _added),
    "redaction": ("redact", "the text of record {seq} was blanked"),
    "backed_up": ("backup", _backed_up),
    "retention": ("removed", "sessions whose time is over"),
    "session_removed": ("removed", _removed),
}

ALARMS: dict[str, Template] = {
    "backup": lambda v: (
        f"BACKUP: the last good one is {_count(v, 'days', 'day')} old"
        if text(v, "days")
        else f"BACKUP could not be made{why_words(v)}"
    ),
    "retention": lambda v: f"RETENTION could not be looked after{why_words(v)}",
}
