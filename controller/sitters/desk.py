"""The desk at which a console signs somebody on: it compares the PIN beside the loop, and tells the rules what came.

One PIN is looked at at a time, so that no number of consoles together tries more than a lockout allows. The PIN lives
in one `Asked` and is part of nothing that is posted, logged, answered or raised.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from msgspec.structs import replace

from controller.files import ConfigError
from controller.messages import (
    Act,
    DeviceBack,
    DeviceLost,
    Duty,
    HandOver,
    Input,
    Listener,
    Origin,
    PostInput,
    Reply,
    SignedOn,
    SignOnRefused,
    SittersKnown,
)
from controller.session.duty import lockout_s
from controller.sitters.register import NO_FILE, NotCompared, Register, check_initials, check_pin
from controller.tasks import cancel

log = logging.getLogger(__name__)

LOOK_S = 2.0
"""So often the register is looked at for a change."""

WHY_LIMIT = 2000
MOST_WAITING = 8
"""PINs that wait to be looked at; a console sends one at a time."""

Purpose = Literal["duty", "once", "unlock", "hand_over", "second"]


@dataclass(frozen=True)
class Asked:
    """One sign-on, as a console asks for it. `purpose`: see `SignedOn` and `HandOver`; "second" is its `seconds`."""

    id: str
    initials: str
    pin: str = field(repr=False)
    purpose: Purpose = "duty"
    leaves: str = ""
    why: str = ""


def asked_of(message: Any) -> Asked:
    """A sign-on out of a console's line. Raises ValueError, which repeats nothing of it but its id's absence."""
    if not isinstance(message, dict) or not isinstance(message.get("id"), str):
        raise ValueError("not a sign-on")
    texts = {key: message.get(key, "") for key in ("initials", "pin", "purpose", "leaves", "why")}
    if not all(isinstance(text, str) for text in texts.values()):
        raise ValueError("not a sign-on")
    purpose: Purpose | None = next((one for one in get_args(Purpose) if one == (texts["purpose"] or "duty")), None)
    if purpose is None or len(texts["why"]) > WHY_LIMIT:
        raise ValueError("not a sign-on")
    return Asked(message["id"][:80], texts["initials"], texts["pin"], purpose, texts["leaves"], texts["why"])


@dataclass
class Visitor:
    """One connection to the console socket: what it calls itself, and the digest of the secret it is known again by.

    `claimed`: the initials it came with, which count only in a room without sitters.
    """

    console: str
    claimed: str | None = None
    key: str = ""
    once: str = ""
    busy: bool = False


def digest(secret: str) -> str:
    """What is kept of a console's secret; "" for none."""
    return hashlib.sha256(secret.encode()).hexdigest() if secret else ""


class SignOnDesk:
    """The daemon's desk. Every method runs on the loop's thread."""

    def __init__(
        self,
        register: Register,
        duty: Callable[[], Duty],
        post: PostInput,
        now: Callable[[], float],
    ) -> None:
        """`duty` is asked whenever it matters; `post` hands an Input to the rules, which rule on it at once."""
        self._register = register
        self._duty = duty
        self._post = post
        self._now = now
        self._one = asyncio.Lock()
        self._waiting = 0
        self._stamp: tuple[int, int, int] | None = None
        self._lost = ""
        self._told_of: set[float] = set()
        self._watch: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Read the register once, and again whenever it changes."""
        await self._look()
        self._watch = asyncio.create_task(self._keep_looking())

    async def close(self) -> None:
        """Stop looking."""
        await cancel(self._watch)

    def person(self, visitor: Visitor) -> str | None:
        """Under whose initials this visitor's acts go: who signed on there, or who it says where nobody signs on."""
        duty = self._duty()
        if not duty.signs_on:
            return visitor.claimed
        if visitor.once:
            return visitor.once if visitor.once in duty.known else None
        if not visitor.key or not hmac.compare_digest(duty.keys.get(visitor.console, ""), visitor.key):
            return None
        return next((one.initials for one in duty.sitters if visitor.console in one.consoles), None)

    def knows(self, visitor: Visitor) -> bool:
        """Whether somebody signed on there, or nobody signs on in this room."""
        return not self._duty().signs_on or self.person(visitor) is not None

    def vouched(self, given: Input) -> Input:
        """An Input that came past this desk: it keeps its initials only where they are signed on at its console."""
        who, duty = given.origin.person, self._duty()
        sitter = duty.sitter(who or "")
        if who is None or not duty.signs_on or (sitter is not None and given.origin.console in sitter.consoles):
            return given
        return replace(given, origin=replace(given.origin, person=None))

    async def sign_on(self, visitor: Visitor, asked: Asked, answer: Listener) -> None:
        """Compare a PIN and have what came of it ruled and recorded; `answer` hears when that is on disk."""
        if visitor.busy or self._waiting >= MOST_WAITING:
            answer(Reply(id=asked.id, refused="one_at_a_time"))
            return
        visitor.busy = True
        self._waiting += 1
        try:
            async with self._one:
                await self._sign_on(visitor, asked, answer)
        finally:
            self._waiting -= 1
            visitor.busy = False

    async def _sign_on(self, visitor: Visitor, asked: Asked, answer: Listener) -> None:
        if not self._duty().signs_on:
            answer(Reply(id=asked.id, refused="no_sitters"))
            return
        try:
            check_initials(asked.initials)
            if asked.leaves:
                check_initials(asked.leaves)
            check_pin(asked.pin)
        except ValueError as wrong:
            answer(Reply(id=asked.id, refused="bad_value", values={"what": "sign-on", "why": str(wrong)}))
            return
        waits = lockout_s(self._duty(), asked.initials, visitor.console, self._now())
        if waits > 0.0:
            self._tell_of_lockout(visitor, asked, waits)
            answer(_locked_out(asked, waits))
            return
        await self._look()  # it may just have been taken away
        if self._lost:
            answer(Reply(id=asked.id, refused="sitters_unreadable", values={"why": self._lost}))
            return
        try:
            right = await asyncio.to_thread(self._register.matches, asked.initials, asked.pin)
        except ConfigError:
            answer(Reply(id=asked.id, refused="sitters_unreadable"))
            return
        except NotCompared as trouble:
            log.error("the PIN of %s could not be looked at: %s", asked.initials, trouble)
            answer(Reply(id=asked.id, refused="pin_not_compared", values={"why": str(trouble)}))
            return
        if right:
            self._right(visitor, asked, answer)
        else:
            self._wrong(visitor, asked, answer)

    def _right(self, visitor: Visitor, asked: Asked, answer: Listener) -> None:
        act: Act
        if asked.purpose == "hand_over":
            act = HandOver(to=asked.initials, leaves=asked.leaves, key=visitor.key)
            person = self.person(visitor) or asked.initials
        else:
            once = asked.purpose in ("once", "second")
            key = "" if once else visitor.key
            unlocks, seconds = asked.purpose == "unlock", asked.purpose == "second"
            act = SignedOn(initials=asked.initials, key=key, once=once, unlocks=unlocks, seconds=seconds)
            person = asked.initials
        origin = Origin(person=person, console=visitor.console, path="socket")

        def told(reply: Reply) -> None:
            if asked.purpose == "once" and not reply.refused:
                visitor.once = asked.initials
            answer(replace(reply, id=asked.id))

        self._post(Input(act=act, origin=origin, why=asked.why), told)

    def _wrong(self, visitor: Visitor, asked: Asked, answer: Listener) -> None:
        self._post(
            Input(act=SignOnRefused(initials=asked.initials), origin=_nobody(visitor)),
            lambda _reply: answer(self._refusal(visitor, asked)),
        )

    def _refusal(self, visitor: Visitor, asked: Asked) -> Reply:
        duty = self._duty()
        waits = lockout_s(duty, asked.initials, visitor.console, self._now())
        return _locked_out(asked, waits) if waits > 0.0 else Reply(id=asked.id, refused="wrong_pin")

    def _tell_of_lockout(self, visitor: Visitor, asked: Asked, waits: float) -> None:
        """An attempt in a lockout is recorded, once for each lockout: a held key must not fill the record."""
        now = self._now()
        until = round(now + waits, 1)
        self._told_of = {told for told in self._told_of if told > now}
        if until not in self._told_of:
            self._told_of.add(until)
            self._post(Input(act=SignOnRefused(initials=asked.initials, waits=True), origin=_nobody(visitor)), None)

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self._look()
            except Exception:  # a fault of the program must not end the watch over the register
                log.exception("the register of sitters could not be looked at")

    async def _look(self) -> None:
        """Tell the rules who may sign on, where that is not what they know."""
        stamp = await asyncio.to_thread(self._register.stamp)
        if stamp == self._stamp:
            return
        try:
            known = await asyncio.to_thread(self._register.sitters)
        except ConfigError as error:  # perhaps for a moment only, or until its owner is set right
            self._lose("unreadable", error.mistakes[0])
            return
        duty = self._duty()
        if stamp == NO_FILE and (duty.signs_on or duty.known):
            self._lose("missing", f"{self._register.file} is gone, and sitters are on record")
            return
        self._stamp = stamp
        if self._lost:
            self._lost = ""
            self._post(Input(act=DeviceBack(name="sitters")), None)
        if known != duty.known or bool(known) != duty.signs_on:
            self._post(Input(act=SittersKnown(initials=known)), None)

    def _lose(self, why: str, said: str) -> None:
        """Nobody new can sign on, and acts of people need it as before: a file that is lost opens no door."""
        self._stamp = None
        if self._lost != why:
            self._lost = why
            log.error("%s", said)
            self._post(Input(act=SittersKnown(readable=False)), None)
            self._post(Input(act=DeviceLost(name="sitters", why=why)), None)


def _nobody(visitor: Visitor) -> Origin:
    return Origin(console=visitor.console, path="socket")


def _locked_out(asked: Asked, waits: float) -> Reply:
    return Reply(id=asked.id, refused="locked_out", values={"wait_s": round(waits, 1)})
