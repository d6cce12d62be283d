"""The one loop: it owns the state, writes down, then does.

Inputs come in through `post`, on the loop's thread. Each is ruled by `session.step`, its record is handed to the
journal, and its effects wait in `pending` for the record to be on disk. The acts in `_URGENT`, a closed list, act at
once and cancel what is queued for their targets.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Protocol

from msgspec.structs import replace

from controller.arc.planner import Plan
from controller.clock import Clock
from controller.journal.chain import ROOM, free_text
from controller.journal.reading import log_entries
from controller.messages import (
    ROOMS_ACTS,
    AboutABook,
    Act,
    ArchiveAct,
    Call,
    DutyKept,
    Effect,
    Erase,
    Evacuate,
    Fire,
    Input,
    Light,
    Listener,
    LogEntry,
    Opened,
    Pause,
    PlaceCall,
    Planned,
    Probe,
    Quiet,
    Record,
    Redaction,
    Refused,
    RefusedAct,
    Replan,
    Reply,
    RunCheck,
    Start,
    Timer,
    encode,
)
from controller.messages.free_words import redacted
from controller.pending import Pending, Queue
from controller.session.deadlines import next_deadline
from controller.session.state import State, rooms_own
from controller.session.step import step
from controller.tasks import cancel

log = logging.getLogger(__name__)

SNAPSHOT_EVERY = 25
"""Records between two snapshots of the state, or up to twice as many where all of them have effects that wait."""

SNAPSHOT_BYTES = 4000
"""A state with more bytes than so many for each record since the last is kept more rarely: a book grows evenly."""

OVERDUE_S = 0.05
"""A deadline that has come and gone is looked at again after this."""

LOOK_S = 1.0
"""The clock is looked at so often: no timer counts a suspend, and what fell due in it is to be no later."""

ARM_S = 0.002
"""The timer is set so much after an act: what was handed to the journal begins before that."""

REPLIES_KEPT = 1000
LOG_KEPT = 40
REFUSALS_PER_MINUTE = 20

_SETTLE_LIMIT = 100


class Writer(Protocol):
    """The part of the journal that the loop needs; see `journal.writer.Journal`."""

    def append(
        self, record: Record, *, text: str, snapshot: bytes | None, book: str, done: Callable[[int], None] | None
    ) -> None:
        """Queue a record; `done(seq)` on the loop when it is on disk."""
        ...

    def close_session(self, session: str, done: Callable[[int], None] | None = None) -> None:
        """Queue the end of a session's file."""
        ...


class Driver(Protocol):
    """What makes an effect real; never blocks, never raises."""

    def apply(self, effect: Effect, seq: int) -> None:
        """Do it, unless something later was done to the same target."""
        ...


Prepare = Callable[[Input], Input]
Planner = Callable[[State, Replan], Plan]


class Runner:
    """The loop's state and its way to the journal and the drivers. Every method runs on the loop's thread."""

    def __init__(
        self,
        state: State,
        clock: Clock,
        journal: Writer,
        drivers: dict[str, Driver],
        planner: Planner,
        *,
        seqs: dict[str, int] | None = None,
        replies: dict[str, Reply] | None = None,
        entries: list[LogEntry] | None = None,
        prepare: Prepare = lambda given: given,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        """`drivers` by what they serve: "sound", "lights", "caller", "timetable", "preflight".

        `seqs`: newest seq of each book. `entries`: what the log shows of before, newest first.
        """
        self.state = state
        self._log = deque([(self.book, entry) for entry in (entries or [])[:LOG_KEPT]], maxlen=LOG_KEPT)
        """The newest lines with the book that each is of, newest first."""
        self.committed: dict[str, int] = dict(seqs or {})
        self._clock = clock
        self._journal = journal
        self._drivers = drivers
        self._planner = planner
        self._prepare = prepare
        self._on_change = on_change
        self._seqs = dict(seqs or {})
        self._snapshot_due: dict[str, int] = {}
        self._replies: OrderedDict[str, Reply | Pending] = OrderedDict(replies or {})
        self._queue = Queue(clock, self._do, self.post_act)
        self._order = 0
        self._refusals: deque[float] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._arming: asyncio.Handle | None = None
        self._looked_at: tuple[State | None, float | None] = None, None
        """The state whose next deadline was looked up last, and that."""
        self._plans: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def book(self) -> str:
        """Where records go now: the open session's file, otherwise the room's."""
        return self.state.session if self.state.in_session else ROOM

    @property
    def entries(self) -> list[LogEntry]:
        """The log that consoles show, newest first: the open session's own, or whatever came last."""
        book, in_session = self.book, self.state.in_session
        return [entry for whose, entry in self._log if whose == book or not in_session]

    def _book_for(self, act: Act) -> str:
        if isinstance(act, AboutABook):
            return str(act.session)
        return ROOM if isinstance(act, (*ROOMS_ACTS, ArchiveAct)) else self.book

    @property
    def holds_effects(self) -> bool:
        """Whether something is to be done as soon as its record is on disk."""
        return self._queue.holds_effects

    @property
    def log(self) -> list[LogEntry]:
        """What consoles show, newest first; what is not on disk yet says so."""
        waiting = {(pending.seq, pending.utc) for pending in self._queue.unwritten()}
        return [replace(item, waits=True) if (item.seq, item.utc) in waiting else item for item in self.entries]

    def waiting_s(self) -> float:
        """How long the oldest record has waited for the disk."""
        return self._queue.waiting_s()

    def post_act(self, act: Act) -> None:
        """Take an act of the room's own."""
        self.post(Input(act=act))

    def post(self, given: Input, listener: Listener | None = None) -> None:
        """Take an Input. `listener` hears the Reply once: when the record is on disk, or at once if refused."""
        if self._closed:
            return
        known = self._replies.get(given.id)
        if known is not None:
            self._repeat(known, listener)
            return
        if not isinstance(given.act, Opened):  # which says how much of the time since the last record counts
            self._pass_time()
        self._take(given, listener)
        self._arm()
        self._on_change()

    def close_book(self, session: str) -> None:
        """Close the book of a session that is over; duty, faders and light go on in the room's own."""
        state, there = self.state, self.state.light.end
        kept = DutyKept(
            duty=state.duty, buses=state.buses, scene=state.scene, level=there.level, kelvin=there.kelvin
        )  # fmt: skip
        self._take(Input(act=kept), None)
        self._journal.close_session(session)

    async def close(self) -> None:
        """Stop taking Inputs and drop the timers; what was decided is already with the journal."""
        self._closed = True
        self._queue.close()
        for handle in (self._timer, self._arming):
            if handle is not None:
                handle.cancel()
        await cancel(*self._plans)

    # --- from Input to record ---------------------------------------------------------------------------------

    def _pass_time(self) -> None:
        """Let a Timer pass for every deadline that has come, so that no act is ruled on an old state."""
        for _ in range(_SETTLE_LIMIT):
            deadline = self._deadline()
            if deadline is None or deadline > self._clock.now():
                return
            before = self.state
            self._take(Input(act=Timer()), None)
            if self.state is before:
                break
        log.error("deadlines do not settle: %s", self._deadline())

    def _take(self, given: Input, listener: Listener | None) -> None:
        now = self._clock.now()
        try:
            given = self._prepare(given)
            book = given.act.session if isinstance(given.act, Start) else self._book_for(given.act)
            after = given.act.after if isinstance(given.act, AboutABook) else 0
            seq = max(self._seqs.get(book, 0), after) + 1
            outcome = step(self.state, given, now, seq)
            if isinstance(given.act, Timer) and outcome.state == self.state:
                return
            pending = self._pend(given.id, book, seq, now, outcome.effects, listener)
            before, ruled = self.state, outcome.state
            if _acts_at_once(given.act):  # before its record is so much as written out: whatever becomes of that
                self._queue.overtake(pending)
                self.state = ruled
            record = Record(
                seq=seq, stamp=self._clock.stamp(now), input=given, effects=outcome.effects, facts=outcome.facts
            )
            self._write(record, pending, ruled)
        except Refused as refusal:
            self._refuse(given, refusal, listener, now)
            return
        except Exception:
            # A fault in a rule, or what cannot be written, costs the act that met it, never the session.
            log.exception("%s could not be ruled", given.act.kind)
            self._refuse(given, Refused("fault", what=given.act.kind), listener, now)
            return
        self.state = ruled
        self._show(record, book)
        if before.in_session and not self.state.in_session:
            self.close_book(before.session)
        if isinstance(given.act, AboutABook) and book not in (ROOM, self.book):
            self._journal.close_session(book)

    def _pend(
        self,
        given_id: str,
        book: str,
        seq: int,
        now: float,
        effects: tuple[Effect, ...],
        listener: Listener | None,
    ) -> Pending:
        self._order = max(self._order + 1, int(now * 1e6))
        listeners = [] if listener is None else [listener]
        return Pending(book, seq, self._order, now, list(effects), Reply(id=given_id, seq=seq), listeners)

    def _write(self, record: Record, pending: Pending, state: State) -> None:
        """Hand the record of how `state` came about to the journal; where that raises, nothing is pending."""
        book = pending.book
        if not pending.reply.refused:
            pending.reply = replace(pending.reply, utc=record.stamp.utc)
        pending.utc = record.stamp.utc
        snapshot = None
        if self._wants_snapshot(record, book):
            snapshot = encode(state if book != ROOM else rooms_own(state))
            self._snapshot_due[book] = record.seq + max(SNAPSHOT_EVERY, len(snapshot) // SNAPSHOT_BYTES)
        self._journal.append(record, text="", snapshot=snapshot, book=book, done=lambda _seq: self._written(pending))
        self._seqs[book] = record.seq
        self._queue.append(pending)
        self._remember(record.input.id, pending)

    def _wants_snapshot(self, record: Record, book: str) -> bool:
        """Whether the state is kept with this record; if it can wait, not with one that somebody waits for."""
        if isinstance(record.input.act, Redaction):  # it takes those that have the words
            return book in (ROOM, self.state.session)  # also of one that is over: who falls ill after it is asked about
        if isinstance(record.input.act, ArchiveAct):
            return False
        late = record.seq - self._snapshot_due.get(book, SNAPSHOT_EVERY)
        due = late >= 0 and (not record.effects or late >= SNAPSHOT_EVERY)
        return due or isinstance(record.input.act, Start)

    def _show(self, record: Record, book: str) -> None:
        """Put it into the log that consoles show."""
        if book == self.book or not self.state.in_session:  # what concerns another book is not part of a session's log
            self._log.extendleft((book, entry) for entry in log_entries(record, free_text(record.input)))
        if isinstance(record.input.act, Redaction):
            gone = (book, record.input.act.seq)
            kept = [(whose, redacted(it) if (whose, it.seq) == gone else it) for whose, it in self._log]
            self._log = deque(kept, maxlen=LOG_KEPT)

    def _refuse(self, given: Input, refusal: Refused, listener: Listener | None, now: float) -> None:
        reply = Reply(id=given.id, refused=refusal.code, values=refusal.values)
        if listener is not None:
            listener(reply)
        while self._refusals and self._refusals[0] < now - 60.0:
            self._refusals.popleft()
        if given.origin.path == "room" or len(self._refusals) >= REFUSALS_PER_MINUTE:
            return
        self._refusals.append(now)
        book = ROOM if isinstance(given.act, ArchiveAct) else self._book_for(given.act)
        known = {person.code for person in self.state.participants}  # anything else may be a name
        typed = _TYPED.get(refusal.code, ())
        values = {key: value for key, value in refusal.values.items() if key not in typed}
        kept = replace(
            given,
            act=RefusedAct(act=given.act.kind, code=refusal.code, values=values),
            participants=tuple(code for code in given.participants if code in known),
        )
        pending = self._pend(given.id, book, self._seqs.get(book, 0) + 1, now, (), None)
        pending.reply = reply
        record = Record(seq=pending.seq, stamp=self._clock.stamp(now), input=kept)
        try:
            self._write(record, pending, self.state)
        except Exception:  # what made an act unwritable may do so for its refusal
            log.exception("a refusal could not be written")
        else:
            self._show(record, book)

    def _repeat(self, known: Reply | Pending, listener: Listener | None) -> None:
        if listener is None:
            return
        if isinstance(known, Reply):
            listener(known)
        elif known.on_disk:
            listener(known.reply)
        else:
            known.listeners.append(listener)

    def _remember(self, given_id: str, pending: Pending) -> None:
        self._replies[given_id] = pending
        while len(self._replies) > REPLIES_KEPT:
            self._replies.popitem(last=False)

    # --- from record to effect --------------------------------------------------------------------------------

    def _written(self, pending: Pending) -> None:
        """The record is on disk: now it is done, and now people are told."""
        self.committed[pending.book] = pending.seq
        self._queue.written(pending)
        self._on_change()

    def _do(self, effect: Effect, order: int) -> None:
        match effect:
            case Replan():
                task = asyncio.get_running_loop().create_task(self._plan(effect))
                self._plans.add(task)
                task.add_done_callback(self._plans.discard)
            case PlaceCall():
                self._drivers["caller"].apply(effect, order)
            case RunCheck():
                self._drivers["timetable"].apply(effect, order)
            case Erase():
                self._drivers["archive"].apply(effect, order)
            case Probe():
                self._drivers["preflight"].apply(effect, order)
            case _ if effect.kind == "fade_light":
                self._drivers["lights"].apply(effect, order)
            case _:
                self._drivers["sound"].apply(effect, order)

    async def _plan(self, effect: Replan) -> None:
        """Plan beside the loop. A planner that fails leaves the cues as they are, and says so by what is short."""
        if (effect.session, effect.plan) != (self.state.session, self.state.plan):
            return
        state = self.state
        try:
            made = await asyncio.to_thread(self._planner, state, effect)
            answer = Planned(plan=effect.plan, cues=made.cues, short_s=made.short_s)
        except Exception:
            log.exception("the planner failed")
            answer = Planned(plan=effect.plan, cues=state.cues, short_s=24 * 3600.0)
        if self.state.session == effect.session:  # the next session counts its plans from one again
            self.post_act(answer)

    # --- time -------------------------------------------------------------------------------------------------

    def _deadline(self) -> float | None:
        if self._looked_at[0] is not self.state:
            self._looked_at = self.state, None
            try:
                self._looked_at = self.state, next_deadline(self.state)
            except Exception:  # as with a rule: a fault here must not keep any act from the room
                log.exception("what is due next could not be found")
        return self._looked_at[1]

    def _arm(self) -> None:
        """Set the timer in a moment."""
        if self._arming is None and not self._closed:
            self._arming = asyncio.get_running_loop().call_later(ARM_S, self._set_timer)

    def _set_timer(self) -> None:
        self._arming = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self._deadline()
        if deadline is not None:
            wait = deadline - self._clock.now()
            wait = min(LOOK_S, wait) if wait > 0.0 else OVERDUE_S
            self._timer = asyncio.get_running_loop().call_later(wait, self._wake)

    def _wake(self) -> None:
        self._timer = None
        before = self.state
        self._pass_time()
        self._arm()
        if self.state is not before:
            self._on_change()


_TYPED = {"unknown_participant": ("code",), "not_on_duty": ("who",), "unknown_guess": ("code", "nearest")}
"""By refusal: what was typed and is not kept with it, for it may be a name, or a guess of somebody's arm.

The chain cannot be blanked; whoever typed it is told all the same.
"""

_URGENT = (Pause, Quiet, Call, Evacuate, Fire)


def _acts_at_once(act: Act) -> bool:
    return isinstance(act, _URGENT) or (isinstance(act, Light) and act.scene in ("exit", "medical"))
