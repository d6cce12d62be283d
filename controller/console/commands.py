"""What an action has at hand: what the room says, whom the next entry means, sending, asking, and taking back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from msgspec.structs import replace

from controller import wording
from controller.clock import boottime
from controller.console.client import Client
from controller.console.doing.action import Action, Subject
from controller.console.doing.table import main_menu, subject_menu
from controller.console.drill import KeyDrill
from controller.console.forms import Filled, Form
from controller.console.menu import Line, Menu, Tone, menu_of
from controller.console.sitter_forms import Signing, sign_on_form
from controller.console.view import local_moment, local_time
from controller.messages import (
    LATE_ACTS,
    Act,
    Call,
    Hold,
    LookedUp,
    Mark,
    ParticipantView,
    Pause,
    Quiet,
    Reply,
    Resume,
    Status,
    TakeBack,
)
from controller.tasks import cancel

FRESH_S = 10.0
"""For so long Tab also moves the last mark."""

NOTING_S = 0.05
"""An answer that takes longer is waited for in words; one that is there at once is told once."""

ANSWERED_S = 0.3
"""By then what was just sent has its number."""

ANSWER_COLUMNS = 58
"""A refusal that is longer goes without the name of what was refused: at 80 columns there is room for no more."""

SOON_S = 2.0
"""So far back typed letters are taken back."""

AGAIN_S = 2.0
"""A refusal that comes later asks nothing again: by then a hand may be on its way to another key."""

UNHEARD = "the room was not heard yet"

UNDONE = (
    "mark", "note", "volume", "softer", "light", "vitals", "touch", "challenge", "adverse_event", "release", "leave",
)  # fmt: skip
"""Kinds of acts that Backspace takes back."""


class Shell(Protocol):
    """What the actions need of the screen."""

    def say(self, text: str, tone: Tone = "plain") -> None:
        """Put words on the answer line."""

    def ask(self, form: Form, opener: str = "", session: str | None = None) -> None:
        """Open a question, about `session` or the one that is open."""

    def signed(self, signing: Signing, refused: str) -> None:
        """Say what became of a PIN, which is no longer in it; `refused`: why not, or ""."""

    def list_choices(self, menu: Menu) -> None:
        """Open a menu."""

    def find(self) -> None:
        """Open the palette."""

    def show_keys(self) -> None:
        """Open the sheet of all keys."""

    def shut(self) -> None:
        """Lock this console."""

    def repaint(self) -> None:
        """Show what has changed here."""

    def darken(self) -> None:
        """One step darker."""

    def next_theme(self) -> None:
        """The next theme."""

    def leave(self) -> None:
        """End this console; the session goes on."""

    @property
    def is_free(self) -> bool:
        """Whether nothing is asked at the moment."""

    @property
    def drill(self) -> KeyDrill | None:
        """The trial of the keys that is on here."""

    def try_keys(self) -> None:
        """Begin to try the keys."""


@dataclass
class _Done:
    """Something this console did, for Backspace, Tab and typed letters."""

    at: float
    act: Act
    words: str
    participants: tuple[str, ...]
    plain: str = ""
    """Its words without whom it means."""
    why: str = ""
    ago_s: float = 0.0
    instead: Callable[[], None] | None = None
    after: Callable[[], None] | None = None
    asks: Callable[[str], Form | None] | None = None
    """What is asked next where the room refuses it with this code."""
    before: frozenset[str] = frozenset()
    """What stood in the music's way when it was sent."""
    session: str = ""
    """The session that it means."""
    typed: bool = False
    """One of the letters of a word: it is taken back, and no more is said of it."""
    answer: asyncio.Task[None] | None = None
    """Runs until the room has answered."""
    seq: int = 0


_STANDS: dict[str, Act] = {"hold": Hold(), "quiet": Quiet(), "paused": Pause()}
"""What stands in the music's way until somebody goes on, and the act that puts it there."""


def _standing(status: Status) -> frozenset[str]:
    stands = {"hold": status.hold, "quiet": status.quiet, "paused": status.state == "paused"}
    return frozenset(name for name, there in stands.items() if there)


class Commands:
    """The console's hands: one for each console, over one client."""

    def __init__(self, client: Client, shell: Shell) -> None:
        self.client = client
        self.shell: Shell = shell
        self._chosen = ("", "")
        """The session, and whom of it the next entry means; all of them where that is nobody who is here."""
        self._done: list[_Done] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Stop waiting for answers."""
        await cancel(*self._tasks)

    def run(self, action: Action, key: str) -> None:
        """Do it; `key` tells which of its keys it was, "" for a line of a menu."""
        action.run(self, key)

    # What the room says, and whom the next entry means

    @property
    def status(self) -> Status:
        """The room as it was last heard."""
        return self.client.status

    @property
    def whom(self) -> tuple[str, ...]:
        """The codes that the next entry means: all, or one of several."""
        session, code = self._chosen
        codes = tuple(person.code for person in self.status.participants if not person.left)
        return (code,) if code in codes and session == self.client.session else codes

    def meant(self) -> list[ParticipantView]:
        """Those whom the next entry means."""
        return [person for person in self.status.participants if person.code in self.whom]

    def for_one(self, title: str, people: Sequence[ParticipantView], run: Callable[[ParticipantView], None]) -> None:
        """Do what is one person's own; where several are meant, ask for whom."""
        if not people:
            self.say(self.nobody(), "bad")
        elif len(people) == 1:
            run(people[0])
        else:
            lines = [Line(label=person.code, run=partial(run, person), confirm=True) for person in people]
            self.choose(title, lines)

    def nobody(self) -> str:
        """Why nobody is there whom an act could concern."""
        people, whom = self.status.participants, self.whom
        if not self.client.heard:
            return f"{UNHEARD}: nothing was done"
        gone = [f"{one.code} {'was released' if one.released else 'has left'}" for one in people if one.left]
        if len(whom) < len(people) - len(gone):
            return f"nothing of {' or '.join(whom)}: Tab chooses whom"
        return f"nobody here whom it concerns{''.join(f', {told}' for told in gone)}"

    def choose_whom(self) -> None:
        """The next choice of whom; a mark of a moment ago moves with it."""
        codes = [person.code for person in self.status.participants if not person.left]
        if len(codes) < 2:
            self.say(f"only {codes[0]} here" if codes else self.nobody())
            return
        order = ["", *codes]
        at = order.index(self.whom[0]) if len(self.whom) == 1 else 0
        self._chosen = self.client.session, order[(at + 1) % len(order)]
        self.say(f"for {' and '.join(self.whom)}")
        last = next((done for done in self._done[-1:] if done.session == self.client.session), None)
        if last and isinstance(last.act, Mark) and last.seq and boottime() - last.at < FRESH_S:
            self._done.remove(last)
            self._spawn(self._move_mark(last))

    # The screen

    def say(self, text: str, tone: Tone = "plain") -> None:
        """Put words on the answer line."""
        self.shell.say(text, tone)

    def ask(self, form: Form, opener: str = "") -> None:
        """Open a question; `opener` is the key that brought it."""
        self.shell.ask(form, opener)

    def ask_blind(self, title: str, made: Callable[[], Form], opener: str, *, preview: bool = False) -> None:
        """Open a question that is typed without a look at the screen; `made` raises ValueError where it is none.

        Before the room was heard the line is taken all the same, and understood at Enter: outside a question it would
        be marks and a pause.
        """
        if not self.client.heard:
            self.ask(Form(title=title, hint=UNHEARD, read=lambda line: made().read(line), preview=preview), opener)
            return
        try:
            form = made()
        except ValueError as wrong:
            self.say(str(wrong), "bad")
            return
        self.ask(form, opener)

    def show(self, menu: Menu) -> None:
        """Open a menu."""
        self.shell.list_choices(menu)

    def choose(self, title: str, lines: Sequence[Line], *, at: int = 0, footer: str = "") -> None:
        """Open a menu of these lines, and of the rest of them where there are more than digits."""
        self.show(menu_of(title, lines, self.show, at=at, footer=footer))

    def show_page(self, title: str, lines: Sequence[Line], footer: str) -> None:
        """Open a page to be read; it takes the log's place as well."""
        self.show(Menu(title=title, lines=tuple(lines), footer=footer, numbered=False, whole=True))

    def look_up(self, found: Callable[[LookedUp], None], session: str = "", before: int = 0) -> None:
        """Have what is over looked up; `found` keeps it, and what is open is painted anew."""

        async def run() -> None:
            found(await self.client.look_up(session, before))
            self.shell.repaint()

        self._spawn(run())

    def beside(self, work: Callable[[], str]) -> None:
        """Do what takes a while in a thread, then say what came of it."""

        async def run() -> None:
            self.say(await asyncio.to_thread(work))

        self._spawn(run())

    def open_menu(self) -> None:
        """The subjects."""
        self.show(main_menu(self))

    def open_subject(self, subject: Subject) -> None:
        """One subject's menu."""
        self.show(subject_menu(self, subject))

    # Sending

    def send(
        self,
        act: Act,
        words: str,
        participants: tuple[str, ...] | None = None,
        why: str = "",
        *,
        ago_s: float = 0.0,
        instead: Callable[[], None] | None = None,
        after: Callable[[], None] | None = None,
        asks: Callable[[str], Form | None] | None = None,
        session: str = "",
    ) -> None:
        """Ask the room for it. `words` name it on the answer line; None means whoever is chosen, () the room.

        `instead` is done where the room refuses it or does not answer, `after` once it is noted; `asks` tells what is
        asked next after a refusal; `session`: as for `Client.ask`.
        """
        whom = self.whom if participants is None else participants
        plain = words
        if participants is None and len(self.status.participants) > 1:
            words = f"{words}  ({' and '.join(whom)})"
        done = _Done(
            boottime(), act, words, whom, plain=plain, why=why, ago_s=ago_s, instead=instead, after=after, asks=asks,
            before=_standing(self.status), session=session or self.client.session,
        )  # fmt: skip
        self._done = [*self._done, done][-20:]
        done.answer = self._spawn(self._await_answer(done))

    def sender(self, act: Act, words: str) -> Callable[[], None]:
        """Sends it for the room when it is called: what a line of a menu runs."""
        return lambda: self.send(act, words, ())

    def fill(self, filled: Filled) -> None:
        """Send a form's answer. What was typed is there again where nobody had signed on, or it is refused at once."""
        now = boottime()
        waited = now - filled.pressed_at if filled.pressed_at is not None else 0.0

        def asks(refused: str) -> Form | None:
            if refused == "sign_on_needed":
                pressed_at = now - waited if isinstance(filled.act, LATE_ACTS) else None
                return sign_on_form(Signing(initials="", then=replace(filled, pressed_at=pressed_at)))
            if filled.again is None or refused == "no_answer" or boottime() - now > AGAIN_S:
                return None
            return filled.again()

        self.send(
            filled.act, filled.words, filled.participants, filled.why, ago_s=filled.ago_s + waited, after=filled.after,
            asks=asks, session=filled.session,
        )  # fmt: skip

    def pressed_t(self) -> float | None:
        """Room time of a key that is pressed now; None where nothing is known of it yet."""
        return self.client.room_time if self.client.heard else None

    def clock(self) -> datetime:
        """The room's clock now. Raises ValueError where nothing is known of it yet."""
        if not self.client.heard:
            raise ValueError(self.nobody())
        return local_moment(self.status.utc, ahead_s=self.client.room_time - self.status.t)

    def sign_on(self, signing: Signing) -> None:
        """Have a PIN looked at; the screen hears what became of it."""
        self._spawn(self._sign_on(signing))

    async def _sign_on(self, signing: Signing) -> None:
        reply = await self.client.sign_on(signing.initials, signing.pin, signing.purpose, signing.leaves, signing.why)
        refused = wording.refusal(reply.refused, reply.values) if reply.refused else ""
        self.shell.signed(replace(signing, pin=""), refused)

    # Taking back

    def take_back(self) -> None:
        """Take back this console's newest entry that can be."""
        kept = [done for done in self._done if done.seq and done.session == self.client.session]
        if not kept:
            self.say(wording.refusal("nothing_to_take_back", {}), "bad")
            return
        last = kept[-1]
        self._done.remove(last)
        self.send(TakeBack(seq=last.seq), f"taken back: {last.words.partition(';')[0]}", ())

    def typing_seen(self) -> None:
        """Somebody typed: undo what their letters did just now, except a call."""
        recent = [done for done in self._done if boottime() - done.at < SOON_S and not isinstance(done.act, Call)]
        for done in recent:
            done.typed = True
        self._spawn(self._take_back_typing(recent))

    async def _take_back_typing(self, recent: Sequence[_Done]) -> None:
        for done in recent:  # however late the disk is
            if done.answer is not None:
                await asyncio.wait([done.answer])
        await asyncio.sleep(ANSWERED_S)
        if moved := [done for done in recent if isinstance(done.act, Pause | Hold | Quiet | Resume)]:
            await self._as_before(moved[0].before)
        await self._undo(recent)

    async def _as_before(self, before: frozenset[str]) -> None:
        """Hold, silence and pause as they stood: going on ends a pause first, and then all the rest together."""
        for _ in range(2 + len(_STANDS)):
            now = _standing(self.status)
            if now == before:
                return
            wanted = next((act for name, act in _STANDS.items() if name in before - now), None)
            await self.client.send(Resume() if now - before or wanted is None else wanted)
            await asyncio.sleep(ANSWERED_S)

    async def _undo(self, recent: Sequence[_Done]) -> None:
        for done in reversed([done for done in recent if done.seq]):
            if done in self._done:
                self._done.remove(done)
            await self.client.send(TakeBack(seq=done.seq))

    async def _move_mark(self, last: _Done) -> None:
        taken = await self.client.send(TakeBack(seq=last.seq))
        if not taken.refused:
            ago_s = last.ago_s + boottime() - last.at
            self.send(last.act, last.plain, why=last.why, ago_s=ago_s, session=last.session)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _await_answer(self, done: _Done) -> None:
        slow = asyncio.get_running_loop().call_later(NOTING_S, self._say_noting, done)
        try:
            reply = await self.client.ask(done.act, done.participants, done.why, done.ago_s, done.session)
        finally:
            slow.cancel()
        done.seq = reply.seq if _can_be_taken_back(done.act, reply) else 0
        if not done.seq and done in self._done and not isinstance(done.act, Pause | Quiet | Hold | Resume):
            self._done.remove(done)
        if done.typed:
            return
        if reply.refused and done.asks is not None and self.shell.is_free and (form := done.asks(reply.refused)):
            self.shell.ask(form, session=done.session)
        self.say(*_told(done, reply, self.client))
        then = done.instead if reply.refused else done.after
        if then is not None:
            then()

    def _say_noting(self, done: _Done) -> None:
        if not done.typed:
            self.say(f"noting …  {done.words}")


def _can_be_taken_back(act: Act, reply: Reply) -> bool:
    if reply.refused or not reply.seq:
        return False
    return act.kind in UNDONE or (isinstance(act, Call) and act.level == "assist")


def _told(done: _Done, reply: Reply, client: Client) -> tuple[str, Tone]:
    """The answer line for a reply: noted with its time, or why not."""
    if reply.refused in ("not_reached", "no_answer") and isinstance(done.act, Pause):
        return "PAUSE DID NOT ARRIVE - turn the volume down by hand", "bad"
    if reply.refused:
        why = wording.refusal(reply.refused, reply.values)
        told = f"{done.words.removeprefix('taken back: ')}: {why}"
        return told if len(told) <= ANSWER_COLUMNS else why, "bad"
    if reply.values.get("path") == "engine":
        return f"{done.words}: done by the sound itself, noted when the room answers", "good"
    if reply.values.get("path") == "caller":
        return wording.call(client.call) or done.words, "plain"
    sign = local_time(reply.utc)
    return f"noted {sign} ✓  {done.words}", "good"
