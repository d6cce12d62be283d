"""The arc as a picture and the fallback card as a page."""

from dataclasses import replace
from pathlib import Path

import pytest

from controller.arc.curves import intensity_curve, light_curve
from controller.config import find_programme, load_programme, shipped
from controller.drawing.arc import ArcPicture, Span, Tick, draw_arc, save_arc
from controller.drawing.card import Card, CardPhase, CardPiece, write_card
from controller.drawing.paper import FONT, Paper
from controller.files import ConfigError
from controller.messages import PhaseView


def picture(name: str, pieces: int = 40) -> ArcPicture:
    programme = load_programme(find_programme(name))
    length = (programme.arc_end_s - programme.start_s(0)) / pieces
    return ArcPicture(
        title=programme.title,
        phases=tuple(
            PhaseView(code=phase.code, title=phase.title, start_s=programme.start_s(i), end_s=programme.end_s(i))
            for i, phase in enumerate(programme.phases)
        ),
        intensity=intensity_curve(programme),
        light=light_curve(programme, 0.05, 0.8),
        pieces=tuple(
            Span(
                start_s=programme.start_s(0) + n * length,
                end_s=programme.start_s(0) + (n + 1) * length,
                word=f"Élégie {n}",
            )
            for n in range(pieces)
        ),
        ticks=(
            *(Tick(t_s=minute * 60) for minute in programme.vitals.minutes),
            Tick(t_s=3600, word="spoke", kind="mark"),
        ),
        silences=(Span(start_s=600, end_s=700),),
        now_s=1200.0,
        note="Defaults, not signed",
    )


@pytest.mark.parametrize("suffix", [".svg", ".png", ".pdf"])
def test_a_picture_is_written_in_the_format_of_its_name(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"arc{suffix}"
    save_arc(picture("mdma"), path)
    head = path.read_bytes()[:200]
    assert {
        ".svg": b"<svg" in path.read_bytes(),
        ".png": head.startswith(b"\x89PNG"),
        ".pdf": head.startswith(b"%PDF"),
    }[suffix]


def test_words_of_entries_that_stand_close_never_run_into_each_other() -> None:
    words = ("challenge", "hold", "touch", "touch", "quiet", "bathroom", "anxious", "resume", "note", "volume")
    ticks = [Tick(t_s=3600 + 20 * n, word=word, kind="mark") for n, word in enumerate(words * 2)]
    crowded = replace(picture("mdma"), ticks=(*ticks, Tick(t_s=3700, word="call", kind="fault")))
    figure = draw_arc(crowded, 10.0, 3.8)
    figure.draw_without_rendering()
    shown = [text for text in figure.axes[0].texts if text.get_text() in {*words, "call"}]
    assert "call" in [text.get_text() for text in shown] and len(shown) > 5
    boxes = [text.get_window_extent() for text in shown]
    top = figure.axes[0].get_window_extent().y1
    assert all(box.y1 <= top + 1 for box in boxes)
    for place, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:place]), shown[place].get_text()


def test_words_of_an_svg_stay_words_that_can_be_searched(tmp_path: Path) -> None:
    save_arc(picture("mdma", pieces=8), tmp_path / "arc.svg")
    text = (tmp_path / "arc.svg").read_text(encoding="utf-8")
    for word in ("MDMA with booster", "Work II", "Élégie 3", "intensity", "vitals due", "Defaults, not signed"):
        assert word in text


def test_the_same_plan_gives_the_same_picture_byte_for_byte(tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg"):
        save_arc(picture("mdma"), tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_a_picture_of_no_known_kind_is_refused_with_the_kinds_there_are(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        save_arc(picture("mdma"), tmp_path / "arc.jpeg")
    assert ".svg, .png, .pdf" in raised.value.mistakes[0]


@pytest.mark.parametrize("name", sorted(shipped("playlists")))
def test_the_names_of_phases_never_run_into_each_other(name: str) -> None:
    drawn = picture(name, pieces=2)
    figure = draw_arc(drawn)
    figure.canvas.draw()
    axes = figure.axes[0]
    titles = {phase.title for phase in drawn.phases}
    boxes = [text.get_window_extent() for text in axes.texts if text.get_text() in titles]
    assert len(boxes) == len(drawn.phases)
    for n, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[n + 1 :])


def card(pieces: int) -> Card:
    return Card(
        title="Psilocybin 25 mg",
        subtitle="a plan",
        whose="Participant",
        picture=picture("psilocybin-25mg"),
        phases=[CardPhase(title=f"Phase {n}", start="0:00", end="1:00", light="5 %", music="peak") for n in range(8)],
        pieces=[
            CardPiece(at=f"{n // 6}:{n % 6}0", minutes="7 min", title="Čarovná flétna, ďas " + "x" * n)
            for n in range(pieces)
        ],
        facts=[("Vitals", "30, 60, 90, 120"), ("Earliest release", "480 minutes after the last dose")],
        steps=["Use the wired nurse call.", "Play the list from the spare player."] * 4,
        foot="Not a medical device.",
    )


@pytest.mark.parametrize("pieces", [0, 12, 68, 140])
def test_the_card_is_one_page_however_many_pieces_there_are(tmp_path: Path, pieces: int) -> None:
    write_card(card(pieces), tmp_path / "card.pdf")
    assert (tmp_path / "card.pdf").read_bytes().count(b"/Type /Page\n") == 1


def test_a_card_is_a_pdf_and_nothing_else(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        write_card(card(1), tmp_path / "card.docx")


def test_a_letter_that_the_paper_does_not_have_leaves_a_sign_and_no_gap() -> None:
    paper = Paper("a note", margin_mm=10.0, foot_mm=10.0)
    for style in ("", "B"):
        paper.set_font(FONT, style, 8)
        assert paper.normalize_text("größer \u2713\n\u65e5\u672c") == "größer \u2713\n\ufffd\ufffd"
    assert paper.output()
