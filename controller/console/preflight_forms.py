"""The questions of the preflight: what begins it, what a person enters, and why a check is passed over. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from controller import wording
from controller.console.forms import Filled, Form
from controller.console.live_forms import limits_line, read_limits
from controller.console.menu import Menu
from controller.messages import (
    AnswerPreflight,
    BeginPreflight,
    Limits,
    OverridePreflight,
    PreflightLine,
    PreflightView,
    RunPreflight,
)

Above = Callable[[], Menu] | None
"""The list that stays above a question, and is open again after it."""

_ENTRIES = {
    "sitter": "your initials",
    "participants": "a code, never a name; several with a space between",
    "touch": "the scope that was consented to beforehand, or  none",
    "limits": "none, or: no vocals, language de, tradition X, piece X, cap -6, headphones",
}


def begin_form(
    above: Above, programme: str = "", participants: tuple[str, ...] = (), hint: str = "", *, typed: bool = False
) -> Form:
    """Programme, then participants' codes; filled in with what the room is booked for, or what was typed before."""

    def read(name: str) -> Form:
        if not name:
            raise ValueError("a programme's name, as in playlists/")

        def codes(text: str) -> Filled:
            people = tuple(re.split(r"[ ,]+", text)) if text else ()
            for_whom = f" for {' and '.join(people)}" if people else ""
            act = BeginPreflight(programme=name, participants=people)
            again = partial(begin_form, above, name, people, typed=True)
            return Filled(act=act, words=f"preflight: {name}{for_whom}", participants=(), again=again)

        known = " ".join(participants) if name == programme or typed else ""
        hint = "participant's code; empty: later"
        return Form(title=f"Preflight {name}", hint=hint, read=codes, initial=known, above=above, codes=True)

    return Form(title="Preflight", hint=hint or "programme, e.g. psilocybin-25mg", read=read, initial=programme)


def entry_form(line: PreflightLine, view: PreflightView, above: Above) -> Form:
    """What only a person can say: who, what was consented to, what is not to be heard."""
    check = line.check
    kind, _, code = check.partition(".")

    def read(text: str) -> Filled:
        if not text:
            raise ValueError(_ENTRIES[kind])
        if kind != "limits":
            value = " ".join(text.replace(",", " ").split()) if kind == "participants" else text
            value = "none" if value.lower() == "none" else value
            return Filled(
                act=AnswerPreflight(check=check, value=value), words=f"{_name(check)}: {value}", participants=()
            )
        limits = Limits() if text.lower() == "none" else read_limits(text)
        told = wording.limits(limits) or "none"
        return Filled(act=AnswerPreflight(check=check, limits=limits), words=f"limits: {told}", participants=())

    known = {
        "participants": " ".join(view.participants),
        "touch": view.touch.get(code, ""),
        "limits": "" if view.limits is None else limits_line(view.limits) or "none",
    }.get(kind, "")
    title = _name(check)
    return Form(
        title=f"{title[:1].upper()}{title[1:]}", hint=_ENTRIES[kind], read=read, initial=known, above=above,
        codes=kind == "participants",
    )  # fmt: skip


def heard_form(line: PreflightLine, above: Above) -> Form:
    """Whether a bus was heard, on both sides."""

    def read(text: str) -> Filled:
        word = text.lower()
        if word in ("", "yes", "heard"):
            return Filled(
                act=AnswerPreflight(check=line.check, value="heard"), words=_name(line.check), participants=()
            )
        if word in ("no", "n"):
            act = AnswerPreflight(check=line.check, value="not_heard")
            return Filled(act=act, words=f"{_name(line.check)}: NOT", participants=())
        if word in ("a", "again"):
            return Filled(act=RunPreflight(check=line.check), words=f"{_bus(line)}: played again", participants=())
        raise ValueError("Enter: heard    again: play again    no: not heard")

    hint = "left, then right.  Enter: heard    again    no"
    return Form(title=f"{_bus(line).capitalize()}?", hint=hint, read=read, above=above)


def override_form(line: PreflightLine, above: Above) -> Form:
    """A reason to begin without a check."""

    def read(text: str) -> Filled:
        if not text:
            raise ValueError("a few words why, no names; or Esc")
        act = OverridePreflight(check=line.check)
        return Filled(act=act, words=f"{_name(line.check)}: OVERRIDDEN ({text})", participants=(), why=text)

    return Form(
        title=f"Without {_name(line.check)}",
        hint="why?",
        read=read,
        preview=True,
        above=above,
        beside=wording.preflight.how(line),
    )


def _name(check: str) -> str:
    return wording.preflight.check(check, short=True)


def _bus(line: PreflightLine) -> str:
    return line.check.partition(".")[2]
