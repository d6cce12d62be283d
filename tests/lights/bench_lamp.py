"""One lamp and its drive in made-up time: the lamp understands real payloads and fades straight in its own numbers."""

from dataclasses import dataclass, field

from controller.lights.dialect import Ask, Dialect, Move, Said
from controller.lights.fader import Envelope, Fade
from controller.lights.lamp import LampDrive
from controller.lights.profile import Profile
from controller.lights.simulated_mqtt import understand
from controller.messages import Point
from tests.lights.shipped import ZIGBEE

TICK_S = 0.05
BOOT_S = 0.3
"""No lamp has started anew sooner after it was last heard of."""
ENVELOPE = Envelope()


def fade(start: float, end: float, t0: float, t1: float, *, swift: bool = False) -> Fade:
    return Fade(Point(level=start, t=t0), Point(level=end, t=t1), swift)


@dataclass
class Bench:
    """A lamp that obeys, driven in steps of 50 ms. `shown` is what a person saw since the lamp last moved by itself."""

    level: float = 0.3
    profile: Profile = ZIGBEE
    lowest: float | None = None
    envelope: Envelope = ENVELOPE
    echoes: bool = True
    answers: bool = True
    ignores_transition: bool = False
    deaf: bool = False
    now: float = 0.0
    moves: list[tuple[float, Move]] = field(default_factory=list)
    said: list[tuple[float, Said]] = field(default_factory=list)
    payloads: list[tuple[float, str, str]] = field(default_factory=list)
    shown: list[float] = field(default_factory=list)
    taken: int = 0
    kelvin: float | None = None

    def __post_init__(self) -> None:
        self.dialect = Dialect(self.profile, "left", "base", floor=self.envelope.floor, lowest=self.lowest)
        self.drive = LampDrive("left", self.dialect, self.envelope)
        self.put(self.level)

    @property
    def asked(self) -> int:
        return sum(isinstance(said, Ask) for _, said in self.said)

    @property
    def target(self) -> float:
        return self.dialect.scale.from_device(self._end[1])

    def put(self, level: float) -> None:
        """The lamp is there by itself."""
        number = self.dialect.scale.to_device(level)
        self._start = self._end = (self.now, number)
        self.shown.clear()

    def start_anew(self) -> None:
        """Its power was cut: it is back at full. One that cannot be asked speaks by itself when it connects."""
        self.run(self.now + BOOT_S)
        self.put(1.0)
        self.drive.back(self.now)
        if self.answers and not self.profile.ask:
            self.hear(1.0)

    def at(self, t: float) -> float:
        (t0, a), (t1, b) = self._start, self._end
        number = b if t >= t1 else a + (b - a) * (t - t0) / (t1 - t0)
        return self.dialect.scale.from_device(number)

    def hear(self, level: float) -> None:
        self.taken += self.drive.heard(level, self.now)

    def run(self, until: float) -> None:
        while self.now < until:
            if self.now >= self.drive.next_at():
                said = self.drive.step(self.now)
                if said is not None:
                    self._take(said)
            self.now = round(self.now + TICK_S, 6)
            self.shown.append(self.at(self.now))

    def steepest(self) -> float:
        """The largest change in any one second."""
        width = round(1 / TICK_S) + 1
        windows = [self.shown[k : k + width] for k in range(len(self.shown))]
        return max((max(window) - min(window) for window in windows), default=0.0)

    def _take(self, said: Said) -> None:
        self.said.append((self.now, said))
        if isinstance(said, Ask):
            if self.answers and self.dialect.questions:
                self.hear(self.at(self.now))
            return
        message = self.dialect.message(said)
        self.payloads.append((self.now, *message))
        if isinstance(said, Move):
            self.moves.append((self.now, said))
        if self.deaf:
            return
        heard = understand(self.dialect, message[1].encode())
        assert heard is not None, message
        self.kelvin = heard.kelvin or self.kelvin
        if heard.level is None:
            return
        scale = self.dialect.scale
        here, there, seconds = scale.to_device(self.at(self.now)), scale.to_device(heard.level), heard.seconds
        if self.profile.transition.of == "sweep":
            seconds *= abs(here - there) / (scale.level.max - scale.level.min)
        if self.ignores_transition:
            seconds = 0.0
        start = self.at(self.now)
        self._start, self._end = (self.now, self._number(start)), (self.now + seconds, there)
        if self.echoes:
            self.hear(heard.level)

    def _number(self, level: float) -> float:
        """Between two of the lamp's numbers too: a fade may be cut short anywhere."""
        (t0, a), (t1, b) = self._start, self._end
        return b if self.now >= t1 else a + (b - a) * (self.now - t0) / (t1 - t0)
