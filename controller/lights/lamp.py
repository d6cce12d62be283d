"""What one lamp is to be told, and what is known of it. Pure: time is an argument, nothing is sent from here.

A lamp is *known* while our last command had its echo. What is not known is told one thing only: where the schedule will
be, in a fade so slow that it keeps the slew from wherever the lamp may be, darkness and its power-on level included. So
a lamp that comes back at full is faded down, and one that only lost its radio is not made brighter on a mere guess.
Before its very first command a lamp is asked once, so that an ordinary start is not a slow one.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import inf

from controller.lights.fader import Envelope, Fade, steady
from controller.lights.profile import Profile
from controller.messages import LampView, Point

_VERIFY_AFTER_S = 1.0
_ANSWER_WITHIN_S = 0.5
_EARLY_S = 0.01
"""A timer may fire that much early."""


@dataclass(frozen=True, slots=True)
class Move:
    """Be at `level` in `transition_s` from now."""

    level: float
    transition_s: float


@dataclass(frozen=True, slots=True)
class Ask:
    """Say how you are."""


class LampDrive:
    """One lamp's latest-wins slot: the fade it follows, the ramp it was sent, and whether it said yes."""

    def __init__(self, lamp: str, profile: Profile, envelope: Envelope) -> None:
        self.lamp = lamp
        self.lost = False
        self.confirmed: bool | None = None
        """Whether its last echo agreed; None before the first."""
        self.confirmed_level: float | None = None
        self._profile = profile
        self._envelope = envelope
        self._fade: Fade | None = None
        self._ramp = steady(profile.power_on)
        self._known = False
        self._heard = False
        self._sent_at = -inf
        self._free_at = -inf
        self._look_at = -inf
        self._silent_since: float | None = None
        self._verify_at = inf
        self._recent: deque[float] = deque(maxlen=4)
        self._answers: list[float] | None = None

    def follow(self, fade: Fade, now: float) -> None:
        """Follow this fade from now on. A swift one does not wait for the lamp's turn."""
        if fade == self._fade:
            return
        before, self._fade = self._fade, fade
        self._look_at = now
        if fade.swift:
            self._free_at = now
        elif not self._known and before is not None and self._free_at < inf:
            there = self._envelope.bound(fade.level_at(self._free_at))
            if abs(there - self._ramp.end.level) > self._profile.tolerance:
                self._free_at = min(self._free_at, self._sent_at + self._profile.rate.lamp_interval_s)

    def lose(self) -> None:
        """It cannot be reached: nothing is sent until it is back."""
        self.lost = True
        self._silent_since = None

    def back(self, now: float) -> None:
        """It is back, or the way to it is: nothing is known of it."""
        self.lost = False
        self.forget(now)

    def forget(self, now: float) -> None:
        """Where it is is not known any more."""
        self._known = self._heard = False
        self._silent_since = None
        self._free_at = self._look_at = now

    def heard(self, level: float, now: float) -> None:
        """A fresh report of the lamp's level."""
        if self._sent_at == -inf:
            if self._answers is not None:
                self._answers.append(level)
            return
        tolerance = self._profile.tolerance
        if abs(level - self._ramp.end.level) <= tolerance:
            self._silent_since = None
            self._heard = True
            self.confirmed, self.confirmed_level = True, level
        elif any(abs(level - sent) <= tolerance for sent in self._recent):
            self._silent_since = None
            self._heard = True
        elif self._silent_since is None and now > self._ramp.end.t + _VERIFY_AFTER_S / 2:
            # Nothing is under way, and yet it is elsewhere: somebody else moved it, or it came back unannounced.
            self._ramp = steady(level, now)
            self._known, self.confirmed, self.confirmed_level = True, False, level
            self._free_at = self._look_at = now

    def step(self, now: float) -> Move | Ask | None:
        """What is to be sent now, if anything; it counts as sent."""
        if self.lost or self._fade is None:
            return None
        if self._silent_since is not None and now >= self._silent_since + self._profile.state.echo_within_s:
            self._silent_since = None
            self._known = self._heard = False
            self.confirmed = False
            self._look_at = now
        if self._sent_at == -inf and self._answers is None and not self._fade.swift:
            self._answers = []
            self._look_at = now + _ANSWER_WITHIN_S
            return Ask()
        move = self._move(now, self._fade) if now >= max(self._free_at, self._look_at) - _EARLY_S else None
        if move is None and now >= self._verify_at:
            self._verify_at = inf
            return Ask()
        return move

    def next_at(self) -> float:
        """The room time at which `step` has something to do, if nothing happens before; may be infinite."""
        if self.lost or self._fade is None:
            return inf
        silent = inf if self._silent_since is None else self._silent_since + self._profile.state.echo_within_s
        return min(max(self._free_at, self._look_at), self._verify_at, silent)

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

    def _move(self, now: float, fade: Fade) -> Move | None:
        interval = self._profile.rate.lamp_interval_s
        self._known = self._known or (self._heard and now >= self._ramp.end.t - _EARLY_S)
        if self._answers and max(self._answers) - min(self._answers) <= self._profile.tolerance:
            self._ramp, self._known = steady(self._answers[-1], now), True
        self._answers = []
        if not self._known:
            blind = self._move_blind(now, fade)
            if blind is not None:
                return blind
            self._ramp, self._known = steady(self._profile.power_on, now), True
        present = self._ramp.level_at(now)
        level = self._envelope.allow(fade.level_at(now + interval), present, interval, swift=fade.swift)
        scale = self._profile.level
        if self._recent and scale.to_device(level) == scale.to_device(self._ramp.end.level):
            self._look_at = inf if now >= fade.end.t else max(fade.start.t - interval, now + interval)
            return None
        return self._sent(Move(level, interval), present, now)

    def _move_blind(self, now: float, fade: Fade) -> Move | None:
        """One slow fade that keeps the slew from anywhere; None where the device cannot fade for so long."""
        takes = self._profile.rate.lamp_interval_s
        wanted = takes
        for _ in range(3):  # the schedule moves on while the lamp is under way to it
            wanted = self._envelope.bound(fade.level_at(now + takes))
            last = self._ramp.level_at(now)
            farthest = max(wanted, abs(self._profile.power_on - wanted), abs(last - wanted))
            takes = max(takes, farthest / self._envelope.rate(fade.swift))
        if takes > self._profile.transition.longest_s:
            return None
        return self._sent(Move(wanted, takes), self._ramp.level_at(now), now)

    def _sent(self, move: Move, present: float, now: float) -> Move:
        end = Point(level=move.level, t=now + move.transition_s)
        self._ramp = Fade(Point(level=present, t=now), end)
        self._recent.append(move.level)
        if not self._known:
            self._heard = False
        self._sent_at = now
        self._free_at = self._look_at = end.t
        self._verify_at = end.t + _VERIFY_AFTER_S
        if self._silent_since is None:
            self._silent_since = now
        return move
