"""The rules of a call's way, in made-up time."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from controller.calls.ladder import (
    CallState,
    Limits,
    Notice,
    acknowledged,
    confirmed,
    next_deadline,
    passed,
    place,
    resumed,
    stand_down,
    trying,
)

LIMITS = Limits()
UTC = "2026-01-01T09:00:00.000Z"


def placed(level: str = "assist", now: float = 0.0) -> CallState:
    return place(None, "c1", level, now, UTC)  # type: ignore[arg-type]


def sent(now: float = 1.0) -> CallState:
    state = placed()
    return confirmed(state, state.notice, now, LIMITS)


def test_a_call_is_sent_only_when_the_broker_has_confirmed_it() -> None:
    assert placed().stage == "placed"
    assert passed(trying(placed(), 1), 4, LIMITS).stage == "placed"
    assert sent().stage == "sent"


def test_a_call_that_is_not_confirmed_in_time_is_not_delivered_and_becomes_sent_when_it_goes() -> None:
    late = passed(placed(), 5, LIMITS)
    assert late.stage == "not_delivered"
    assert late.publish_at is not None
    assert confirmed(late, late.notice, 60, LIMITS).stage == "sent"


def test_a_call_that_nobody_answers_stays_not_delivered_however_often_it_is_sent() -> None:
    state = passed(sent(1), 31, LIMITS)
    assert (state.stage, state.by, state.publish_at) == ("not_delivered", "", 31)
    again = confirmed(state, state.notice, 32, LIMITS)
    assert again.stage == "not_delivered"
    assert again.publish_at == 62
    assert acknowledged(again, "c1", None, "Kim").stage == "acknowledged"


def test_only_an_answer_to_this_call_answers_it() -> None:
    assert acknowledged(sent(), "c2", None, "Kim").stage == "sent"
    answered = acknowledged(sent(), "c1", None, "Kim")
    assert (answered.stage, answered.by) == ("acknowledged", "Kim")


def test_an_emergency_begins_anew_and_an_answer_to_the_assist_does_not_answer_it() -> None:
    answered = acknowledged(sent(), "c1", None, "Kim")
    emergency = place(answered, "c1", "emergency", 10, UTC)
    assert (emergency.stage, emergency.by, emergency.publish_at) == ("placed", "", 10)
    assert acknowledged(emergency, "c1", "assist", "Kim").stage == "placed"
    assert acknowledged(emergency, "c1", None, "Kim").stage == "placed"
    assert acknowledged(emergency, "c1", "emergency", "Kim").stage == "acknowledged"
    assert confirmed(emergency, Notice("c1", "assist", False), 11, LIMITS).stage == "placed"


def test_the_same_call_again_changes_nothing_and_nothing_makes_an_emergency_less() -> None:
    assert place(sent(), "c1", "assist", 9, UTC) == sent()
    emergency = placed("emergency")
    assert place(emergency, "c1", "assist", 9, UTC) == emergency


def test_a_stand_down_stands_even_before_the_call_itself_arrives() -> None:
    down = stand_down(None, "c1", "Kim", 0, UTC)
    assert place(down, "c1", "emergency", 1, UTC) == down
    assert down.publish_at is None
    told = stand_down(sent(), "c1", "Kim", 5, UTC)
    assert told.publish_at == 5
    assert acknowledged(told, "c1", None, "Lee").stage == "stood_down"
    assert confirmed(told, told.notice, 6, LIMITS).publish_at is None


def test_a_restarted_caller_publishes_what_is_open_and_lets_rest_what_is_over() -> None:
    assert resumed(placed(), 100, same_boot=True).publish_at == 100
    assert resumed(acknowledged(sent(), "c1", None, "Kim"), 100, same_boot=True).publish_at is None
    over = stand_down(sent(), "c1", "", 5, UTC)
    assert resumed(confirmed(over, over.notice, 6, LIMITS), 100, same_boot=True).publish_at is None
    assert resumed(sent(5000), 3, same_boot=False).confirmed_at == 3


@dataclass
class Witness:
    """What was truly heard, kept beside the ladder."""

    state: CallState | None = None
    pubacks: set[Notice] = field(default_factory=set)
    answers: set[tuple[str, str | None]] = field(default_factory=set)
    stood_down: bool = False


steps = st.lists(
    st.one_of(
        st.tuples(st.just("place"), st.sampled_from(["assist", "emergency"])),
        st.tuples(st.just("stand_down"), st.just("")),
        st.tuples(st.just("puback"), st.sampled_from(["now", "assist", "emergency"])),
        st.tuples(st.just("answer"), st.sampled_from(["c1:", "c2:", "c1:assist", "c1:emergency"])),
        st.tuples(st.just("time"), st.sampled_from(["1", "6", "31"])),
        st.tuples(st.just("restart"), st.sampled_from(["same", "other"])),
    ),
    max_size=40,
)


def take(witness: Witness, what: str, value: str, now: float) -> None:
    state = witness.state
    if what == "place":
        witness.state = place(state, "c1", value, now, UTC)  # type: ignore[arg-type]
    elif what == "stand_down":
        witness.state, witness.stood_down = stand_down(state, "c1", "Kim", now, UTC), True
    elif state is None:
        return
    elif what == "puback":
        notice = state.notice if value == "now" else Notice("c1", value, False)  # type: ignore[arg-type]
        witness.pubacks.add(notice)
        witness.state = confirmed(state, notice, now, LIMITS)
    elif what == "answer":
        call, _, level = value.partition(":")
        witness.answers.add((call, level or None))
        witness.state = acknowledged(state, call, level or None, "Lee")  # type: ignore[arg-type]
    elif what == "restart":
        witness.state = resumed(state, now, same_boot=value == "same")


@settings(max_examples=300)
@given(steps=steps)
def test_the_ladder_never_says_more_than_is_true(steps: list[tuple[str, str]]) -> None:
    witness, now = Witness(), 0.0
    for what, value in steps:
        now += float(value) if what == "time" else 0.1
        take(witness, what, value, now)
        if witness.state is None:
            continue
        state = witness.state = passed(witness.state, now, LIMITS)
        if state.stage == "sent":
            assert state.notice in witness.pubacks
        if state.stage == "acknowledged":
            assert {call for call, _ in witness.answers} & {"c1"}
            assert state.by == "Lee"
        assert (state.stage == "stood_down") == witness.stood_down
        if state.stage in ("placed", "not_delivered"):
            assert next_deadline(state, LIMITS) < now + 31
        assert passed(state, now, LIMITS) == state


def a_test(now: float = 0.0) -> CallState:
    return place(None, "c1", "assist", now, UTC, test=True)


def test_a_test_call_climbs_like_any_other_and_says_what_it_is() -> None:
    state = confirmed(a_test(), a_test().notice, 1, LIMITS)
    assert (state.stage, state.notice.test) == ("sent", True)
    assert acknowledged(state, "c1", "assist", "Kim").stage == "acknowledged"
    assert passed(state, 31, LIMITS).stage == "not_delivered"


def test_nothing_makes_a_call_a_test_and_the_end_of_a_test_ends_no_call() -> None:
    assert place(sent(), "c1", "assist", 5, UTC, test=True) == sent()
    assert stand_down(sent(), "c1", "", 5, UTC, test=True) == sent()
    assert not stand_down(a_test(), "c1", "", 5, UTC, test=True).open


def test_a_test_that_is_meant_in_earnest_begins_anew_and_an_answer_to_the_test_does_not_answer_it() -> None:
    answered = acknowledged(confirmed(a_test(), a_test().notice, 1, LIMITS), "c1", "assist", "Kim")
    meant = place(answered, "c1", "assist", 5, UTC)
    assert (meant.test, meant.stage, meant.publish_at) == (False, "placed", 5)
    assert acknowledged(meant, "c1", "assist", "Kim").stage == "placed"
    assert confirmed(meant, a_test().notice, 6, LIMITS).stage == "placed", "that was the test's notice"
    out = confirmed(meant, meant.notice, 6, LIMITS)
    assert acknowledged(out, "c1", "assist", "Kim").stage == "acknowledged"
