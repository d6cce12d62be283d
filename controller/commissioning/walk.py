"""The walk through a room's lamps, from the first question to the signature."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from controller.clock import utc_now
from controller.commissioned import DeviceFindings, Finding, commissioning_report, sign_report
from controller.commissioning.blocks import set_lowest
from controller.commissioning.hand import Hand
from controller.commissioning.plug import pull_plug
from controller.commissioning.steps import (
    echo_and_transition,
    full_range,
    lowest_steady,
    power_on,
    reachable,
    retained_commands,
    scale_of,
)
from controller.commissioning.terminal import Person, yes
from controller.commissioning.words import device_lines, finding_line, standing_lines
from controller.config import Room, load_room
from controller.files import ConfigError
from controller.lights.dialect import Dialect
from controller.lights.profile import Profile

_INITIALS = re.compile(r"^[A-Za-z]{2,5}$")


class Walk:
    """One commissioning of one room. Findings are told as they are made."""

    def __init__(self, path: Path, state_dir: Path, person: Person) -> None:
        self._path = path
        self._state_dir = state_dir
        self._person = person
        self._found: dict[str, list[Finding]] = {}

    async def go(self) -> bool:
        """Walk through; whether it was signed. Raises ConfigError, NoBroker, NobodyAnswers."""
        room = load_room(self._path)
        self._found = {lamp.name: [] for lamp in room.table.light.lamps}
        if not self._found:
            raise ConfigError([f"{self._path}: has no lamps; to find some: stillroom devices discover"])
        say = self._person.say
        say(f"Commissioning {room.name}, lamp by lamp. Nobody who is treated may be in the room.")
        say("Lamps are only faded, within the room's limits. End at any time with Ctrl+C; only the signature counts.")
        await self._look_for_retained(room)
        await self._find_lowest(room)
        await self._try_out(load_room(self._path))
        return await self._sign(load_room(self._path))

    async def _look_for_retained(self, room: Room) -> None:
        self._person.say("\nRetained commands on the broker")
        for lamp in room.table.light.lamps:
            profile = room.profiles[lamp.profile]
            if isinstance(profile, Profile):
                dialect = Dialect(profile, lamp.device, lamp.base)
                settings = room.broker("technician-look")
                self._note(lamp.name, await retained_commands(settings, dialect, self._person))

    async def _find_lowest(self, room: Room) -> None:
        self._person.say("\nWho answers, and how dark each lamp can go")
        async with Hand(room, self._state_dir, bare=True) as hand:
            for name in self._good():
                self._note(name, await reachable(hand, name))
            lowest: dict[str, float] = {}
            for name in self._good():
                dims = scale_of(hand, name) is not None
                if dims and not await yes(self._person, f"{name}: look for its lowest steady level?", "yes"):
                    self._note(name, Finding(step="lowest", verdict="skipped", code="declined"))
                    continue
                finding, number = await lowest_steady(hand, name, self._person)
                if number is not None:
                    kept = not await yes(self._person, f"  Write lowest = {number:g} into {self._path}?", "yes")
                    if kept:
                        finding = finding.model_copy(update={"verdict": "look", "code": "kept"})
                    else:
                        lowest[name] = number
                self._note(name, finding)
        for name, number in lowest.items():
            set_lowest(self._path, name, number)

    async def _try_out(self, room: Room) -> None:
        self._person.say("\nRange, echo, fades and power")
        async with Hand(room, self._state_dir) as hand:
            for name in self._good():
                self._note(name, await full_range(hand, name, self._person))
                for finding in await echo_and_transition(hand, name, self._person):
                    self._note(name, finding)
                self._note(name, await power_on(hand, name, self._person))
                for finding in (await pull_plug(hand, [name], self._person, whole_room=False)).values():
                    self._note(name, finding)
            lamps = list(self._good())
            if len(lamps) > 1:
                for name, finding in (await pull_plug(hand, lamps, self._person, whole_room=True)).items():
                    self._note(name, finding)

    async def _sign(self, room: Room) -> bool:
        devices = [
            DeviceFindings(name=lamp.name, profile=lamp.profile, findings=tuple(self._found[lamp.name]))
            for lamp in room.table.light.lamps
        ]
        say = self._person.say
        say("\nWhat was found")
        for device in devices:
            for line in device_lines(device):
                say(line)
        failed = [device.name for device in devices if device.verdict == "failed"]
        if failed:
            say(f"Something failed in {', '.join(failed)}: who signs takes the room with it.")
        while True:
            initials = await self._person.ask("Sign with your initials; Enter alone leaves it unsigned:")
            if not initials:
                say("Not signed: no report was kept. A lowest level that was written stays in the room file.")
                return False
            if _INITIALS.match(initials):
                break
            say("Initials are two to five letters.")
        at = utc_now()
        path = sign_report(self._state_dir, room, devices, initials.upper(), at)
        text = "\n".join(standing_lines(room.name, commissioning_report(self._state_dir, room))) + "\n"
        path.with_suffix(".txt").write_text(text, encoding="utf-8")
        say(f"Signed. It is kept as {path.with_suffix('.txt')}")
        return True

    def _good(self) -> Iterable[str]:
        """The lamps that nothing failed of so far."""
        for name, findings in self._found.items():
            if all(finding.verdict != "failed" for finding in findings):
                yield name

    def _note(self, name: str, finding: Finding) -> None:
        self._found[name].append(finding)
        self._person.say(f"{name}:{finding_line(finding)}")
