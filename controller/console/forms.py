"""One-line questions: what may be typed, what it means, and what it will do, before Enter does it. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from controller.console.menu import Menu
from controller.messages import Act, Dose, DosePart, End, Note, Quiet, Start, Vitals, telling_words
from controller.wording.live import PARTS

if TYPE_CHECKING:
    from controller.console.sitter_forms import Signing


@dataclass(frozen=True, kw_only=True, slots=True)
class Filled:
    """A form's answer: the act, whom it concerns (None: whoever is chosen), and its name for the answer line.

    `doubt`: what of it may be a slip; it is asked about, and never refused.
    """

    act: Act
    words: str
    participants: tuple[str, ...] | None = None
    why: str = ""
    doubt: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Form:
    """One question. `read` gives the answer or the next question, and raises ValueError with what is wrong.

    `preview`: ask for a second Enter after showing what will be done. `closes_after_s`: answers no by itself.
    `masked`: what is typed is secret: digits alone, shown as dots.
    `above`: the list that stays above it and is open again after it, answered or not.
    `lists`: what fits the letters typed so far, as a menu above the line, of which Enter does the chosen line.
    """

    title: str
    hint: str
    read: Callable[[str], Filled | Form | Signing]
    preview: bool = False
    initial: str = ""
    closes_after_s: float | None = None
    lists: Callable[[str], Menu] | None = None
    masked: bool = False
    above: Callable[[], Menu] | None = None


def note_form(pressed_t: float | None, initial: str = "", *, blinded: bool = False) -> Form:
    """A few words; the time is that of the key. In a blinded session words that would tell are asked about once."""

    def read(text: str) -> Filled | Form:
        if not text:
            raise ValueError("write a few words, or Esc")
        filled = Filled(act=Note(text=text, pressed_t=pressed_t), words=f"note '{text}'")
        told = telling_words(text) if blinded else []
        if not told:
            return filled
        hint = f'"{told[0][1]}" may tell the arm: change it; Enter alone keeps it as it is'
        return Form(
            title="Blinded", hint=hint, read=lambda again: filled if again == text else read(again), initial=text
        )

    return Form(title="Note", hint="a few words, no names", read=read, initial=initial)


_PRESSURE = re.compile(r"^(\d{2,3})[/-](\d{2,3})$")
_BARE = ("pulse", "spo2")
"""What a bare number means, in order."""

PLAUSIBLE: dict[str, tuple[str, float, float]] = {
    "systolic": ("systolic", 70, 220), "diastolic": ("diastolic", 40, 130), "pulse": ("pulse", 35, 180),
    "spo2": ("SpO2", 85, 100), "celsius": ("temperature", 34.5, 41.0),
}  # fmt: skip
"""Between what a reading is noted without a question. Our judgement: outside it a slip of the finger is as likely."""


def read_vitals(text: str) -> Vitals:
    """Vitals of a line such as "120/80 72 98 36.8": pressure, pulse, SpO2, temperature.

    The first whole number is the pulse, the second SpO2, one with a decimal point or comma the temperature. Raises
    ValueError for a word that is no reading.
    """
    pressure: tuple[int, int] | None = None
    bare: list[int] = []
    celsius: float | None = None
    for word in text.split():
        if found := _PRESSURE.match(word):
            pressure = int(found[1]), int(found[2])
        elif re.fullmatch(r"\d{2}[.,]\d+", word):
            celsius = float(word.replace(",", "."))
        elif re.fullmatch(r"\d{1,3}", word) and len(bare) < len(_BARE):
            bare.append(int(word))
        else:
            raise ValueError(f'"{word}" is no reading')
    return Vitals(
        systolic=pressure[0] if pressure else None,
        diastolic=pressure[1] if pressure else None,
        pulse=bare[0] if bare else None,
        spo2=bare[1] if len(bare) > 1 else None,
        celsius=celsius,
    )


def doubtful(vitals: Vitals) -> str:
    """What of these readings may be a slip of the finger, in words; "" for nothing."""
    told = [
        f"{name} {value:g}"
        for key, (name, low, high) in PLAUSIBLE.items()
        if (value := getattr(vitals, key)) is not None and not low <= value <= high
    ]
    if vitals.systolic and vitals.diastolic and vitals.systolic <= vitals.diastolic:
        told.append(f"{vitals.systolic} over {vitals.diastolic}")
    return ", ".join(told)


def vitals_form() -> Form:
    """One line; nothing and a reason when they were missed."""

    def missed(reason: str) -> Filled:
        if not reason:
            raise ValueError("a word why, or Esc")
        return Filled(act=Vitals(missed=reason), words=f"vitals missed: {reason}")

    def read(text: str) -> Filled | Form:
        if not text:
            return Form(title="Vitals missed", hint="why? asleep, asked not to, device ...", read=missed)
        vitals = read_vitals(text)
        return Filled(act=vitals, words=f"vitals {text}", doubt=doubtful(vitals))

    return Form(title="Vitals", hint="120/80 72 98 36.8    (BP, pulse, SpO2, °C)    empty: missed", read=read)


_AGO = re.compile(r"[, ]+(\d+)(?: ?min(?:utes)?)? ago\b", re.IGNORECASE)
_WITNESS = re.compile(r"[, ]+(?:by|witness) (\S+)", re.IGNORECASE)
_AMOUNT = re.compile(r"^(\d+(?:[.,]\d+)?) ?([^\W\d]+)(?:[, ]+([A-Z]{2,3}))?$")
"""Capitals alone behind the unit are a witness's initials; they are shown before anything is noted."""


_PARTS: dict[str, DosePart] = {"booster": "booster", "device": "device", "start": "start", "stop": "stop"}


def read_dose(text: str) -> Dose:
    """A dose of a line such as "25 mg", "kit K-17, 5 ago, by AB", "booster 60 mg", "stop 2 ago".

    Raises ValueError for anything else.
    """
    rest = f" {text}"
    ago = _AGO.search(rest)
    rest = _AGO.sub("", rest)
    witness = _WITNESS.search(rest)
    rest = _WITNESS.sub("", rest).strip(" ,")
    override = rest.lower().endswith(" override")
    rest = rest[: -len(" override")].rstrip(" ,") if override else rest
    word, _, behind = rest.partition(" ")
    part = _PARTS.get(word.lower().strip(","), "dose")
    rest = behind.strip(" ,") if part != "dose" else rest
    given = Dose(
        minutes_ago=float(ago[1]) if ago else 0.0, witness=witness[1].strip(",") if witness else "", part=part,
        override=override,
    )  # fmt: skip
    if not rest and part in ("device", "start", "stop"):
        return given
    if amount := _AMOUNT.match(rest):
        by = given.witness or amount[3] or ""
        return replace(given, amount=float(amount[1].replace(",", ".")), unit=amount[2], witness=by)
    kit = re.fullmatch(r"(?:kit )?(\S+)", rest, re.IGNORECASE)
    if kit and not kit[1].replace(".", "").isdigit() and kit[1].lower() != "kit":
        return replace(given, kit=kit[1])
    raise ValueError("an amount with its unit (25 mg), or a kit (kit K-17)")


_HINTS = {
    "dose": "25 mg or kit K-17",
    "device": "device 28 mg",
    "start": "start 20 mg or stop",
    "booster": "booster 40 mg",
}


_KIT_HINTS = {
    "dose": "kit K-17",
    "device": "device kit K-17",
    "start": "start kit K-17 or stop",
    "booster": "booster kit K-18",
}
"""Kit numbers, never amounts."""


def dose_form(whom: str, parts: tuple[str, ...] = ("dose",), *, blinded: bool = False) -> Form:
    """What was given, minutes ago, witness; shows what it understood and asks for Enter once more."""

    def read(text: str) -> Filled:
        said, _, why = (part.strip() for part in text.partition(";"))
        dose = read_dose(said)
        what = f"kit {dose.kit}" if dose.kit else f"{dose.amount:g} {dose.unit}" if dose.amount is not None else ""
        kind = "dose" if dose.part == "dose" else PARTS[dose.part]
        when = f", taken {dose.minutes_ago:g} min ago" if dose.minutes_ago else ", now"
        by = f", witness {dose.witness}" if dose.witness else ""
        over = ", outside its window" if dose.override else ""
        return Filled(act=dose, words=f"{kind} {what}".rstrip() + f"{when}{by}{over}", why=why)

    known = _KIT_HINTS if blinded else _HINTS
    hints = " or ".join(known[part] for part in parts if part in known)
    hint = f"{hints}  then: , 5 ago, by AB"
    return Form(title=f"Dose for {whom}", hint=hint, read=read, preview=True)


def quiet_form() -> Form:
    """How long a silence lasts that is already there."""

    def read(text: str) -> Filled:
        if not text:
            return Filled(act=Quiet(), words="silence until r")
        if not text.isdigit() or not 1 <= int(text) <= 240:
            raise ValueError("whole minutes, 1 to 240")
        return Filled(act=Quiet(minutes=float(text)), words=f"silence for {text} min")

    return Form(title="Silence", hint="for how many minutes?    empty: until r", read=read)


def start_form(programme: str = "", participants: tuple[str, ...] = (), hint: str = "") -> Form:
    """Programme, then participants' codes, then Enter once more; filled in with what is known."""

    def read(name: str) -> Form:
        if not name:
            raise ValueError("a programme's name, as in playlists/")

        def codes(text: str) -> Filled:
            people = tuple(re.split(r"[ ,]+", text)) if text else ()
            if not people:
                raise ValueError("a code, never a name; several with a space between")
            words = f"{name} for {' and '.join(people)}"
            return Filled(act=Start(programme=name, participants=people), words=words, participants=people)

        known = " ".join(participants) if name == programme else ""
        return Form(title=f"Start {name}", hint="participant's code; several with a space between", read=codes,
                    preview=True, initial=known)  # fmt: skip

    hint = hint or "programme, e.g. psilocybin-25"
    return Form(title="Start a session", hint=hint, read=read, initial=programme)


END_CLOSES_S = 10.0


def end_form() -> Form:
    """Ends the session only for the typed word; answers no by itself."""

    def read(text: str) -> Filled:
        if text.lower() != "end":
            raise ValueError("type  end  and Enter; Esc goes back")
        return Filled(act=End(), words="end of the session", participants=())

    return Form(
        title="End the session", hint="music fades, light comes up. Type  end  and Enter. Closes by itself in 10 s.",
        read=read, closes_after_s=END_CLOSES_S,
    )  # fmt: skip


def stand_down_form(filled: Filled) -> Form:
    """Enter alone stands a call down."""
    return Form(title="Stand the call down?", hint="Enter: nobody needs to come any more", read=lambda _text: filled)
