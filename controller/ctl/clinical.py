"""`stillroom ctl`, the verbs of what is clinical: touch, events, corrections, release, and the sheet for paramedics."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast, get_args

import typer
from msgspec.structs import replace

from controller import bedside, wording
from controller.ctl.asking import Person, seconds_ago, seen
from controller.ctl.signing import SecondPinFrom, second_source
from controller.ctl.verb import verb
from controller.messages import (
    Act,
    AdverseEvent,
    Amend,
    Challenge,
    CorrectDose,
    Dose,
    DosePart,
    Leave,
    Mark,
    Needed,
    Note,
    Related,
    Release,
    Touch,
    UpdateEvent,
    Vitals,
    plain_fields,
)
from controller.options import StateDir, fail
from controller.places import STATE
from controller.wording.handover import sheet_of, sheet_text

Entry = Annotated[int, typer.Argument(help="Number of the record.")]
NeededBy = Annotated[list[str] | None, typer.Option("--needed", help="none, rescue, provider, emergency, transport.")]


app = typer.Typer()


def _one_of(what: str, said: str, allowed: tuple[str, ...]) -> str:
    if said not in allowed:
        fail(f'"{said}" is no {what}; allowed: {", ".join(allowed)}')
    return said


def _pressure(said: str) -> tuple[int | None, int | None]:
    if not said:
        return None, None
    try:
        high, low = said.split("/")
        return int(high), int(low)
    except ValueError:
        fail(f'"{said}" is no blood pressure; write it like 120/80')


def _minutes_ago(said: str) -> float | None:
    return seconds_ago(said) / 60.0 if said else None


def _needed(said: list[str]) -> tuple[Needed, ...]:
    return tuple(cast(Needed, _one_of("need", one, get_args(Needed))) for one in said)


@verb(app, whom=True, ago=True)
def dose(
    amount: Annotated[float | None, typer.Argument(help="How much.")] = None,
    unit: Annotated[str, typer.Argument(help="mg, ug, ml …")] = "",
    kit: Annotated[str, typer.Option(help="Kit number, in a blinded session.")] = "",
    witness: Annotated[str, typer.Option(help="Initials of the witness.")] = "",
    minutes_ago: Annotated[float, typer.Option(help="When it was taken, in minutes before now.")] = 0.0,
    part: Annotated[str, typer.Option(help="dose, booster, device, start or stop (of an infusion).")] = "dose",
    override: Annotated[bool, typer.Option("--override", help="A booster outside its window.")] = False,
) -> Act:
    """Log a dose; the first one starts T+ and ends the arrival.

    Example: stillroom ctl dose 25 mg --witness CD
    """
    return Dose(
        amount=amount, unit=unit, kit=kit, witness=witness, minutes_ago=minutes_ago, override=override,
        part=cast(DosePart, _one_of("part of a dose", part, get_args(DosePart))),
    )  # fmt: skip


@verb(app, whom=True, ago=True)
def vitals(
    pressure: Annotated[str, typer.Argument(help="120/80")] = "",
    pulse: Annotated[int | None, typer.Argument()] = None,
    spo2: Annotated[int | None, typer.Argument()] = None,
    celsius: Annotated[float | None, typer.Option()] = None,
    missed: Annotated[str, typer.Option(help="Why they were not taken.")] = "",
    keep: Annotated[bool, typer.Option("--keep", help="They are right, implausible as they are.")] = False,
) -> Act:
    """Enter vitals.

    Example: stillroom ctl vitals 120/80 72 98
    """
    high, low = _pressure(pressure)
    act = Vitals(systolic=high, diastolic=low, pulse=pulse, spo2=spo2, celsius=celsius, missed=missed)
    if codes := bedside.doubts(act):
        if not keep:
            fail(f"{wording.doubts(codes, plain_fields(act))}? --keep keeps it")
        act = replace(act, kept=" ".join(codes))
    return act


@verb(app, whom=True, ago=True)
def touch(
    how: Annotated[str, typer.Argument(help="Kind of touch, as a short code.")] = "",
    where: Annotated[str, typer.Argument(help="Where, as a short code.")] = "",
    part: Annotated[str, typer.Option(help="given, start or stop.")] = "given",
    minutes: Annotated[float | None, typer.Option(help="How long.")] = None,
    outside: Annotated[bool | None, typer.Option("--outside/--inside", help="Of the scope consented to.")] = None,
) -> Act:
    """Supportive touch; nothing is refused, and what lies outside the consented scope is recorded as that.

    Example: stillroom ctl touch held hand --minutes 3
    """
    _one_of("part", part, ("given", "start", "stop"))
    return Touch(touch=how, where=where, part=part, minutes=minutes, outside=outside)  # type: ignore[arg-type]


@verb(app, whom=True, ago=True)
def adverse_event(
    event: Annotated[str, typer.Argument(help="What it is, in a word or two.")],
    grade: Annotated[int, typer.Argument(help="1 mild to 5 death (CTCAE).")],
    serious: Annotated[bool, typer.Option("--serious")] = False,
    related: Annotated[str, typer.Option(help="related, possible, unrelated or unknown.")] = "unknown",
    needed: NeededBy = None,
    rescue: Annotated[str, typer.Option(help="Rescue medicine that was given, and how much.")] = "",
    resolved: Annotated[bool, typer.Option("--resolved", help="It is over already.")] = False,
) -> Act:
    """Log an adverse event from its onset; `update-event` says how it goes on.

    Example: stillroom ctl adverse-event nausea 2 --related possible --needed none
    """
    return AdverseEvent(
        event=event, grade=grade, serious=serious, needed=_needed(needed or []), rescue=rescue, resolved=resolved,
        related=cast(Related, _one_of("relation", related, get_args(Related))),
    )  # fmt: skip


@verb(app, whom=True, ago=True)
def update_event(
    record: Entry,
    event: Annotated[str | None, typer.Option(help="What it is.")] = None,
    grade: Annotated[int | None, typer.Option()] = None,
    serious: Annotated[bool | None, typer.Option("--serious/--not-serious")] = None,
    related: Annotated[str | None, typer.Option()] = None,
    needed: NeededBy = None,
    rescue: Annotated[str | None, typer.Option()] = None,
    resolved: Annotated[bool | None, typer.Option("--resolved/--open")] = None,
    onset: Annotated[str, typer.Option(help="Its true onset: minutes ago, or the wall clock.")] = "",
) -> Act:
    """What is true of an adverse event now, or always was; what stood before stays in the record.

    Example: stillroom ctl update-event 81 --resolved
    """
    return UpdateEvent(
        event=record, code=event, grade=grade, serious=serious, rescue=rescue, resolved=resolved,
        needed=_needed(needed) if needed else None,
        related=cast(Related, _one_of("relation", related, get_args(Related))) if related else None,
        onset_minutes_ago=_minutes_ago(onset),
    )  # fmt: skip


@verb(app, whom=True, ago=True)
def challenge(part: Annotated[str, typer.Argument(help="start or end.")] = "start") -> Act:
    """A challenging experience begins or ends; it is no adverse event.

    Example: stillroom ctl challenge end --ago 5
    """
    _one_of("part", part, ("start", "end"))
    return Challenge(part=part)  # type: ignore[arg-type]


@verb(app, whom=True)
def correct(
    record: Entry,
    mark: Annotated[str, typer.Option(help="The mark's true code.")] = "",
    note: Annotated[str, typer.Option(help="The note's true words.")] = "",
    pressure: Annotated[str, typer.Option(help="Vitals: 120/80.")] = "",
    pulse: Annotated[int | None, typer.Option(help="Vitals.")] = None,
    spo2: Annotated[int | None, typer.Option(help="Vitals.")] = None,
    celsius: Annotated[float | None, typer.Option(help="Vitals.")] = None,
    touch: Annotated[str, typer.Option(help="Kind and place of a touch, with a space between.")] = "",
    at: Annotated[str, typer.Option(help="When it truly was: minutes ago, or the wall clock.")] = "",
) -> Act:
    """What an entry should have said: an amendment that shows what stood before. Doses have `correct-dose`.

    What is not named stays as it stands.

    Example: stillroom ctl correct 41 --pressure 120/80 --pulse 72
    """
    high, low = _pressure(pressure)
    how, _, where = touch.partition(" ")
    named: list[Mark | Note | Touch | Vitals] = []
    named += [Mark(code=mark)] if mark else []
    named += [Note(text=note)] if note else []
    named += [Touch(touch=how, where=where)] if touch else []
    read = Vitals(systolic=high, diastolic=low, pulse=pulse, spo2=spo2, celsius=celsius)
    named += [read] if read != Vitals() else []
    if len(named) > 1:
        fail("an entry is of one kind: a mark, a note, a touch or vitals")
    if not named:  # its time, or whom it means
        return Amend(entry=record, act=Vitals(), only=(), minutes_ago=_minutes_ago(at))
    return Amend(entry=record, act=named[0], only=_said_of(named[0]), minutes_ago=_minutes_ago(at))


def _said_of(act: Mark | Note | Touch | Vitals) -> tuple[str, ...] | None:
    """What of an entry is named; None for the whole of it."""
    match act:
        case Touch():
            return ("touch", "where", "outside")  # whether it was outside was said of the other place
        case Vitals():
            return tuple(reading for reading in bedside.READINGS if getattr(act, reading) is not None)
        case _:
            return None


@verb(app, whom=True)
def correct_dose(
    record: Annotated[int, typer.Argument(help="Number of the record that logged it.")],
    minutes_ago: Annotated[float | None, typer.Option(help="When it was taken, in minutes before now.")] = None,
    by_minutes: Annotated[float | None, typer.Option(help="By how much it moves; -17: taken 17 min earlier.")] = None,
    amount: Annotated[float | None, typer.Option(help="The true amount.")] = None,
    unit: Annotated[str | None, typer.Option(help="Its true unit.")] = None,
    kit: Annotated[str | None, typer.Option(help="The true kit.")] = None,
    witness: Annotated[str | None, typer.Option(help="Initials of who truly saw it.")] = None,
) -> Act:
    """The true minute of a dose: vitals, booster window and release move with it.

    Example: stillroom ctl correct-dose 12 --by-minutes -17
    """
    return CorrectDose(
        dose=record, minutes_ago=minutes_ago, by_minutes=by_minutes, amount=amount, unit=unit, kit=kit, witness=witness
    )


@verb(app, whom=True, ago=True)
def release(
    override: Annotated[bool, typer.Option("--override", help="Although the gate is not met.")] = False,
    reason: Annotated[str, typer.Option(help="Of an override, in a few words.")] = "",
    second: Annotated[str, typer.Option(help="Initials of the second person of an override.")] = "",
    desk: Annotated[bool, typer.Option("--desk", help="The second person is the support desk's, by phone.")] = False,
    second_pin_from: SecondPinFrom = None,
) -> Act:
    """Release a participant: refused with what stands against it, unless two people override.

    Where sitters sign on the second sitter's PIN is asked for as well.

    Example: stillroom ctl release --participant C-0412
    """
    second_source.set(second_pin_from)
    return Release(override=override, reason=reason, second=second, desk=desk)


@verb(app, whom=True, ago=True)
def leave(
    condition: Annotated[str, typer.Option(help="A code or two words, such as steady.")] = "",
    told: Annotated[str, typer.Option(help="Initials of who was told.")] = "",
    transport: Annotated[str, typer.Option(help="How they get home.")] = "",
) -> Act:
    """A participant leaves before release; one person's word is enough, and nobody is kept.

    Example: stillroom ctl leave --participant C-0412 --condition steady --told CD --transport taxi --ago 5
    """
    return Leave(condition=condition, told=told, transport=transport)


@app.command()
def sheet(
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE", help="A .pdf or .txt file to write.")] = None,
    state: StateDir = STATE,
    person: Person = None,
) -> None:
    """The handover sheet for paramedics: T+, doses, last vitals, events, limits, who is here.

    Example: stillroom ctl sheet --to sheet.pdf
    """
    made = sheet_of(seen(state, person))
    if to is None:
        print(sheet_text(made))
        return
    # Only here: what draws paper takes 18 MB, of every process that knows the verbs.
    from controller.drawing.handover import write_sheet

    write_sheet(made, to)
    print(f"wrote {to}")
