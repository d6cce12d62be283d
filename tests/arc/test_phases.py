"""What a phase asks for, what participants do not want, and what a sitter chooses instead."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from msgspec.structs import replace

from controller.arc.imagined import imagined_pieces
from controller.arc.programme import Programme
from controller.arc.shelves import Pool
from controller.arc.sources import SetPlan
from controller.arc.taste import STEP_DB, forbids, taste_of
from controller.messages import Cue, Limits, Piece
from tests.arc.walk import Walk, codes, gaps

CALM_SET = SetPlan(code="calm", title="Calm", kind="calm", music="calm")
GROUND_SET = SetPlan(code="ground", title="Ground", kind="grounding", music="ground")


def programme(*phases: dict[str, Any], sets: tuple[SetPlan, ...] = ()) -> Programme:
    """Phases of an hour each, with what is said of them."""
    usual = {"title": "P", "minutes": 60, "intensity": [0.5], "light": [0.2], "music": "music"}
    return Programme.model_validate(
        {
            "format": 1,
            "name": "x",
            "title": "X",
            "dose": {"shape": "none"},
            "phases": [{"code": f"p{number}"} | usual | phase for number, phase in enumerate(phases)],
        }
    ).model_copy(update={"sets": sets})


def walk(asked: Programme, pieces: list[Piece], seed: int = 1, **sources: list[Piece]) -> Walk:
    """A session of such a programme, planned."""
    made = Walk(asked, Pool({"music": pieces, **sources}), seed)
    made.plan()
    return made


PIECES = imagined_pieces(150, folder="music")


def levels(cues: tuple[Cue, ...]) -> list[float]:
    return [cue.piece.lufs + cue.gain_db for cue in cues]


@pytest.mark.parametrize(("arrangement", "sign"), [("rising", 1), ("falling", -1)])
def test_a_phase_rises_or_falls_in_loudness_range_and_brightness(arrangement: str, sign: int) -> None:
    made = walk(programme({"arrangement": arrangement}), PIECES)
    energies = [made.pool.shelf("music").by_path[cue.piece.path].energy * sign for cue in made.made.cues]
    assert len(energies) > 5 and energies == sorted(energies)


def test_a_level_phase_keeps_near_the_middle() -> None:
    spread = {}
    for arrangement in ("any", "level"):
        found = [walk(programme({"arrangement": arrangement}), PIECES, seed) for seed in range(20)]
        energies = [one.pool.shelf("music").by_path[cue.piece.path].energy for one in found for cue in one.made.cues]
        spread[arrangement] = sum(energy**2 for energy in energies) / len(energies)
    assert spread["level"] < 0.5 * spread["any"]


def test_a_listed_phase_keeps_the_order_of_the_list_and_the_border() -> None:
    made = walk(programme({"arrangement": "as-listed"}), PIECES[:20])
    places = [PIECES.index(cue.piece) for cue in made.made.cues]
    assert places == sorted(places)
    assert abs(made.made.misses[0][1]) <= 5.0


def test_a_gapless_phase_joins_what_belongs_together_at_the_frame_and_trims_nothing() -> None:
    made = walk(programme({"gapless": True}, {"gapless": True}, {"crossfade_s": 8}), PIECES)
    for before, after in itertools.pairwise(made.made.cues):
        if after.phase not in ("p0", "p1"):
            continue
        assert after.offset_s == 0.0 and after.length_s == after.piece.duration_s
        neighbours = before.phase == after.phase and PIECES.index(after.piece) == PIECES.index(before.piece) + 1
        assert (after.after == before.id) is neighbours
        if neighbours:
            assert after.start_s == before.end_s and after.fade_in_s == before.fade_out_s == 0.0
        else:
            assert after.fade_in_s == before.fade_out_s > 0.0
    together = [cue for cue in made.made.cues if cue.after]
    assert len(together) >= 10
    assert all(abs(miss) <= 5.0 for _, miss in made.made.misses)


def test_a_gapless_phase_is_levelled_as_one_work_so_that_no_join_is_heard_as_a_step() -> None:
    loud, soft = PIECES[0].lufs, PIECES[0].lufs - 12.0
    levels = [loud if n % 2 else soft for n in range(len(PIECES))]
    movements = [
        replace(piece, lufs=lufs, true_peak_dbfs=lufs + 10.0) for piece, lufs in zip(PIECES, levels, strict=True)
    ]
    made = walk(programme({"gapless": True}, {}), movements).made
    gains = {cue.gain_db for cue in made.cues if cue.phase == "p0"}
    assert len(gains) == 1
    # Half of the time at full power: 3 dB below the loud ones, but for the lengths.
    assert loud + gains.pop() == pytest.approx(-23.0 + 3.0, abs=1.0)
    assert len({cue.gain_db for cue in made.cues if cue.phase == "p1"}) == 2, "elsewhere each by itself"


def test_a_gapless_phase_that_is_planned_again_goes_on_as_it_was() -> None:
    made = walk(programme({"gapless": True}), PIECES)
    before = made.made.cues
    made.wait(before[2].start_s + 20.0)
    again = made.plan().cues
    assert again == before[2:]


def test_silence_at_a_piece_s_ends_is_not_played() -> None:
    made = walk(programme({}), PIECES)
    for cue in made.made.cues:
        assert cue.offset_s == cue.piece.head_s
        assert cue.length_s == pytest.approx(cue.piece.duration_s - cue.piece.head_s - cue.piece.tail_s)


def test_neighbours_differ_by_less_than_three_decibels_where_there_is_a_choice() -> None:
    for seed in range(20):
        made = walk(programme({}, {}), PIECES, seed).made
        found = [abs(a - b) for a, b in itertools.pairwise(levels(made.cues))]
        assert max(found) <= STEP_DB + 0.05
        assert not codes(made, "step")


def test_a_step_that_is_left_is_said() -> None:
    spiky = [replace(piece, true_peak_dbfs=piece.lufs + 30.0) for piece in PIECES[:4]]
    calm = [replace(piece, true_peak_dbfs=piece.lufs + 10.0) for piece in PIECES[4:8]]
    told = codes(walk(programme({}), spiky + calm).made, "step")
    assert told and all(abs(float(step["db"])) > STEP_DB for step in told)


def test_a_softer_phase_is_softer() -> None:
    quiet = [replace(piece, true_peak_dbfs=piece.lufs + 10.0) for piece in PIECES]
    made = walk(programme({}, {"loudness_offset_db": -6}), quiet).made
    assert {round(level, 3) for level in levels(tuple(c for c in made.cues if c.phase == "p0"))} == {-23.0}
    assert {round(level, 3) for level in levels(tuple(c for c in made.cues if c.phase == "p1"))} == {-29.0}


def test_a_phase_without_voices_or_a_language_has_none() -> None:
    made = walk(programme({"vocals": False}, {"exclude_languages": ["pt", "en"]}), PIECES).made
    assert not any(cue.piece.vocals for cue in made.cues if cue.phase == "p0")
    assert not any(cue.piece.language in ("pt", "en") for cue in made.cues)
    assert {(row["phase"], row["why"]) for row in codes(made, "left_out")} >= {("p0", "vocals"), ("p1", "language")}


SUNG = Piece(
    path="/srv/music/peak/a.flac", title="Moss", duration_s=300.0, vocals=True, language="pt-BR", tradition="Andean",
    digest="ab12cd34" * 8,
)  # fmt: skip


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        (Limits(), ""),
        (Limits(no_vocals=True), "vocals"),
        (Limits(languages=("pt",)), "language"),
        (Limits(languages=("PT_br",)), "language"),
        (Limits(languages=("p",)), ""),
        (Limits(traditions=("andean",)), "tradition"),
        (Limits(pieces=("peak/a.flac",)), "excluded"),
        (Limits(pieces=("eak/a.flac",)), ""),
        (Limits(pieces=("moss",)), "excluded"),
        (Limits(pieces=("AB12CD34",)), "excluded"),
        (Limits(pieces=("ab1",)), ""),
    ],
)
def test_a_piece_that_a_participant_does_not_want_is_known_by_any_of_its_marks(limits: Limits, why: str) -> None:
    phase = programme({}).phases[0]
    assert forbids(SUNG, taste_of(phase, limits, 16.0, 16.0).rules) == why


def test_the_peak_has_fewer_and_longer_pieces_though_all_draw_on_one_folder() -> None:
    more = programme({"intensity": [0.2]}, {"intensity": [0.9]})
    minutes: dict[str, list[float]] = {"p0": [], "p1": []}
    for seed in range(20):
        for cue in walk(more, PIECES, seed).made.cues:
            minutes[cue.phase].append(cue.length_s / 60)
    means = {code: sum(found) / len(found) for code, found in minutes.items()}
    assert means["p1"] > 1.5 * means["p0"]


def test_a_silent_phase_is_silent_and_the_next_begins_where_it_ends() -> None:
    made = walk(programme({}, {"music": "silence"}, {}), PIECES).made
    (gap,) = gaps(made.cues, 0.0, 3 * 3600.0)
    assert gap[0] == pytest.approx(3600.0, abs=20.0) and gap[1] == pytest.approx(7200.0)


def test_a_phase_whose_pool_is_too_small_borrows_before_it_falls_silent() -> None:
    asked = programme({}, {"music": "other"}, sets=(CALM_SET,))
    made = walk(asked, PIECES[:4], other=PIECES[50:100], calm=PIECES[100:]).made
    assert made.short_s == 0.0 and all(abs(miss) <= 5.0 for _, miss in made.misses)
    lent = {row["source"] for row in codes(made, "chosen") if row["why"] == "borrowed"}
    assert lent == {"calm"}


def test_music_that_nothing_can_lend_is_told_in_minutes() -> None:
    made = walk(programme({}, {}, {}), PIECES[:10]).made
    (short, *_) = codes(made, "short")
    total = sum(float(row["minutes"]) for row in codes(made, "short"))
    assert made.short_s == pytest.approx(60 * total, abs=10)
    assert short["phase"] in ("p0", "p1", "p2") and made.short_s > 3600


CALM, GROUND = imagined_pieces(30, folder="calm"), imagined_pieces(5, folder="ground")


def chosen_set(made: Walk) -> list[Cue]:
    return [cue for cue in made.made.cues if cue.set]


def test_music_that_may_be_repeated_is_repeated_before_a_phase_falls_silent() -> None:
    asked = programme({}, {}).model_copy(update={"repeats": "when-needed"})
    made = walk(asked, imagined_pieces(8, folder="music", longest_s=400.0)).made
    assert made.short_s == 0.0 and not gaps(made.cues, 0.0, 7200.0 - 60.0)
    assert "again" in {reason["why"] for reason in codes(made, "chosen")}
    assert all(before.piece.path != after.piece.path for before, after in itertools.pairwise(made.cues))


@pytest.mark.parametrize("pieces", ["whole", "may-be-cut"])
def test_what_is_repeated_is_not_what_the_phase_before_ended_with(pieces: str) -> None:
    asked = programme(*4 * [{"minutes": 20}]).model_copy(update={"repeats": "when-needed", "pieces": pieces})
    for seed in range(5):
        cues = walk(asked, imagined_pieces(4, folder="music", longest_s=400.0), seed).made.cues
        assert all(before.piece.path != after.piece.path for before, after in itertools.pairwise(cues))


@pytest.mark.parametrize("pieces", [1, 2, 5])
def test_in_a_phase_that_is_held_for_hours_no_piece_comes_twice_running(pieces: int) -> None:
    few = [imagined_pieces(count, folder=name, longest_s=300.0) for name, count in (("music", pieces), ("else", 5))]
    same = SetPlan(code="same", title="Same", kind="calm", music="music")
    made = walk(programme({}, {"music": "else"}, sets=(same,)), few[0], **{"else": few[1]})
    made.held = True
    for _ in range(6):
        made.plan()
        made.wait(1800.0)
    heard = [cue.piece.path for cue in made.heard]
    assert len(heard) > 2 * len(set(heard))
    assert all(before != after for before, after in itertools.pairwise(heard))


def test_a_set_comes_next_and_the_phase_still_ends_on_time() -> None:
    made = walk(programme({}, {}, sets=(CALM_SET, GROUND_SET)), PIECES, calm=CALM, ground=GROUND)
    made.wait(600.0)
    later = made.of("p1")
    until = made.now + 1500.0
    made.plan(set_code="calm", set_until_s=until)
    found = chosen_set(made)
    assert {cue.piece for cue in found} <= set(CALM) and {cue.set for cue in found} == {"calm"}
    assert found[-1].end_s >= until > found[-1].start_s
    assert made.made.cues[1] == found[0] and made.made.cues[0].length_s > 30
    assert all(abs(miss) <= 5.0 for _, miss in made.made.misses)
    assert made.of("p1") == later
    before = made.made.cues
    made.wait(60.0)
    assert made.plan().cues == tuple(cue for cue in before if cue.end_s > made.now)
    made.wait(1800.0)
    assert made.plan().cues == tuple(cue for cue in before if cue.end_s > made.now)


def test_a_set_that_is_taken_back_gives_way_to_the_plan() -> None:
    made = walk(programme({}, sets=(CALM_SET, GROUND_SET)), PIECES, calm=CALM)
    made.wait(60.0)
    made.plan(set_code="calm", set_until_s=made.now + 1500.0)
    made.plan(set_code="", set_until_s=0.0)
    assert not chosen_set(made) and all(abs(miss) <= 5.0 for _, miss in made.made.misses)


def test_grounding_is_one_piece_at_once_and_then_the_plan_again() -> None:
    made = walk(programme({}, {}, sets=(CALM_SET, GROUND_SET)), PIECES, calm=CALM, ground=GROUND)
    made.wait(600.0)
    for _ in range(3):
        made.plan(cut=True, set_code="ground", set_until_s=made.now + 10.0)
        (piece,) = [cue for cue in chosen_set(made) if cue.start_s > made.now]
        assert piece.start_s == pytest.approx(made.now + 2.0) and piece.piece in GROUND
        assert abs(made.made.misses[0][1]) <= 5.0
        made.wait(30.0)


@pytest.mark.parametrize("pieces", [[], [SUNG]])
def test_an_empty_set_is_said_and_the_phase_plays_on(pieces: list[Piece]) -> None:
    made = walk(programme({"vocals": False}, sets=(CALM_SET, GROUND_SET)), PIECES, calm=pieces)
    made.plan(set_code="calm", set_until_s=made.now + 1500.0)
    assert not chosen_set(made) and not gaps(made.made.cues, made.now, 3600.0)
    (told,) = codes(made.made, "set_short")
    assert told["set"] == "calm" and not told["begun"]


def test_a_set_that_ends_early_is_said() -> None:
    made = walk(programme({}, sets=(CALM_SET, GROUND_SET)), PIECES, calm=CALM[:2])
    made.plan(set_code="calm", set_until_s=made.now + 3000.0)
    (told,) = codes(made.made, "set_short")
    assert told["begun"] and float(told["minutes"]) > 5
    assert not gaps(made.made.cues, made.now, 3600.0)
