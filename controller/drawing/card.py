"""The fallback card: one page of paper for the day the computer dies, with the whole session on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fpdf import FPDF

from controller.drawing.arc import ArcPicture, arc_png
from controller.drawing.paper import FONT, Paper
from controller.files import ConfigError, writing

_MARGIN_MM = 12.0
_GREY = (95, 105, 115)


@dataclass(frozen=True, kw_only=True)
class CardPhase:
    """A row of the card: minutes from ingestion, light in percent of perceived brightness, where the music lies."""

    title: str
    start: str
    end: str
    light: str
    music: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class CardPiece:
    """A line of the list of pieces."""

    at: str
    minutes: str
    title: str


@dataclass(frozen=True, kw_only=True)
class Card:
    """All that stands on the card, already in words."""

    title: str
    subtitle: str
    whose: str
    """What the line for the code of whoever lies there is called."""
    picture: ArcPicture
    phases: Sequence[CardPhase]
    pieces: Sequence[CardPiece]
    facts: Sequence[tuple[str, str]]
    """(heading, text): vitals, booster, earliest release."""
    steps: Sequence[str]
    """What to do by hand."""
    foot: str


def write_card(card: Card, path: Path) -> None:
    """Write the card as a PDF of one A4 page. Raises ConfigError."""
    if path.suffix.lower() != ".pdf":
        raise ConfigError([f"{path}: the card is a PDF; its name ends in .pdf"])
    pdf = Paper(card.title, _MARGIN_MM, foot_mm=None)
    _head(pdf, card)
    _arc(pdf, card)
    _phases(pdf, card)
    _facts(pdf, card)
    _steps(pdf, card)
    _pieces(pdf, card)
    _foot(pdf, card)
    with writing(path):
        path.write_bytes(bytes(pdf.output()))


def _head(pdf: FPDF, card: Card) -> None:
    pdf.set_font(FONT, "B", 15)
    pdf.cell(0, 8, card.title, new_x="LMARGIN", new_y="NEXT")
    pdf.set_font(FONT, "", 8)
    pdf.set_text_color(*_GREY)
    pdf.cell(0, 4.5, card.subtitle, new_x="LMARGIN", new_y="NEXT")
    pdf.set_text_color(0)
    pdf.ln(1.5)
    pdf.set_font(FONT, "", 9.5)
    pdf.cell(0, 7, f"{card.whose} ________________   Date ______________   Ingestion at ____ : ____", border="TB")
    pdf.ln(8.5)


def _arc(pdf: FPDF, card: Card) -> None:
    width = pdf.w - 2 * _MARGIN_MM
    pdf.image(arc_png(card.picture, width_in=9.0, height_in=2.5), x=_MARGIN_MM, w=width)
    pdf.ln(2)


def _phases(pdf: FPDF, card: Card) -> None:
    pdf.set_font(FONT, "", 8)
    headings = ("Phase", "from T+", "to T+", "clock", "light", "music from", "")
    with pdf.table(
        col_widths=(27, 15, 15, 17, 17, 31, 64),
        line_height=4.6,
        borders_layout="HORIZONTAL_LINES",
        first_row_as_headings=True,
    ) as table:
        table.row(headings)
        for phase in card.phases:
            table.row((phase.title, phase.start, phase.end, "__:__", phase.light, phase.music, phase.note))
    pdf.ln(2)


def _facts(pdf: FPDF, card: Card) -> None:
    for heading, text in card.facts:
        pdf.set_font(FONT, "B", 8)
        pdf.cell(30, 4.4, heading)
        pdf.set_font(FONT, "", 8)
        pdf.multi_cell(0, 4.4, text, align="L", new_x="LMARGIN", new_y="NEXT")
    pdf.ln(1.5)


def _steps(pdf: FPDF, card: Card) -> None:
    pdf.set_font(FONT, "B", 9)
    pdf.cell(0, 5, "If the computer dies", new_x="LMARGIN", new_y="NEXT")
    pdf.set_font(FONT, "", 8)
    for number, step in enumerate(card.steps, start=1):
        pdf.cell(5, 4.4, f"{number}")
        pdf.multi_cell(0, 4.4, step, align="L", new_x="LMARGIN", new_y="NEXT")
    pdf.ln(1.5)


def _pieces(pdf: FPDF, card: Card) -> None:
    """Every piece, in as many columns and as small as the rest of the page asks for."""
    if not card.pieces:
        return
    pdf.set_font(FONT, "B", 9)
    pdf.cell(0, 5, "Pieces as planned", new_x="LMARGIN", new_y="NEXT")
    top, room = pdf.get_y(), pdf.h - _MARGIN_MM - 5 - pdf.get_y()
    columns, line = next(
        ((n, height) for n in (1, 2, 3) for height in (4.0, 3.5, 3.0) if -(-len(card.pieces) // n) * height <= room),
        (3, 2.6),
    )
    width = (pdf.w - 2 * _MARGIN_MM) / columns
    rows = max(1, int(room // line))
    rows = min(rows, -(-len(card.pieces) // columns))
    pdf.set_font(FONT, "", line * 1.85)
    for index, piece in enumerate(card.pieces[: rows * columns]):
        column, row = divmod(index, rows)
        pdf.set_xy(_MARGIN_MM + column * width, top + row * line)
        pdf.set_text_color(*_GREY)
        pdf.cell(11, line, piece.at, align="R")
        pdf.set_text_color(0)
        pdf.cell(width - 11, line, _fitted(pdf, f"{piece.title}  {piece.minutes}", width - 13))


def _fitted(pdf: FPDF, text: str, width: float) -> str:
    while text and pdf.get_string_width(text) > width:
        text = text[:-2].rstrip() + "…"
    return text


def _foot(pdf: FPDF, card: Card) -> None:
    pdf.set_xy(_MARGIN_MM, pdf.h - _MARGIN_MM - 2)
    pdf.set_font(FONT, "", 6.5)
    pdf.set_text_color(*_GREY)
    pdf.cell(0, 3, card.foot)
