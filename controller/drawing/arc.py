"""The arc of a session as a picture: intensity, light, pieces, and what falls due, over the time from ingestion.

Drawn with matplotlib, which is imported when something is drawn: it is slow to load and nothing else needs it.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from controller.files import ConfigError, did_you_mean, writing
from controller.messages import PhaseView

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = (".svg", ".png", ".pdf")

_INK, _SOFT, _LINE, _LIGHT, _DUE, _FAULT = "#26313c", "#dfe5ea", "#5d7487", "#b9770e", "#7a4f9a", "#b03a2e"
_WIDTH_IN, _HEIGHT_IN = 11.0, 4.6
_TEXT_PT = 7.5
_WORD_FOOT, _WORD_TOP = 0.045, 0.99
_WORD_PT = 6.5
_AROUND_IN = 1.45
"""Height of what stands above and below the curves."""
LEAST_S = 60.0
_POINTS_PER_CHARACTER = 4.3
"""Width of an average character at `_TEXT_PT`."""


@dataclass(frozen=True, kw_only=True)
class Tick:
    """Something at one moment: `t_s` on the arc's axis, a word, and which kind of thing it is."""

    t_s: float
    word: str = ""
    kind: str = "due"
    """"due" (vitals and the like), "mark" (a person's entry), "fault", or "release"."""


@dataclass(frozen=True, kw_only=True)
class Span:
    """A stretch of time: a piece that sounds, a silence, a window."""

    start_s: float
    end_s: float
    word: str = ""


@dataclass(frozen=True, kw_only=True)
class ArcPicture:
    """All that is drawn; seconds from ingestion, curves as points (second, 0..1)."""

    title: str
    phases: tuple[PhaseView, ...]
    intensity: tuple[tuple[float, float], ...]
    light: tuple[tuple[float, float], ...]
    volume: tuple[tuple[float, float], ...] = ()
    pieces: tuple[Span, ...] = ()
    silences: tuple[Span, ...] = ()
    windows: tuple[Span, ...] = ()
    ticks: tuple[Tick, ...] = ()
    now_s: float | None = None
    vitals_word: str = "vitals due"
    note: str = ""
    """A line beneath: whose figures these are."""

    @property
    def span_s(self) -> tuple[float, float]:
        """From where to where it is drawn, a minute at least: a session may end as soon as it was opened."""
        start = min([phase.start_s for phase in self.phases] + [span.start_s for span in self.pieces])
        end = max([phase.end_s for phase in self.phases] + [span.end_s for span in self.pieces])
        return start, max(end, start + LEAST_S)


def check_format(path: Path) -> None:
    """Raise ConfigError for a file that is no picture we can write."""
    if path.suffix.lower() not in FORMATS:
        mean = did_you_mean(path.suffix, FORMATS)
        raise ConfigError([f"{path}: cannot be drawn; a picture ends in {', '.join(FORMATS)}{mean}"])


def save_arc(picture: ArcPicture, path: Path) -> None:
    """Draw it into a file, in the format that the suffix says. Raises ConfigError."""
    check_format(path)
    with writing(path):
        _save(draw_arc(picture), path, path.suffix.lower().lstrip("."))


def arc_svg(picture: ArcPicture) -> str:
    """The picture as SVG text, its words as words; the same picture gives the same text."""
    drawn = io.StringIO()
    _save(draw_arc(picture), drawn, "svg")
    return drawn.getvalue()


def arc_png(picture: ArcPicture, width_in: float, height_in: float) -> bytes:
    """The picture as a PNG of 200 dots an inch."""
    drawn = io.BytesIO()
    draw_arc(picture, width_in, height_in).savefig(drawn, format="png", dpi=200)
    return drawn.getvalue()


def _save(figure: Figure, to: Path | io.StringIO, form: str) -> None:
    from matplotlib import rc_context

    # Words stay words in an SVG, and the same plan gives the same bytes.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "stillroom"}):
        figure.savefig(to, format=form, dpi=150, metadata={"Date": None} if form == "svg" else None)


def draw_arc(picture: ArcPicture, width_in: float = _WIDTH_IN, height_in: float = _HEIGHT_IN) -> Figure:
    """The picture as a matplotlib figure of so many inches."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_in, height_in), layout="constrained")
    curves, strip = figure.subplots(2, 1, sharex=True, height_ratios=(6, 1))
    _draw_curves(curves, picture, height_in)
    _name_phases(curves, picture, width_in)
    _draw_pieces(strip, picture, width_in)
    curves.set_title(picture.title, loc="left", fontsize=11, color=_INK, pad=26)
    if picture.note:
        strip.set_xlabel(picture.note, loc="left", fontsize=_TEXT_PT, color=_LINE)
    return figure


def _draw_curves(axes: Axes, picture: ArcPicture, height_in: float) -> None:
    xs, ys = _minutes(picture.intensity)
    axes.fill_between(xs, ys, color=_SOFT, linewidth=0)
    axes.plot(xs, ys, color=_LINE, linewidth=1.2, label="intensity")
    axes.plot(*_minutes(picture.light), color=_LIGHT, linewidth=1.2, label="light (perceived)")
    if picture.volume:
        axes.plot(*_minutes(picture.volume), color=_INK, linewidth=0.8, linestyle=(0, (1, 1.5)), label="volume")
    for phase in picture.phases:
        axes.axvline(phase.start_s / 60, color=_LINE, linewidth=0.4)
    for window in picture.windows:
        axes.axvspan(window.start_s / 60, window.end_s / 60, color=_DUE, alpha=0.15, linewidth=0)
        axes.text(window.start_s / 60, 0.98, f" {window.word}", va="top", fontsize=_TEXT_PT, color=_DUE)
    _draw_ticks(axes, picture, height_in)
    if picture.now_s is not None:
        axes.axvline(picture.now_s / 60, color=_INK, linewidth=1.4)
    axes.set_ylim(0, 1)
    axes.set_yticks([0, 0.5, 1], ["0", "50 %", "100 %"])
    axes.tick_params(labelsize=_TEXT_PT, length=0, colors=_LINE)
    axes.spines[["top", "right", "left"]].set_visible(False)
    if any(tick.kind == "due" for tick in picture.ticks):
        axes.plot([], [], color=_DUE, linewidth=1.5, label=picture.vitals_word)
    axes.legend(
        loc="lower right",
        bbox_to_anchor=(1.0, 1.1),
        borderaxespad=0.0,
        ncols=4,
        fontsize=_TEXT_PT,
        frameon=False,
        labelcolor=_INK,
    )


def _name_phases(axes: Axes, picture: ArcPicture, width_in: float) -> None:
    """Each phase's name over it; where two would run into each other, the second one a row higher."""
    start, end = picture.span_s
    seconds_per_character = 1.15 * _POINTS_PER_CHARACTER * (end - start) / (width_in * 72 * 0.92)
    taken = [-math.inf, -math.inf]
    for phase in picture.phases:
        middle, half = (phase.start_s + phase.end_s) / 2, len(phase.title) * seconds_per_character / 2
        row = 0 if middle - half > taken[0] else 1
        taken[row] = middle + half
        axes.text(middle / 60, 1.02 + 0.05 * row, phase.title, ha="center", va="bottom", fontsize=8, color=_INK)


def _draw_ticks(axes: Axes, picture: ArcPicture, height_in: float) -> None:
    """Every tick; a word that would run into another's stands above it, and one that has no room is left out.

    Faults have their words first: a call is never the one that is left out.
    """
    start, end = picture.span_s
    close_s = (end - start) / 90
    letter = 0.62 * _WORD_PT / (72 * max(1.0, height_in - _AROUND_IN))
    taken: list[tuple[float, float, float]] = []
    for tick in sorted(picture.ticks, key=lambda tick: (tick.kind != "fault", tick.t_s)):
        near = [(foot, top) for t_s, foot, top in taken if abs(t_s - tick.t_s) < close_s]
        high = 0.02 + letter * len(tick.word)
        feet = sorted([_WORD_FOOT, *(top for _, top in near)])
        free = [at for at in feet if all(at + high <= foot or at >= top for foot, top in near)]
        room = [at for at in free if at + high <= _WORD_TOP]
        word = tick.word if room or tick.kind == "release" else ""
        _draw_tick(axes, replace(tick, word=word), room[0] if room else _WORD_FOOT)
        if word and tick.kind != "release":
            taken.append((tick.t_s, room[0], room[0] + high))


def _draw_tick(axes: Axes, tick: Tick, foot: float) -> None:
    colour = {"fault": _FAULT, "mark": _INK}.get(tick.kind, _DUE)
    minute = tick.t_s / 60
    if tick.kind == "release":
        axes.axvline(minute, color=_DUE, linewidth=1.0, linestyle=(0, (4, 3)))
        axes.text(minute, 0.9, f"{tick.word} ", ha="right", va="top", fontsize=_TEXT_PT, color=_DUE)
        return
    axes.plot([minute, minute], [0.0, 0.035], color=colour, linewidth=1.5, solid_capstyle="butt")
    if tick.word:
        axes.text(minute, foot, tick.word, ha="center", va="bottom", fontsize=_WORD_PT, color=colour, rotation=90)


def _draw_pieces(axes: Axes, picture: ArcPicture, width_in: float) -> None:
    start, end = picture.span_s
    points_per_second = width_in * 72 * 0.92 / (end - start)
    for number, span in enumerate(picture.pieces, start=1):
        row = number % 2
        axes.broken_barh(
            [(span.start_s / 60, (span.end_s - span.start_s) / 60)],
            (row * 0.5 + 0.04, 0.42),
            facecolor=(_SOFT, "#c6d0d9")[row],
            edgecolor="none",
        )
        room = int((span.end_s - span.start_s) * points_per_second / _POINTS_PER_CHARACTER)
        word = span.word if len(span.word) <= room else str(number)
        if room >= len(word):
            axes.text(
                span.start_s / 60, row * 0.5 + 0.25, f" {word}", va="center", fontsize=6.5, color=_INK, clip_on=True
            )
    for span in picture.silences:
        axes.broken_barh(
            [(span.start_s / 60, (span.end_s - span.start_s) / 60)],
            (0, 1),
            facecolor="white",
            edgecolor=_LINE,
            hatch="////",
            linewidth=0.3,
        )
    axes.set_ylim(0, 1)
    axes.set_yticks([])
    axes.set_xlim(start / 60, end / 60)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.xaxis.set_major_locator(_hours(start, end))
    axes.xaxis.set_major_formatter(_clock)
    axes.tick_params(labelsize=_TEXT_PT, colors=_LINE)


def _hours(start_s: float, end_s: float) -> Any:
    from matplotlib.ticker import MultipleLocator

    steps = (1, 2, 5, 10, 15, 30, 60)
    return MultipleLocator(next((step for step in steps if (end_s - start_s) / 60 / step <= 14), 60))


def _clock(minutes: float, _position: object) -> str:
    """T+ as h:mm; before ingestion with its sign."""
    whole = round(abs(minutes))
    return f"{'-' if minutes < -0.01 else ''}{whole // 60}:{whole % 60:02d}"


def _minutes(points: tuple[tuple[float, float], ...]) -> tuple[list[float], list[float]]:
    return [second / 60 for second, _ in points], [level for _, level in points]
