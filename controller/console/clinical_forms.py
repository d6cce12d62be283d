"""One-line questions of what is clinical; `typed` reads what is answered. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial

from msgspec.structs import replace

from controller import bedside, wording
from controller.console.forms import Filled, Form
from controller.console.sitter_forms import Signing, pin_form
from controller.console.typed import (
    WHEN,
    Clock,
    late_words,
    read_dose,
    read_touch,
    read_vitals,
    taken_apart,
    vitals_line,
)
from controller.messages import (
    Challenge,
    Dose,
    Leave,
    Mark,
    Note,
    Release,
    Vitals,
    plain_fields,
    telling_words,
)


def note_form(pressed_t: float | None, clock: Clock, initial: str = "", *, blinded: bool = False) -> Form:
    """A few words; the time is the key's, or that behind an @. Words that would tell an arm are asked about once."""

    def read(text: str) -> Filled | Form:
        if not text:
            raise ValueError("write a few words, or Esc")
        filled = _note(text, pressed_t, clock)
        told = telling_words(text) if blinded else []
        if not told:
            return filled
        hint = f'"{told[0][1]}" may tell the arm: change it; Enter alone keeps it as it is'
        return Form(
            title="Blinded", hint=hint, read=lambda again: filled if again == text else read(again), initial=text
        )

    return Form(title="Note", hint=f"a few words, no names   {WHEN}", read=read, initial=initial)


def _note(text: str, pressed_t: float | None, clock: Clock) -> Filled:
    late = re.search(r" @ ?(\S+)$", text)
    if late is None:
        return Filled(act=Note(text=text, pressed_t=pressed_t), words=f"note '{text}'")
    ago_s = bedside.seconds_ago(late[1], clock())
    said = text[: late.start()].strip()
    return Filled(act=Note(text=said), words=f"note '{said}'{late_words(ago_s)}", ago_s=ago_s)


def of(form: Form, *codes: str) -> Form:
    """The same question, whose answer concerns these, whomever Tab chooses meanwhile."""

    def read(line: str) -> Filled | Form:
        answer = form.read(line)
        if isinstance(answer, Form):
            return of(answer, *codes)
        assert isinstance(answer, Filled)
        again = answer.again
        return replace(answer, participants=codes, again=(lambda: of(again(), *codes)) if again is not None else None)

    return replace(form, read=read)


# --- Vitals ---


def vitals_form(whom: str, last: Vitals | None, limits: tuple[tuple[str, float, float], ...], clock: Clock) -> Form:
    """One line, beside its limits and the last reading; nothing and a reason when they were missed."""
    title = f"Vitals of {whom}"

    def missed(line: str) -> Filled:
        said = taken_apart(line, clock)
        if not said.text:
            raise ValueError("a word why, or Esc")
        return Filled(act=Vitals(missed=said.text), words=f"missed: {said.text}", why=said.why, ago_s=said.ago_s)

    def read(line: str) -> Filled | Form:
        if not line:
            return Form(title=f"{title} missed", hint="why? asleep, asked not to, device ...", read=missed)
        said = taken_apart(line, clock)
        taken = read_vitals(said.text)
        codes = bedside.doubts(taken, last)
        kept = replace(taken, kept=" ".join(codes))
        beyond = [wording.beyond(one) for one in bedside.beyond_limits(limits, taken)]
        words = "  ".join((f"vitals {wording.read(taken)}{late_words(said.ago_s)}", *beyond))
        doubt = wording.doubts(codes, plain_fields(taken))
        return Filled(act=kept, words=words, why=said.why, ago_s=said.ago_s, doubt=doubt)

    before = f"last {vitals_line(plain_fields(last))}" if last else "none taken yet"
    told = wording.limits_words(limits)
    return Form(
        title=title, hint=f"120/80 72 98 36.8   empty: missed   {WHEN}", read=read,
        beside=f"{before}\nlimits {told}" if told else before,
    )  # fmt: skip


def whose_vitals_form(codes: tuple[str, ...], form_of: Callable[[str], Form], clock: Clock) -> Form:
    """The line first, and then whose it is: readings are one person's, and nobody looks before they type them."""

    def read(line: str) -> Form:
        if line:
            read_vitals(taken_apart(line, clock).text)

        def whose(text: str) -> Filled | Form:
            numbers = {str(at): code for at, code in enumerate(codes, 1)}
            code = next((code for code in codes if code.casefold() == text.casefold()), numbers.get(text))
            if code is None:
                raise ValueError(f"{told}: a digit, or the code")
            return of(form_of(code), code).read(line)  # type: ignore[return-value]

        told = "   ".join(f"{at} {code}" for at, code in enumerate(codes, 1))
        return Form(title=f"Whose is {line}?" if line else "Whose vitals are missed?", hint=told, read=whose)

    return Form(title="Vitals", hint=f"120/80 72 98 36.8   empty: missed   then whose   {WHEN}", read=read)


# --- Doses ---


def dose_form(
    whom: str, hints: str, besides: Callable[[Dose, float], Sequence[str]], clock: Clock, last: str = ""
) -> Form:
    """What was given, when, who saw it; reads it back and asks for Enter once more."""

    def read(line: str) -> Filled:
        said = taken_apart(line, clock)
        dose = read_dose(said.text)
        when = late_words(said.ago_s + dose.minutes_ago * 60.0) or ", now"
        told = f"{'dose ' if dose.part == 'dose' else ''}{wording.dose_words(_without_ago(dose))}{when}"
        over = ["outside its window"] if dose.override else []
        words = "; ".join((f"{whom}: {told}", *over, *besides(dose, said.ago_s + dose.minutes_ago * 60.0)))
        return Filled(act=dose, words=words, why=said.why, ago_s=said.ago_s)

    return Form(
        title=f"Dose for {whom}", hint=f"{hints}  , by CD: witness  {WHEN}", read=read, preview=True, beside=last
    )


def _without_ago(dose: Dose) -> dict[str, str | int | float]:
    """The dose's plain values without when it was."""
    return plain_fields(dose, ("minutes_ago",))


# --- Touch ---


def touch_form(whom: str, scope: str, going_on: str, clock: Clock) -> Form:
    """Where, perhaps how, and how long; the consented scope stands beneath before anything is typed."""

    def read(line: str) -> Filled:
        said = taken_apart(line, clock)
        act = read_touch(said.text)
        outside = act.outside if act.outside is not None else not bedside.covers(scope, act.touch, act.where)
        beyond = ", OUTSIDE SCOPE: noted as that" if outside and act.part != "stop" else ""
        told = wording.touch_words(plain_fields(act, ("outside",)))
        words = f"{whom}: {told}{beyond}{late_words(said.ago_s)}"
        return Filled(act=act, words=words, why=said.why, ago_s=said.ago_s)

    now = f"   now: {going_on}" if going_on else ""
    return Form(
        title=f"Touch of {whom}", hint=f"held hand 3 min   start hand   stop   {WHEN}", read=read, preview=True,
        beside=f"consented: {scope or 'NO SCOPE WAS ENTERED'}{now}   (inside, outside: as you judge it)",
    )  # fmt: skip


# --- When ---


def when_form(title: str, filled: Filled, clock: Clock) -> Form:
    """Enter: now; or how long ago, or the wall time."""

    def read(line: str) -> Filled:
        said, _, why = (part.strip() for part in line.partition(";"))
        ago_s = bedside.seconds_ago(said.removeprefix("@"), clock()) if said else 0.0
        return replace(filled, ago_s=ago_s, why=why or filled.why, words=f"{filled.words}{late_words(ago_s)}")

    return Form(title=title, hint="Enter: now    or 12 (minutes ago), or 14:41    ; and why", read=read)


def challenge_form(whom: str, *, ends: bool, clock: Clock) -> Form:
    """It begins or ends, now or a while ago."""
    word = "ends" if ends else "begins"
    act = Challenge(part="end" if ends else "start")
    title = f"Challenging experience of {whom} {word}"
    filled = Filled(act=act, words=f"{whom}: challenging experience {word}", participants=(whom,))
    return when_form(title, filled, clock)


def late_mark_form(code: str, label: str, clock: Clock) -> Form:
    """When a mark was."""
    return when_form(f"Mark: {label}", Filled(act=Mark(code=code), words=label), clock)


# --- Who goes ---


def release_form(whom: str, against: Sequence[str], *, signs_on: bool = False) -> Form:
    """Enter alone where nothing stands against it; otherwise reason and the second person.

    Where sitters sign on (`signs_on`) the second sitter's PIN is asked for, and Enter behind it is the confirmation.
    """
    if not against:
        filled = Filled(act=Release(), words=f"{whom} released", participants=(whom,))
        return Form(title=f"Release {whom}", hint="all is met. Enter: released    Esc: back", read=lambda _: filled)

    def read(line: str) -> Filled | Form:
        text, _, why = (part.strip() for part in line.partition(";"))
        found = re.fullmatch(r"(.+?)[, ]+(with|desk) (\w+)", text, re.IGNORECASE)
        if not found:
            raise ValueError("a reason, then with AB (the second here), or desk AB (at the support desk)")
        reason, second, desk = found[1].strip(), found[3].upper(), found[2].lower() == "desk"
        act = Release(override=True, reason=reason, second=second, desk=desk)
        words = (
            f"{whom} released by OVERRIDE with {second}{' of the desk' if desk else ''}, although {'; '.join(against)}"
        )
        again = partial(replace, form, initial=line)
        filled = Filled(act=act, words=words, participants=(whom,), why=why, again=again)
        return filled if desk or not signs_on else pin_form(Signing(initials=second, purpose="second", then=filled))

    form = Form(
        title=f"Override release of {whom}", hint="reason, with AB   or   reason, desk AB   ; more words", read=read,
        preview=True, beside=f"not met: {'; '.join(against)}",
    )  # fmt: skip
    return form


def leave_form(whom: str, clock: Clock) -> Form:
    """Condition, who was told, how they get home; one person's word is enough."""

    def read(line: str) -> Filled:
        said = taken_apart(line, clock)
        parts = {"condition": "", "told": "", "transport": ""}
        for part in filter(None, (part.strip() for part in said.text.split(","))):
            word, _, rest = part.partition(" ")
            if word.lower() in ("told", "transport") and rest:
                parts[word.lower()] = rest.strip()
            elif not parts["condition"]:
                parts["condition"] = part
            else:
                raise ValueError(f'"{part}": how, told whom, transport how')
        act = Leave(condition=parts["condition"], told=parts["told"], transport=parts["transport"])
        told = wording.fact("leave", {**plain_fields(act), "participants": whom})[1]
        return Filled(
            act=act, words=f"{told}{late_words(said.ago_s)}", participants=(whom,), why=said.why, ago_s=said.ago_s
        )

    hint = f"steady, told AB, transport taxi   {WHEN}   ; why"
    return Form(title=f"{whom} leaves", hint=hint, read=read, preview=True)
