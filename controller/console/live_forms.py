"""One-line questions of a session that is followed live. What stands behind a semicolon is the reason. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from controller import wording
from controller.console.forms import Filled, Form
from controller.messages import CorrectDose, Land, Leave, Limits, ParticipantView, SetLimits

REASON = "    ; and why"


def with_why(read: Callable[[str], Filled | Form]) -> Callable[[str], Filled | Form]:
    """The same question, whose line may end in "; a reason"."""

    def split(text: str) -> Filled | Form:
        said, _, why = (part.strip() for part in text.partition(";"))
        answer = read(said)
        if isinstance(answer, Form) or not why:
            return answer
        return replace(answer, why=why, words=f"{answer.words} ({why})")

    return split


def land_form(usual: float) -> Form:
    """Over how many minutes."""

    def read(text: str) -> Filled:
        if not text.isdigit() or not 1 <= int(text) <= 240:
            raise ValueError("whole minutes, 1 to 240")
        return Filled(act=Land(minutes=float(text)), words=f"land over {text} min", participants=())

    return Form(title="Land", hint=f"over how many minutes?    usual: {usual:g}{REASON}", read=with_why(read))


_AGO = re.compile(r"(\d+)(?: ?min)?(?: ago)?")
_BY = re.compile(r"([+-]\d+)(?: ?min)?")


def correct_form(person: ParticipantView) -> Form:
    """The true minute of the last dose, shown before it is noted."""

    def read(text: str) -> Filled:
        if by := _BY.fullmatch(text):
            act = CorrectDose(dose=person.last_dose, by_minutes=float(by[1]))
            minutes = abs(int(by[1]))
            told = f"taken {minutes} min {'earlier' if int(by[1]) < 0 else 'later'} than was noted"
        elif ago := _AGO.fullmatch(text):
            act = CorrectDose(dose=person.last_dose, minutes_ago=float(ago[1]))
            told = f"taken {ago[1]} min ago"
        else:
            raise ValueError("minutes ago (42), or by how much it moves (-17)")
        return Filled(act=act, words=f"dose of {person.code} {told}", participants=(person.code,))

    hint = f"how many minutes ago? or -17: earlier{REASON}"
    return Form(title=f"Dose of {person.code}", hint=hint, read=with_why(read), preview=True)


def leave_form(code: str) -> Form:
    """Condition, and who was told."""

    def read(text: str) -> Filled:
        said, _, told = text.partition(",")
        initials = told.strip().removeprefix("told").strip()
        act = Leave(condition=said.strip(), told=initials)
        by = f", told {initials}" if initials else ""
        return Filled(act=act, words=f"{code} leaves: {act.condition or 'no word on how'}{by}", participants=(code,))

    hint = f"how, in a word or two, told whom:  steady, told AB{REASON}"
    return Form(title=f"{code} leaves", hint=hint, read=with_why(read), preview=True)


_LISTS = {"language": "languages", "tradition": "traditions", "piece": "pieces"}


def read_limits(text: str) -> Limits:
    """Limits of a line such as "no vocals, language de, tradition sufi, cap -6, headphones".

    Raises ValueError for a word that it does not know.
    """
    found: dict[str, tuple[str, ...]] = {}
    flags: dict[str, bool] = {}
    cap = 0.0
    for part in filter(None, (part.strip() for part in text.split(","))):
        word, _, rest = part.partition(" ")
        rest = rest.strip()
        if part.lower() in ("no vocals", "no voice"):
            flags["no_vocals"] = True
        elif part.lower() in ("headphones", "headphones only"):
            flags["headphones_only"] = True
        elif word.lower() == "cap" and re.fullmatch(r"-?\d+(\.\d+)?( ?db)?", rest, re.IGNORECASE):
            cap = -abs(float(re.match(r"-?[\d.]+", rest)[0]))  # type: ignore[index]
        elif word.lower() in _LISTS and rest:
            key = _LISTS[word.lower()]
            found[key] = (*found.get(key, ()), rest)
        else:
            raise ValueError(f'"{part}": no vocals, language X, tradition X, piece X, cap -6, headphones')
    return Limits(volume_cap_db=cap, **flags, **found)  # type: ignore[arg-type]


def limits_line(limits: Limits) -> str:
    """The line that `read_limits` reads these limits from."""
    parts = ["no vocals"] if limits.no_vocals else []
    parts += [f"{word} {one}" for word, key in _LISTS.items() for one in getattr(limits, key)]
    parts += [f"cap {limits.volume_cap_db:g}"] if limits.volume_cap_db else []
    parts += ["headphones"] if limits.headphones_only else []
    return ", ".join(parts)


def limits_form(limits: Limits) -> Form:
    """What is not wanted to be heard, in the place of what was said before; shown before it is noted."""

    def read(text: str) -> Filled:
        wanted = read_limits(text)
        told = wording.limits(wanted) or "no limits"
        return Filled(act=SetLimits(limits=wanted), words=f"limits: {told}", participants=())

    hint = "no vocals, language de, tradition X, piece X, cap -6, headphones"
    return Form(title="Limits", hint=hint, read=with_why(read), preview=True, initial=limits_line(limits))
