"""How one lamp of the room is spoken to: its profile with its own names and its own lowest level filled in."""

from __future__ import annotations

from dataclasses import dataclass

from controller.lights.profile import Announce, Availability, Level, Profile, StateReport
from controller.lights.scale import Scale
from controller.payloads import dig, document_of, fill, read_number, word_of


@dataclass(frozen=True, slots=True)
class Move:
    """Be at `level` in `transition_s` from now. `start`: where it is; a speed is reckoned from there."""

    level: float
    transition_s: float
    start: float
    kelvin: float | None = None
    """The colour, where it goes with the level in one message."""


@dataclass(frozen=True, slots=True)
class Tint:
    """Be of this colour in `transition_s` from now; says nothing of the level."""

    kelvin: float
    transition_s: float


@dataclass(frozen=True, slots=True)
class Turn:
    """Be on, or off."""

    on: bool


@dataclass(frozen=True, slots=True)
class Ask:
    """Say how you are."""


Said = Move | Tint | Turn | Ask


class Dialect:
    """A profile in the words of one lamp. `floor` and `lowest`: see `Scale`."""

    def __init__(
        self, profile: Profile, name: str, base: str = "", *, floor: float = 0.0, lowest: float | None = None
    ) -> None:
        self.profile = profile
        self.name = name
        self.base = base or profile.base
        self.scale = Scale(profile.level or Level(min=0, max=1, whole=False), floor, lowest)
        self._names = {"name": name, "base": self.base}
        self.command_topic = self._fill(profile.command.topic)
        self.colour_topic = self._fill(profile.colour.topic) if profile.colour else ""
        self.wake_topic = self._fill(profile.wake.topic) if profile.wake else ""

    @property
    def command_topics(self) -> tuple[str, ...]:
        """Everywhere that a retained message would be carried out."""
        return tuple({topic: None for topic in (self.command_topic, self.colour_topic, self.wake_topic) if topic})

    @property
    def states(self) -> tuple[tuple[str, StateReport], ...]:
        """Where it reports, and how to read it."""
        return tuple((self._fill(report.topic), report) for report in self.profile.state)

    @property
    def availability(self) -> tuple[tuple[str, Availability], ...]:
        """Where it is said whether it can be reached."""
        return tuple((self._fill(each.topic), each) for each in self.profile.availability)

    @property
    def announce(self) -> tuple[tuple[str, Announce], ...]:
        """Where it is said that it has come back."""
        return tuple((self._fill(each.topic), each) for each in self.profile.announce)

    def takes_s(self, seconds: float, start: float, level: float) -> float:
        """How long the lamp really takes from `start` to `level` when it is asked for so many seconds."""
        return self.profile.transition.takes_s(seconds, self.scale.share(start, level))

    @property
    def questions(self) -> tuple[tuple[str, str], ...]:
        """Topics and payloads that ask how it is; none for a lamp that cannot be asked."""
        ask = self.profile.ask
        return tuple((self._fill(topic), self._fill(ask.payload)) for topic in ask.topics) if ask else ()

    def message(self, said: Move | Tint | Turn) -> tuple[str, str]:
        """Topic and payload of a command."""
        profile = self.profile
        match said:
            case Turn() if profile.switch:
                word = profile.switch.on if said.on else profile.switch.off
                return self.command_topic, self._fill(profile.command.payload, switch=word)
            case Tint() if profile.colour:
                seconds = _number(profile.transition.to_device(said.transition_s))
                colour = str(profile.colour.to_device(said.kelvin))
                payload = self._fill(profile.colour.payload, colour=colour, transition=seconds)
                return self.colour_topic or self.command_topic, payload
            case Move():
                share = self.scale.share(said.start, said.level)
                words = {
                    "level": _number(self.scale.to_device(said.level)),
                    "transition": _number(profile.transition.to_device(said.transition_s, share)),
                }
                if said.kelvin is None or profile.colour is None:
                    return self.command_topic, self._fill(profile.command.payload, **words)
                words["colour"] = str(profile.colour.to_device(said.kelvin))
                return self.colour_topic or self.command_topic, self._fill(profile.colour.payload, **words)
            case _:
                raise ValueError(f"{profile.name} has no words for {said}")

    @property
    def wake(self) -> tuple[str, str] | None:
        """What lights it, where a level alone does not."""
        return (self.wake_topic, self._fill(self.profile.wake.payload)) if self.profile.wake else None

    def read(self, report: StateReport, payload: bytes) -> tuple[bool | None, float | None]:
        """Whether it is on, and its perceived level, in a state message; None each where it says nothing about it."""
        if not payload:  # a question on the topic where it is answered
            return None, None
        document = document_of(payload)
        word = None if report.on is None else word_of(dig(document, report.on))
        on = None if word is None else word == word_of(report.on_value)
        numbers = (read_number(dig(document, path)) for path in report.paths)
        number = next((each for each in numbers if each is not None), None)
        return on, None if number is None else self.scale.from_device(number)

    def _fill(self, text: str, **words: str) -> str:
        return fill(text, self._names | words)


class Reports:
    """What a lamp has said of itself, put together: its level and on and off may come in messages of their own."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._on: bool | None = None
        self._level: float | None = None

    def take(self, report: StateReport, payload: bytes) -> float | None:
        """The level at which it is by this message, 0 for a lamp that is off; None where that is not said.

        A level that comes alone is none while the lamp is off. Of a lamp that needs to be woken it is none before it
        has said that it is on.
        """
        profile = self._dialect.profile
        on, level = self._dialect.read(report, payload)
        self._on = self._on if on is None else on
        self._level = self._level if level is None else level
        if on is False:
            return 0.0
        if profile.switch is not None:
            return None if on is None else 1.0
        if on is None and (level is None or self._on is False or (profile.says_on and self._on is None)):
            return None
        return self._level

    def forget(self) -> None:
        """It may have become another since it spoke."""
        self._on = self._level = None


def announced_name(announce: Announce, payload: bytes) -> str | None:
    """The device that a message announces; "" where the topic itself says it, None where it announces nothing."""
    document = document_of(payload)
    if announce.key and word_of(dig(document, announce.key)) != announce.value:
        return None
    if not announce.name_key:
        return ""
    name = dig(document, announce.name_key)
    return name if isinstance(name, str) else None


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
