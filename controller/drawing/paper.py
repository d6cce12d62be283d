"""The paper that everything printed is written on."""

from __future__ import annotations

from pathlib import Path

from fpdf import FPDF
from fpdf.fonts import TTFFont

FONT = "DejaVu"

_NO_LETTER = "\ufffd"
"""Where the font lacks one: nothing that was written may be left out unseen."""


class Paper(FPDF):
    """A4 with its first page and `FONT`: DejaVu Sans as matplotlib brings it, which has the letters of most languages.

    What comes nearer to the lower edge than `foot_mm` goes to the next page; None: there is one page.
    """

    def __init__(self, title: str, margin_mm: float, foot_mm: float | None) -> None:
        from matplotlib import get_data_path

        super().__init__(format="A4", unit="mm")
        folder = Path(get_data_path()) / "fonts" / "ttf"
        self.add_font(FONT, "", folder / "DejaVuSans.ttf")
        self.add_font(FONT, "B", folder / "DejaVuSans-Bold.ttf")
        self.set_margin(margin_mm)
        self.set_auto_page_break(foot_mm is not None, foot_mm or 0.0)
        self.set_title(title)
        self.add_page()

    def normalize_text(self, text: str) -> str:
        """The text with a sign in the place of every letter that the font does not have."""
        font = self.current_font
        letters = font.cmap if isinstance(font, TTFFont) else {}
        return "".join(one if one.isspace() or ord(one) in letters else _NO_LETTER for one in text)
