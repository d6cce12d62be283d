"""One lamp's rules, in made-up time."""

from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.lights.fader import Envelope, Fade
from controller.lights.lamp import Ask, LampDrive, Move
from controller.lights.profile import load_profile
from controller.lights.simulated import SimulatedLamp
from controller.messages import Point

ZIGBEE = load_profile(Path("devices/zigbee2mqtt-dimmable.toml").read_text(encoding="utf-8"))
ENVELOPE = Envelope()


def fade(start: float, end: float, t0: float, t1: float, *, swift: bool = False) -> Fade:
    return Fade(Point(level=start, t=t0), Point(level=end, t=t1), swift)


@dataclass
class Bench:
    """A lamp that obeys, driven in steps of 50 ms."""

    level: float = 0.3
    echoes: bool = True
    answers: bool = True
    drive: LampDrive = field(default_factory=lambda: LampDrive("left", ZIGBEE, ENVELOPE))
    now: float = 0.0
    moves: list[tuple[float, Move]] = field(default_factory=list)
    asked: int = 0
    ramp: Fade = field(default_factory=lambda: fade(0.3, 0.3, 0, 0))
    shown: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.put(self.level)

    def put(self, level: float) -> None:
        self.ramp = fade(level, level, self.now, self.now)

    def run(self, until: float) -> None:
        while self.now < until:
            if self.now >= self.drive.next_at():
                self._take(self.drive.step(self.now))
            self.now += 0.05
            self.shown.append(self.ramp.level_at(self.now))

    def _take(self, said: Move | Ask | None) -> None:
        if isinstance(said, Move):
            self.moves.append((self.now, said))
            end = self.now + said.transition_s
            self.ramp = fade(self.ramp.level_at(self.now), said.level, self.now, end)
            if self.echoes:
                self.drive.heard(said.level, self.now)
        elif isinstance(said, Ask):
            self.asked += 1
            if self.answers:
                self.drive.heard(self.ramp.level_at(self.now), self.now)


def test_a_fade_goes_out_as_one_explicit_level_a_second() -> None:
    bench = Bench()
    bench.drive.follow(fade(0.3, 0.5, 0, 10), 0)
    bench.run(14)
    times = [t for t, _ in bench.moves]
    assert all(b - a >= 0.99 for a, b in pairwise(times))
    assert [move.transition_s for _, move in bench.moves] == [1.0] * len(bench.moves)
    assert bench.ramp.end.level == pytest.approx(0.5)
    assert len(bench.moves) <= 11


def test_nothing_is_sent_when_nothing_changes_and_the_end_is_verified_once() -> None:
    bench = Bench()
    bench.drive.follow(fade(0.3, 0.3, 0, 0), 0)
    bench.run(5)
    sent, asked = len(bench.moves), bench.asked
    bench.run(200)
    assert sent == len(bench.moves) == 1
    assert asked == bench.asked == 2  # before the first command, and after it


def test_a_lamp_that_returns_at_full_is_faded_not_snapped() -> None:
    bench = Bench()
    bench.drive.follow(fade(0.15, 0.15, 0, 0), 0)
    bench.run(5)
    bench.put(1.0)
    bench.drive.back(bench.now)
    bench.shown.clear()
    bench.run(30)
    assert bench.shown[-1] == pytest.approx(0.15, abs=0.01)
    assert max(a - b for a, b in pairwise(bench.shown)) <= 0.1 * 0.05 + 1e-9


def test_a_lamp_that_only_lost_its_radio_is_not_made_brighter_on_a_guess() -> None:
    bench = Bench(level=0.15)
    bench.drive.follow(fade(0.15, 0.15, 0, 0), 0)
    bench.run(5)
    bench.drive.back(bench.now)
    bench.shown.clear()
    bench.run(30)
    assert max(bench.shown) <= 0.151


def test_a_lamp_moved_by_another_hand_is_brought_back_slowly() -> None:
    bench = Bench()
    bench.drive.follow(fade(0.3, 0.3, 0, 0), 0)
    bench.run(5)
    bench.put(0.9)
    bench.drive.heard(0.9, bench.now)
    assert bench.drive.confirmed is False
    bench.shown.clear()
    bench.run(20)
    assert bench.drive.confirmed is True
    assert bench.shown[-1] == pytest.approx(0.3, abs=0.01)
    assert max(a - b for a, b in pairwise(bench.shown)) <= 0.1 * 0.05 + 1e-9


def test_a_lamp_without_an_echo_is_unconfirmed_and_is_told_again() -> None:
    bench = Bench(echoes=False, answers=False)
    bench.drive.follow(fade(0.3, 0.3, 0, 0), 0)
    bench.run(30)
    assert bench.drive.confirmed is False
    assert bench.drive.view(bench.now).state == "unconfirmed"
    assert len(bench.moves) >= 3
    bench.echoes = True
    bench.run(60)
    assert bench.drive.view(bench.now).state == "confirmed"


def test_the_exit_light_does_not_wait_for_the_lamps_turn() -> None:
    bench = Bench(level=0.05)
    bench.drive.follow(fade(0.05, 0.2, 0, 100), 0)
    bench.run(10.3)
    bench.drive.follow(fade(0.065, 0.4, bench.now, bench.now + 2, swift=True), bench.now)
    pressed = bench.now
    bench.run(pressed + 3.2)
    assert bench.moves[-1][0] > pressed
    assert next(t for t, _ in bench.moves if t >= pressed) == pytest.approx(pressed, abs=0.06)
    assert bench.shown[-1] == pytest.approx(0.4, abs=0.01)


def test_a_lost_lamp_is_sent_nothing() -> None:
    bench = Bench()
    bench.drive.follow(fade(0.3, 0.6, 0, 60), 0)
    bench.run(3)
    bench.drive.lose()
    sent = len(bench.moves)
    bench.run(30)
    assert len(bench.moves) == sent
    assert bench.drive.view(bench.now).state == "lost"


levels = st.floats(0, 1)
changes = st.lists(st.tuples(st.floats(0.1, 20), levels, st.floats(0, 30), st.booleans()), min_size=1, max_size=8)


@pytest.mark.parametrize("swift", [False, True])
@settings(max_examples=30, deadline=None)
@given(start=levels, changes=changes)
def test_no_lamp_ever_moves_faster_than_the_envelope_allows(
    swift: bool, start: float, changes: list[tuple[float, float, float, bool]]
) -> None:
    bench = Bench(level=start)
    for after, end, takes, returns in changes:
        bench.drive.follow(fade(0.3, end, bench.now, bench.now + takes, swift=swift), bench.now)
        if returns:
            bench.drive.back(bench.now)
        bench.run(bench.now + after)
    assert max((abs(a - b) for a, b in pairwise(bench.shown)), default=0) <= ENVELOPE.rate(swift) * 0.05 + 1e-6
    low, high = min(start, ENVELOPE.floor), max(start, ENVELOPE.ceiling)
    assert all(low - 1e-9 <= move.level <= high + 1e-9 for _, move in bench.moves)


@settings(max_examples=100, deadline=None)
@given(wanted=levels, present=levels, over=st.floats(0, 10), swift=st.booleans())
def test_the_envelope_bounds_every_level_and_every_change(
    wanted: float, present: float, over: float, swift: bool
) -> None:
    level = ENVELOPE.allow(wanted, present, over, swift=swift)
    assert abs(level - present) <= ENVELOPE.rate(swift) * over + 1e-9
    assert min(present, ENVELOPE.floor) - 1e-9 <= level <= max(present, ENVELOPE.ceiling) + 1e-9


def test_a_simulated_lamp_remembers_its_largest_change_in_a_second() -> None:
    lamp = SimulatedLamp("left", 0.3)
    lamp.history = [(0.0, 0.3), (2.0, 0.3), (6.0, 0.7), (6.4, 0.6), (20.0, 0.6)]
    assert lamp.largest_jump() == pytest.approx(0.1, abs=0.001)
    lamp.history += [(30.0, 0.6), (30.0, 1.0)]
    assert lamp.largest_jump() == pytest.approx(0.4, abs=0.001)
