"""The fallback card of a rehearsed session, in words."""

from __future__ import annotations

from controller import wording
from controller.arc.programme import SILENCE, Programme
from controller.drawing.arc import ArcPicture
from controller.drawing.card import Card, CardPhase, CardPiece
from controller.report.account import Account
from controller.report.tables import clock_of

STEPS = (
    "Stay with the {participant}. For help use the wired nurse call or the wall button: this page calls nobody.",
    "Music: start the spare player at volume zero with the piece whose time has come, and raise it slowly to what "
    "was heard before. Silence is better than a sudden sound.",
    "Light: turn the dimmer slowly to the phase's level. Do not switch lamps off and on; they come back at full.",
    "Time: T+ counts from the ingestion above. Write down doses, vitals and events with the clock's time.",
    "When the screen is back it asks before it goes on. Stop the spare player first, then answer.",
)


def card_of(programme: Programme, account: Account, picture: ArcPicture, seed: int) -> Card:
    """Everything that stands on the card."""
    release = programme.release
    minutes = release.earliest_minutes(None)
    since = "the stop of the infusion" if release.counts_from == "stop" else "the last dose"
    facts = [("Vitals at", ", ".join(f"{minute:g}" for minute in programme.vitals.minutes) + " min")]
    if programme.vitals.temperature_minutes:
        warm = ", ".join(f"{minute:g}" for minute in programme.vitals.temperature_minutes)
        facts.append(("Temperature at", f"{warm} min"))
    if programme.booster:
        opens, closes = programme.booster.opens_minutes, programme.booster.closes_minutes
        facts.append(("Booster window", f"{opens:g} to {closes:g} min"))
    if minutes:
        facts.append(("Earliest release", f"{minutes:g} min after {since}, if every criterion is met"))
    if not programme.vitals.minutes:
        facts = facts[1:]
    signed = f"signed by {programme.reviewed_by} on {programme.reviewed_on}"
    return Card(
        title=programme.title,
        subtitle=f"Fallback card. {signed if programme.reviewed else 'Defaults, not signed by a medical lead.'}",
        whose=account.called("participant", "Participant"),
        picture=picture,
        phases=[_phase(programme, index) for index in range(len(programme.phases))],
        pieces=[
            CardPiece(
                at=clock_of(account.t_plus(piece.t)),
                minutes=f"{piece.played_s / 60:.0f} min",
                title=" - ".join(part for part in (piece.artist, piece.title) if part),
            )
            for piece in account.pieces
        ],
        facts=facts,
        steps=[step.format(participant=programme.labels.get("participant") or "participant") for step in STEPS],
        foot=f"{programme.name}, seed {seed}. {wording.NOT_A_MEDICAL_DEVICE}",
    )


def _phase(programme: Programme, index: int) -> CardPhase:
    phase = programme.phases[index]
    light = "→".join(dict.fromkeys(f"{level * 100:.0f}" for level in (phase.light[0], phase.light[-1]))) + " %"
    waits = {"ingestion": "until the dose is taken", "onset": f"until onset, at most {phase.most_minutes or 0:g} min"}
    return CardPhase(
        title=phase.title,
        start=clock_of(programme.start_s(index))[:-3],
        end=clock_of(programme.end_s(index))[:-3],
        light=light,
        music="silence" if phase.source == SILENCE else phase.music.folder or phase.code,
        note=waits.get(phase.wait_for, ""),
    )
