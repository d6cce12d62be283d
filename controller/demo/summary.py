"""What the demo amounted to, each line measured: from the record, the capture and the lamps themselves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soundfile

from controller.arc.programme import Programme
from controller.config import Room
from controller.journal.reading import read_records, session_file, verify
from controller.library.measure import measure
from controller.lights.simulated_mqtt import SimulatedLamp
from controller.messages import FillerChanged, PieceEnded, PieceStarted, Record, SoundView

SILENCE_DBFS = -60.0
LONGEST_SILENCE_MS = 50.0
LEVEL_TOLERANCE = 0.02


_BY_HAND: dict[str, tuple[str, ...]] = {
    "phases": ("go", "end"),
    "light": ("light", "go", "end"),
    "longest silence": ("pause", "quiet"),
}
"""The acts that move a line of the summary away from the programme, by the line's first words."""


@dataclass(frozen=True)
class Finding:
    """One line of the summary, and whether it is as it should be. `by_hand`: somebody at the console moved it."""

    name: str
    value: str
    good: bool
    by_hand: bool = False


def summarise(
    state_dir: Path,
    session: str,
    room: Room,
    programme: Programme,
    wav: Path | None,
    sound: SoundView,
    lamps: Iterable[SimulatedLamp],
    slew_per_s: float,
) -> list[Finding]:
    """Every line of the summary."""
    file = session_file(state_dir, session)
    records = [record for record, _ in read_records(file)]
    checked = verify(file)
    findings = [
        _phases(records, programme),
        _pieces(records),
        *(_light(lamp, programme, room, slew_per_s) for lamp in lamps),
    ]
    if wav is not None:
        ceiling = min(bus.ceiling_dbfs for bus in room.table.sound.buses)
        silence = longest_silence_ms(wav)
        peak = measure(wav).true_peak_dbfs
        findings += [
            Finding("longest silence", f"{silence:.0f} ms", silence <= LONGEST_SILENCE_MS),
            Finding("highest true peak", f"{peak:.1f} dBFS, ceiling {ceiling:.1f}", peak <= ceiling + 0.1),
        ]
    findings += [
        Finding("late sound blocks", str(sound.late_blocks), sound.late_blocks == 0),
        Finding("records written", str(len(records)), len(records) > 0),
        Finding("chain verified", "yes" if checked.ok else f"no: {checked.why}", checked.ok),
    ]
    acts: set[str] = {
        record.input.act.kind for record in records if record.input.origin.console not in ("demo", "room")
    }
    return [replace(finding, by_hand=_moved(finding, acts)) for finding in findings]


def _moved(finding: Finding, acts: set[str]) -> bool:
    return not finding.good and any(
        finding.name.startswith(line) and acts & set(kinds) for line, kinds in _BY_HAND.items()
    )


def longest_silence_ms(wav: Path) -> float:
    """Longest stretch below -60 dBFS between the first and the last sound, in milliseconds."""
    samples, rate = soundfile.read(str(wav), dtype="float32", always_2d=True)
    size = rate // 1000
    peaks = np.abs(samples).max(axis=1)
    peaks = peaks[: len(peaks) // size * size].reshape(-1, size).max(axis=1)
    loud = np.flatnonzero(peaks > 10 ** (SILENCE_DBFS / 20))
    return float(np.diff(loud).max() - 1) if len(loud) > 1 else float("inf")


def _phases(records: list[Record], programme: Programme) -> Finding:
    entered = [str(fact.values["phase"]) for record in records for fact in record.facts if fact.code == "phase_entered"]
    wanted = [phase.code for phase in programme.phases]
    return Finding("phases entered", f"{len(entered)} of {len(wanted)}: {', '.join(entered)}", entered == wanted)


def _pieces(records: list[Record]) -> Finding:
    started = [record.input.act for record in records if isinstance(record.input.act, PieceStarted)]
    broken = [act for r in records if isinstance(act := r.input.act, PieceEnded) and act.why not in ("end", "cut")]
    filler = [act for r in records if isinstance(act := r.input.act, FillerChanged) and act.on]
    value = f"{len(started)}" + (f", {len(broken)} broken" if broken else "") + (", filler heard" if filler else "")
    return Finding("pieces played", value, bool(started) and not broken and not filler)


def _light(lamp: SimulatedLamp, programme: Programme, room: Room, slew_per_s: float) -> Finding:
    low, high = lamp.levels()
    light = room.table.light
    planned = [min(light.ceiling, max(light.floor, level)) for phase in programme.phases for level in phase.light]
    jump = lamp.largest_jump()
    good = low <= min(planned) + LEVEL_TOLERANCE and high >= max(planned) - LEVEL_TOLERANCE and low > 0.0
    value = f"{low:.0%} to {high:.0%}, at most {jump:.0%} in a second"
    return Finding(f"light {lamp.name}", value, good and jump <= slew_per_s + LEVEL_TOLERANCE)
