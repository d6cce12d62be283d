"""What is said on the engine's socket, `sound.sock` in the runtime directory (Unix, mode 0660).

One JSON object a line, no line above 64 KiB. The first line each way is a greeting, `{"protocol": 1, …}`; the caller
adds `"role"`: "daemon" (the one that decides and records) or "console". A greeting of another protocol is answered with
`{"error": …}` and the end of the connection.

**Commands of the daemon** name an absolute state, so that sending one again is harmless. Each carries `session` and
`seq`, the number of the record that it follows from; one with a lower seq than the last for the same target of the same
session, or of a session that another one has replaced, is ignored.

    {"do": "cues", "session", "plan", "seq", "timeline_s", "part", "parts", "cues": [Cue…]}   a sheet, in parts
    {"do": "transport", "session", "seq", "transport": "play|pause|stop", "fade_s", "seen_direct"}
    {"do": "music", "session", "seq", "level", "fade_s"}
    {"do": "bus", "session", "seq", "bus", "level_db", "fade_s"}
    {"ack_direct": [id…]}    these direct acts are on record
    {"ack_events": n}        events up to number n have arrived

- A **sheet** is laid whole when its last part has come (`part` counts from 0 to `parts` - 1, in order). One of another
  session replaces everything: the old session's pieces fade out over a second, and the timeline stands at `timeline_s`,
  stopped. A sheet of the same session with a `plan` not below the last one's: a cue of the same id, file, start and
  offset plays on and takes on its new length, fades and gain within 50 ms; every other one that sounds fades out.
- A **cue** begins at `start_s` on the session's sound timeline and sounds for `length_s`, its equal-power fades inside.
  "after" another, it begins at the very frame at which the other's audio ends, sample for sample, whatever `start_s`
  says, as long as the file is within half a second of its `length_s`; in place of a file cut short it keeps `start_s`.
- **transport**: the timeline moves during play and during the fade of a pause or stop, then it stands. `fade_s` is the
  time from end to end; turned round half way, it goes back from where it is. `stop`, complete, forgets the sheet.
  A transport for a session that has no sheet yet waits for it; play waits up to a second for its first file.
- **music**: the amplitude 0..1 of all pieces (silence that was asked for; no filler comes). **bus**: dB below the level
  calibrated in the room file, never above 0. No fade is shorter than 30 ms.
- A command is heard within some 30 ms, beside the card's own buffer: what was rendered ahead is taken back.

`seen_direct` is the number of the newest direct act that the daemon knows of; a transport that does not know the newest
one is ignored, so that nobody undoes a pause which he has not heard of.

**Direct acts** need no daemon: `{"direct": "pause" | "resume", "id": UUID, "origin": Origin, "fade_s"?}` acts at
once, a pause over `fade_s` where that is shorter than the room's own, and is answered `{"done": id, "boottime": …}`.
The same id again does nothing and gets the same answer. The engine keeps the act, and reports it until the daemon has
acknowledged it.

**The tone** of a sound check lets pink noise sound on one bus, and ends it on the others:

    {"tone": BUS, "channels": [1, 2], "ceiling_dbfs", "left_dbfs": RMS or null, "right_dbfs", "fade_s", "for_s"}

It comes no nearer to the ceiling than a decibel; it ends by itself after `for_s`, and with a session's first sheet.
Answered `{"tone": BUS, "refused": ""}`, or "session" while there is one, or "room" where the bus is not what the caller
takes it for: nothing sounds then that did not before.

**Events**, to everyone connected: `{"event": …}` with

    report          engine, session, plan, transport, timeline_s, boottime, output, lost, filler, music, buses,
                    direct, direct_count; on connect, after a direct act, and when the device is lost or back
    piece_started   n, id, session, cue, title, path, boottime, frame: where the cue's first frame is played
    piece_ended     n, id, session, cue, title, path, boottime, why ("end", "cut", or the file's fault), played_s
    filler          n, id, on, why, title, boottime
    output          n, id, lost (why) or back (name), boottime
    dropout         n, id, why, title, lost_s, boottime: a device had nothing to play for so long, once for each time
    restarted       n, id, why, silent_s, boottime: a warden started this process in another's place
    telemetry       twice a second: boottime, session, timeline_s, moving, transport, cue {id, title, artist, path,
                    position_s, duration_s} or null, next {title, in_s} or null, buses {NAME: {level_db, rms_dbfs,
                    peak_dbfs}}, music (amplitude), late_blocks, ring_s (least decoded ahead), filler, output,
                    trouble (why the engine cannot write down where it is, or "")

Numbered events are kept until the daemon acknowledges them, over a restart of the engine too, and sent again when it
connects, before the report: what happened without it gets into the record. Their `id` is one of all engines' and stays
the same. `engine` is the process's own random name. Times are CLOCK_BOOTTIME seconds;
`frame` counts the output's frames (those of a capture file).

**Order and refusal.** Commands are done in the order they come; none is answered, what they did shows in the events. A
line that is no message is answered `{"error": …}` and ends the connection, and nothing else changes. A caller that
leaves a megabyte unread is hung up on.

**Clocks.** Music follows the card: a timeline second is 48,000 frames played, so against room time it may be 200 ppm
out, 0.7 s in an hour. `timeline_s` beside `boottime` is measured from frames at most half a second old; positions and
remaining times go by it, never by the time that has passed since a piece began.

**Without a daemon** the engine plays the cues it holds to their end, then the filler for half an hour, then fades out
over a minute. Filler also comes, within a second, wherever a piece should sound and none does. Killed, it goes on
where it was last heard, faded in; after another boot of the machine it begins with nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Literal

from msgspec import Meta, Struct

from controller.messages import (
    PROTOCOL,
    Cue,
    FadeBus,
    FadeMusic,
    Origin,
    PlayCues,
    SetTransport,
    Transport,
    encode,
    line_of,
)

LINE_BYTES = 65_536
"""No message is longer."""

_PART_BYTES = 48_000
"""Cues are put into one part up to this size."""


class _Command(Struct, frozen=True, tag_field="do"):
    """What the daemon tells the engine; `do` says which it is."""


class LayCues(_Command, frozen=True, kw_only=True, tag="cues"):
    """One part of a cue sheet."""

    session: str
    plan: int
    seq: int
    timeline_s: float = 0.0
    part: int = 0
    parts: int = 1
    cues: tuple[Cue, ...]


class TurnTransport(_Command, frozen=True, kw_only=True, tag="transport"):
    """Play, pause or stop."""

    session: str
    seq: int
    transport: Transport
    fade_s: float
    seen_direct: int = 0


class SetMusic(_Command, frozen=True, kw_only=True, tag="music"):
    """The level of the music as a whole, 0..1."""

    session: str
    seq: int
    level: float
    fade_s: float


class SetBus(_Command, frozen=True, kw_only=True, tag="bus"):
    """The fader of one bus, dB below its calibrated level."""

    session: str
    seq: int
    bus: str
    level_db: float
    fade_s: float


Command = LayCues | TurnTransport | SetMusic | SetBus


class DirectAct(Struct, frozen=True, kw_only=True):
    """A pause or resume that a console asked of the engine itself."""

    direct: Literal["pause", "resume"]
    id: str
    origin: Origin = Origin()
    fade_s: Annotated[float, Meta(ge=0.0, le=30.0)] | None = None
    """Longest fade of a pause, where it must not take as long as the room's own."""


_ToneDbfs = Annotated[float, Meta(ge=-120.0, le=0.0)]


class PlayTone(Struct, frozen=True, kw_only=True):
    """The tone of a sound check, on one bus."""

    tone: str
    channels: tuple[int, int]
    ceiling_dbfs: float
    left_dbfs: _ToneDbfs | None = None
    right_dbfs: _ToneDbfs | None = None
    fade_s: Annotated[float, Meta(ge=0.1, le=10.0)] = 1.0
    for_s: Annotated[float, Meta(gt=0.0, le=600.0)] = 60.0


class KeptDirectAct(Struct, frozen=True, kw_only=True):
    """A direct act, when it was done, and its number."""

    act: DirectAct
    boottime: float
    number: int


def greeting(**words: str) -> bytes:
    """The first line."""
    return line_of({"protocol": PROTOCOL, **words})


def cue_parts(cues: Iterable[Cue]) -> Iterator[list[Cue]]:
    """Cues in portions that fit a message each; one empty portion where there are none."""
    part: list[Cue] = []
    size = 0
    for cue in cues:
        length = len(encode(cue))
        if part and size + length > _PART_BYTES:
            yield part
            part, size = [], 0
        part.append(cue)
        size += length + 1
    yield part


def command_lines(
    effect: PlayCues | SetTransport | FadeMusic | FadeBus, seq: int, session: str, seen_direct: int
) -> Iterator[bytes]:
    """An effect in the engine's words, one line or several."""
    match effect:
        case PlayCues():
            parts = list(cue_parts(effect.cues))
            for number, part in enumerate(parts):
                sheet = LayCues(
                    session=effect.session,
                    plan=effect.plan,
                    seq=seq,
                    timeline_s=effect.timeline_s,
                    part=number,
                    parts=len(parts),
                    cues=tuple(part),
                )
                yield line_of(sheet)
        case SetTransport():
            turn = TurnTransport(
                session=effect.session,
                seq=seq,
                transport=effect.transport,
                fade_s=effect.fade_s,
                seen_direct=seen_direct,
            )
            yield line_of(turn)
        case FadeMusic():
            yield line_of(SetMusic(session=session, seq=seq, level=effect.level, fade_s=effect.fade_s))
        case FadeBus():
            fader = SetBus(session=session, seq=seq, bus=effect.bus, level_db=effect.level_db, fade_s=effect.fade_s)
            yield line_of(fader)
