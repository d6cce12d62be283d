"""The questions of who is on duty: initials, PIN, handover, break. A PIN is typed hidden, and only sent on. Pure.

The 0 that a PIN begins with opens its question wherever no text is asked for; see `sitters.register`.
"""

from __future__ import annotations

import re
from dataclasses import field
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from controller.console.forms import Filled, Form
from controller.messages import BreakBegun, Status

BEGUN = "its 0 is there: the other digits"
"""Where the key that opened the question is the PIN's first digit already."""

_INITIALS = re.compile(r"[A-Z]{2,4}")
_PIN = re.compile(r"0[0-9]{4,12}")


class Signing(Struct, frozen=True, kw_only=True):
    """A PIN that was typed, and what it is for; see `Client.sign_on`."""

    initials: str
    pin: str = field(default="", repr=False)
    purpose: Literal["duty", "unlock", "hand_over", "second"] = "duty"
    leaves: str = ""
    why: str = ""
    then: Filled | None = None
    """What is sent once the PIN was right."""


def read_initials(text: str) -> str:
    """Initials, in whatever case they were typed. Raises ValueError."""
    initials = text.upper()
    if not _INITIALS.fullmatch(initials):
        raise ValueError("initials: two to four letters, such as AB")
    return initials


def is_pin(text: str) -> bool:
    """Whether this can be a PIN."""
    return _PIN.fullmatch(text) is not None


def may_become_pin(text: str) -> bool:
    """Whether this is a PIN, or the beginning of one."""
    return text.startswith("0") and text.isdecimal()


def _read_pin(text: str) -> str:
    if not is_pin(text):
        raise ValueError("a PIN is 0, then 4 to 12 digits")
    return text


def pin_form(signing: Signing) -> Form:
    """The PIN of somebody, hidden while it is typed."""

    def read(text: str) -> Signing:
        return replace(signing, pin=_read_pin(text))

    return Form(
        title=f"PIN of {signing.initials}", hint="Space still pauses, c still calls", read=read, masked=True,
        beside=signing.then.words if signing.then else "",
    )  # fmt: skip


def sign_on_form(signing: Signing | None = None, typed: str = "") -> Form:
    """The PIN, then whose it is: what is typed first is hidden, whatever somebody takes it to be."""
    then = signing.then.words if signing and signing.then else ""

    def read(text: str) -> Form:
        pin = _read_pin(text)

        def whose(text: str) -> Signing:
            return replace(signing or Signing(initials=""), initials=read_initials(text), pin=pin)

        hint = "whose PIN that was: your initials"
        return Form(title="Sign on", hint=hint, read=whose, beside=then, secret=True)

    return Form(
        title="Sign on: your PIN", hint=f"{BEGUN if typed else '0 and your digits'}, then your initials", read=read,
        masked=True, initial=typed, beside=then,
    )  # fmt: skip


def unlock_form(initials: str, typed: str = "") -> Form:
    """The PIN of whoever was here, begun with what was `typed` of it; nothing at all: somebody else."""
    other = sign_on_form(Signing(initials="", purpose="unlock"), typed)
    if not initials:
        return replace(other, title="Unlock: your PIN")
    known = pin_form(Signing(initials=initials, purpose="unlock"))

    def read(text: str) -> Signing | Form:
        return known.read(text) if text else replace(other, initial="")  # type: ignore[return-value]

    hint = "or empty: somebody else signs on"
    return replace(known, title=f"Unlock: PIN of {initials}", hint=hint, read=read, initial=typed)


def hand_over_form(status: Status, here: str) -> Form:
    """Who leaves (where that is not clear), who takes over, a note for them, and their PIN."""
    on_duty = [sitter.initials for sitter in status.sitters]

    def leaves(text: str) -> Form:
        who = read_initials(text)
        if who not in on_duty:
            raise ValueError(f"on duty: {', '.join(on_duty)}")
        return _takes_over(who)

    if here or len(on_duty) == 1:
        return _takes_over(here or on_duty[0])
    return Form(title="Hand over", hint=f"who leaves? on duty: {', '.join(on_duty)}", read=leaves)


def _takes_over(leaves: str) -> Form:
    def to(text: str) -> Form:
        who = read_initials(text)
        if who == leaves:
            raise ValueError(f"{who} has it already")

        def note(words: str) -> Form:
            return pin_form(Signing(initials=who, purpose="hand_over", leaves=leaves, why=words))

        return Form(title=f"{leaves} to {who}", hint="a few words for the record, no names; empty: none", read=note)

    return Form(title=f"{leaves} hands over", hint="to whom? their initials, then their PIN", read=to)


_COVER = re.compile(r"\bcover ([a-z]+)\b", re.IGNORECASE)


def break_form(status: Status, here: str) -> Form:
    """Minutes, who stays, and who goes where that is not whoever is signed on here."""

    def read(text: str) -> Filled:
        cover = _COVER.search(text)
        minutes: float | None = None
        goes = here
        for word in _COVER.sub("", text).replace(",", " ").split():
            if word.isdigit():
                minutes = float(word)
            else:
                goes = read_initials(word)
        stays = read_initials(cover[1]) if cover else ""
        length = status.break_minutes if minutes is None else minutes
        words = f"{goes} out for {length:g} min" + (f", cover {stays}" if stays else "")
        return Filled(act=BreakBegun(initials=goes, minutes=minutes, cover=stays), words=words, participants=())

    hint = f"minutes (usual {status.break_minutes:g}); cover EF: stays meanwhile; CD: goes instead"
    return Form(title=f"Break of {here}".rstrip(" of"), hint=hint, read=read)
