"""The sheet for paramedics on paper: one A4 page in large letters, or the same as plain text."""

from __future__ import annotations

from pathlib import Path

from controller.drawing.paper import FONT, Paper
from controller.files import ConfigError, write_private, writing
from controller.wording import NOT_A_MEDICAL_DEVICE
from controller.wording.handover import Sheet, sheet_text

_MARGIN_MM = 14.0
_HEADING_MM = 42.0


def write_sheet(sheet: Sheet, path: Path) -> None:
    """Write the sheet; the name's ending says as what. Raises ConfigError."""
    match path.suffix.lower():
        case ".pdf":
            made = sheet_pdf(sheet)
        case ".txt":
            made = f"{sheet_text(sheet, 200)}\n\n{NOT_A_MEDICAL_DEVICE}\n".encode()
        case _:
            raise ConfigError([f"{path}: the sheet is a PDF or a text; its name ends in .pdf or .txt"])
    with writing(path):
        write_private(path, made)


def sheet_pdf(sheet: Sheet) -> bytes:
    """The sheet as a PDF."""
    paper = Paper(sheet.title, _MARGIN_MM, foot_mm=15)
    paper.set_font(FONT, "B", 15)
    paper.multi_cell(0, 8, sheet.title, new_x="LMARGIN", new_y="NEXT")
    paper.set_font(FONT, "", 9)
    paper.cell(0, 6, f"written {sheet.made}", new_x="LMARGIN", new_y="NEXT")
    paper.ln(2)
    for heading, lines in sheet.parts:
        for at, line in enumerate(lines):
            paper.set_font(FONT, "B", 10)
            paper.cell(_HEADING_MM, 6.5, heading if at == 0 else "")
            paper.set_font(FONT, "", 12)
            paper.multi_cell(0, 6.5, line, new_x="LMARGIN", new_y="NEXT")
        paper.ln(1.2)
    paper.set_font(FONT, "", 7.5)
    paper.ln(3)
    paper.cell(0, 5, NOT_A_MEDICAL_DEVICE)
    return bytes(paper.output())
