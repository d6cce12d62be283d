"""With the real planner and the simulated engine: no second of a session is silent that nobody asked to be."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from controller.arc.imagined import imagined_pool
from controller.arc.programme import Programme, parse_programme
from controller.arc.shelves import Pool
from controller.messages import Act, Dose, Go, Ground, Limits, Opened, Resume, SetLimits, Start, Timer
from controller.rehearsal.room import Rehearsal
from controller.session.deadlines import next_deadline
from controller.sound.simulated import SimulatedSound
from tests.session.room import PLAYLISTS, RULES
from tests.session.test_random_sessions import acts

WHO = "C-0412"
MOMENT_S = 0.5
"""The engine lets the filler in after 0.3 s without a piece; what is shorter than this is not looked at."""
RETURNING_S = 5.0
"""Out of a silence the first piece is opened while the music, as a whole, has hardly begun to come back."""

LEAD_S = 5.0
"""The filler bridges the opening of a piece that is wanted at once, and no more than that."""

names = st.sampled_from(["psilocybin-25mg", "mdma", "ketamine-iv-40min", "preparation-hour"])
pressed = st.lists(st.tuples(st.floats(0, 1500), acts), max_size=12)


@cache
def shipped(name: str) -> tuple[str, Programme, Pool]:
    text = (PLAYLISTS / f"{name}.toml").read_text()
    programme = parse_programme(text)
    return text, programme, imagined_pool(programme)


@dataclass
class ListenedRoom(Rehearsal):
    """A simulated room in which every stretch between two events is listened to."""

    filled: list[tuple[float, float, str]] = field(default_factory=list)
    """(from, for so many seconds, why) for the stretches in which only the filler sounds."""
    silent_t: float = 0.0
    """Until when a silence was wanted."""

    def advance(self, seconds: float) -> None:
        end = self.clock.now() + seconds
        while True:
            times = (next_deadline(self.state), self.sound.next_event_t())
            coming = min((t for t in times if t is not None), default=end)
            to = min(end, max(coming, self.clock.now()))
            self._listen(to - self.clock.now())
            self.clock.advance_to(to)
            self.sound.advance_to(to)
            deadline = next_deadline(self.state)
            if deadline is not None and deadline <= to:
                self.post(Timer())
            if to >= end:
                return

    async def lose_power(self, opened: Opened) -> None:
        """The machine is started anew after the outage, and with it an engine that holds nothing."""
        self.clock.advance_to(self.clock.now() + (opened.outage_s or 0.0))
        self.sound = SimulatedSound(self.clock)
        self.post(opened)
        await self.sound.start(self.post)

    def _listen(self, seconds: float) -> None:
        state = self.state
        if seconds < MOMENT_S or state.mode not in ("running", "waiting") or state.waiting_for == "end":
            return
        sound, track = self.sound.view()
        assert sound.transport == "play", "a running session whose engine does not play: not even the filler sounds"
        if state.music == 0.0:
            self.silent_t = self.clock.now() + seconds + RETURNING_S
        elif track is None and self.clock.now() >= self.silent_t:
            codes = [alarm.code for alarm in state.alarms]
            why = state.waiting_for if state.waiting_for == "choice" else "short" if "music_short" in codes else "gap"
            self.filled.append((self.clock.now(), seconds, why))


async def live(name: str, moments: list[tuple[float, Act]]) -> ListenedRoom:
    text, programme, pool = shipped(name)
    room = ListenedRoom(RULES, pool)
    await room.open()
    room.do(Start(programme=name, participants=(WHO,), programme_text=text, session="s1", seed=1))
    room.advance(300.0)
    if programme.dose.shape != "none":
        room.do(Dose(amount=25, part="start" if programme.dose.shape == "infusion" else "dose"), WHO)
    for pause, act in moments:
        room.advance(pause)
        if isinstance(act, Opened):
            await room.lose_power(replace(act, rebooted=True))
        elif not act.kind.startswith(("device_", "engine_", "piece_")):  # the simulated devices speak for themselves
            room.do(act)
    room.do(Resume())
    room.advance(3600.0)
    return room


@settings(max_examples=25)
@given(names, pressed)
def test_every_second_is_a_piece_a_crossfade_an_asked_for_silence_or_the_filler(
    name: str, moments: list[tuple[float, Act]]
) -> None:
    room = asyncio.run(live(name, moments))
    gaps = [(at, seconds) for at, seconds, why in room.filled if why == "gap"]
    assert all(seconds <= LEAD_S for _, seconds in gaps), gaps


def test_a_grounding_piece_that_went_with_the_power_leaves_the_silent_phase_silent() -> None:
    moments: list[tuple[float, Act]] = [(0.0, Ground()), (0.0, Opened(rules=RULES, outage_s=None)), (10.0, Resume())]
    room = asyncio.run(live("preparation-hour", moments))
    assert [why for _, _, why in room.filled] == ["choice"]


def test_music_comes_back_where_the_power_went_while_the_arc_was_over() -> None:
    moments: list[tuple[float, Act]] = [
        (4300.0, Opened(rules=RULES, outage_s=60.0)),
        (10.0, Opened(rules=RULES, outage_s=60.0)),
        (10.0, Go(phase="listen")),
    ]
    room = asyncio.run(live("preparation-hour", moments))
    assert all(seconds <= LEAD_S for _, seconds, why in room.filled if why == "gap")
    assert room.state.waiting_for == "end"  # it has arrived once more


def test_music_comes_back_after_the_limits_were_changed_while_the_arc_was_over() -> None:
    moments: list[tuple[float, Act]] = [(4300.0, SetLimits(limits=Limits(no_vocals=True))), (10.0, Go(phase="listen"))]
    room = asyncio.run(live("preparation-hour", moments))
    assert all(seconds <= LEAD_S for _, seconds, why in room.filled if why == "gap"), room.filled
