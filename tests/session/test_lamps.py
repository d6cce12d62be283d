"""What lamps say, as the rules take it."""

from __future__ import annotations

from controller.messages import LampChanged, LampTakenOver, LogEntry
from controller.wording import entry
from tests.session.room import PaperRoom


def test_a_lamp_that_something_else_moves_stands_as_an_alarm_until_it_is_led_back() -> None:
    room = PaperRoom()
    room.act(LampTakenOver(lamp="lamp-1", level=0.9))
    assert [(alarm.code, alarm.values["name"]) for alarm in room.state.alarms] == [("light_taken", "lamp-1")]
    room.act(LampChanged(lamp="lamp-2", confirmed=True, level=0.3))
    assert [alarm.code for alarm in room.state.alarms] == ["light_taken"]
    room.act(LampChanged(lamp="lamp-1", confirmed=True, level=0.3))
    assert not room.state.alarms


def test_it_is_said_in_words_what_happened_to_a_lamp() -> None:
    said = LogEntry(seq=1, utc="", kind="lamp_taken_over", values={"lamp": "lamp-1", "level": 0.9})
    assert entry(said)[1] == "lamp-1 was moved to 90 % by something else"
