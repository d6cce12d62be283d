"""What is only on or off: it follows the light from afar, and takes no part in a fade. Pure: time is an argument."""

from __future__ import annotations

from math import inf

from msgspec.structs import replace

from controller.lights.dialect import Ask, Dialect, Said, Turn
from controller.lights.fader import Fade
from controller.messages import LampView

_VERIFY_AFTER_S = 1.0
_ANSWER_WITHIN_S = 0.5


class FollowerDrive:
    """On above one level of its fade, off below another; between them it stays as it is.

    It is asked first how it is, where it can be asked; one that does not say is taken to be off.
    """

    def __init__(self, lamp: str, dialect: Dialect, interval_s: float | None = None) -> None:
        assert dialect.profile.switch is not None
        self.lamp = lamp
        self.lost = False
        self.confirmed: bool | None = None
        self.confirmed_level: float | None = None
        self._profile = dialect.profile
        self._switch = dialect.profile.switch
        self._interval = interval_s or dialect.profile.rate.lamp_interval_s
        self._fade: Fade | None = None
        self._on = False
        self._told: bool | None = None
        self._said: bool | None = None
        self._asked = False
        self._sent_at = -inf
        self._look_at = inf
        self._verify_at = inf
        self._silent_since: float | None = None

    def follow(self, fade: Fade, now: float) -> None:
        """Follow this fade from now on."""
        if fade != self._fade:
            self._fade, self._look_at = fade, now

    def lose(self) -> None:
        """It cannot be reached."""
        self.lost, self._silent_since = True, None

    def back(self, now: float, *, born: bool = True) -> None:
        """It is back, on or off."""
        self.lost = self._asked = False
        self.confirmed = self.confirmed_level = None
        self.forget(now)

    def forget(self, now: float) -> None:
        """It is told again."""
        self._told, self._silent_since, self._look_at = None, None, now

    def heard(self, level: float, now: float) -> bool:
        """A fresh report of on (1) or off (0). True: something else has switched it."""
        if self.lost:
            return False
        if self._told is None:
            self._said = level > 0
            return False
        if (level > 0) == self._told:
            self._silent_since, self.confirmed, self.confirmed_level = None, True, level
            return False
        if self._silent_since is not None or self.confirmed is False:
            return False
        self.confirmed, self.confirmed_level = False, level
        self.forget(now)
        return True

    def step(self, now: float) -> Said | None:
        """What is to be sent now, if anything; it counts as sent."""
        if self.lost or self._fade is None:
            return None
        if self._silent_since is not None and now >= self._silent_since + self._profile.echo.within_s:
            self.confirmed = False
            self.forget(now)
        if now >= self._look_at and now >= self._sent_at + self._interval:
            if not self._asked and self._profile.ask is not None:
                self._asked, self._look_at = True, now + _ANSWER_WITHIN_S
                return Ask()
            if self._said is not None:
                self._on, self._said = self._said, None
            level = self._fade.level_at(now)
            self._on = level > self._switch.on_above or (self._on and level >= self._switch.off_below)
            self._look_at = inf if now >= self._fade.end.t else now + self._interval
            if self._on != self._told:
                self._told, self._sent_at, self._silent_since = self._on, now, now
                self._verify_at = now + _VERIFY_AFTER_S if self._profile.ask else inf
                return Turn(self._on)
        if now >= self._verify_at:
            self._verify_at = inf
            return Ask()
        return None

    def next_at(self) -> float:
        """The room time at which `step` has something to do, if nothing happens before; may be infinite."""
        if self.lost or self._fade is None:
            return inf
        silent = inf if self._silent_since is None else self._silent_since + self._profile.echo.within_s
        return min(max(self._look_at, self._sent_at + self._interval), self._verify_at, silent)

    @property
    def burns(self) -> bool:
        """Whether it is known to be on."""
        return bool(self.confirmed_level)

    def view(self, now: float) -> LampView:
        """The switch as consoles show it."""
        view = LampView(lamp=self.lamp, target=float(self._on), confirmed=self.confirmed_level)
        return replace(view, state="lost" if self.lost else "confirmed" if self.confirmed else "unconfirmed")
