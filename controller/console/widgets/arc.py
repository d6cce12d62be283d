"""The arc: what was is filled, what comes is an outline, and a line stands where we are."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import datetime
from textwrap import wrap

from rich.text import Text

from controller import wording
from controller.console.doing.table import named, path, reached_by
from controller.console.view import View, following, style_of, styled
from controller.messages import PhaseView, Status

Points = tuple[tuple[float, float], ...]

_STEPS_S = (30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
_LABEL_COLUMNS = 13

EVENTS = ("mark", "note", "vitals", "dose", "call", "adverse_event", "touch")
"""What people enter and is shown as a tick on the arc."""


def value_at(points: Points, s: float) -> float:
    """The curve's value at second `s`: straight between its points, level beyond its ends."""
    if not points:
        return 0.0
    at = bisect_right([point[0] for point in points], s)
    if at == 0:
        return points[0][1]
    if at == len(points):
        return points[-1][1]
    (s0, v0), (s1, v1) = points[at - 1], points[at]
    return v1 if s1 <= s0 else v0 + (v1 - v0) * (s - s0) / (s1 - s0)


@dataclass
class _Canvas:
    """Cells of (sign, colour, ground)."""

    width: int
    height: int
    ground: str
    cells: list[list[tuple[str, str, str, bool]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cells = [[(" ", self.ground, self.ground, False)] * self.width for _ in range(self.height)]

    def put(self, x: int, y: int, sign: str, colour: str, ground: str | None = None, *, bold: bool = False) -> None:
        if 0 <= x < self.width and 0 <= y < self.height:
            self.cells[y][x] = (sign, colour, self.cells[y][x][2] if ground is None else ground, bold)

    def write(self, x: int, y: int, text: str, colour: str, *, bold: bool = False) -> None:
        for at, sign in enumerate(text):
            self.put(x + at, y, sign, colour, bold=bold)

    def lines(self) -> list[Text]:
        made = []
        for cells in self.cells:
            line = Text("", no_wrap=True, end="")
            run, style = "", None
            for sign, colour, ground, bold in cells:
                wanted = (colour if sign != " " else ground, ground, bold)
                if wanted != style and run and style is not None:
                    line.append(run, style_of(style[0], ground=style[1], bold=style[2]))
                    run = ""
                run, style = run + sign, wanted
            if run and style is not None:
                line.append(run, style_of(style[0], ground=style[1], bold=style[2]))
            made.append(line)
        return made


@dataclass(frozen=True)
class _Axis:
    """Seconds of the arc laid over columns, with one column of margin at both sides."""

    start_s: float
    end_s: float
    width: int

    def second(self, x: int) -> float:
        return self.start_s + (x - 1 + 0.5) / max(1, self.width - 2) * (self.end_s - self.start_s)

    def column(self, s: float) -> int:
        share = (s - self.start_s) / max(1e-9, self.end_s - self.start_s)
        return 1 + min(self.width - 3, max(0, int(share * (self.width - 2))))


def draw_arc(view: View, width: int, height: int) -> list[Text]:
    """The whole programme over the columns; without a session, how to begin."""
    status = view.status
    if not view.known or not status.phases or status.state == "idle":
        return _idle(view, width, height)
    axis = _Axis(status.phases[0].start_s, max(status.phases[-1].end_s, status.arc_s), width)
    canvas = _Canvas(width, height, view.look.colours.ground)
    below = 3 if height >= 12 else 2
    rows = max(1, height - below)
    _curve(canvas, view, axis, rows)
    _light(canvas, view, axis, rows)
    _now(canvas, view, axis, rows)
    _ground_line(canvas, view, axis, rows)
    _names(canvas, view, axis, rows + 1)
    if below == 3:
        _hours(canvas, view, axis, rows + 2)
    return canvas.lines()


def arc_of(view: View, width: int) -> object:
    """What `draw_arc` looks at: every time only as finely as half a column."""
    status = view.status
    whole = status.phases[-1].end_s - status.phases[0].start_s if status.phases else 1.0
    fine = 2 * width / max(1.0, whole)
    due = tuple(round((status.arc_s + item.in_s) * fine) for item in status.due if item.in_s > 0)
    return (
        view.known, status.state, status.phase, status.phases, status.intensity, status.light_curve,
        due, status.log, status.simulated, status.bookings, status.preflight, status.signs_on, bool(status.sitters),
        round(status.arc_s * fine),
    )  # fmt: skip


def _eighths(status: Status, axis: _Axis, x: int, rows: int, depth: int) -> int:
    value = min(1.0, max(0.0, value_at(status.intensity, axis.second(x))))
    return max(1, round(value * (rows * depth - 1)))


def _curve(canvas: _Canvas, view: View, axis: _Axis, rows: int) -> None:
    colours, signs = view.look.colours, view.look.signs
    depth = len(signs.rise) - 1
    for x in range(1, axis.width - 1):
        past = axis.second(x) <= view.status.arc_s
        fill, edge = (colours.past, colours.past_edge) if past else (colours.coming, colours.coming_edge)
        top = _eighths(view.status, axis, x, rows, depth)
        for y in range(rows):
            above = top - (rows - 1 - y) * depth
            if above > depth:
                if signs.plain:
                    canvas.put(x, y, "▒" if past else " ", fill)
                else:
                    canvas.put(x, y, " ", fill, fill)
            elif above > 0:
                canvas.put(x, y, signs.rise[above], edge if signs.plain else fill)


def _light(canvas: _Canvas, view: View, axis: _Axis, rows: int) -> None:
    """The light as a thin second curve; it gives way where the arc's own edge runs."""
    points = view.status.light_curve
    if not points:
        return
    colours, signs = view.look.colours, view.look.signs
    fine = len(signs.curve)
    for x in range(1, axis.width - 1):
        level = min(1.0, max(0.0, value_at(points, axis.second(x))))
        place = min(rows * fine - 1, int((1.0 - level) * rows * fine))
        y, part = divmod(place, fine)
        if canvas.cells[y][x][0] in (" ", "▒"):
            canvas.put(x, y, signs.curve[part], colours.light)


def _now(canvas: _Canvas, view: View, axis: _Axis, rows: int) -> None:
    x = axis.column(view.status.arc_s)
    for y in range(rows + 1):
        canvas.put(x, y, view.look.signs.now, view.look.colours.now, bold=True)


def _ground_line(canvas: _Canvas, view: View, axis: _Axis, y: int) -> None:
    colours, signs, status = view.look.colours, view.look.signs, view.status
    now = axis.column(status.arc_s)
    for x in range(1, axis.width - 1):
        if x != now:
            canvas.put(x, y, signs.axis, colours.faint)
    for phase in status.phases[1:]:
        if axis.column(phase.start_s) != now:
            canvas.put(axis.column(phase.start_s), y, signs.tick, colours.dim)
    for at in events_at(status):
        if axis.column(at) != now:
            canvas.put(axis.column(at), y, signs.event, colours.text)
    for item in status.due:
        at = status.arc_s + item.in_s
        if item.in_s > 0 and at <= axis.end_s and axis.column(at) != now:
            canvas.put(axis.column(at), y, signs.due, colours.text)


def events_at(status: Status) -> list[float]:
    """Where on the arc people's marks, notes, readings, doses and calls lie, as far back as the log goes.

    The log tells wall-clock times. Within a phase they are counted from its beginning, or back from now; a pause inside
    it shifts them by its length, and never out of the phase.
    """
    moments = [(_unix(item.utc), item) for item in reversed(status.log)]
    phases = {phase.code: phase for phase in status.phases}
    here, since, found = None, 0.0, []
    for moment, item in moments:
        if item.kind == "phase_entered" and str(item.values.get("phase")) in phases:
            here, since = phases[str(item.values["phase"])], moment
        elif here is not None and item.kind in EVENTS and not item.taken_back:
            found.append(min(here.start_s + moment - since, here.end_s, status.arc_s))
    return found


def _unix(utc: str) -> float:
    try:
        return datetime.fromisoformat(utc).timestamp()
    except ValueError:
        return 0.0


def _names(canvas: _Canvas, view: View, axis: _Axis, y: int) -> None:
    """Every name where its phase begins, as far as it fits; the current one whole."""
    phases, status, colours = view.status.phases, view.status, view.look.colours
    current = next((phase for phase in phases if phase.code == status.phase), None)
    taken = range(0)
    if current is not None:
        taken = _current_name(canvas, view, axis, y, current)
    for index, phase in enumerate(phases):
        x = axis.column(phase.start_s) if index else 1
        end = axis.column(phases[index + 1].start_s) if index + 1 < len(phases) else axis.width - 1
        room = end - x - 1
        if x < taken.start < end:
            room = min(room, taken.start - x)
        if room >= 3 and phase is not current and x not in taken:
            canvas.write(x, y, _short(phase.title, room), colours.dim)


def _current_name(canvas: _Canvas, view: View, axis: _Axis, y: int, phase: PhaseView) -> range:
    """Writes it, and returns the columns that it takes with a space on either side."""
    title = wording.fit(phase.title, axis.width - 2)
    x = min(axis.column(phase.start_s), axis.width - 1 - len(title))
    canvas.write(x - 1, y, f" {title} ", view.look.colours.bright, bold=True)
    return range(x - 1, x + len(title) + 1)


def _short(title: str, room: int) -> str:
    return title if len(title) <= room else f"{title[: room - 1].rstrip()}."


def _hours(canvas: _Canvas, view: View, axis: _Axis, y: int) -> None:
    whole = axis.end_s - axis.start_s
    fits = [step for step in _STEPS_S if whole / step * _LABEL_COLUMNS <= axis.width]
    step = fits[0] if fits else _STEPS_S[-1]
    at = 0
    while at <= axis.end_s:
        label = wording.duration(at) if at else "dose"
        x = axis.column(at)
        if x + len(label) < axis.width:
            canvas.write(x, y, label, view.look.colours.faint if at else view.look.colours.dim)
        at += step


def _idle(view: View, width: int, height: int) -> list[Text]:
    colours = view.look.colours
    booking = following(view.status)
    due = booking is not None and "preflight" in booking.told
    summary = wording.preflight.summary(view.status.preflight, due=due)
    alone = view.status.signs_on and not view.status.sitters
    if not view.known:
        told = [("Looking for the room …", colours.dim)]
    else:
        told = [
            ("The session has ended." if view.status.state == "ended" else "No session is open.", colours.text),
            ("", colours.dim),
            *([(f"{reached_by(named('sign_on'))} signs on: nobody is on duty", colours.bright)] if alone else []),
            *([(f"{path(named('preflight'))}  {summary}", colours.bright)] if summary else []),
            (f"{path(named('start'))} starts one:  programme, participant's code, Enter.", colours.bright),
            ("c calls support at any time.   ? shows all keys.", colours.text),
        ]
    if view.known and booking is not None:
        told += [("", colours.dim), (f"Booked: {wording.booking(booking)}", colours.bright)]
    told += [
        ("", colours.dim),
        *((line, colours.dim) for line in wrap(wording.NOT_A_MEDICAL_DEVICE, min(60, width - 2))),
    ]
    if view.status.simulated:
        told.append(("Simulated room.", colours.dim))
    above = max(0, (height - len(told)) // 2)
    return [Text("")] * above + [
        styled(" " * max(1, (width - len(text)) // 2) + wording.fit(text, width - 2), colour) for text, colour in told
    ]
