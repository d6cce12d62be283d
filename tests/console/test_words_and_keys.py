"""The pure parts: wording, held keys, what may be typed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as some
from msgspec.structs import replace

import controller
from controller import wording
from controller.console.doing.table import ACTIONS, action_of
from controller.console.keys import plain_key
from controller.console.looks import Look
from controller.console.repeat import KeyRests, TypingWatch
from controller.console.typed import read_dose, read_vitals
from controller.console.view import View
from controller.console.widgets.arc import events_at
from controller.console.widgets.panels import due
from controller.messages import (
    PEOPLES_ACTS,
    Act,
    Alarm,
    CallStage,
    CallView,
    Dose,
    DueView,
    LogEntry,
    Status,
    Vitals,
    kind_of,
)
from controller.one_line import one_line
from controller.wording import reasons, sentences
from tests.console.fake_daemon import demo_status


def source_of(package: str) -> str:
    folder = Path(controller.__file__).parent / package
    return "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))


def test_every_act_of_people_has_words_for_the_log() -> None:
    for act in PEOPLES_ACTS:
        kind = kind_of(act)
        word, _ = wording.fact(kind, {})
        assert kind in wording.ACTS and len(word) <= 7


def test_every_code_of_the_rules_has_words() -> None:
    rules = source_of("session")
    refused = set(re.findall(r'Refused\(\s*"(\w+)"', rules))
    facts = set(re.findall(r'Fact\(\s*code="(\w+)"', rules))
    alarms = set(re.findall(r'raised\(\s*[\w.]+, "(\w+)"', rules))
    assert refused and facts and alarms
    assert refused - set(sentences.REFUSALS) == set()
    assert facts - set(sentences.FACTS) == set()
    assert alarms - set(sentences.ALARMS) == set()


def test_every_act_that_can_stand_in_a_log_has_words() -> None:
    for act in get_args(get_args(Act)[0]):
        kind = kind_of(act)
        assert kind in sentences.FACTS, kind


def test_a_fault_of_the_music_is_told_in_words() -> None:
    text = source_of("sound")
    faults = {code for pair in re.findall(r'failure = "(\w+)"|_fail\(\w+, "(\w+)"', text) for code in pair if code}
    assert faults
    for why in faults | {"truncated", "overrun"}:
        _, told = wording.fact("piece_broken", {"title": "Moss", "why": why})
        assert told.startswith("Moss could not be played: ") and why in reasons.WHYS, why
    for why in ("file", "gap", "stalled", "over"):
        assert reasons.WHYS[why] in wording.alarm(
            Alarm(code="filler", priority="medium", since_t=0.0, values={"why": why})
        )


def test_what_was_taken_back_is_marked_and_named() -> None:
    undo = LogEntry(seq=9, utc="", kind="take_back", values={"seq": 7.0})
    mark = LogEntry(seq=7, utc="", kind="mark", values={"code": "cold"})
    told = [wording.entry(item) for item in wording.amended([undo, mark])]
    assert told == [("undo", "taken back: mark cold"), ("mark", "cold (taken back)")]


def test_an_unknown_code_is_shown_with_its_values() -> None:
    assert wording.refusal("moon_full", {"phase": "waxing"}) == "moon full: phase waxing"
    kind, text = wording.entry(LogEntry(seq=1, utc="", kind="owl_seen", values={"count": 2.0}))
    assert (kind, text) == ("owl", "owl seen: count 2")


@given(some.text(max_size=200), some.text(max_size=200))
def test_no_alarm_is_wider_than_76_columns(name: str, why: str) -> None:
    for code in (*sentences.ALARMS, "something_else"):
        words = wording.alarm(Alarm(code=code, priority="high", since_t=0.0, values={"name": name, "why": why}))
        assert len(words) <= 76


def test_whoever_answers_a_call_it_is_read_to_its_end_in_an_alert() -> None:
    for level in ("assist", "emergency"):
        told = wording.call(CallView(call="c1", level=level, stage="acknowledged", by="W" * 64))
        assert told.endswith("W… is coming") and len(told) <= wording.ALARM_COLUMNS


def test_one_of_a_thing_is_told_as_one_and_a_long_number_to_its_last_digit() -> None:
    one = {"ok": 1, "sessions": 1, "place": "/mnt/stick", "bytes": 1024**2}
    assert wording.fact("backed_up", one)[1] == "1 session at /mnt/stick, 1.0 MiB copied, read back"
    removed = {"opened": "2026-01-01", "records": 1, "sheets": 1, "days": 1.0}
    told = "session of 2026-01-01 (1 record and 1 file of sheets) after 1 day"
    assert wording.fact("session_removed", removed)[1] == told
    assert wording.fact("session_removed", {**removed, "days": 1.5})[1].endswith("after 1.5 days")
    assert wording.alarm(Alarm(code="backup", priority="low", since_t=0.0, values={"days": 1.0})).endswith("1 day old")
    assert wording.fact("redaction", {"seq": 12345678})[1] == "the text of record 12345678 was blanked"


def test_a_refusal_names_the_nearest() -> None:
    words = wording.refusal("unknown_phase", {"phase": "peek", "nearest": "peak"})
    assert words == 'no phase "peek"; did you mean "peak"?'
    assert wording.refusal("wrong_state", {"what": "hold", "state": "paused"}) == "cannot hold the phase while paused"


def test_every_stage_of_a_call_has_its_own_words() -> None:
    told = {
        stage: wording.call(CallView(call="k", stage=stage, by="Mara"))
        for stage in get_args(CallStage)
    }  # fmt: skip
    assert len(set(told.values())) == 5
    assert told["acknowledged"].endswith("Mara is coming")
    assert told["not_delivered"].endswith("NOT DELIVERED - use the wall button")
    assert told["stood_down"] == ""


@pytest.mark.parametrize(
    ("seconds", "told"), [(5, "5 s"), (59.6, "1 min"), (240, "4 min"), (3600, "1 h"), (18600, "5 h 10")]
)
def test_durations_are_read_once(seconds: float, told: str) -> None:
    assert wording.duration(seconds) == told


@pytest.mark.parametrize(
    ("in_s", "columns", "told"),
    [
        (120, 17, "BP due in 2 min"), (-120, 17, "BP    since 2 min"), (-720, 15, "BP since 12 min"),
        (60, 12, "BP  in 1 min"), (60, 8, "BP 1 min"),
    ],
)  # fmt: skip
def test_what_is_due_in_a_narrow_panel_still_says_whether_its_time_has_gone_by(
    in_s: float, columns: int, told: str
) -> None:
    view = View(status=Status(state="running", due=(DueView(code="vitals", in_s=in_s),)), look=Look())
    assert due(view, columns)[0].plain == told


def test_due_and_overdue() -> None:
    assert wording.due(DueView(code="vitals", in_s=240)) == "BP due in 4 min"
    assert wording.due(DueView(code="vitals", in_s=-180, state="due")) == "BP due since 3 min"
    assert wording.due(DueView(code="vitals", in_s=-720, state="overdue")) == "BP overdue 12 min"
    asked = DueView(code="vitals", in_s=240, needs=("bp", "temperature"))
    assert wording.due(asked) == "BP + temp due in 4 min"
    assert wording.due(DueView(code="vitals", in_s=5, participant="B-2"), named=True) == "B-2 BP due now"


def test_half_as_loud_is_ten_decibels_down() -> None:
    assert [wording.percent_of_db(db) for db in (0.0, -10.0, -20.0)] == [100, 50, 25]


def test_no_key_has_two_meanings_and_none_needs_shift_or_altgr() -> None:
    keys = [key for action in ACTIONS for key in (*action.keys, *action.anywhere)]
    assert len(keys) == len(set(keys))
    assert not set("[]<>!@#{}\\|~") & {key for key in keys if len(key) == 1}
    assert action_of(plain_key("C", "C")) is action_of(plain_key("c", "c"))


def test_a_french_digit_row_is_a_digit_row() -> None:
    assert [plain_key("x", sign) for sign in "&é\"'(-è_çà"] == list("1234567890")


@given(some.lists(some.floats(0.03, 0.69), min_size=1, max_size=60))
def test_a_command_key_counts_once_until_it_rests(gaps: list[float]) -> None:
    rests, now, counted = KeyRests(), 10.0, 0
    counted += rests.counts("call", now)
    for gap in gaps:
        now += gap
        counted += rests.counts("call", now)
    assert counted == 1
    assert rests.counts("call", now + 0.71)


@pytest.mark.parametrize("word", ["hello", "please", "coffee"])
def test_typing_is_found(word: str) -> None:
    watch, found = TypingWatch(), ""
    for at, letter in enumerate(word):
        found = found or watch.feed(letter, 10.0 + at * 0.15)
    assert found


def test_a_held_key_is_not_typing() -> None:
    watch = TypingWatch()
    times = [0.0, 0.25, *(0.25 + 0.033 * at for at in range(1, 40))]
    assert not any(watch.feed("h", 10.0 + at) for at in times)


def test_a_note_of_what_was_typed_has_no_letter_of_a_key_that_was_held_before_and_both_of_a_double_one() -> None:
    watch, now = TypingWatch(), 10.0
    for gap in (0.0, 0.25, *[0.033] * 20):
        now += gap
        assert not watch.feed("c", now)
    assert [told for letter in "Anna s" if (told := watch.feed(letter, now + 0.1))] == ["Anna s"]
    watch.clear()
    assert [told for letter in "hello" if (told := watch.feed(letter, now + 0.1))] == []
    assert watch.feed("w", now + 0.1) == "hellow"


def test_a_note_that_begins_with_the_letter_of_a_key_that_was_held_long_ago_keeps_it() -> None:
    watch = TypingWatch()
    for at in (10.0, 10.5, 10.533, 10.566, 10.6):
        assert not watch.feed("c", at)
    assert [told for n, letter in enumerate("cold h") if (told := watch.feed(letter, 70.0 + n * 0.15))] == ["cold h"]


@pytest.mark.parametrize(
    ("line", "vitals"),
    [
        ("120/80 72 98", Vitals(systolic=120, diastolic=80, pulse=72, spo2=98)),
        ("120-80", Vitals(systolic=120, diastolic=80)),
        ("37,4 80", Vitals(pulse=80, celsius=37.4)),
    ],
)
def test_vitals_are_read(line: str, vitals: Vitals) -> None:
    assert read_vitals(line) == vitals


@pytest.mark.parametrize("line", ["abc", "1 2 3", "120//80", "1200/80", "36.8.1"])
def test_what_is_no_reading_is_refused(line: str) -> None:
    with pytest.raises(ValueError):
        read_vitals(line)


@pytest.mark.parametrize(
    ("line", "dose"),
    [
        ("25 mg", Dose(amount=25.0, unit="mg")),
        ("25mg", Dose(amount=25.0, unit="mg")),
        ("0,5 mg/kg".replace("/kg", ""), Dose(amount=0.5, unit="mg")),
        ("kit K-17, 5 ago, by AB", Dose(kit="K-17", minutes_ago=5.0, witness="AB")),
        ("K-17 10 min ago", Dose(kit="K-17", minutes_ago=10.0)),
        ("100 µg witness CD", Dose(amount=100.0, unit="µg", witness="CD")),
        ("10 mg AB", Dose(amount=10.0, unit="mg", witness="AB")),
    ],
)
def test_doses_are_read(line: str, dose: Dose) -> None:
    assert read_dose(line) == dose


@pytest.mark.parametrize("line", ["", "25", "kit", "mg 25 x", "2.5"])
def test_a_dose_without_a_unit_is_refused(line: str) -> None:
    with pytest.raises(ValueError):
        read_dose(line)


def test_what_people_entered_is_a_tick_where_it_was_on_the_arc() -> None:
    status = demo_status()
    peak = next(phase for phase in status.phases if phase.code == "peak")
    dose, vitals, mark, note = events_at(replace(status, log=(*status.log, ascent())))
    assert note == peak.start_s + 11 * 60 + 10
    assert dose < vitals <= mark <= peak.start_s


def ascent() -> LogEntry:
    return LogEntry(seq=1, utc="2026-03-03T12:00:00.000Z", kind="phase_entered", values={"phase": "settle"})


@given(some.text("a [J\t\n\r\x00\x1b\x85\u2028\u202e\udce9"))
def test_no_text_from_elsewhere_breaks_a_line_of_the_log_or_steers_the_terminal(said: str) -> None:
    entries = [
        LogEntry(seq=1, utc="", kind="note", text=said),
        LogEntry(seq=2, utc="", kind="mark", text=said, values={"code": said}),
        LogEntry(seq=3, utc="", kind="unheard_of", values={"why": said}),
        LogEntry(seq=4, utc="", kind="device_lost", values={"name": said, "why": said}),
    ]
    alarm = Alarm(code="light_lost", priority="medium", since_t=0, values={"name": said, "why": said})
    told = [*(wording.entry(entry)[1] for entry in entries), wording.alarm(alarm)]
    for line in told:
        assert not re.search("[\t\n\r\x00\x1b\x85\u2028\u202e\udce9]", line)


def test_what_breaks_a_line_becomes_one_space_and_all_else_stays_as_it_is() -> None:
    assert one_line("Part 1\r\n  Adagio \x1b[2J\n") == "Part 1 Adagio [2J"
    for kept in (" Gymnopédie  no 1 ", "été\u00a0!", "עברית", "👩‍🎤", ""):
        assert one_line(kept) == kept
    wide = " " * 1_000_000  # not looked at anew from each of its spaces, which would take a day
    assert one_line(f"a{wide}b") == f"a{wide}b"
    assert one_line(f"a{wide}\n{wide}b\n\n") == "a b"


def test_one_entry_or_text_that_damage_took_is_told_in_the_singular() -> None:
    taken = {"book": "session", "kept": 7}
    assert "1 entry after no. 7 lost" in wording.fact("journal_damaged", {**taken, "lost": 1})[1]
    assert wording.fact("journal_damaged", {**taken, "lost": 0, "texts": 1})[1].endswith("1 free text is lost")
    assert wording.fact("journal_damaged", {**taken, "lost": 0, "texts": 2})[1].endswith("2 free texts are lost")
