"""A whole programme on a simulated clock."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from controller.arc.imagined import imagined_pool
from controller.config import find_programme, load_programme
from controller.messages import Dose, Hold, RoomRules, Start
from controller.rehearsal import Rehearsal, rehearse_programme


def test_seven_hours_forty_are_rehearsed_without_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    programme = load_programme(find_programme("psilocybin-25mg"))
    assert programme.arc_end_s == 460 * 60
    assert rehearse_programme("psilocybin-25mg", None, tmp_path, 1, as_json=True) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    entered = [(row["phase"], row["t_plus_s"]) for row in rows if row["what"] == "phase_entered"]
    assert [phase for phase, _ in entered] == [phase.code for phase in programme.phases]
    starts = {phase.code: programme.start_s(place) for place, phase in enumerate(programme.phases)}
    assert all(at == pytest.approx(starts[phase], abs=1.0) for phase, at in entered[1:])
    assert not [row for row in rows if row["what"] in ("music_short", "filler", "broken")]
    assert sum(row["what"] == "piece" for row in rows) > 40


async def test_a_phase_that_is_held_half_a_day_never_falls_silent() -> None:
    programme = load_programme(find_programme("ketamine-iv-40min"))
    room = Rehearsal(RoomRules(room="r", lamps=(), buses=("speakers",)), imagined_pool(programme, 100))
    await room.open()
    text = find_programme("ketamine-iv-40min").read_text(encoding="utf-8")
    room.post(Start(programme=programme.name, participants=("R-001",), programme_text=text, session="s", seed=1))
    room.advance(5 * 3600.0)  # before the dose, too
    room.post(Dose(part="start"), "R-001")
    room.advance(25 * 60.0)
    room.post(Hold())
    room.advance(12 * 3600.0)
    pieces = [happening for happening in room.timeline if happening.what == "piece"]
    ends = [happening.t + happening.values["minutes"] * 60.0 + 3.0 for happening in pieces]
    assert all(after.t <= end for after, end in zip(pieces[1:], ends, strict=False))
    assert ends[-1] > room.clock.now()
    assert room.state.here.code == "deep" and not [one for one in room.timeline if one.what == "music_short"]
