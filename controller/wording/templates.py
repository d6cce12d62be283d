"""How a code and its values become a sentence, whatever table the code is in."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from controller.wording.quantities import number

Values = Mapping[str, str | float]
Template = str | Callable[[Values], str]


def worded(table: Mapping[str, Template], code: str, values: Values) -> str:
    """The sentence of a code; the code itself and its values where the table lacks it."""
    template = table.get(code)
    return fallback(code, values) if template is None else filled(template, values)


def filled(template: Template, values: Values) -> str:
    """A template with its values; a missing one leaves nothing behind."""
    if callable(template):
        return template(values)
    return template.format_map(_Lenient({key: number(value) for key, value in values.items()})).strip()


class _Lenient(dict[str, str]):
    """A value that is missing leaves nothing behind."""

    def __missing__(self, key: str) -> str:
        return ""


def fallback(code: str, values: Values) -> str:
    """A code that has no words, with all its values."""
    told = ", ".join(f"{key} {number(value)}" for key, value in values.items() if value not in ("", None))
    return f"{code.replace('_', ' ')}{': ' if told else ''}{told}"


def kind_of(code: str) -> str:
    """The kind word of a code that has none of its own."""
    return code.split("_", maxsplit=1)[0][:7]


def text(values: Values, key: str) -> str:
    """A value as text; "" where it is missing."""
    value = values.get(key)
    return "" if value is None else number(value)


def figure(values: Values, key: str) -> float | None:
    """A value as a number; None where it is missing or is none."""
    value = values.get(key)
    return value if isinstance(value, float | int) else None


def whose(values: Values, told: str) -> str:
    """What is told, with the codes of whom it concerns."""
    whom = text(values, "participants") or text(values, "participant")
    return f"{told}  ({whom.replace(',', ', ')})" if whom else told


def nearest(what: str, key: str) -> Callable[[Values], str]:
    """A template for a name that nobody knows: what it may have meant, or what there is."""

    def words(values: Values) -> str:
        told = f'no {what} "{text(values, key)}"' if text(values, key) else f"no such {what}"
        if text(values, "nearest"):
            return f'{told}; did you mean "{text(values, "nearest")}"?'
        return f"{told}; there is {text(values, 'allowed')}" if text(values, "allowed") else told

    return words
