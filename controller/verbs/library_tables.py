"""How pieces, their figures and their ranks look on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rapidfuzz import fuzz, process, utils
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from controller.library.catalogue import Entry
from controller.library.folders import Problem
from controller.library.suggest import Suggestion
from controller.one_line import one_line

_HEADS = {
    "onset_regularity": "regular",
    "centroid_hz": "bright",
    "loudness_range_lu": "range",
    "rise_db": "rise",
    "onset_rate_hz": "onsets",
}
_FORMS = {
    "onset_regularity": "{:.2f}",
    "centroid_hz": "{:.0f} Hz",
    "loudness_range_lu": "{:.1f} LU",
    "rise_db": "{:+.1f} dB",
    "onset_rate_hz": "{:.2f}/s",
}


def length(seconds: float) -> str:
    """3:07, 1:04:10."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def find_tracks(
    asked: str, entries: Sequence[Entry], problems: Sequence[Problem]
) -> tuple[list[Entry], list[Problem], list[str]]:
    """The usable and the spoilt files that are meant, and the nearest names where there are none."""
    word = asked.casefold()

    def is_named(path: str, title: str = "", digest: str = "") -> bool:
        file = Path(path)
        if word in (title.casefold(), file.name.casefold(), file.stem.casefold()):
            return True
        return (
            file == Path(asked).resolve() or path.endswith(f"/{asked}") or (len(word) >= 6 and digest.startswith(word))
        )

    found = [entry for entry in entries if is_named(entry.path, entry.piece.title, entry.digest)]
    spoilt = [problem for problem in problems if is_named(problem.path)]
    if found or spoilt:
        return found, spoilt, []
    names = [entry.piece.title for entry in entries] + [Path(problem.path).name for problem in problems]
    names += [Path(entry.path).name for entry in entries]
    near = process.extract(
        asked, list(dict.fromkeys(names)), scorer=fuzz.WRatio, processor=utils.default_process, limit=4, score_cutoff=55
    )
    return [], [], [f'"{name}"' for name, *_ in near]


def show_entry(entry: Entry) -> None:
    """All that is known of one file."""
    piece, measured = entry.piece, entry.measurement
    voice = {None: "not said: counts as none", True: "yes", False: "no"}[entry.said.vocals]
    disc = f" of disc {measured.disc}" if measured.disc else ""
    rows = [
        ("file", piece.path),
        ("artist", piece.artist),
        (
            "album",
            piece.album + (f", track {measured.track or piece.track_number}{disc}" if piece.track_number else ""),
        ),
        ("year", str(measured.year or "")),
        ("genre", ", ".join(entry.genres)),
        ("voice", voice),
        ("language", piece.language),
        ("tradition", piece.tradition),
        ("tags", ", ".join(piece.tags)),
        ("length", f"{length(piece.duration_s)}  ({piece.duration_s:.3f} s)"),
        ("format", f"{measured.codec}, {measured.rate} Hz" if measured.rate else ""),
        ("loudness", f"{piece.lufs:.1f} LUFS, range {piece.loudness_range_lu:.1f} LU"),
        ("true peak", f"{piece.true_peak_dbfs:+.1f} dBFS" + _peak_words(entry)),
        ("silence", f"{piece.head_s:.2f} s at its head, {piece.tail_s:.2f} s at its tail"),
        ("brightness", f"spectral centroid {piece.centroid_hz:.0f} Hz"),
        ("onsets", f"{piece.onset_rate_hz:.2f} a second, regularity {piece.onset_regularity:.2f} (0 to 1)"),
        ("slow rise", f"{_figure('rise_db', piece.rise_db)} from beginning to end"),
        ("digest", piece.digest),
    ]
    _print(piece.title, rows)
    if entry.stale:
        Console().print("Measured by an older version: stillroom library scan")


def show_problem(problem: Problem) -> None:
    """A file that cannot be used."""
    path = one_line(problem.path)
    _print(Path(path).name, [("file", path), ("cannot be used", problem.why)])


def show_suggestions(ranked: Sequence[Suggestion]) -> None:
    """The ranks with their figures."""
    if not ranked:
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in ("", "suits", "length"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("piece", ratio=1)
    for standing in ranked[0].standings:
        table.add_column(_HEADS[standing.wish.figure], justify="right", no_wrap=True)
    for place, each in enumerate(ranked, start=1):
        figures = [f"{_figure(s.wish.figure, s.value)} {100 * s.share:>3.0f}%" for s in each.standings]
        piece = each.piece
        name = f"{escape(piece.title)} [dim]{escape(Path(piece.path).parent.name)}[/dim]"
        table.add_row(str(place), f"{each.score:.0f}", length(piece.duration_s), name, *figures)
    _wide_enough().print(table)


def _figure(name: str, value: float) -> str:
    return _FORMS[name].format(value).replace("-0.0 dB", "+0.0 dB")


def _peak_words(entry: Entry) -> str:
    words = ""
    if entry.piece.true_peak_dbfs > 0:
        words += ", above full scale: turned down before it can clip"
    if entry.measurement.clipped_per_minute:
        words += f", clipped: cut flat at {entry.measurement.clipped_per_minute:.0f} samples a minute"
    return words


def _print(title: str, rows: Sequence[tuple[str, str]]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False, title=escape(title), title_justify="left")
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        if value:
            table.add_row(name, escape(value))
    _wide_enough().print(table)


def _wide_enough() -> Console:
    """The terminal; a pipe is as wide as it takes."""
    console = Console()
    return console if console.is_terminal else Console(width=200)
