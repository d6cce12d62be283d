"""A room as its file sets it: checked as a whole, and with the settings that each part of the daemon takes from it."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from controller.broker import BrokerSettings
from controller.calls.caller import CallerSettings
from controller.clock import system_zone
from controller.config.broker import broker_settings
from controller.config.buttons import button_mistakes, buttons_of
from controller.config.collection import (
    PROFILE_KINDS,
    find_programme,
    load_profile,
    load_programme,
    none_such,
    profiles_for,
    shipped,
    shipped_profiles,
)
from controller.config.keeping import keeping
from controller.config.mqtt import mqtt_mistakes
from controller.config.serial import serial_lights, serial_mistakes
from controller.config.tables import RoomTable
from controller.files import ConfigError, read_toml
from controller.inputs.settings import ButtonSettings
from controller.journal.keeping import KeepingSettings
from controller.lights.dmx import DmxSettings
from controller.lights.mqtt import LampSettings, LightSettings
from controller.lights.profile import Profile
from controller.lights.relays import RelaySettings
from controller.messages import RoomRules
from controller.sound.calibration import mistakes_of
from controller.sound.settings import Bus, SoundSettings
from controller.timetable.settings import TimetableSettings
from controller.validation import mistakes_in

__all__ = [
    "PROFILE_KINDS",
    "Room",
    "RoomTable",
    "check_file",
    "find_programme",
    "load_profile",
    "load_programme",
    "load_room",
    "shipped",
    "shipped_profiles",
]


@dataclass(frozen=True)
class Room:
    """A room file that was read and found right, and the profiles that it names."""

    path: Path
    table: RoomTable
    profiles: dict[str, BaseModel]
    text: str = ""
    """The file as it was read."""

    @property
    def name(self) -> str:
        """The room's name."""
        return self.table.name

    def rules(self) -> RoomRules:
        """What the rules need to know."""
        sound, light = self.table.sound, self.table.light
        rules = RoomRules(
            room=self.name,
            lamps=tuple(lamp.name for lamp in light.lamps),
            buses=tuple(bus.name for bus in sound.buses),
            light_floor=light.floor,
            light_ceiling=light.ceiling,
            exit_light=light.exit,
            medical_light=light.medical,
            medical_kelvin=light.medical_kelvin,
            rest_kelvin=light.rest_kelvin,
            soft_light=light.soft,
            rest_light=light.rest,
            warm_up_light=self.table.timetable.warm_up_light,
            pause_fade_s=sound.pause_fade_s,
            resume_fade_s=sound.resume_fade_s,
            volume_fade_s=sound.volume_fade_s,
            quiet_return_s=sound.quiet_return_s,
            end_fade_s=sound.end_fade_s,
            scene_fade_s=light.scene_fade_s,
            release_fade_s=light.release_fade_s,
            ask_after_outage_s=self.table.outage.ask_after_minutes * 60.0,
            target_lufs=sound.target_lufs,
            preflight=self.table.preflight.required,
            preflight_s=self.table.preflight.minutes * 60.0,
            code_pattern=self.table.preflight.code,
            card_measured=bool(sound.card),
            digest=sha256(self.table.model_dump_json().encode()).hexdigest()[:16],
            desk_phone=self.table.desk.phone,
            peak_dbfs=min(0.0, *(bus.ceiling_dbfs - bus.level_db for bus in sound.buses)) - 1.0,
        )
        return self.table.sitters.into(rules)

    def sound(self, runtime_dir: Path) -> SoundSettings:
        """For the sound engine."""
        sound = self.table.sound
        buses = tuple(
            Bus(name=bus.name, channels=bus.channels, level_db=bus.level_db, ceiling_dbfs=bus.ceiling_dbfs)
            for bus in sound.buses
        )
        return SoundSettings(
            room=self.name,
            runtime_dir=runtime_dir,
            buses=buses,
            output=sound.output,
            capture=sound.capture,
            pause_fade_s=sound.pause_fade_s,
            resume_fade_s=sound.resume_fade_s,
        )

    def broker(self, client: str) -> BrokerSettings:
        """For one client of the broker; `client` tells the room's links apart. Raises ConfigError."""
        return broker_settings(self.path, self.table.broker, f"stillroom-{self.name}-{client}-{machine_id()[:8]}")

    def lights(self) -> LightSettings:
        """For the driver of the lamps behind MQTT."""
        light = self.table.light
        lamps = tuple(
            LampSettings(lamp.name, profile, lamp.device, lamp.base, lamp.lowest)
            for lamp in light.lamps
            if isinstance(profile := self.profiles[lamp.profile], Profile)
        )
        return LightSettings(
            lamps=lamps,
            floor=light.floor,
            ceiling=light.ceiling,
            slew_per_s=light.slew_per_s,
            swift_per_s=1.0 / light.scene_fade_s,
        )

    def serial_lights(self, runtime_dir: Path) -> tuple[list[DmxSettings], list[RelaySettings]]:
        """For the drivers of the lamps on serial ports, one each."""
        table = self.table
        return serial_lights(table.light.lamps, table.ports, self.profiles, self.lights().envelope, runtime_dir)

    def timetable(self) -> TimetableSettings:
        """For the room's wall-clock timetable."""
        table = self.table.timetable
        backup, retention = self.table.backup, self.table.retention
        warm_up, preflight = table.warm_up_minutes, table.preflight_reminder_minutes
        return TimetableSettings(
            zone=ZoneInfo(table.timezone) if table.timezone else system_zone(),
            warm_up_s=None if warm_up is None else warm_up * 60.0,
            preflight_s=None if preflight is None else preflight * 60.0,
            lights_off=table.lights_off,
            library_check=table.library_check,
            self_test=table.self_test,
            backup=backup.at if backup else None,
            backup_oldest_s=backup.alarm_after_days * 86400.0 if backup else 0.0,
            retention=retention.at if retention else None,
        )

    def keeping(self) -> KeepingSettings:
        """For the nightly backup and retention."""
        return keeping(self.table.backup, self.table.retention)

    def buttons(self, runtime_dir: Path) -> ButtonSettings:
        """For the buttons' process."""
        table = self.table
        buttons = buttons_of(table.buttons, table.ports, self.profiles)
        return ButtonSettings(self.name, runtime_dir, self.broker("buttons"), buttons, simulated=table.simulated)

    def caller(self, runtime_dir: Path, state_dir: Path) -> CallerSettings:
        """For the caller."""
        return CallerSettings(
            room=self.name,
            runtime_dir=runtime_dir,
            state_dir=state_dir,
            broker=self.broker("caller"),
            deliver_within_s=self.table.call.deliver_within_s,
            answer_within_s=self.table.call.answer_within_s,
        )


def machine_id() -> str:
    """The machine's own id: with it, two machines with the same room file do not throw each other off the broker."""
    try:
        return Path("/etc/machine-id").read_text(encoding="ascii").strip() or "unknown"
    except OSError:
        return "unknown"


def load_room(path: Path) -> Room:
    """A room file with its profiles. Raises ConfigError with every mistake in it."""
    data = read_toml(path)
    table, mistakes = mistakes_in(path, RoomTable, data)
    profiles, more = _profiles_of(path, data)
    mistakes += more + _cross_checks(path, data)
    lamps = _tables(data, "light", "lamps")
    mistakes += mqtt_mistakes(path, lamps, profiles)
    mistakes += serial_mistakes(path, lamps, data.get("ports", {}), profiles)
    mistakes += button_mistakes(path, data, lamps, profiles)
    if table is not None:
        levels = [bus.levels() for bus in table.sound.buses]
        mistakes += [f"{path}: sound.buses: {said}" for said in mistakes_of(levels, table.sound.target_lufs)]
    if table is None or mistakes:
        raise ConfigError(mistakes)
    return Room(path=path, table=table, profiles=profiles, text=path.read_text(encoding="utf-8"))


def check_file(path: Path) -> str:
    """Which kind of file this is: room, profile or programme; found right. Raises ConfigError."""
    data = read_toml(path)
    if "phases" in data:
        load_programme(path)
        return "programme"
    if "profile" in data:
        load_profile(path)
        return "device profile"
    load_room(path)
    return "room"


def _profiles_of(path: Path, data: dict[str, Any]) -> tuple[dict[str, BaseModel], list[str]]:
    known = shipped("devices")
    profiles: dict[str, BaseModel] = {}
    mistakes: list[str] = []
    named = [(f"light.lamps[{place}]", lamp) for place, lamp in enumerate(_tables(data, "light", "lamps"), start=1)]
    buttons = data.get("buttons", {})
    if isinstance(buttons, dict):
        named += [(f"buttons.{name}", button) for name, button in buttons.items() if isinstance(button, dict)]
    for where, table in named:
        name = table.get("profile")
        if not isinstance(name, str) or name in profiles:
            continue
        if name not in known:
            among = profiles_for(buttons=where.startswith("buttons"))
            mistakes.append(f"{path}: {where}.profile: {none_such('devices', name, among)}")
            continue
        try:
            profiles[name] = load_profile(known[name])
        except ConfigError as error:
            mistakes += error.mistakes
    return profiles, mistakes


def _cross_checks(path: Path, data: dict[str, Any]) -> list[str]:
    """What only the whole file can tell: names given twice, channels used twice, a floor above the ceiling."""
    mistakes: list[str] = []
    for kind in (("light", "lamps"), ("sound", "buses")):
        names = [str(table.get("name")) for table in _tables(data, *kind)]
        for name in sorted({name for name in names if names.count(name) > 1}):
            mistakes.append(f'{path}: {".".join(kind)}: two have the name "{name}"')
    used: dict[int, str] = {}
    for bus in _tables(data, "sound", "buses"):
        channels = bus.get("channels")
        for channel in channels if isinstance(channels, list) else ():
            if not isinstance(channel, int):
                continue
            if channel in used:
                mistakes.append(
                    f"{path}: sound.buses: {bus.get('name')} and {used[channel]} both use channel {channel}"
                )
            used[channel] = str(bus.get("name"))
    light = data.get("light", {})
    if isinstance(light, dict):
        floor, ceiling = light.get("floor", 0.05), light.get("ceiling", 0.8)
        if isinstance(floor, int | float) and isinstance(ceiling, int | float) and floor >= ceiling:
            mistakes.append(f"{path}: light: the floor ({floor}) must lie below the ceiling ({ceiling})")
    return mistakes


def _tables(data: dict[str, Any], outer: str, inner: str) -> list[dict[str, Any]]:
    table = data.get(outer, {})
    rows = table.get(inner, []) if isinstance(table, dict) else []
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
