"""Whole programmes on a simulated clock."""

from __future__ import annotations

import asyncio
import json
import statistics
from dataclasses import replace
from pathlib import Path

import pytest

from controller.arc.imagined import imagined_pool
from controller.arc.shelves import Pool
from controller.config import find_programme, load_programme, load_room, shipped
from controller.files import ConfigError
from controller.journal.reading import Verified
from controller.messages import Dose, Hold, PieceStarted, RoomRules, Start
from controller.rehearsal.day import Wishes, live_through, rehearse
from controller.rehearsal.room import Rehearsal
from controller.rehearsal.script import read_script
from controller.rehearsal.telling import misses
from controller.report.gathering import account_from

RULES = RoomRules(room="rehearsal", lamps=("lamp",), buses=("speakers",))
WHOLE = Verified(ok=True, records=0, first_bad=None, why="", redacted=0, heads=0)
Captured = pytest.CaptureFixture[str]


def rows(told: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in told.splitlines()]


def entered(told: str) -> list[tuple[object, object]]:
    return [(row["phase"], row["t_plus_s"]) for row in rows(told) if row.get("what") == "phase_entered"]


async def lived(name: str, seed: int = 1, pool: Pool | None = None, script: Path | None = None) -> Rehearsal:
    path = find_programme(name)
    programme = load_programme(path)
    lines = read_script(script) if script else []
    chosen = pool or imagined_pool(programme, seed=seed)
    return await live_through(programme, path.read_text(), RULES, chosen, seed, lines)


@pytest.mark.parametrize("name", sorted(shipped("playlists")))
def test_every_shipped_programme_is_rehearsed_to_its_end_without_a_warning(
    name: str, tmp_path: Path, capsys: Captured
) -> None:
    programme = load_programme(find_programme(name))
    code = rehearse(Wishes(programme=name, state_dir=tmp_path, as_json=True))
    told = capsys.readouterr().out
    troubles = [str(row["warning"]) for row in rows(told) if "warning" in row]
    # A small imagined folder may leave a step between neighbours; nothing else may be amiss.
    assert not [trouble for trouble in troubles if "even when levelled" not in trouble]
    assert code == bool(troubles)
    starts = {phase.code: programme.start_s(place) for place, phase in enumerate(programme.phases)}
    assert [phase for phase, _ in entered(told)] == list(starts)
    assert all(at == pytest.approx(starts[str(phase)], abs=1.0) for phase, at in entered(told)[1:])


async def test_the_music_of_a_phase_ends_where_the_phase_ends() -> None:
    """Over every shipped programme, each by another seed; the thousand seeds are in the planner's proof."""
    found = [
        abs(miss)
        for seed, name in enumerate(sorted(shipped("playlists")))
        for miss in misses(await lived(name, seed))
        if name != "demo"
    ]
    assert statistics.median(found) <= 2.0
    assert statistics.quantiles(found, n=20)[-1] <= 5.0


def test_a_difficult_day_is_rehearsed_as_it_is_written_down(tmp_path: Path, capsys: Captured) -> None:
    script = tmp_path / "day.txt"
    script.write_text(
        "# distress at T+70\n-5m mark bathroom\n+70m hold\n+72m quiet 10 # silence\n+95m resume\n+2h pause\n"
        "+2h12m resume\n+3h go descent\n+3h30m dose 10 mg\n"
    )
    assert rehearse(Wishes(programme="psilocybin-25mg", state_dir=tmp_path, script=script, as_json=True)) == 0
    told = capsys.readouterr().out
    at = {str(row["what"]): row["t_plus_s"] for row in rows(told)}
    assert at["hold"] == 70 * 60
    assert at["pause"] == 120 * 60
    phases = dict(entered(told))
    assert phases["descent"] == 180 * 60
    assert phases["return"] == (180 + 160) * 60
    assert at["session_ended" if "session_ended" in at else "end"] == pytest.approx((180 + 160 + 110) * 60, abs=1.0)


def test_a_day_that_nobody_lets_go_on_is_left_open_and_said(tmp_path: Path, capsys: Captured) -> None:
    script = tmp_path / "day.txt"
    script.write_text("+70m hold\n")
    assert rehearse(Wishes(programme="ketamine-im", state_dir=tmp_path, script=script)) == 1
    assert "the script has no line that goes on" in capsys.readouterr().out


def test_a_day_that_a_script_ends_early_is_over_then(tmp_path: Path, capsys: Captured) -> None:
    script = tmp_path / "day.txt"
    script.write_text("+20m end\n")
    assert rehearse(Wishes(programme="ketamine-im", state_dir=tmp_path, script=script)) == 0
    assert "0:20:00" in capsys.readouterr().out.splitlines()[-1]


def test_what_a_script_asks_and_the_rules_refuse_is_a_warning(tmp_path: Path, capsys: Captured) -> None:
    script = tmp_path / "day.txt"
    script.write_text("+10m go nowhere\n")
    assert rehearse(Wishes(programme="ketamine-im", state_dir=tmp_path, script=script)) == 1
    assert "WARNING" in capsys.readouterr().out


def test_every_mistake_of_a_script_is_told_at_once(tmp_path: Path) -> None:
    script = tmp_path / "day.txt"
    script.write_text("soon hold\n+5m\n+6m holt\n+7m volume --stepp 3\n+8m vitals 120-80\n+9m hold\n+9m start mdma\n")
    with pytest.raises(ConfigError) as raised:
        read_script(script)
    told = raised.value.mistakes
    assert [mistake.split(": ")[1] for mistake in told] == [f"line {n}" for n in (1, 2, 3, 4, 5, 7)]
    assert "write it like +71m" in told[0]
    assert "holt" in told[2]
    assert "120/80" in told[4]


def test_every_piece_is_explained(tmp_path: Path, capsys: Captured) -> None:
    assert rehearse(Wishes(programme="ketamine-im", state_dir=tmp_path, explain=True, as_json=True)) == 0
    told = rows(capsys.readouterr().out)
    chosen = {row["title"] for row in told if row.get("reason") in ("chosen", "plays")}
    heard = {row["title"] for row in told if row.get("what") == "piece_started"}
    assert heard
    assert heard <= chosen


def test_a_library_that_is_too_short_is_said_with_the_minutes_and_the_phase(tmp_path: Path, capsys: Captured) -> None:
    assert rehearse(Wishes(programme="ketamine-im", state_dir=tmp_path, library=tmp_path)) == 1
    told = capsys.readouterr().out
    assert "nothing is measured below" in told
    programme = load_programme(find_programme("ketamine-im"))
    few = imagined_pool(programme)
    short = Pool({"peak": few.shelf("peak").pieces[:2], "settle": few.shelf("settle").pieces})
    room = asyncio.run(lived("ketamine-im", pool=short))
    codes = [fact.code for _, _, facts in room.reasons for fact in facts]
    assert "short" in codes


def test_the_day_is_drawn_and_the_card_is_printed(tmp_path: Path, capsys: Captured) -> None:
    plot, card = tmp_path / "day.svg", tmp_path / "card.pdf"
    wishes = Wishes(programme="mdma", state_dir=tmp_path, plot=plot, card=card, now_minutes=70.0)
    assert rehearse(wishes) == 0
    drawn = plot.read_text()
    for word in ("Work II", "booster", "earliest release", "vitals due", "not signed"):
        assert word in drawn
    assert card.read_bytes().count(b"/Type /Page\n") == 1
    with pytest.raises(ConfigError):
        rehearse(replace(wishes, plot=tmp_path / "day.gif"))


async def test_the_same_seed_gives_the_same_day() -> None:
    def heard(room: Rehearsal) -> list[object]:
        return [record.input.act for record, _ in room.records if isinstance(record.input.act, PieceStarted)]

    first, again, other = await lived("ketamine-im", 7), await lived("ketamine-im", 7), await lived("ketamine-im", 8)
    assert heard(first) == heard(again)
    assert heard(first) != heard(other)


def test_a_programme_without_a_dose_runs_from_its_opening(tmp_path: Path, capsys: Captured) -> None:
    assert rehearse(Wishes(programme="preparation-hour", state_dir=tmp_path)) == 0
    told = capsys.readouterr().out
    assert "from ingestion" not in told
    assert "1:00:00" in told


async def test_a_phase_that_is_held_half_a_day_never_falls_silent() -> None:
    path = find_programme("ketamine-iv-40min")
    programme = load_programme(path)
    room = Rehearsal(RULES, imagined_pool(programme, 100))
    await room.open()
    text = path.read_text()
    room.do(Start(programme=programme.name, participants=("R-001",), programme_text=text, session="s", seed=1))
    room.advance(5 * 3600.0)  # before the dose, too
    room.do(Dose(part="start"), "R-001")
    room.advance(25 * 60.0)
    room.do(Hold())
    room.advance(12 * 3600.0)
    account = account_from("s", room.records, room.first, WHOLE)
    ends = [piece.t + piece.played_s for piece in account.pieces]
    assert all(after.t <= end for after, end in zip(account.pieces[1:], ends, strict=False))
    assert account.pieces[-1].why == ""  # it sounds still
    assert room.state.here.code == "deep"
    assert not [event for event in account.events if event.kind == "music_short"]


def test_the_shipped_difficult_day_is_lived_through_without_a_warning(tmp_path: Path, capsys: Captured) -> None:
    script = Path(__file__).parents[2] / "deploy" / "difficult-day.txt"
    code = rehearse(Wishes(programme="psilocybin-25mg", state_dir=tmp_path, script=script, as_json=True))
    told = [row["what"] for row in rows(capsys.readouterr().out) if "what" in row]
    assert code == 0
    assert {"hold", "softer", "ground", "land", "quiet", "pause"} <= set(told)


def test_a_room_that_asks_for_a_preflight_and_codes_of_its_own_is_rehearsed_without_them(
    tmp_path: Path, capsys: Captured
) -> None:
    file = tmp_path / "room.toml"
    file.write_text('format = 1\nname = "room-9"\n[preflight]\nrequired = true\ncode = "C-[0-9]{4}"\n')
    rehearse(Wishes(programme="mdma", room=load_room(file), state_dir=tmp_path, as_json=True))
    assert [phase for phase, _ in entered(capsys.readouterr().out)][-1] == "return"
