"""The console's and the script's end of the room: one socket to the daemon, two short ways around it.

Everything is sent with its own id and sent again after a reconnect until it is answered; a repeat does nothing twice.
Pause and resume go straight to the sound engine when the daemon is silent; a call always goes both ways.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self
from uuid import uuid4

from msgspec.structs import replace

from controller.clock import boottime
from controller.console.calling import CallDesk
from controller.lines import Link, ProtocolMismatch, ask_once
from controller.messages import (
    LATE_ACTS,
    PROTOCOL,
    Act,
    Addendum,
    AdverseEvent,
    Amend,
    Call,
    CallView,
    Challenge,
    CorrectDose,
    DeclineBooster,
    Dose,
    Evacuate,
    Input,
    Leave,
    LookedUp,
    LookUp,
    Mark,
    NotAMessage,
    Note,
    Origin,
    Pause,
    Redaction,
    Release,
    ReleaseAnswer,
    Reply,
    Resume,
    SeeAlarm,
    Stable,
    StandDown,
    Status,
    TakeBack,
    Telemetry,
    Touch,
    UpdateEvent,
    Vitals,
    from_plain,
    to_plain,
)
from controller.tasks import cancel

LOST_S = 2.0
"""Nothing heard for so long: the room counts as lost. Telemetry comes every half second."""

DIRECT_AFTER_S = 0.5
"""A pause that the daemon has not answered by then goes straight to the sound engine."""

DIRECT_TRY_S = 2.0
"""For so long the engine is tried before the person is told that the pause did not arrive."""

WATCH_S = 0.1
IDLE_WATCH_S = 0.25
"""How often silence is looked for, and how often while nothing waits for an answer."""

STALE_S = 5.0
"""An act that moves something (volume, light, a jump) is worth nothing when it comes later than this."""

SIGN_ON_S = 10.0
"""A PIN that was not answered by then is asked for again."""

LOOK_UP_S = 20.0
"""What is over may lie in large files."""

Purpose = Literal["duty", "once", "unlock", "hand_over", "second"]

LASTING = (
    Addendum, AdverseEvent, Amend, Call, Challenge, CorrectDose, DeclineBooster, Dose, Evacuate, Leave, Mark, Note,
    Redaction, Release, ReleaseAnswer, SeeAlarm, Stable, StandDown, TakeBack, Touch, UpdateEvent, Vitals,
)  # fmt: skip
"""Acts that are kept and sent until they are answered: they are records, or they call somebody."""

ON_ITS_WAY_S = 1.0
"""What is sent again later than this says how long ago it was entered."""

_TELEMETRY = Telemetry.__struct_fields__


@dataclass
class _Pending:
    input: Input
    born: float
    answer: asyncio.Future[Reply]
    written: bool = False
    done_directly: bool = False
    locked: bool = False

    @property
    def lasts(self) -> bool:
        return self.done_directly or isinstance(self.input.act, LASTING)


class Client:
    """The link to one room.

    `changed` is called on the loop's thread after anything below may have changed: `status` (telemetry merged in),
    `connected`, `call`, `unanswered`.
    """

    def __init__(
        self,
        runtime_dir: Path,
        console: str | None = None,
        person: str | None = None,
        changed: Callable[[], None] | None = None,
        *,
        stays: bool = True,
    ) -> None:
        """`person`: initials, which count in a room where nobody signs on. `stays`: whoever signs on stays at it."""
        self.runtime_dir = runtime_dir
        self.console = console or f"console-{uuid4().hex[:4]}"
        self.person = person
        self._once = ""
        """Who signed on for one command on this link."""
        self._looking: dict[str, asyncio.Future[LookedUp]] = {}
        self.locked = False
        """Whether nobody knows whose hand it is: what is sent goes under nobody's initials."""
        self.status = Status()
        self.room = ""
        self.last_heard = 0.0
        """CLOCK_BOOTTIME of the last line from the daemon; 0 before the first."""
        self.changed = changed or (lambda: None)
        self._offset: float | None = None
        self._pending: dict[str, _Pending] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._greeted = False
        self._known = asyncio.Event()
        self._was_connected = False
        self.desk = CallDesk(runtime_dir, self.console, self._touched)
        self._up_to_date = asyncio.Event()
        """Clear while the Status that goes with an answer is on its way."""
        self._up_to_date.set()
        self._signing: dict[str, asyncio.Future[Reply]] = {}
        key = uuid4().hex if stays else ""  # by which the daemon knows this console again, whichever was started anew
        self._link = Link(
            runtime_dir / "daemon.sock",
            {"protocol": PROTOCOL, "console": self.console, "person": person, "path": "socket", "key": key},
            opened=lambda: None,
            heard=self._line,
            closed=self._closed,
        )

    async def __aenter__(self) -> Self:
        """Begin to connect."""
        self._link.start()
        self.desk.link.start()
        self._spawn(self._watch())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close both links; what was not answered is dropped."""
        await cancel(*self._tasks)
        await self._link.close()
        await self.desk.link.close()
        for pending in self._pending.values():
            pending.answer.cancel()
        self._pending.clear()

    async def ready(self, timeout: float = 5.0) -> Status:
        """The first Status. Raises ProtocolMismatch, or TimeoutError where no daemon answers."""
        async with asyncio.timeout(timeout):
            while not self._known.is_set():
                if self._link.mismatch is not None:
                    raise self._link.mismatch
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.1):
                        await self._known.wait()
        return self.status

    @property
    def connected(self) -> bool:
        """The daemon was heard within two seconds on an open socket."""
        return self._greeted and self._link.up and self.silent_s <= LOST_S

    @property
    def tried(self) -> bool:
        """Whether the first attempt to connect is over, so that absence means something."""
        return self._link.tried

    @property
    def mismatch(self) -> ProtocolMismatch | None:
        """The daemon speaks another version of the protocol."""
        return self._link.mismatch

    @property
    def silent_s(self) -> float:
        """Seconds since the daemon was last heard."""
        return boottime() - self.last_heard

    @property
    def signed_on(self) -> str:
        """Initials of who is signed on here; "" for nobody."""
        return next((one.initials for one in self.status.sitters if self.console in one.consoles), "")

    @property
    def who(self) -> str | None:
        """Under whose initials this console's acts go, but while it is locked."""
        return (self.signed_on or self._once or None) if self.status.signs_on else self.person

    @property
    def session(self) -> str:
        """The session that is open; "" for none."""
        return "" if self.status.state in ("idle", "ended") else self.status.session

    @property
    def heard(self) -> bool:
        """Whether the room has ever told how it stands."""
        return self._known.is_set()

    @property
    def room_time(self) -> float:
        """Room time now, by the daemon's last word; `status.t` before that is known."""
        return self.status.t if self._offset is None else boottime() + self._offset

    @property
    def call(self) -> CallView:
        """The open call: what the caller says, else the daemon, else what this console knows to be true."""
        return self.desk.view(self.status.call, self.connected)

    @property
    def unanswered(self) -> tuple[Input, ...]:
        """What was asked here and has no answer yet, oldest first."""
        return tuple(pending.input for pending in self._pending.values())

    async def send(self, act: Act, participants: tuple[str, ...] = (), why: str = "", ago_s: float = 0.0) -> Reply:
        """As `ask`, and until `status` is what the answer left."""
        reply = await self.ask(act, participants, why, ago_s)
        await self._up_to_date.wait()
        return reply

    async def ask(
        self, act: Act, participants: tuple[str, ...] = (), why: str = "", ago_s: float = 0.0, session: str = ""
    ) -> Reply:
        """Ask for something and wait for the answer. `why`: the person's reason, for the record.

        `ago_s`: so long ago it happened, for an act that can be entered late. `session`: the one that it means, where
        another one may have been opened since.

        The answer has `refused` "" when the record is on disk. `values["path"]` is "engine" or "caller" where the
        daemon is away and the other way answered; the record follows when it is back. `refused` is "not_reached"
        (never left this console) or "no_answer" (left it; look whether it was done) for acts that would be stale.
        """
        if isinstance(act, Resume | StandDown) and self.status.signs_on and (self.locked or not self.who):
            return Reply(id="", refused="sign_on_needed")  # before engine or caller are asked, which know nobody
        origin = Origin(person=None if self.locked else self.who, console=self.console, path="socket")
        meant = session or self.session
        given = Input(act=act, origin=origin, participants=participants, why=why, ago_s=ago_s, session=meant)
        pending = _Pending(given, boottime(), asyncio.get_running_loop().create_future(), locked=self.locked)
        self._pending[given.id] = pending
        self._write(pending)
        if isinstance(act, Call):
            self.desk.place(act.call, act.level, replace(origin, path="caller"), self.room_time)
        if isinstance(act, StandDown):
            self.desk.stand_down(act.call or self.call.call, self.who or self.console)
        if isinstance(act, Pause | Resume):
            self._spawn(self._go_direct(pending))
        self._touched()
        try:
            return await pending.answer
        finally:
            if pending.answer.cancelled():
                self._pending.pop(given.id, None)
            self._touched()

    async def sign_on(
        self, initials: str, pin: str, purpose: Purpose = "duty", leaves: str = "", why: str = ""
    ) -> Reply:
        """Have a PIN looked at, once: it is never kept, nor sent again after the link was down.

        `purpose`: on duty, for one act on this link ("once"), "unlock", "hand_over" from `leaves` with a note `why`, or
        as the "second" person of what is decided here.
        """
        asked = str(uuid4())
        message = {"id": asked, "initials": initials, "pin": pin, "purpose": purpose, "leaves": leaves, "why": why}
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        if not (self._greeted and self._link.write({"sign_on": message})):
            return Reply(id=asked, refused="not_reached")
        self._signing[asked] = answer
        try:
            async with asyncio.timeout(SIGN_ON_S):
                reply = await answer
            await self._up_to_date.wait()
            if purpose == "once" and not reply.refused:
                self._once = initials
            return reply
        except TimeoutError:
            return Reply(id=asked, refused="no_answer")
        finally:
            del self._signing[asked]

    async def look_up(self, session: str = "", before: int = 0) -> LookedUp:
        """The sessions that are over, or the entries of one (those before record `before`), newest first."""
        asked = LookUp(id=str(uuid4()), session=session, before=before)
        answer: asyncio.Future[LookedUp] = asyncio.get_running_loop().create_future()
        if self.locked or not (self._greeted and self._link.write({"look_up": asked})):
            return LookedUp(id=asked.id, refused="sign_on_needed" if self.locked else "not_reached")
        self._looking[asked.id] = answer
        try:
            async with asyncio.timeout(LOOK_UP_S):
                return await answer
        except TimeoutError:
            return LookedUp(id=asked.id, refused="no_answer")
        finally:
            del self._looking[asked.id]

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _touched(self) -> None:
        self.changed()

    def _write(self, pending: _Pending) -> None:
        given = _aged(pending.input, boottime() - pending.born)
        message = {"input": given, **({"locked": True} if pending.locked else {})}
        if self._greeted and self._link.write(message):
            pending.written = True

    def _closed(self) -> None:
        self._greeted, self._once = False, ""
        self._up_to_date.set()
        for asked, answer in self._signing.items():
            if not answer.done():
                answer.set_result(Reply(id=asked, refused="no_answer"))
        for asked, looking in self._looking.items():
            if not looking.done():
                looking.set_result(LookedUp(id=asked, refused="no_answer"))
        self._notice()

    def _line(self, message: dict[str, Any]) -> None:
        self.last_heard = boottime()
        try:
            if "room" in message and "protocol" in message:
                self.room = str(message["room"])
                self._greeted = True
                for pending in list(self._pending.values()):
                    self._write(pending)
            elif "telemetry" in message:
                news = from_plain(Telemetry, message["telemetry"])
                self._set_status(replace(self.status, **{name: getattr(news, name) for name in _TELEMETRY}))
            elif "status" in message:
                self._set_status(from_plain(Status, message["status"]))
                self._up_to_date.set()
                self._known.set()
            elif "looked_up" in message:
                found = from_plain(LookedUp, message["looked_up"])
                looking = self._looking.get(found.id)
                if looking is not None and not looking.done():
                    looking.set_result(found)
            elif "reply" in message:
                if message.get("behind") is True:
                    self._up_to_date.clear()
                self._answered(from_plain(Reply, message["reply"]))
        except NotAMessage:
            # One message of a foreign shape must not cost the link that carries the next.
            return
        self._was_connected = self.connected
        self._touched()

    def _set_status(self, status: Status) -> None:
        self.status = status
        self._offset = status.t - self.last_heard

    def _answered(self, reply: Reply) -> None:
        signing = self._signing.get(reply.id)
        if signing is not None and not signing.done():
            signing.set_result(reply)
        pending = self._pending.pop(reply.id, None)
        if pending is None:
            return
        act = pending.input.act
        if isinstance(act, Call) and not reply.refused:
            self.desk.daemon_took(act.call)
        if not pending.answer.done():
            pending.answer.set_result(reply)

    async def _watch(self) -> None:
        """Notice silence, stale acts, and calls that somebody else answered."""
        while True:
            await asyncio.sleep(WATCH_S if self._pending else IDLE_WATCH_S)
            self._notice()
            for key, pending in list(self._pending.items()):
                if pending.answer.done() and not pending.lasts:
                    self._pending.pop(key, None)
                elif not pending.answer.done():
                    self._look_after(key, pending)

    def _notice(self) -> None:
        if self._was_connected != self.connected:
            self._was_connected = self.connected
            self._touched()

    def _look_after(self, key: str, pending: _Pending) -> None:
        age = boottime() - pending.born
        act = pending.input.act
        if isinstance(act, Call):
            stage = self.desk.caller_stage(act.call)
            if stage is not None and (not self.connected or age > DIRECT_AFTER_S):
                pending.answer.set_result(Reply(id=key, values={"path": "caller", "stage": stage}))
        elif not pending.lasts and not isinstance(act, Pause | Resume) and age > STALE_S:
            self._give_up(key, pending)

    def _give_up(self, key: str, pending: _Pending) -> None:
        self._pending.pop(key, None)
        if not pending.answer.done():
            code = "no_answer" if pending.written else "not_reached"
            pending.answer.set_result(Reply(id=key, refused=code))

    async def _go_direct(self, pending: _Pending) -> None:
        """Take a pause or resume to the sound engine itself, under the same id, if the daemon does not answer."""
        if self.connected:
            await asyncio.wait({pending.answer}, timeout=DIRECT_AFTER_S)
        act = pending.input.act
        origin = to_plain(replace(pending.input.origin, path="engine"))
        message = {"direct": act.kind, "id": pending.input.id, "origin": origin}
        hello = {"protocol": PROTOCOL, "client": "console"}
        while not pending.answer.done():
            try:
                done = await ask_once(self.runtime_dir / "sound.sock", hello, message, "done", timeout=1.0)
            except (OSError, ValueError, ProtocolMismatch):
                if boottime() - pending.born > (STALE_S if self.connected else DIRECT_TRY_S):
                    self._give_up(pending.input.id, pending)
                    return
                await asyncio.sleep(0.2)
                continue
            if pending.answer.done():
                return
            self._keep_direct(pending, done.get("boottime"))

    def _keep_direct(self, pending: _Pending, at_boottime: float | None) -> None:
        """The engine did it: say so, and go on telling the daemon that it was done, and when."""
        act = pending.input.act
        assert isinstance(act, Pause | Resume)
        if self._offset is not None and at_boottime is not None:
            done: Act = replace(act, direct_t=at_boottime + self._offset)
            pending.input = replace(pending.input, act=done)
        pending.done_directly = True
        pending.answer.set_result(Reply(id=pending.input.id, values={"path": "engine"}))


def _aged(given: Input, waited_s: float) -> Input:
    """The Input as it is sent after so long: what happened at its press did not happen later for want of a room."""
    act = given.act
    if (
        waited_s < ON_ITS_WAY_S
        or not isinstance(act, LATE_ACTS)
        or (isinstance(act, Note) and act.pressed_t is not None)
    ):
        return given
    return replace(given, ago_s=given.ago_s + waited_s)
