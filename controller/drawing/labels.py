"""A sheet of labels for the keys of a keyboard: cells of their true size, to print, cut out and stick on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from fpdf import FPDF

from controller.drawing.paper import FONT, Paper
from controller.files import ConfigError, writing

_MARGIN_MM = 12.0
_GAP_MM = 2.0
_HIGH_MM = 13.0
_GREY = (95, 105, 115)
_CAP_PT = 15.0
_WORD_PT = 6.5


class KeyLabel(Protocol):
    """What is stuck on one key."""

    @property
    def cap(self) -> str:
        """The key's own sign."""

    @property
    def word(self) -> str:
        """What it does."""

    @property
    def wide_mm(self) -> float:
        """Width of the key."""

    @property
    def loud(self) -> bool:
        """Whether it is to be found first: printed white on black."""


def write_labels(labels: Sequence[KeyLabel], ways: Sequence[tuple[str, str]], path: Path, foot: str) -> None:
    """Write the sheet as a PDF of A4. `ways`: (keys, what), for a list to hang up. Raises ConfigError."""
    if path.suffix.lower() != ".pdf":
        raise ConfigError([f"{path}: the sheet is a PDF; its name ends in .pdf"])
    pdf = Paper("Keys of the console", _MARGIN_MM, foot_mm=_MARGIN_MM)
    pdf.set_font(FONT, "B", 13)
    pdf.cell(0, 8, "Keys of the console", new_x="LMARGIN", new_y="NEXT")
    pdf.set_font(FONT, "", 8)
    pdf.set_text_color(*_GREY)
    pdf.cell(0, 5, "Print at 100 %, cut along the lines, stick on the keys.", new_x="LMARGIN", new_y="NEXT")
    _cells(pdf, labels)
    _ways(pdf, ways)
    pdf.set_font(FONT, "", 6.5)
    pdf.set_text_color(*_GREY)
    pdf.cell(0, 6, foot)
    with writing(path):
        path.write_bytes(bytes(pdf.output()))


def _cells(pdf: FPDF, labels: Sequence[KeyLabel]) -> None:
    x, y = _MARGIN_MM, pdf.get_y() + 2
    for label in labels:
        if x + label.wide_mm > pdf.w - _MARGIN_MM:
            x, y = _MARGIN_MM, y + _HIGH_MM + _GAP_MM
        _cell(pdf, label, x, y)
        x += label.wide_mm + _GAP_MM
    pdf.set_xy(_MARGIN_MM, y + _HIGH_MM + 6)


def _cell(pdf: FPDF, label: KeyLabel, x: float, y: float) -> None:
    pdf.set_draw_color(*_GREY)
    pdf.set_fill_color(0)
    pdf.set_line_width(0.1)
    pdf.rect(x, y, label.wide_mm, _HIGH_MM, style="DF" if label.loud else "D")
    pdf.set_text_color(255 if label.loud else 0)
    _fitted(pdf, label.cap, _CAP_PT, label.wide_mm, "B")
    pdf.set_xy(x, y + 1.2)
    pdf.cell(label.wide_mm, 6, label.cap, align="C")
    _fitted(pdf, label.word, _WORD_PT, label.wide_mm, "")
    pdf.set_xy(x, y + 8.2)
    pdf.cell(label.wide_mm, 3.4, label.word, align="C")


def _fitted(pdf: FPDF, text: str, points: float, wide_mm: float, style: str) -> None:
    """Choose the largest size up to `points` at which the text fits the cell."""
    pdf.set_font(FONT, style, points)
    room = wide_mm - 1.0 - 2 * pdf.c_margin
    whole = pdf.get_string_width(text)
    if whole > room:
        pdf.set_font(FONT, style, points * room / whole)


def _ways(pdf: FPDF, ways: Sequence[tuple[str, str]]) -> None:
    pdf.set_text_color(0)
    for keys, what in ways:
        pdf.set_font(FONT, "B", 8)
        pdf.cell(18, 4.6, keys)
        pdf.set_font(FONT, "", 8)
        pdf.cell(0, 4.6, what, new_x="LMARGIN", new_y="NEXT")
