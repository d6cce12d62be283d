"""What a participant is called: a code, wherever one is typed. A name is refused, and not kept."""

from __future__ import annotations

import re
from collections.abc import Iterable

from controller.messages import Refused, RoomRules

_CODE = re.compile(r"(?=.*\d)[\w.-]{1,24}")
_LETTERS = re.compile(r"[^\W\d_]+")
_MOST_CAPITALS = 5


def looks_like_a_code(text: str) -> bool:
    """Whether a participant is named by a code ("C-0412", "COMP-001-7b") and not by a name (our judgement).

    A code has a digit and no space; its letters stand alone or are up to five capitals.
    """
    letters = _LETTERS.findall(text)
    spelt = all(len(run) == 1 or (run.isupper() and len(run) <= _MOST_CAPITALS) for run in letters)
    return spelt and _CODE.fullmatch(text) is not None


def check_are_codes(rules: RoomRules, participants: Iterable[str]) -> None:
    """Raise Refused for what is no code of this room: the refusal does not repeat it, for it may be a name."""
    for code in participants:
        well = re.fullmatch(rules.code_pattern, code) if rules.code_pattern else looks_like_a_code(code)
        if not well:
            raise Refused("not_a_code")
