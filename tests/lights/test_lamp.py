"""One lamp's rules, in made-up time."""

from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from controller.lights.dialect import Ask, Dialect, Move, Tint
from controller.lights.fader import Envelope, Fade
from controller.lights.profile import Profile
from controller.messages import Point
from tests.lights.bench_lamp import ENVELOPE, Bench, fade
from tests.lights.shipped import PROFILES, ZIGBEE

DIMMED = {name: profile for name, profile in PROFILES.items() if profile.level is not None}
SLACK = 0.045
"""The coarsest single step of any shipped scale at the floor."""


def no_transition(profile: Profile) -> Profile:
    """The same lamp where it cannot fade by itself."""
    raw = profile.model_dump()
    raw["command"]["payload"] = '{"brightness": {level}}'
    raw["transition"] = {"unit": "none"}
    raw["rate"] = {"lamp_interval_s": 0.2}
    return Profile.model_validate(raw)


STEPPED = no_transition(PROFILES["zigbee2mqtt-dimmable"])


def test_a_fade_goes_out_as_one_explicit_level_a_second() -> None:
    bench = Bench()
    bench.drive.follow(fade(0.3, 0.5, 0, 10), 0)
    bench.run(14)
    times = [t for t, _ in bench.moves]
    assert all(b - a >= 0.99 for a, b in pairwise(times))
    assert [move.transition_s for _, move in bench.moves] == [1.0] * len(bench.moves)
    assert bench.target == pytest.approx(0.5, abs=0.003)
    assert len(bench.moves) <= 11


def test_nothing_is_sent_when_nothing_changes_and_the_end_is_verified_once() -> None:
    bench = Bench()
    bench.drive.follow(fade(0.3, 0.3, 0, 0), 0)
    bench.run(5)
    sent, asked = len(bench.moves), bench.asked
    bench.run(200)
    assert sent == len(bench.moves) == 1
    assert asked == bench.asked == 2  # before the first command, and after it


def test_a_lamp_that_returns_at_full_is_on_its_way_down_within_half_a_second() -> None:
    bench = Bench()
    bench.drive.follow(fade(0.15, 0.15, 0, 0), 0)
    bench.run(5)
    bench.put(1.0)
    bench.drive.back(bench.now)
    returned, sent = bench.now, len(bench.moves)
    bench.hear(0.15)  # from the bridge's memory
    bench.run(30)
    assert bench.moves[sent][0] - returned <= 0.5
    assert bench.shown[-1] == pytest.approx(0.15, abs=0.01)
    assert bench.steepest() <= 0.1 + 0.01


def test_a_lamp_that_is_announced_twice_is_not_taken_to_be_where_it_was_only_sent() -> None:
    bench = Bench(profile=PROFILES["esphome-light"])
    bench.drive.follow(fade(0.3, 0.3, 0, 0), 0)
    bench.run(5)
    bench.put(1.0)
    bench.drive.back(bench.now)
    bench.echoes = False
    bench.hear(1.0)
    sent = len(bench.moves)
    bench.run(bench.now + 0.1)
    assert len(bench.moves) == sent + 1
    bench.drive.back(bench.now)
    bench.hear(bench.moves[-1][1].level)  # the echo of what it was sent between the two
    bench.echoes = True
    bench.run(40)
    assert bench.shown[-1] == pytest.approx(0.3, abs=0.01)
    assert bench.steepest() <= 0.1 + 0.01


def test_a_return_that_is_told_twice_is_one_question_and_no_longer_a_wait() -> None:
    for profile, asks, wait_s in ((PROFILES["tasmota-dimmer"], 1, 0.3), (ZIGBEE, 0, 0.1)):
        bench = Bench(profile=profile, answers=False)
        bench.drive.follow(fade(0.3, 0.3, 0, 0), 0)
        bench.run(9)
        bench.put(1.0)
        asked, sent, returned = bench.asked, len(bench.moves), bench.now
        bench.drive.back(bench.now)
        bench.run(bench.now + 0.1)
        bench.drive.back(bench.now)
        bench.run(bench.now + 0.4)
        assert bench.asked == asked + asks
        assert bench.moves[sent][0] - returned <= wait_s


def test_a_returned_lamp_that_says_nothing_is_faded_too() -> None:
    bench = Bench()
    bench.drive.follow(fade(0.15, 0.15, 0, 0), 0)
    bench.run(5)
    bench.answers = False
    bench.put(1.0)
    bench.drive.back(bench.now)
    returned, sent = bench.now, len(bench.moves)
    bench.run(30)
    assert bench.moves[sent][0] - returned <= 0.5
    assert bench.shown[-1] == pytest.approx(0.15, abs=0.01)
    assert bench.steepest() <= 0.1 + 0.01


@pytest.mark.parametrize("name", DIMMED)
def test_a_lamp_that_is_back_is_unconfirmed_until_it_answers_what_it_is_told(name: str) -> None:
    bench = Bench(profile=DIMMED[name])
    bench.drive.follow(fade(0.3, 0.3, 0, 0), 0)
    bench.run(60)
    assert bench.drive.view(bench.now).state == "confirmed"
    bench.drive.lose()
    assert bench.drive.view(bench.now).confirmed == pytest.approx(0.3, abs=SLACK), "what it last said"
    bench.deaf = True
    bench.answers = False
    bench.start_anew()
    for _ in range(4):
        assert (bench.drive.view(bench.now).state, bench.drive.view(bench.now).confirmed) == ("unconfirmed", None)
        bench.run(bench.now + 0.1)
    bench.deaf = False
    bench.answers = True
    bench.run(bench.now + 60)
    assert bench.drive.view(bench.now).state == "confirmed"
    assert bench.drive.view(bench.now).confirmed == pytest.approx(0.3, abs=SLACK)


def test_a_lamp_that_only_lost_its_radio_is_not_made_brighter_on_a_guess() -> None:
    bench = Bench(level=0.15)
    bench.drive.follow(fade(0.15, 0.15, 0, 0), 0)
    bench.run(5)
    bench.drive.back(bench.now)
    bench.shown.clear()
    bench.run(30)
    assert max(bench.shown) <= 0.155


def test_a_lamp_moved_by_another_hand_is_said_once_and_brought_back_slowly() -> None:
    bench = Bench()
    bench.drive.follow(fade(0.3, 0.3, 0, 0), 0)
    bench.run(5)
    bench.put(0.9)
    bench.hear(0.9)
    assert bench.taken == 1
    assert bench.drive.confirmed is False
    bench.hear(0.9)
    assert bench.drive.confirmed is False
    bench.run(25)
    assert bench.taken == 1
    assert bench.drive.confirmed is True
    assert bench.shown[-1] == pytest.approx(0.3, abs=0.01)
    assert bench.steepest() <= 0.1 + 0.01


@pytest.mark.parametrize("name", ["wled", "esphome-light", "home-assistant-json-light"])
def test_another_hand_that_ends_a_returning_lamps_slow_fade_is_not_taken_for_its_arrival(name: str) -> None:
    bench = Bench(profile=PROFILES[name])
    bench.drive.follow(fade(0.3, 0.3, 0, 0), 0)
    bench.run(40)
    bench.drive.back(bench.now)
    bench.run(bench.now + 3)
    assert bench.moves[-1][1].transition_s > 5
    bench.put(0.9)
    bench.hear(0.9)
    bench.run(bench.now + 50)
    assert bench.shown[-1] == pytest.approx(0.3, abs=0.02)
    assert bench.steepest() <= 0.1 + 0.01


def test_a_lamp_that_says_where_it_is_in_its_slow_fade_is_asked_at_its_end_and_followed() -> None:
    bench = Bench(level=1.0)
    bench.drive.follow(fade(0.3, 0.3, 0, 0), 0)
    bench.run(20)
    bench.put(1.0)
    bench.drive.back(bench.now)
    while bench.now < 40:
        bench.run(bench.now + 0.7)
        bench.hear(bench.at(bench.now))
    assert bench.taken == 0
    assert sum(move.transition_s > 5 for t, move in bench.moves if t >= 20) == 1
    assert bench.drive.view(bench.now).state == "confirmed"
    assert bench.shown[-1] == pytest.approx(0.3, abs=0.01)


def test_another_hand_is_noticed_even_when_it_sets_what_was_right_a_minute_ago() -> None:
    bench = Bench()
    bench.drive.follow(fade(0.3, 0.5, 0, 10), 0)
    bench.run(60)
    bench.put(0.4)
    bench.hear(0.4)
    assert bench.taken == 1


def test_a_lamp_that_says_where_it_is_on_its_way_was_not_taken_over() -> None:
    bench = Bench()
    bench.drive.follow(fade(0.3, 0.8, 0, 30), 0)
    while bench.now < 30:
        bench.run(bench.now + 0.35)
        bench.hear(bench.at(bench.now))
    assert bench.taken == 0


def test_a_lamp_without_an_echo_is_unconfirmed_and_is_told_again() -> None:
    bench = Bench(echoes=False, answers=False)
    bench.drive.follow(fade(0.3, 0.3, 0, 0), 0)
    bench.run(45)
    assert bench.drive.confirmed is False
    assert bench.drive.view(bench.now).state == "unconfirmed"
    assert len(bench.moves) >= 3
    bench.echoes = True
    bench.run(75)
    assert bench.drive.view(bench.now).state == "confirmed"


@pytest.mark.parametrize("name", ["wled", "home-assistant-json-light", "zigbee2mqtt-dimmable", "stepped"])
def test_a_last_command_that_got_lost_is_noticed_although_the_one_before_it_was_answered_late(name: str) -> None:
    bench = Bench(profile=STEPPED if name == "stepped" else PROFILES[name])
    bench.drive.follow(fade(0.3, 0.3, 0, 0), 0)
    bench.run(90)
    bench.drive.follow(fade(0.3, 0.8, 90, 100), 90)
    bench.run(98.2)
    answered, sent = bench.target, len(bench.moves)
    bench.deaf, bench.echoes = True, False
    bench.run(100.5)
    assert len(bench.moves) > sent
    bench.hear(answered)
    bench.run(107)
    assert bench.drive.confirmed is False, "it was told more, and never said so"
    bench.deaf, bench.echoes = False, True
    bench.run(300)
    assert bench.drive.view(bench.now).state == "confirmed"
    assert bench.shown[-1] == pytest.approx(0.8, abs=0.01)


def test_the_exit_light_does_not_wait_for_the_lamps_turn() -> None:
    bench = Bench(level=0.05)
    bench.drive.follow(fade(0.05, 0.2, 0, 100), 0)
    bench.run(10.3)
    bench.drive.follow(fade(0.065, 0.4, bench.now, bench.now + 2, swift=True), bench.now)
    pressed = bench.now
    bench.run(pressed + 3.2)
    assert next(t for t, _ in bench.moves if t >= pressed) == pytest.approx(pressed, abs=0.06)
    assert bench.shown[-1] == pytest.approx(0.4, abs=0.01)


def test_the_medical_light_takes_as_long_as_the_room_file_says() -> None:
    for seconds in (2.0, 4.0):
        bench = Bench(level=0.05, envelope=Envelope(swift_per_s=1 / seconds))
        bench.drive.follow(fade(0.05, 0.05, 0, 0), 0)
        bench.run(5)
        bench.drive.follow(fade(0.05, 0.8, 5, 5 + seconds, swift=True), 5)
        bench.run(5 + seconds + 1.1)
        assert bench.at(5 + seconds / 2) < 0.8
        assert bench.shown[-1] == pytest.approx(0.8, abs=0.01)
        assert bench.steepest() <= 1 / seconds + 0.01


def test_a_lost_lamp_is_sent_nothing() -> None:
    bench = Bench()
    bench.drive.follow(fade(0.3, 0.6, 0, 60), 0)
    bench.run(3)
    bench.drive.lose()
    sent = len(bench.moves)
    bench.run(30)
    assert len(bench.moves) == sent
    assert bench.drive.view(bench.now).state == "lost"


def test_a_lamp_that_cannot_fade_is_moved_in_steps_that_keep_the_slew() -> None:
    bench = Bench(profile=STEPPED)
    bench.drive.follow(fade(0.3, 0.6, 0, 6), 0)
    bench.run(8)
    assert bench.shown[-1] == pytest.approx(0.6, abs=0.01)
    assert max(abs(a - b) for a, b in pairwise(bench.shown)) <= 0.1 * 0.2 + 0.005
    bench.drive.follow(fade(0.6, 0.1, 8, 8), 8)
    bench.run(20)
    assert bench.steepest() <= 0.1 + 0.02 + 0.005
    assert bench.shown[-1] == pytest.approx(0.1, abs=0.01)


def test_a_lamp_with_coarse_steps_gets_to_the_floor_all_the_same() -> None:
    raw = STEPPED.model_dump() | {"level": {"min": 1, "max": 255, "whole": True, "curve": "luminance"}}
    bench = Bench(profile=Profile.model_validate(raw), level=0.2)
    bench.drive.follow(fade(0.2, 0.05, 0, 1), 0)
    bench.run(10)
    assert bench.shown[-1] == pytest.approx(0.05, abs=SLACK)
    assert bench.drive.view(bench.now).state == "confirmed"


def test_a_stepped_lamp_that_starts_anew_without_an_answer_is_taken_to_be_at_its_power_on_level() -> None:
    bench = Bench(profile=STEPPED, level=0.2)
    bench.drive.follow(fade(0.2, 0.2, 0, 0), 0)
    bench.run(3)
    bench.answers = False
    bench.put(1.0)
    bench.drive.back(bench.now)
    sent = len(bench.moves)
    bench.run(15)
    assert bench.moves[sent][1].level == pytest.approx(0.98, abs=0.005)
    assert bench.shown[-1] == pytest.approx(0.2, abs=0.01)
    assert bench.steepest() <= 0.1 + 0.02 + 0.005


# Every shipped profile

levels = st.floats(0, 1)
events = st.sampled_from(["", "", "radio", "power", "meddled", "silent", "swift"])
changes = st.lists(st.tuples(st.floats(0.1, 20), levels, st.floats(0, 30), events), min_size=1, max_size=6)


@pytest.mark.parametrize("name", [*DIMMED, "stepped"])
@settings(max_examples=8, derandomize=True)
@example(start=0.0, changes=[(13.375, 0.4296875, 0.0, ""), (1.0, 0.0, 0.0, "meddled")])
@example(start=0.0, changes=[(5.0, 0.4296875, 0.0, ""), (30.0, 0.8, 0.0, "meddled")])
@given(start=levels, changes=changes)
def test_no_lamp_ever_moves_faster_than_the_envelope_allows(
    name: str, start: float, changes: list[tuple[float, float, float, str]]
) -> None:
    profile = DIMMED.get(name, STEPPED)
    bench, before = Bench(level=start, profile=profile), ENVELOPE.rate(swift=False)
    for after, end, takes, event in changes:
        swift = event == "swift"
        bench.drive.follow(fade(0.3, end, bench.now, bench.now + takes, swift=swift), bench.now)
        # One that fades for a few seconds only cannot be moved gently from where nobody knows.
        bench.echoes = bench.answers = event != "silent" or profile.transition.takes_s(20) < 20
        if event == "radio":
            bench.drive.back(bench.now)
        elif event == "power":
            bench.start_anew()
        elif event == "meddled":
            bench.put(end)
            bench.hear(end)
        bench.run(bench.now + (max(after, 2.0) if event == "meddled" else after))
        allowed = ENVELOPE.rate(swift) + (0.02 if name == "stepped" else 0.0)
        # Another hand that puts it where it was sent within a second before is not told apart from a second echo.
        allowed += before if event == "meddled" else 0.0
        before = ENVELOPE.rate(swift)
        assert bench.steepest() <= allowed * 1.02 + SLACK / 2, (event, bench.moves[-3:])
        if swift or event == "meddled":
            bench.shown.clear()
    darkest = min([start, ENVELOPE.floor, *(end for _, end, _, event in changes if event == "meddled")])
    assert all(darkest - 0.01 <= move.level <= 1.0 for _, move in bench.moves)


@pytest.mark.parametrize("name", list(DIMMED))
def test_a_lamp_that_ignores_transitions_never_jumps_further_than_one_keyframe(name: str) -> None:
    bench = Bench(profile=DIMMED[name], ignores_transition=True)
    bench.drive.follow(fade(0.3, 0.6, 0, 2), 0)
    bench.run(12)
    bench.start_anew()
    bench.run(30)
    assert bench.shown[-1] == pytest.approx(0.6, abs=0.02)
    # Its steps come a second apart; one may fall on either end of a second.
    assert max(abs(a - b) for a, b in pairwise(bench.shown)) <= 0.1 + SLACK / 2


@settings(max_examples=100)
@given(wanted=levels, present=levels, over=st.floats(0, 10), swift=st.booleans())
def test_the_envelope_bounds_every_level_and_every_change(
    wanted: float, present: float, over: float, swift: bool
) -> None:
    level = ENVELOPE.allow(wanted, present, over, swift=swift)
    assert abs(level - present) <= ENVELOPE.rate(swift) * over + 1e-9
    assert min(present, ENVELOPE.floor) - 1e-9 <= level <= max(present, ENVELOPE.ceiling) + 1e-9


gaps = st.lists(st.one_of(st.floats(0, 0.03), st.floats(0.03, 1.0), st.floats(1.0, 600.0)), max_size=60)


@settings(max_examples=100)
@given(wanted=levels, present=levels, stalls=gaps, swift=st.booleans())
def test_a_lamp_rendered_here_is_late_after_a_stall_and_never_jumps(
    wanted: float, present: float, stalls: list[float], swift: bool
) -> None:
    for since in [*stalls, *[0.025] * 400]:
        level = ENVELOPE.allow(wanted, present, ENVELOPE.step_s(since, 0.025, swift=swift), swift=swift)
        assert abs(level - present) <= ENVELOPE.rate(swift) * min(since, 0.1) + 1e-9
        present = level
    assert present == pytest.approx(ENVELOPE.bound(wanted))


@pytest.mark.parametrize("interval_s", [0.2, 1.0])
def test_a_lamp_that_cannot_fade_takes_no_larger_step_after_a_stall_nor_where_its_steps_are_slow(
    interval_s: float,
) -> None:
    raw = STEPPED.model_dump() | {"rate": {"lamp_interval_s": interval_s}}
    bench = Bench(profile=Profile.model_validate(raw))
    bench.drive.follow(fade(0.3, 0.8, 0, 10), 0)
    for stall in (0.0, 0.7, 3.0, 8.0, 0.0):
        bench.now += stall  # nobody looks at it meanwhile
        bench.run(bench.now + 6)
    assert max(abs(a - b) for a, b in pairwise(bench.shown)) <= 0.1 * 0.25 + 0.005
    bench.run(bench.now + 30)
    assert bench.shown[-1] == pytest.approx(0.8, abs=0.01)


# Colour


def warm(start: float, end: float, t1: float, kelvin: tuple[float, float], *, swift: bool = False) -> Fade:
    return Fade(Point(level=start, t=0, kelvin=kelvin[0]), Point(level=end, t=t1, kelvin=kelvin[1]), swift)


def test_a_colour_half_way_between_two_is_half_way_to_the_eye() -> None:
    assert warm(0.3, 0.3, 10, (2000, 5000)).kelvin_at(5) == pytest.approx(1e6 / 350)
    assert fade(0.3, 0.3, 0, 10).kelvin_at(5) is None


@pytest.mark.parametrize("name", [name for name, profile in DIMMED.items() if profile.colour])
def test_brightness_and_colour_both_arrive_and_go_apart_where_the_profile_says_so(name: str) -> None:
    profile = DIMMED[name]
    assert profile.colour is not None
    bench = Bench(profile=profile)
    bench.drive.follow(warm(0.3, 0.5, 60, (4000, 2700)), 0)
    bench.run(90)
    assert bench.shown[-1] == pytest.approx(0.5, abs=0.02)
    assert bench.kelvin == pytest.approx(2700, rel=0.02)
    tints = [said for _, said in bench.said if isinstance(said, Tint)]
    together = [move for _, move in bench.moves if move.kelvin is not None]
    assert bool(tints) == profile.colour.apart
    assert bool(together) != profile.colour.apart
    assert len(tints) + len(together) <= 130 / 5 + 5, "more colours than anybody can see"
    if profile.colour.apart:
        for (t, said), (after, _) in pairwise(pair for pair in bench.said if not isinstance(pair[1], Ask)):
            if isinstance(said, Tint):
                assert after - t >= said.transition_s - 0.06, "a level cut the colour's fade short"


def test_the_medical_light_does_not_wait_for_a_colour() -> None:
    bench = Bench(profile=PROFILES["zigbee2mqtt-ikea-colour-temperature"])
    bench.drive.follow(warm(0.3, 0.3, 600, (4000, 2300)), 0)
    bench.run(100.2)
    fade_up = Fade(Point(level=0.3, t=bench.now), Point(level=0.8, t=bench.now + 2, kelvin=4000), True)
    bench.drive.follow(fade_up, bench.now)
    pressed = bench.now
    bench.run(pressed + 10)
    first = next(said for t, said in bench.said if t >= pressed and not isinstance(said, Ask))
    assert isinstance(first, Move)
    assert bench.at(pressed + 2.2) == pytest.approx(0.8, abs=0.02)
    assert bench.kelvin == pytest.approx(4000, rel=0.02)


# Lowest steady level


def test_the_floor_lies_where_commissioning_found_light() -> None:
    scale = Dialect(PROFILES["shelly-gen1-light"], "x", floor=0.05, lowest=46).scale
    assert scale.to_device(0.05) == 46
    assert scale.to_device(0.0) == 46
    assert scale.to_device(1.0) == 100
    assert scale.to_device(0.525) == 73
    for percent in range(5, 101):
        assert scale.from_device(scale.to_device(percent / 100)) == pytest.approx(percent / 100, abs=0.011)
    bench = Bench(profile=PROFILES["shelly-gen1-light"], lowest=46)
    bench.drive.follow(fade(0.3, 0.05, 0, 10), 0)
    bench.run(15)
    assert '"brightness": 46' in bench.payloads[-1][2]
    assert bench.drive.view(bench.now).state == "confirmed"
