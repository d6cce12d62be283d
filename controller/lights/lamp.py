"""What one lamp is to be told, and what is known of it. Pure: time is an argument, nothing is sent from here.

A lamp is *known* while our last command had its echo. One that has come back, or that stays silent, is asked first, for
a fifth of a second. What it says then counts, unless a bridge may have said it from memory: a bridge remembers only
what it said before, so anything else is news. Where nothing trustworthy was said it is told one thing only: where the
schedule will be, in a fade so slow that it keeps the slew from wherever the lamp may be, darkness and its power-on
level included. So a lamp that comes back at full is faded down, and one that only lost its radio is not made brighter
on a guess. A lamp that cannot fade for so long is taken at its word; and if it said none, at its power-on level where
it was started anew, and otherwise where it was sent. One that announces itself behind a bridge with a memory is led
down like that without a question: a whole room's return would else wait in the bridge's queue.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from math import inf

from controller.lights.colour import ColourDrive, Tinge
from controller.lights.dialect import Ask, Dialect, Move, Said, Tint
from controller.lights.fader import Envelope, Fade, steady
from controller.messages import LampView, Point

_VERIFY_AFTER_S = 1.0
_ANSWER_WITHIN_S = 0.2
"""With a round trip and a bridge's own time a returning lamp is on its way within 0.5 s."""
_EARLY_S = 0.01
"""A timer may fire that much early."""
_LATE_ECHO_S = 0.5
_SECOND_ECHO_S = 1.0
"""A lamp that has confirmed its newest command may say that long what it was told before: many report twice."""
_FRESH_REPORT_S = 1.0
"""What a lamp says just before it is announced belongs to its return."""


class LampDrive:
    """One lamp's latest-wins slot: the fade it follows, the ramp it was sent, and whether it said yes.

    `interval_s`: the time between two keyframes, as the lamp and its bridge take them.
    """

    def __init__(self, lamp: str, dialect: Dialect, envelope: Envelope, interval_s: float | None = None) -> None:
        self.lamp = lamp
        self.lost = False
        self.confirmed: bool | None = None
        """Whether its last echo agreed; None before the first, and again when it is back."""
        self.confirmed_level: float | None = None
        self._dialect = dialect
        self._profile = dialect.profile
        self._scale = dialect.scale
        self._envelope = envelope
        self._interval = interval_s or dialect.profile.rate.lamp_interval_s
        self._colour = ColourDrive(dialect.profile.colour, envelope) if dialect.profile.colour else None
        self._colour_last = False
        self._fade: Fade | None = None
        self._ramp = steady(dialect.profile.power_on.level)
        self._known = False
        self._heard = False
        self._sent_at = self._free_at = self._look_at = -inf
        self._ask_at = -inf
        self._silent_since: float | None = None
        self._verify_at = inf
        self._asked: float | None = None
        self._recent: deque[tuple[float, float]] = deque(maxlen=64)
        self._answers: list[float] | None = []
        self._reports: tuple[float | None, float] = (None, -inf)
        self._believed: float | None = None
        self._woken_at = -inf
        self._assumed: float | None = None

    def follow(self, fade: Fade, now: float) -> None:
        """Follow this fade from now on. A swift one, and the one after it, do not wait for the lamp's turn."""
        if fade == self._fade:
            return
        before, self._fade = self._fade, fade
        if self._answers is not None:
            return
        self._look_at = now
        if fade.swift or (before is not None and before.swift):
            self._free_at = now
        elif not self._known and before is not None and self._free_at < inf:
            there = self._envelope.bound(fade.level_at(self._free_at))
            if abs(there - self._ramp.end.level) > self._scale.tolerance(there):
                self._free_at = min(self._free_at, self._sent_at + self._interval)

    def lose(self) -> None:
        """It cannot be reached: nothing is sent until it is back."""
        self.lost = True
        self._silent_since = None
        self._answers = None

    def back(self, now: float, *, born: bool = True) -> None:
        """It is back, or the way to it is: nothing is known of it. `born`: perhaps its power was cut.

        One return is often told twice, as reach and as an announcement: it is asked once.
        """
        told_already = not self.lost and self._answers is not None and now - self._woken_at < _ANSWER_WITHIN_S
        self.lost = False
        if not told_already:
            self.confirmed = self.confirmed_level = None
            self.forget(now)
        if born:
            self._assumed = self._profile.power_on.level
            if self._profile.echo.from_memory and self._fade and self._plan_blind(now, self._fade):
                self._ask_at = inf  # what its bridge remembers is not worth the wait: it is led down at once

    def forget(self, now: float) -> None:
        """Where it is is not known any more: it is asked."""
        self._woken_at = now
        self._assumed = None if self._sent_at == -inf else self._ramp.end.level
        level, at = self._reports
        just_said = level is not None and now - at < _FRESH_REPORT_S and at > self._sent_at
        just_said = just_said and not self._goes_to(level or 0.0, now)
        self._known = self._heard = False
        self._silent_since = None
        self._verify_at = inf
        self._answers = [level] if just_said and level is not None else []
        self._ask_at = self._free_at = self._look_at = now
        if self._colour is not None:
            self._colour.forget()

    def heard(self, level: float, now: float) -> bool:
        """A fresh report of the lamp's level. True: something else has driven it there."""
        self._reports = (level, now)
        if self.lost:
            return False
        if self._answers is not None:
            if self._goes_to(level, now):
                self._assumed = level  # all that is known, where it cannot be faded blindly
                return False
            self._answers.append(level)
            if self._ask_at == inf and self._judge() is not None:
                self._look_at = min(self._look_at, now)
            return False
        self._believed = level
        tolerance = self._scale.tolerance(level)
        if self._asked is not None and abs(level - self._asked) <= tolerance:
            self._silent_since = None
            self._heard = True
            self.confirmed, self.confirmed_level = True, level
            while self._recent and self._recent[0][0] < now - _SECOND_ECHO_S:
                self._recent.popleft()
            return False
        since = now - self._profile.echo.within_s
        said = [at for at, sent in self._recent if at >= since and abs(level - sent) <= tolerance]
        if said:  # what it was told before; it has still to answer what it was told after that
            self._silent_since = next((at for at, _ in self._recent if at > said[-1]), None)
            self._heard = True
            return False
        if not self._known:  # on its way in our slow fade, or another hand has ended that: it is asked when it is over
            self._heard = False
            self._ask_at = max(now, self._ramp.end.t)
            return False
        if self._asked is None and abs(level - self._ramp.end.level) <= tolerance:
            return False
        if now < self._ramp.end.t + _LATE_ECHO_S:
            low, high = sorted((self._ramp.start.level, self._ramp.end.level))
            if low - tolerance <= level <= high + tolerance:
                return False  # it says where it is on its way
        self._ramp, self._asked = steady(level, now), None
        self.confirmed, self.confirmed_level = False, level
        self._silent_since = None
        self._free_at = self._look_at = max(now, self._sent_at + self._interval)
        return True

    def step(self, now: float) -> Said | None:
        """What is to be sent now, if anything; it counts as sent."""
        fade = self._fade
        if self.lost or fade is None:
            return None
        if self._silent_since is not None and now >= self._silent_since + self._profile.echo.within_s - _EARLY_S:
            self.confirmed, self._silent_since = False, None
            if self._known:
                self.forget(now)
            else:
                self._ask_at = max(now, self._ramp.end.t)
        if now >= self._ask_at:
            self._ask_at = inf
            if self._answers is None:
                level, at = self._reports
                self._answers = [] if level is None or at < self._ramp.end.t else [level]
            self._look_at = now if self._judge() is not None else now + _ANSWER_WITHIN_S
            return Ask()
        if now >= max(self._free_at, self._look_at) - _EARLY_S:
            said = self._say(now, fade)
            if said is not None:
                return said
        if now >= self._verify_at:
            self._verify_at = inf
            self._recent.clear()  # what it says now is no late echo
            return Ask()
        return None

    def next_at(self) -> float:
        """The room time at which `step` has something to do, if nothing happens before; may be infinite."""
        if self.lost or self._fade is None:
            return inf
        silent = inf if self._silent_since is None else self._silent_since + self._profile.echo.within_s
        return min(self._ask_at, max(self._free_at, self._look_at), self._verify_at, silent)

    @property
    def burns(self) -> bool:
        """Whether it is known to be on: it said so, and nothing has made that doubtful since."""
        level, at = self._reports
        return bool(level) and self._known and at >= self._woken_at

    def view(self, now: float) -> LampView:
        """The lamp as consoles show it."""
        fade = self._fade
        target = self._ramp.end.level if fade is None else self._envelope.bound(fade.level_at(now))
        if self.lost:
            return LampView(lamp=self.lamp, target=target, confirmed=self.confirmed_level, state="lost")
        if not self.confirmed:
            return LampView(lamp=self.lamp, target=target, confirmed=self.confirmed_level, state="unconfirmed")
        moving = now < self._ramp.end.t or (fade is not None and fade.start.t < now < fade.end.t)
        return LampView(
            lamp=self.lamp, target=target, confirmed=self.confirmed_level, state="moving" if moving else "confirmed"
        )

    # What is known

    def _goes_to(self, level: float, now: float) -> bool:
        """Whether our own command has it on its way there: its echo then does not say where it is."""
        return now < self._ramp.end.t and abs(level - self._ramp.end.level) <= self._scale.tolerance(level)

    def _judge(self) -> float | None:
        """The level that the answers speak for, as far as they can be trusted."""
        answers = self._answers
        if not answers:
            return None
        if not self._profile.echo.from_memory:
            return answers[-1]
        if self._believed is None:  # the first question of all: agreement will do
            agreed = max(answers) - min(answers) <= self._scale.tolerance(answers[-1])
            return answers[-1] if agreed else None
        news = [level for level in answers if abs(level - self._believed) > self._scale.tolerance(level)]
        return news[-1] if news else None

    def _settle(self, now: float) -> None:
        """Make up one's mind about where the lamp is."""
        self._known = self._known or (self._heard and now >= self._ramp.end.t - _EARLY_S)
        if self._answers is None:
            return
        level = self._judge()
        if self._answers:
            self._believed = self._assumed = self._answers[-1]
        self._answers = None
        if level is not None:
            self._ramp, self._known, self._asked = steady(level, now), True, None

    # What is said

    def _say(self, now: float, fade: Fade) -> Said | None:
        self._settle(now)
        over = self._profile.transition.takes_s(self._interval)
        if self._profile.transition.of == "sweep":
            over = self._interval
        move = None if self._known else self._plan_blind(now, fade)
        if move is None:
            if not self._known:
                there = self._envelope.bound(fade.level_at(now)) if self._assumed is None else self._assumed
                self._ramp, self._known, self._asked = steady(there, now), True, None
            move = self._plan(now, fade, over)
        tinge = self._colour.plan(fade, now, max(over, self._interval)) if self._colour else None
        if tinge is not None and self._profile.colour is not None:
            if not self._profile.colour.apart:
                return self._move(self._with_colour(move, tinge, now), now)
            if move is None or not (self._colour_last or fade.swift or not self._known):
                return self._tint(tinge, now)
        if move is None:
            if self._colour is not None and self._colour.pending(fade, now):
                self._look_at = min(self._look_at, now + self._interval)
            return None
        return self._move(move, now)

    def _plan(self, now: float, fade: Fade, over: float) -> Move | None:
        """The keyframe that is due; sets when to look again where none is."""
        interval, scale = self._interval, self._scale
        present = self._ramp.level_at(now)
        wanted = fade.level_at(now + over)
        takes = max(over, interval) if over > 0 else self._envelope.step_s(interval, interval, swift=fade.swift)
        level = self._envelope.allow(wanted, present, takes, swift=fade.swift)
        allowed = self._envelope.rate(fade.swift) * takes
        if over > 0 and (steep := scale.steepest(present, level)) > allowed:
            level = present + (level - present) * allowed / steep
        number = scale.to_device(level)
        if self._asked is not None and number == scale.to_device(self._ramp.end.level):
            goal = scale.to_device(self._envelope.bound(wanted))
            if goal == number:
                self._look_at = inf if now >= fade.end.t else max(fade.start.t - interval, now + interval)
                return None
            # The lamp's own steps are coarser than what the slew allows at once: it takes one when that is earned.
            following = scale.from_device(number + (1 if goal > number else -1))
            earned = self._envelope.rate(fade.swift) * (now + over - self._ramp.end.t)
            if abs(following - present) > earned + 1e-9:
                self._look_at = now + interval
                return None
            level = following
        return Move(level, max(over, interval), present)

    def _plan_blind(self, now: float, fade: Fade) -> Move | None:
        """One slow fade that keeps the slew from anywhere; None where the device cannot fade for so long."""
        takes, wanted, last = self._interval, 0.0, self._ramp.level_at(now)
        rate, start = self._envelope.rate(fade.swift), self._profile.power_on.level
        for _ in range(3):  # the schedule moves on while the lamp is under way to it
            wanted = self._envelope.bound(fade.level_at(now + takes))
            start = max((0.0, self._profile.power_on.level, last), key=lambda level: abs(level - wanted))
            takes = max(takes, self._scale.steepest(start, wanted) / rate)
        if self._dialect.takes_s(takes, start, wanted) < takes * 0.98:
            return None
        return Move(wanted, takes, start)

    def _with_colour(self, move: Move | None, tinge: Tinge, now: float) -> Move:
        """The colour along with the level; with the level as it is where that has nothing to do."""
        if move is None:
            level = self._ramp.end.level
            move = Move(level, tinge.transition_s, self._ramp.level_at(now))
        return replace(move, kelvin=tinge.kelvin)

    def _tint(self, tinge: Tinge, now: float) -> Tint:
        assert self._colour is not None
        self._colour.sent(tinge, now)
        self._colour_last = True
        self._free_at = self._look_at = now + tinge.transition_s
        return Tint(tinge.kelvin, tinge.transition_s)

    def _move(self, move: Move, now: float) -> Move:
        if self._colour is not None:
            if move.kelvin is not None:
                self._colour.sent(Tinge(move.kelvin, move.transition_s), now)
            elif self._colour.busy(now):  # a second command ends the first one's fade
                self._colour.forget()
        self._colour_last = False
        present = self._ramp.level_at(now)
        takes = self._dialect.takes_s(move.transition_s, move.start, move.level)
        self._ramp = Fade(Point(level=present, t=now), Point(level=move.level, t=now + takes))
        if takes <= 0:
            self._ramp = steady(move.level, now)
        self._asked = move.level
        self._answers, self._ask_at = None, inf
        self._recent.append((now, move.level))
        if not self._known:
            self._heard = False
        self._sent_at = now
        self._free_at = self._look_at = now + max(takes, self._interval)
        self._verify_at = now + takes + _VERIFY_AFTER_S if self._profile.ask is not None else inf
        if self._silent_since is None:
            self._silent_since = now
        return move
