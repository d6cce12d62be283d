"""The labels for the keys of a console's keyboard, from the table of actions: as data, and as plain text."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from controller.console.doing.action import Action
from controller.console.doing.table import in_menus, ordered, path

CAPS: dict[str, str] = {
    "space": "Space", "tab": "Tab", "enter": "Enter", "escape": "Esc", "backspace": "⌫", "up": "↑", "down": "↓",
    "left": "←", "right": "→", "pageup": "PgUp", "pagedown": "PgDn",
}  # fmt: skip
"""What stands on a key that is no letter."""

KEY_MM = 13.0
"""A keycap's upper side; keys stand 19.05 mm apart (ISO/IEC 9995 leaves the size open, makers keep to it)."""

WIDE_MM = {"space": 60.0, "tab": 21.0, "enter": 21.0, "backspace": 21.0}


class Label(Struct, frozen=True, kw_only=True):
    """What is stuck on one key: its cap and its word. `loud`: calls and pause, which are found first."""

    cap: str
    word: str
    wide_mm: float = KEY_MM
    loud: bool = False


def labels(marks: Sequence[tuple[str, str]] = ()) -> list[Label]:
    """One label a key, in the order of the key rows. `marks`: (code, label) of a programme, for the digits."""
    found = [label for action in ordered() for label in _of(action, marks)]
    return [*found, Label(cap="Esc", word="back")]


def _of(action: Action, marks: Sequence[tuple[str, str]]) -> list[Label]:
    if action.name == "mark":
        words = [label for _, label in marks] or ["mark"] * len(action.keys)
        return [Label(cap=key, word=word) for key, word in zip(action.keys, words, strict=False)]
    keys = [key for key in (*action.keys, *action.anywhere) if "+" not in key and key != ":"]
    does = action.caps or (action.short or action.long,) * len(keys)
    loud = action.name in ("call", "emergency", "pause")
    return [
        Label(cap=CAPS.get(key, key.upper()), word=word, wide_mm=WIDE_MM.get(key, KEY_MM), loud=loud)
        for key, word in zip(keys, does, strict=True)
    ]


def as_text(marks: Sequence[tuple[str, str]] = ()) -> str:
    """The labels, and everything that has no key with its way through the menus, a line each."""
    lines = ["Keys of the console", ""]
    lines += [f"  {label.cap:<6} {label.word}" for label in labels(marks)]
    lines += ["", "In the menus", ""]
    lines += [f"  {path(action):<6} {action.long}: {action.help}" for action in in_menus()]
    return "\n".join(lines)
