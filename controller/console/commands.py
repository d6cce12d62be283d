"""What each key does: from an action's name to an act that is sent, a question, a menu or a word of answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import uuid4

from controller import wording
from controller.clock import boottime
from controller.console import forms
from controller.console.client import Client
from controller.console.forms import Filled, Form
from controller.console.menus import Doing, go_menu, session_menu
from controller.console.view import Tone, booked_now, local_time
from controller.console.widgets.sheet import Choice, Menu
from controller.messages import (
    Act,
    Call,
    CallLevel,
    Hold,
    Light,
    Mark,
    Pause,
    Quiet,
    Reply,
    Resume,
    SeeAlarm,
    StandDown,
    TakeBack,
    Volume,
)

VOLUME_STEP_DB = 1.5
"""About a tenth of the perceived loudness."""

LIGHT_STEP = 0.05
FRESH_S = 10.0
"""For so long Tab also moves the last mark, and so far back typed letters are taken back."""

SOON_S = 2.0


class Shell(Protocol):
    """What the commands need of the screen."""

    def say(self, text: str, tone: Tone = "plain") -> None:
        """Put words on the answer line."""

    def ask(self, form: Form, opener: str = "") -> None:
        """Open a question."""

    def list_choices(self, menu: Menu) -> None:
        """Open a menu."""

    def show_keys(self) -> None:
        """Open the sheet of all keys."""

    def darken(self) -> None:
        """One step darker."""

    def next_theme(self) -> None:
        """The next theme."""

    def leave(self) -> None:
        """End this console; the session goes on."""


@dataclass
class _Done:
    """Something this console did, for Backspace, Tab and typed letters."""

    at: float
    act: Act
    words: str
    participants: tuple[str, ...]
    seq: int = 0
    why: str = ""


class Commands:
    """The console's commands over one client."""

    def __init__(self, client: Client, shell: Shell) -> None:
        self.client = client
        self.shell = shell
        self._chosen = 0
        self._done: list[_Done] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Stop waiting for answers."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def whom(self) -> tuple[str, ...]:
        """The codes that the next entry means: all, or one of several."""
        codes = tuple(person.code for person in self.client.status.participants if not person.left)
        choices = [codes, *((code,) for code in codes)] if len(codes) > 1 else [codes]
        return choices[self._chosen % len(choices)]

    def run(self, name: str, key: str) -> None:
        """Do what the action `name` means; `key` tells which of its keys it was."""
        getattr(self, f"_{name}")(key)

    # Calls

    def _call(self, _key: str) -> None:
        standing = self.client.call
        if standing.call and standing.stage not in ("stood_down", "not_delivered"):
            more = "" if standing.level == "emergency" else "; e makes it an emergency"
            self.shell.say(f"called already{more}")
            return
        again = standing.call if standing.stage == "not_delivered" else ""
        self._place(again or str(uuid4()), standing.level if again else "assist")

    def _emergency(self, key: str) -> None:
        standing = self.client.call
        if standing.level == "emergency" and standing.call and standing.stage in ("sent", "acknowledged"):
            self.shell.say(f"called already: {wording.call(standing)}")
        elif standing.call and standing.stage != "stood_down":
            self._place(standing.call, "emergency")
        elif key == "f9":
            self._place(str(uuid4()), "emergency")
        else:
            self.shell.say("e makes a call an emergency: press c first. F9 does it alone.")

    def _place(self, call: str, level: CallLevel) -> None:
        words = "EMERGENCY call" if level == "emergency" else "support call"
        self._send(Call(call=call, level=level), words, participants=())

    def _stand_down(self) -> None:
        if not wording.call(self.client.call):
            self.shell.say(wording.refusal("no_call", {}), "bad")
            return
        filled = Filled(act=StandDown(call=self.client.call.call), words="call stood down", participants=())
        self.shell.ask(forms.stand_down_form(filled))

    # Music, arc and light

    def _pause(self, _key: str) -> None:
        self._send(Pause(), "pause", participants=())

    def _resume(self, _key: str) -> None:
        self._send(Resume(), "go on", participants=())

    def _hold(self, _key: str) -> None:
        self._send(Hold(), "hold", participants=())

    def _quiet(self, key: str) -> None:
        if self.client.status.quiet:
            self.shell.ask(forms.quiet_form(), opener=key)
        else:
            self._send(Quiet(), "silence until r", participants=())

    def _go(self, _key: str) -> None:
        status = self.client.status
        if not status.phases or status.state in ("idle", "ended"):
            self.shell.say(wording.refusal("no_session", {}), "bad")
            return
        self.shell.list_choices(go_menu(status, self._doing()))

    def _doing(self) -> Doing:
        """What the lines of a menu can do here."""
        return Doing(
            send=lambda act, words, whom: self._send(act, words, participants=whom),
            ask=self.shell.ask,
            show=self.shell.list_choices,
            whom=self.whom,
        )

    def _volume(self, key: str) -> None:
        step = VOLUME_STEP_DB if key == "up" else -VOLUME_STEP_DB
        if self._loudest(step):
            self.shell.say("no louder than this: 100 % is the calibrated level")
        else:
            self._send(Volume(step_db=step), "louder" if step > 0 else "softer", participants=())

    def _headphones(self, key: str) -> None:
        buses = [view.bus for view in self.client.status.sound.buses]
        bus = next((bus for bus in buses if "phone" in bus), buses[1] if len(buses) > 1 else "")
        if not bus:
            self.shell.say("this room has no headphones of their own", "bad")
            return
        step = VOLUME_STEP_DB if key == "pageup" else -VOLUME_STEP_DB
        if self._loudest(step, bus):
            self.shell.say(f"{bus} no louder than this: 100 % is the calibrated level")
        else:
            self._send(Volume(bus=bus, step_db=step), f"{bus} {'louder' if step > 0 else 'softer'}", participants=())

    def _loudest(self, step: float, bus: str = "") -> bool:
        """Whether a step up could move nothing, for the calibrated level is the most."""
        levels = [view.level_db for view in self.client.status.sound.buses if bus in ("", view.bus)]
        return step > 0 and self.client.connected and bool(levels) and min(levels) >= 0.0

    def _light(self, key: str) -> None:
        step = LIGHT_STEP if key == "right" else -LIGHT_STEP
        self._send(Light(scene="manual", step=step), "brighter" if step > 0 else "darker", participants=())

    def _exit_light(self, _key: str) -> None:
        self._send(Light(scene="exit"), "light to stand up by; f gives it back", participants=())

    def _follow_arc(self, _key: str) -> None:
        self._send(Light(scene="arc"), "light follows the arc", participants=())

    # Records

    def _note(self, key: str) -> None:
        self.shell.ask(forms.note_form(self.client.room_time), opener=key)

    def _mark(self, key: str) -> None:
        marks = self.client.status.marks
        at = int(key) - 1
        if not marks:
            self.shell.say("this programme has no marks" if self.client.status.session else "no session is open", "bad")
        elif at >= len(marks):
            self.shell.say(f"no mark {key}: 1-{len(marks)}", "bad")
        else:
            self._send(Mark(code=marks[at][0]), f"{key} {marks[at][1]}")

    def _next_whom(self, _key: str) -> None:
        codes = self.client.status.participants
        if len(codes) < 2:
            self.shell.say(f"only {codes[0].code} here" if codes else "nobody is here yet")
            return
        self._chosen += 1
        self.shell.say(f"for {' and '.join(self.whom)}")
        last = self._done[-1] if self._done else None
        if last and isinstance(last.act, Mark) and last.seq and boottime() - last.at < FRESH_S:
            self._done.remove(last)
            self._spawn(self._move_mark(last))

    async def _move_mark(self, last: _Done) -> None:
        taken = await self.client.send(TakeBack(seq=last.seq))
        if not taken.refused:
            self._send(last.act, last.words)

    def _vitals(self, key: str) -> None:
        if len(self.whom) > 1:
            # Readings are one person's; marks and doses may well be both's.
            self.shell.say(f"whose? Tab chooses: {' or '.join(self.whom)}", "bad")
            return
        self.shell.ask(forms.vitals_form(), opener=key)

    def _dose(self, key: str) -> None:
        if not self.client.status.participants:
            self.shell.say(wording.refusal("no_session", {}), "bad")
            return
        parts = self.client.status.dose_parts
        if not parts:
            self.shell.say(wording.refusal("no_such_dose", {}), "bad")
            return
        self.shell.ask(forms.dose_form(" and ".join(self.whom), parts), opener=key)

    def _take_back(self, _key: str) -> None:
        kept = [done for done in self._done if done.seq]
        if not kept:
            self.shell.say(wording.refusal("nothing_to_take_back", {}), "bad")
            return
        last = kept[-1]
        self._done.remove(last)
        self._send(TakeBack(seq=last.seq), f"taken back: {last.words.partition(';')[0]}", participants=())

    def _seen(self, _key: str) -> None:
        if self.client.connected and all(alarm.seen for alarm in self.client.status.alarms):
            self.shell.say("no alarm stands unseen")
        else:
            self._send(SeeAlarm(), "alarm seen", participants=())

    # The rare

    def _help(self, _key: str) -> None:
        self.shell.show_keys()

    def _leave(self, _key: str) -> None:
        self.shell.leave()

    def _menu(self, _key: str) -> None:
        shell = self.shell
        choices = (
            Choice(label="medical light", run=self._sender(Light(scene="medical"), "medical light; f gives it back")),
            Choice(label="stand a call down", run=self._stand_down),
            Choice(label="screen darker, then off; any key wakes it", run=shell.darken),
            Choice(label="colours: night, red, day, linux", run=shell.next_theme),
            Choice(label="start a session", run=lambda: shell.ask(forms.start_form(booked_now(self.client.status)))),
            Choice(label="end the session", run=lambda: shell.ask(forms.end_form())),
            Choice(label="this session: release, limits, softer, correct a dose, leave", run=self._session),
            Choice(label="all keys", run=shell.show_keys),
            Choice(label="leave this console; the session goes on", run=shell.leave),
        )
        shell.list_choices(Menu(title="Menu", choices=choices))

    def _session(self) -> None:
        status = self.client.status
        if status.state in ("idle", "ended"):
            self.shell.say(wording.refusal("no_session", {}), "bad")
            return
        self.shell.list_choices(session_menu(status, self._doing()))

    # Sending

    def fill(self, filled: Filled) -> None:
        """Send a form's answer."""
        self._send(filled.act, filled.words, participants=filled.participants, why=filled.why)

    def _sender(self, act: Act, words: str) -> Callable[[], None]:
        return lambda: self._send(act, words, participants=())

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _send(self, act: Act, words: str, participants: tuple[str, ...] | None = None, why: str = "") -> None:
        whom = self.whom if participants is None else participants
        done = _Done(boottime(), act, words, whom, why=why)
        self._done = [*self._done, done][-20:]
        self.shell.say(f"noting …  {words}")
        self._spawn(self._await_answer(done))

    async def _await_answer(self, done: _Done) -> None:
        reply = await self.client.send(done.act, done.participants, done.why)
        done.seq = reply.seq if _can_be_taken_back(done.act, reply) else 0
        if not done.seq and done in self._done and not isinstance(done.act, Pause | Quiet | Hold):
            self._done.remove(done)
        self.shell.say(*_told(done, reply, self.client))

    async def take_back_typing(self) -> None:
        """Somebody typed: undo what their letters did just now, except a call."""
        recent = [done for done in self._done if boottime() - done.at < SOON_S and not isinstance(done.act, Call)]
        await asyncio.sleep(0.3)
        if any(isinstance(done.act, Pause | Hold | Quiet) for done in recent):
            await self.client.send(Resume())
        for done in reversed([done for done in recent if done.seq]):
            if done in self._done:
                self._done.remove(done)
            await self.client.send(TakeBack(seq=done.seq))

    def typing_seen(self) -> None:
        """Take back what typed letters did."""
        self._spawn(self.take_back_typing())


def _can_be_taken_back(act: Act, reply: Reply) -> bool:
    if reply.refused or not reply.seq:
        return False
    return act.kind in ("mark", "note", "volume", "softer", "light") or (
        isinstance(act, Call) and act.level == "assist"
    )


def _told(done: _Done, reply: Reply, client: Client) -> tuple[str, Tone]:
    """The answer line for a reply: noted with its time, or why not."""
    if reply.refused in ("not_reached", "no_answer") and isinstance(done.act, Pause):
        return "PAUSE DID NOT ARRIVE - turn the volume down by hand", "bad"
    if reply.refused:
        return f"{done.words.removeprefix('taken back: ')}: {wording.refusal(reply.refused, reply.values)}", "bad"
    if reply.values.get("path") == "engine":
        return f"{done.words}: done by the sound itself, noted when the room answers", "good"
    if reply.values.get("path") == "caller":
        return wording.call(client.call) or done.words, "plain"
    sign = local_time(reply.utc)
    return f"noted {sign} ✓  {done.words}", "good"
