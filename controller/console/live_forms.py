"""One-line questions of a session that is followed live. What stands behind a semicolon is the reason. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable

from msgspec.structs import replace

from controller import wording
from controller.console.forms import Filled, Form
from controller.messages import Land, Limits, SetLimits

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
    """Over how many minutes; for Enter alone those that the programme says."""

    def read(text: str) -> Filled:
        if not text:
            return Filled(act=Land(), words=f"land over {usual:g} min", participants=())
        if not text.isdigit() or not 1 <= int(text) <= 240:
            raise ValueError("whole minutes, 1 to 240")
        return Filled(act=Land(minutes=float(text)), words=f"land over {text} min", participants=())

    return Form(title="Land", hint=f"over how many minutes?    empty: {usual:g}{REASON}", read=with_why(read))


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
