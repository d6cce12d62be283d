"""A session as a PDF: the same pages as the HTML, for the file in the cabinet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import zip_longest

from fpdf import FPDF

from controller import wording
from controller.drawing.arc import arc_png
from controller.drawing.paper import FONT, Paper
from controller.report import clinical
from controller.report.account import Account, Event, chain_words
from controller.report.people import told
from controller.report.picture import picture_of
from controller.report.preflight import preflight_words
from controller.report.tables import clock_of

_MARGIN_MM = 14.0
_GREY = (95, 105, 115)
_LINE_MM = 4.6
_GAP_MM = 6.0
_MOST_LETTERS = 900
"""Of one cell: a column of words that holds so many letters fits on a page."""


class _Paper(Paper):
    """With the session's name and the page's number at the foot."""

    def footer(self) -> None:
        self.set_y(-11)
        self.set_font(FONT, "", 6.5)
        self.set_text_color(*_GREY)
        self.cell(0, 4, f"{self.title}   page {self.page_no()} of {{nb}}   {wording.NOT_A_MEDICAL_DEVICE}")
        self.set_text_color(0)


def pdf(account: Account) -> bytes:
    """The whole document."""
    paper = _Paper(account.session, _MARGIN_MM, foot_mm=15)
    paper.set_creation_date(datetime.fromisoformat(account.records[-1][0].stamp.utc))  # the same record, the same bytes
    paper.set_font(FONT, "B", 15)
    paper.cell(0, 8, account.programme.title, new_x="LMARGIN", new_y="NEXT")
    facts = list(_facts(account))
    paper.set_font(FONT, "", 8)
    width = min(max(paper.get_string_width(heading) for heading, _ in facts) + _GAP_MM, paper.epw / 2)
    for heading, text in facts:
        paper.set_text_color(*_GREY)
        paper.cell(width, _LINE_MM, heading)
        paper.set_text_color(0)
        paper.multi_cell(0, _LINE_MM, text, new_x="LMARGIN", new_y="NEXT")
    paper.ln(2)
    drawing = arc_png(picture_of(account), width_in=10.0, height_in=3.8)
    paper.image(drawing, x=_MARGIN_MM, w=paper.w - 2 * _MARGIN_MM)
    _vitals(paper, account)
    _adverse(paper, account)
    _music(paper, account)
    _incidents(paper, account)
    _events(paper, account)
    return bytes(paper.output())


def _facts(account: Account) -> Iterable[tuple[str, str]]:
    programme = account.programme
    yield account.called("session", "Session"), f"{account.session} in room {account.room}"
    yield account.called("participant", "Participants"), ", ".join(account.participants)
    yield "Opened", f"{account.opened.utc[:19].replace('T', ' ')} UTC"
    length = wording.duration(account.last_t - account.opened.t)
    ended = account.closed.utc[:19].replace("T", " ") if account.closed else ""
    yield "Closed", f"{ended} UTC, after {length}" if ended else "not yet"
    for taken_t, code, words in clinical.doses(account.state):
        yield "Dose", f"{code}: {clock_of(account.t_plus(taken_t))}, {words}"
    for gone_t, code, what in clinical.gone(account.state):
        yield "Release", f"{code}: {what}{'' if gone_t is None else f' at {clock_of(account.t_plus(gone_t))}'}"
    for words in clinical.touch(account.state):
        yield "Touch", words
    yield "Preflight", preflight_words(account)
    yield account.called("sitter", "Present"), told(account.people) or "nobody signed on"
    signed = f"signed by {programme.reviewed_by} on {programme.reviewed_on}"
    yield "Programme", f"{programme.name}, {signed if programme.reviewed else 'not signed by a medical lead'}"
    yield "SHA-256", f"{account.programme_digest} (of the programme)"
    for signature in account.signatures:
        at = signature.utc[:19].replace("T", " ")
        yield "Signed off", f"{signature.who}, {at} UTC, up to record {signature.after}: {signature.meaning}"
    if not account.signatures:
        yield "Signed off", "not yet"
    yield "Software", account.software
    for kept in account.kept:
        yield "As run", f"{kept.name} {kept.sha256}"
    if account.role.withheld:
        yield "Left out", ", ".join(account.role.withheld)
    yield "Record", chain_words(account.chain)
    if account.missing:
        yield "Missing", "; ".join(account.missing)


def _heading(paper: FPDF, text: str) -> None:
    paper.ln(3)
    paper.set_font(FONT, "B", 10)
    paper.cell(0, 6, text, new_x="LMARGIN", new_y="NEXT")
    paper.set_font(FONT, "", 7.5)


def _table(paper: FPDF, headings: Sequence[str], widths: Sequence[int], rows: Sequence[Sequence[str]]) -> None:
    if not rows:
        paper.set_text_color(*_GREY)
        paper.cell(0, _LINE_MM, "None.", new_x="LMARGIN", new_y="NEXT")
        paper.set_text_color(0)
        return
    with paper.table(
        col_widths=tuple(widths), line_height=4.2, borders_layout="HORIZONTAL_LINES", text_align="LEFT"
    ) as table:
        table.row(headings)
        for row in rows:
            for part in _parts(row):
                table.row(part)


def _parts(row: Sequence[str]) -> Iterator[list[str]]:
    """A row as several where a text is too long for one page."""
    lines = [" / ".join(text.splitlines()) for text in row]
    texts = [[text[at : at + _MOST_LETTERS] for at in range(0, len(text), _MOST_LETTERS)] for text in lines]
    return (list(part) for part in zip_longest(*texts, fillvalue=""))


def _vitals(paper: FPDF, account: Account) -> None:
    rows = []
    for taken in account.vitals:
        read = taken.vitals
        pressure = f"{read.systolic}/{read.diastolic}" if read.systolic else ""
        said = f"missed: {read.missed}" if read.missed else pressure
        values = (str(read.pulse or ""), str(read.spo2 or ""), str(read.celsius or ""))
        when = (clock_of(account.t_plus(taken.t)), taken.utc[11:19], taken.participant)
        rows.append((*when, said, *values, taken.by, taken.remarks))
    limits = clinical.limits_told(account.state)
    _heading(paper, f"Vitals (limits: {limits})" if limits else "Vitals")
    headings = ("T+", "UTC", "who", "blood pressure", "pulse", "SpO₂", "°C", "by", "remarks")
    _table(paper, headings, (16, 16, 20, 26, 12, 12, 12, 12, 46), rows)


def _adverse(paper: FPDF, account: Account) -> None:
    rows = [(clock_of(account.t_plus(one.t)), one.utc[11:19], one.whom, one.text) for one in account.adverse]
    _heading(paper, "Adverse events, as they stand")
    _table(paper, ("T+", "UTC", "who", "what"), (18, 18, 26, 122), rows)


def _music(paper: FPDF, account: Account) -> None:
    rows = [
        (
            clock_of(account.t_plus(piece.t)),
            account.phase_title(piece.phase),
            piece.title,
            piece.artist,
            piece.heard,
        )
        for piece in account.pieces
    ]
    _heading(paper, "Music")
    _table(paper, ("T+", "phase", "piece", "artist", "heard"), (18, 26, 70, 44, 26), rows)


def _incidents(paper: FPDF, account: Account) -> None:
    rows = [(clock_of(account.t_plus(one.t)), one.utc[11:19], one.word, one.text) for one in account.incidents]
    _heading(paper, "Incidents")
    _table(paper, ("T+", "UTC", "", "what"), (18, 18, 20, 128), rows)


def _read(event: Event) -> str:
    """What the clock said when it was written, where that was set right later."""
    return f" ({event.utc_read[11:19]})" if event.utc_read != event.utc else ""


def _events(paper: FPDF, account: Account) -> None:
    rows = [
        (
            str(event.seq),
            clock_of(account.t_plus(event.t)) if event.timed else "",
            event.utc[11:19] + _read(event),
            event.by,
            event.word,
            event.text + event.remarks,
        )
        for event in account.events
    ]
    _heading(paper, "Everything, in order")
    if any(_read(event) for event in account.events):  # the clock was set right: both times
        _table(paper, ("no.", "T+", "UTC (as read)", "who", "", "what"), (12, 18, 34, 16, 20, 84), rows)
    else:
        _table(paper, ("no.", "T+", "UTC", "who", "", "what"), (12, 18, 18, 16, 20, 100), rows)
