"""What contradicts itself in a programme that could be followed all the same.

It is asked of a file before a session, never of the programme of a session that has begun: what was followed once can
be replayed.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from controller.arc.blinding import ArmPlan
from controller.arc.programme import ONSET, Programme

_CALLED = ("participant", "session", "sitter")
"""What a programme may have words of its own for."""


def contradictions(programme: Programme) -> list[str]:
    """A sentence for each."""
    arms = programme.blinded.arms if programme.blinded else ()
    found = _twice("marks", (mark.code for mark in programme.marks))
    found += _twice("blinded.arms", (arm.code for arm in arms))
    found += [
        f'labels: "{word}" is nothing that papers call by another word; allowed: {", ".join(_CALLED)}'
        for word in programme.labels
        if word not in _CALLED
    ]
    waiting = [phase.code for phase in programme.phases if phase.wait_for == ONSET]
    if waiting and not any(mark.code == ONSET for mark in programme.marks):
        found.append(f'phases "{waiting[0]}": waits for onset, and no mark has the code "{ONSET}"')
    plans: list[tuple[str, Programme | ArmPlan]] = [
        ("", programme),
        *((f'blinded.arms "{arm.code}".', arm) for arm in arms),
    ]
    for where, plan in plans:
        found += _twice(f"{where}release.criteria", (one.code for one in plan.release.criteria))
        if programme.dose.shape != "infusion" and plan.release.counts_from == "stop":
            found.append(f"{where}release.counts_from: nothing stops where the dose is no infusion")
        if programme.dose.shape != "infusion" and plan.vitals.after_stop_minutes:
            found.append(f"{where}vitals.after_stop_minutes: nothing stops where the dose is no infusion")
        if programme.dose.shape == "none" and plan.booster is not None:
            found.append(f"{where}booster: there is none without a dose")
        lines = sorted(plan.release.by_total_dose, key=lambda line: line.from_amount)
        for less, more in itertools.pairwise(lines):
            if less.from_amount == more.from_amount:
                found.append(f"{where}release.by_total_dose: {more.from_amount:g} is there twice")
            elif more.minutes < less.minutes:
                found.append(
                    f"{where}release.by_total_dose: from {more.from_amount:g} on release is sooner than from "
                    f"{less.from_amount:g} on"
                )
    return found


def _twice(where: str, codes: Iterable[str]) -> list[str]:
    listed = list(codes)
    return [f'{where}: "{code}" is there twice' for code in sorted({code for code in listed if listed.count(code) > 1})]
