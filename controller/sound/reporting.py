"""What the engine tells by itself: the report for somebody who has just connected, and the telemetry."""

from __future__ import annotations

from math import log10
from typing import Any

from controller import clock
from controller.messages import to_plain
from controller.sound.mixer import music_level
from controller.sound.player import Player
from controller.sound.timeline import RATE, Laid


def report(player: Player) -> dict[str, Any]:
    """The whole state."""
    now = clock.boottime()
    return {
        "event": "report",
        "engine": player.name,
        "session": player.sheet.session,
        "plan": player.sheet.plan,
        "transport": player.wanted_transport,
        "timeline_s": player.anchor.at(now).seconds,
        "boottime": now,
        "output": player.card.output.name,
        "lost": player.card.lost,
        "filler": player.mixer.filler_on,
        "music": player.music,
        "buses": player.faders,
        "direct": [to_plain(kept) for kept in player.direct],
        "direct_count": player.direct_count,
    }


def telemetry(player: Player) -> dict[str, Any]:
    """What changes by itself. Asks the mixer for fresh levels, which come with the next telemetry."""
    now = clock.boottime()
    place = player.anchor.at(now)
    here = player.sheet.between(place.frame, place.frame + 1)
    coming = player.sheet.after(place.frame)
    player.read_levels()
    return {
        "event": "telemetry",
        "boottime": now,
        "session": player.sheet.session,
        "timeline_s": place.seconds,
        "moving": not place.still,
        "transport": player.wanted_transport,
        "cue": _now_view(here[-1], place.frame) if here else None,
        "next": {"title": coming.cue.piece.title, "in_s": (coming.start - place.frame) / RATE} if coming else None,
        "buses": {
            name: {"level_db": player.mixer.strips[name].fader.value, "rms_dbfs": _db(rms), "peak_dbfs": _db(peak)}
            for name, (rms, peak) in player.levels.by_bus.items()
        },
        "music": music_level(player.mixer.music.value),
        "late_blocks": player.card.late_blocks,
        "ring_s": player.ring_s,
        "filler": player.mixer.filler_on,
        "output": player.card.output.name,
        "trouble": player.memory.failure,
    }


def _now_view(laid: Laid, frame: int) -> dict[str, Any]:
    piece = laid.cue.piece
    return {
        "id": laid.cue.id,
        "title": piece.title,
        "artist": piece.artist,
        "path": piece.path,
        "position_s": laid.cue.offset_s + (frame - laid.start) / RATE,
        "duration_s": piece.duration_s,
    }


def _db(amplitude: float) -> float:
    return round(20 * log10(max(amplitude, 1e-6)), 2)
