"""A whole programme on a simulated clock."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from controller.config import find_programme, load_programme
from controller.rehearsal import rehearse_programme


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
