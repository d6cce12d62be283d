"""The timetable on APScheduler: each job becomes an Input, and the rules decide what is made of it.

APScheduler holds the jobs in memory; what was done is in the room's book, so a job that fell due while the daemon was
down is laid with its own past time, and is either still in time (its grace) or missed, once for however many days.
The scheduler waits on a clock that neither steps nor counts suspend, so it is woken every few seconds to look at the
wall clock again; after a step backwards its days are laid anew.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time

from apscheduler.events import EVENT_JOB_MISSED, JobExecutionEvent
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.date import DateTrigger

from controller.clock import boottime, utc_now
from controller.messages import (
    Act,
    Booking,
    BookingBegun,
    Check,
    Checked,
    Effect,
    Job,
    RunCheck,
    TimetableDue,
    Trouble,
)
from controller.session.state import State
from controller.tasks import cancel
from controller.timetable.dates import begun_by, last_until, next_after, next_due
from controller.timetable.settings import TimetableSettings

log = logging.getLogger(__name__)

LOOK_S = 2.0
"""A stepped clock is noticed within this."""

STEP_S = 1.0

LONGEST_CHECK_S = 20 * 3600.0
"""A check that hangs is given up before the next night's is due."""

GRACE_S: dict[str, float] = {
    "lights_off": 3600.0,
    **dict.fromkeys(("library_check", "self_test", "backup", "retention"), 12 * 3600.0),
}
"""How late a daily job may still be done (our judgement): a room that was off all night is checked in the morning."""


class DailyTrigger(BaseTrigger):  # type: ignore[misc]
    """Once on each day of the zone, also where a clock change doubles the time or leaves it out."""

    def __init__(self, at: time, settings: TimetableSettings) -> None:
        self._at = at
        self._zone = settings.zone

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """APScheduler's question: the moment after the last one, or after now."""
        return next_after(self._at, self._zone, (previous_fire_time or now).timestamp())


@dataclass(frozen=True)
class _Laid:
    """A job of a booking, as it is laid out."""

    job: Job
    booking: int
    at_unix: float
    grace_s: float | None


class RoomTimetable:
    """The room's timetable. Every method runs on the loop's thread."""

    def __init__(self, settings: TimetableSettings, check: Callable[[Check], Awaitable[Act]]) -> None:
        """`check` makes a nightly check, off the loop, and gives what is to be recorded of it."""
        self._settings = settings
        self._post: Callable[[Act], None] = lambda act: None
        self._check = check
        self._scheduler = AsyncIOScheduler(timezone=settings.zone)
        self._scheduler.add_listener(self._missed, EVENT_JOB_MISSED)
        self._state: State | None = None
        self._laid: dict[str, _Laid] = {}
        self._session = ""
        self._ahead = 0.0
        self._checks: dict[str, asyncio.Task[None]] = {}
        self._watch: asyncio.Task[None] | None = None

    async def start(self, post: Callable[[Act], None]) -> None:
        """Lay out what `follow` was told, overdue jobs included, and watch the wall clock. `post` reaches the rules."""
        self._post = post
        self._scheduler.start()
        self._ahead = utc_now().timestamp() - boottime()
        self._lay_days()
        self._lay_bookings()
        self._watch = asyncio.create_task(self._watch_clock())

    async def close(self) -> None:
        """Drop all jobs; what is booked is in the record."""
        await cancel(*self._checks.values(), self._watch)
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
            await asyncio.sleep(0)  # it shuts down in the loop's next turn

    def follow(self, state: State) -> None:
        """Lay out the bookings of this state; a session that is open stops the checks and takes up its booking."""
        self._state = state
        if not self._scheduler.running:
            return
        if state.in_session:
            for task in self._checks.values():
                task.cancel()
        self._lay_bookings()
        if state.in_session and state.session != self._session and state.programme is not None:
            codes = [person.code for person in state.participants]
            booking = begun_by(state.timetable.bookings, state.programme.name, codes, utc_now().timestamp())
            if booking is not None:
                act = BookingBegun(booking=booking.id, session=state.session)
                asyncio.get_running_loop().call_soon(self._post, act)
        self._session = state.session if state.in_session else ""

    def apply(self, effect: Effect, seq: int) -> None:
        """Begin a check; one that runs already is enough."""
        if isinstance(effect, RunCheck) and effect.check not in self._checks:
            task = asyncio.get_running_loop().create_task(self._run_check(effect.check))
            self._checks[effect.check] = task
            task.add_done_callback(lambda _task: self._checks.pop(effect.check, None))

    def look(self) -> None:
        """Look at the wall clock now."""
        ahead = utc_now().timestamp() - boottime()
        if ahead < self._ahead - STEP_S:
            self._lay_days()
        self._ahead = ahead
        self._scheduler.wakeup()

    async def _watch_clock(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            self.look()

    # --- laying out -------------------------------------------------------------------------------------------

    def _lay_days(self) -> None:
        settings = self._settings
        done = self._state.timetable.done if self._state else {}
        now = utc_now().timestamp()
        daily: dict[Job, time | None] = {
            "lights_off": settings.lights_off,
            "library_check": settings.library_check,
            "self_test": settings.self_test,
            "backup": settings.backup,
            "retention": settings.retention,
        }
        for job, at in daily.items():
            if at is None:
                continue
            self._scheduler.add_job(
                self._day,
                DailyTrigger(at, settings),
                args=(job, at),
                id=job,
                next_run_time=next_due(at, settings.zone, done.get(job), now, GRACE_S[job]),
                misfire_grace_time=int(GRACE_S[job]),
                coalesce=True,
                replace_existing=True,
            )

    def _lay_bookings(self) -> None:
        wanted = {f"{it.booking}.{it.job}": it for it in self._jobs_of_bookings()}
        for key in [key for key in self._laid if key not in wanted]:
            del self._laid[key]
            if self._scheduler.get_job(key) is not None:  # one that was done is gone already
                self._scheduler.remove_job(key)
        for key, it in wanted.items():
            if key in self._laid:
                continue
            self._laid[key] = it
            self._scheduler.add_job(
                self._booked,
                DateTrigger(datetime.fromtimestamp(it.at_unix, UTC)),
                args=(it,),
                id=key,
                misfire_grace_time=None if it.grace_s is None else max(1, int(it.grace_s)),
                coalesce=True,
            )

    def _jobs_of_bookings(self) -> list[_Laid]:
        bookings = self._state.timetable.bookings if self._state else ()
        return [it for booking in bookings for it in self._jobs_of(booking) if it.job not in booking.told]

    def _jobs_of(self, booking: Booking) -> list[_Laid]:
        """Warm-up and reminder are worth doing until the session begins, the beginning until its time is over."""
        starts = booking.starts_unix
        jobs = [
            _Laid("begin", booking.id, starts, booking.length_s),
            _Laid("over", booking.id, starts + booking.length_s, None),
        ]
        if self._settings.warm_up_s is not None:
            jobs.append(_Laid("warm_up", booking.id, starts - self._settings.warm_up_s, self._settings.warm_up_s))
        if self._settings.preflight_s is not None:
            jobs.append(_Laid("preflight", booking.id, starts - self._settings.preflight_s, self._settings.preflight_s))
        return jobs

    # --- what falls due ---------------------------------------------------------------------------------------

    async def _day(self, job: Job, at: time) -> None:
        due = last_until(at, self._settings.zone, utc_now().timestamp()).timestamp()
        self._post(TimetableDue(job=job, due_unix=due, oldest_s=self._oldest_s(job)))

    def _oldest_s(self, job: str) -> float:
        return self._settings.backup_oldest_s if job == "backup" else 0.0

    async def _booked(self, it: _Laid) -> None:
        self._post(TimetableDue(job=it.job, due_unix=it.at_unix, booking=it.booking))

    def _missed(self, event: JobExecutionEvent) -> None:
        due = event.scheduled_run_time.timestamp()
        it = self._laid.get(event.job_id)
        if it is not None:
            self._post(TimetableDue(job=it.job, due_unix=due, booking=it.booking, missed=True))
        else:
            oldest_s = self._oldest_s(event.job_id)
            self._post(TimetableDue(job=event.job_id, due_unix=due, missed=True, oldest_s=oldest_s))

    async def _run_check(self, check: Check) -> None:
        try:
            async with asyncio.timeout(LONGEST_CHECK_S):
                found: Act = await self._check(check)
        except Exception as error:  # a check that cannot be made is a trouble like another
            log.exception("the %s failed", check)
            why = "it does not end" if isinstance(error, TimeoutError) and not str(error) else str(error)
            found = Checked(check=check, count=1, troubles=(Trouble(code="check", name=check, why=why),))
        self._post(found)
