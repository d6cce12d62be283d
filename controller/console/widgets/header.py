"""Header: room, programme, state, phase, big T+, wall clock."""

from __future__ import annotations

from rich.text import Text

from controller import wording
from controller.console.view import View, local_time, row, styled
from controller.console.widgets.digits import DIGIT_ROWS, big

DUTY_COLUMNS = 100
"""In a narrower header there is no room for who is on duty: it stands at the end of the answer line instead."""

RESTING_ROWS = 3
"""Of a header outside sessions, whose lists are long: what is looked at before a session has sixteen lines."""

WHOLE_CLOCK_COLUMNS = 120
"""In a narrower header the large digits are hours and minutes, and the seconds stand small beside them."""


def phase_words(view: View) -> str:
    """The phase and how far it has come: "Peak  22 of 85 min"."""
    status = view.status
    phase = next((phase for phase in status.phases if phase.code == status.phase), None)
    if phase is None or not view.in_session:
        return ""
    if status.waiting_for:
        return f"{phase.title}  {wording.WAITS.get(status.waiting_for, status.waiting_for)}"
    here, whole = status.arc_s - phase.start_s, phase.end_s - phase.start_s
    if phase.start_s < 0:
        return f"{phase.title}  before the dose"
    if whole < 180:
        return f"{phase.title}  {max(0, round(here))} of {round(whole)} s"
    return f"{phase.title}  {max(0, int(here // 60))} of {round(whole / 60)} min"


def state_text(view: View) -> Text:
    """The state's word; UNKNOWN rather than a stale one when the room is silent."""
    colours = view.look.colours
    if not view.known:
        return styled("CONNECTING", colours.dim)
    word = wording.state(view.status)
    if not view.connected:
        return styled(f"{word}?", colours.dim)
    return styled(word, colours.bright, bold=True)


def draw_header(view: View, width: int, height: int) -> list[Text]:
    """One row, or six with large digits; three where there is no T+ to be read."""
    if height < DIGIT_ROWS and height >= RESTING_ROWS:
        return _resting(view, width)
    return _tall(view, width) if height >= DIGIT_ROWS else [_single(view, width)]


def _wall_clock(view: View) -> str:
    return local_time(view.status.utc, "%H:%M", ahead_s=view.ahead_s)


def _single(view: View, width: int) -> Text:
    colours = view.look.colours
    left = styled(f" {view.status.room or 'Stillroom'}  ", colours.dim)
    left.append_text(state_text(view))
    left.append_text(styled(f"  {phase_words(view)}", colours.text))
    left.append_text(styled(f"  {view.status.programme}", colours.dim))
    if width >= DUTY_COLUMNS:
        left.append_text(styled(f"  {duty(view)}", colours.text))
    right = Text("", no_wrap=True, end="")
    if view.in_session:
        right.append_text(styled("T+ " if view.has_dose else "", colours.dim))
        right.append_text(styled(_big_clock(view), colours.clock, bold=True))
    right.append_text(styled(f"   {_wall_clock(view)} ", colours.dim))
    return row(left, right, width)


def _resting(view: View, width: int) -> list[Text]:
    colours = view.look.colours
    state = styled(" ", colours.dim)
    state.append_text(state_text(view))
    lefts = [styled(f" {view.status.room or 'Stillroom'}", colours.dim), state, styled(f" {duty(view)}", colours.dim)]
    rights = [styled(f"{_wall_clock(view)} ", colours.dim), Text(""), Text("")]
    return [row(left, right, width) for left, right in zip(lefts, rights, strict=True)]


def _tall(view: View, width: int) -> list[Text]:
    """Six rows: what stands where on the left, T+ in digits that are read from two metres on the right."""
    colours = view.look.colours
    status = view.status
    clock = _big_clock(view) if view.in_session else ""
    least = "at least " if view.leads and view.leads.at_least else ""
    hours, colon, seconds = clock.removeprefix(least).rpartition(":")
    beside = "" if width >= WHOLE_CLOCK_COLUMNS else f"{colon}{seconds}"
    digits = big(clock.removeprefix(least) if not beside else hours)
    signed = "" if status.reviewed or not view.in_session else wording.NOT_SIGNED
    lefts = [
        styled(f" {status.room or 'Stillroom'}   {status.programme_title or status.programme}", colours.dim),
        styled(f" {signed}", colours.dim),
        Text.assemble(styled(" ", colours.dim), state_text(view)),
        styled(f" {phase_words(view)}", colours.text),
        styled(f" {_others(view)}", colours.dim),
        styled(f" {duty(view)}", colours.dim),
    ]
    rights = [_wall_clock(view), "", "", "", "", beside]
    lines = []
    for at, left in enumerate(lefts):
        label = f"{'T+' if view.has_dose else '  '} {least} " if clock and at == 1 else ""
        right = styled(label, colours.dim)
        right.append_text(styled(digits[at], colours.clock))
        colour = colours.clock if at == len(lefts) - 1 else colours.dim
        right.append_text(styled(f" {rights[at]:<5} ", colour))
        lines.append(row(left, right, width))
    return lines


def duty(view: View) -> str:
    """Who is on duty; who sits here, where nobody signs on."""
    if view.status.signs_on:
        return wording.on_duty(view.status)
    return f"as {view.person}, no PIN" if view.person else ""


def _big_clock(view: View) -> str:
    """T+ of whom the arc counts from; where there is no dose, the time since the programme began."""
    return view.t_plus(view.leads) if view.has_dose else wording.clock(view.status.arc_s)


def _others(view: View) -> str:
    """Participants by code, those beside the one that leads with their own T+; and what may not be heard."""
    if not view.in_session:
        return ""
    leads = view.leads
    told = []
    for person in view.status.participants:
        shown = person.code if person is leads else f"{person.code} T+ {view.t_plus(person)}"
        told.append(f"{person.code} {went}" if (went := wording.departed(person)) else shown)
    limits = wording.limits(view.status.limits)
    return "   ".join([*told, limits] if limits else told)
