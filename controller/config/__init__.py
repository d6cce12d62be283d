"""The room file: which devices hang where, and how this room's sound, light, broker and call are set."""

from __future__ import annotations

import importlib.resources
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, BaseModel, Field

from controller.arc.blinding import strictest
from controller.arc.programme import Programme
from controller.broker import BrokerSettings
from controller.calls.caller import CallerSettings
from controller.clock import system_zone
from controller.config.broker import BrokerTable, broker_settings
from controller.config.buttons import ButtonTable, button_mistakes, buttons_of
from controller.config.desk import DeskTable
from controller.config.keeping import BackupTable, RetentionTable, keeping
from controller.config.mqtt import mqtt_mistakes
from controller.config.people import SittersTable
from controller.config.preflight import PreflightTable
from controller.config.record import RecordTable
from controller.config.serial import Name, PortTable, SerialPlace, serial_lights, serial_mistakes
from controller.config.times import TimeOfDay
from controller.files import ConfigError, Table, did_you_mean, mistakes_in, read_toml
from controller.inputs.kind import ButtonKind
from controller.inputs.settings import ButtonSettings
from controller.journal.keeping import KeepingSettings
from controller.lights.board import Board
from controller.lights.dmx import DmxSettings
from controller.lights.fixture import Fixture
from controller.lights.mqtt import LampSettings, LightSettings
from controller.lights.profile import Profile
from controller.lights.relays import RelaySettings
from controller.messages import RoomRules, telling_words
from controller.sound.calibration import BusLevels, mistakes_of
from controller.sound.settings import Bus, SoundSettings
from controller.timetable.settings import TimetableSettings

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Seconds = Annotated[float, Field(gt=0.0, le=120.0)]

PROFILE_KINDS: dict[str, type[BaseModel]] = {
    "mqtt-lamp": Profile,
    "dmx-fixture": Fixture,
    "relay-board": Board,
    "button": ButtonKind,
}
"""What a file in devices/ may describe, by its `kind`."""

OVERRIDES = Path("/etc/stillroom")
"""A clinic's own playlists/ and devices/ lie here and come before the shipped ones of the same name."""


class CalibrationTable(Table):
    """What a meter at the participant's ear read, as `stillroom sound check` writes it."""

    sensitivity_dba: Annotated[float, Field(ge=40.0, le=150.0)]
    """dB(A) at the ear for noise of 0 dBFS RMS in both channels."""
    by: Annotated[str, Field(pattern=r"^\S{1,8}$")]
    """Initials of who measured."""
    on: date


class BusTable(Table):
    """A pair of channels of the one output."""

    name: Name
    channels: tuple[Annotated[int, Field(ge=1, le=16)], Annotated[int, Field(ge=1, le=16)]]
    level_db: Annotated[float, Field(ge=-60.0, le=0.0)] = 0.0
    ceiling_dbfs: Annotated[float, Field(ge=-60.0, le=-1.0)] = -6.0
    calibration: CalibrationTable | None = None

    def levels(self) -> BusLevels:
        """For the arithmetic of a sound check."""
        return BusLevels(
            name=self.name,
            channels=self.channels,
            level_db=self.level_db,
            ceiling_dbfs=self.ceiling_dbfs,
            sensitivity_dba=self.calibration.sensitivity_dba if self.calibration else None,
        )


class SoundTable(Table):
    """Where the sound goes, how loud pieces are made, and how fast it may change."""

    output: Annotated[str, Field(pattern=r"^(auto|null|file:.+\.wav|device:.+)$")] = "auto"
    capture: Path | None = None
    """Write what leaves the engine to this file too."""
    target_lufs: Annotated[float, Field(ge=-50.0, le=-14.0)] = -23.0
    pause_fade_s: Seconds = 2.0
    resume_fade_s: Seconds = 6.0
    volume_fade_s: Seconds = 1.0
    quiet_return_s: Seconds = 20.0
    end_fade_s: Seconds = 20.0
    buses: Annotated[tuple[BusTable, ...], Field(min_length=1)] = (BusTable(name="speakers", channels=(1, 2)),)
    card: dict[str, str] = Field(default={})
    """The card's own volumes and mutes as they were when the room was measured, by name."""


class MusicTable(Table):
    """Folders of music; a phase draws from the subfolder that has its name."""

    folders: tuple[Path, ...] = ()


class LampTable(SerialPlace):
    """One lamp: its name in this room, its profile in devices/, and what the bridge calls it or where it is plugged."""

    device: str = ""
    base: str = ""
    """The bridge's topic prefix where it is not the profile's."""


class LightTable(Table):
    """Levels are perceived brightness, 0..1."""

    floor: Share = 0.05
    ceiling: Share = 0.8
    exit: Share = 0.4
    medical: Share = 0.8
    medical_kelvin: Annotated[float, Field(ge=1500, le=8000)] = 5000.0
    rest: Share = 0.3
    rest_kelvin: Annotated[float, Field(ge=1500, le=8000)] = 2700.0
    soft: Share = 0.15
    slew_per_s: Annotated[float, Field(gt=0.0, le=0.5)] = 0.10
    scene_fade_s: Seconds = 2.0
    release_fade_s: Seconds = 10.0
    lamps: tuple[LampTable, ...] = ()


class CallTable(Table):
    """When a support call counts as not delivered."""

    deliver_within_s: Annotated[float, Field(ge=1.0, le=60.0)] = 5.0
    answer_within_s: Annotated[float, Field(ge=5.0, le=300.0)] = 30.0


class OutageTable(Table):
    """After a power cut longer than this, or of unknown length, the sitter is asked before the arc goes on."""

    ask_after_minutes: Annotated[float, Field(ge=0.0, le=120.0)] = 10.0


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f'there is no timezone "{name}"{did_you_mean(name, available_timezones())}') from None
    return name


Before = Annotated[float, Field(ge=1.0, le=24 * 60.0)]
"""Minutes before a session."""


class TimetableTable(Table):
    """What the wall clock brings. Each line is optional: what is not named here does not happen."""

    timezone: Annotated[str, AfterValidator(_known_zone)] | None = None
    """A name like Europe/Berlin; the system's where it is not given."""
    warm_up_minutes: Before | None = None
    warm_up_light: Share = 0.5
    preflight_reminder_minutes: Before | None = None
    lights_off: TimeOfDay | None = None
    library_check: TimeOfDay | None = None
    self_test: TimeOfDay | None = None


class RoomTable(Table):
    """A whole room file."""

    format: Literal[1]
    name: Name
    simulated: bool = False
    sound: SoundTable = SoundTable()
    music: MusicTable = MusicTable()
    light: LightTable = LightTable()
    broker: BrokerTable = BrokerTable()
    call: CallTable = CallTable()
    outage: OutageTable = OutageTable()
    ports: dict[Name, PortTable] = Field(default={})
    timetable: TimetableTable = TimetableTable()
    record: RecordTable = RecordTable()
    backup: BackupTable | None = None
    retention: RetentionTable | None = None
    buttons: dict[Name, ButtonTable] = Field(default={})
    sitters: SittersTable = SittersTable()
    preflight: PreflightTable = PreflightTable()
    desk: DeskTable = DeskTable()


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


def load_profile(path: Path) -> BaseModel:
    """A device profile, of the kind that it says. Raises ConfigError."""
    data = read_toml(path)
    kind = data.get("kind", "")
    if kind not in PROFILE_KINDS:
        raise ConfigError([f'{path}: kind: "{kind}" is not a kind of device{did_you_mean(str(kind), PROFILE_KINDS)}'])
    profile, mistakes = mistakes_in(path, PROFILE_KINDS[kind], data)
    if profile is None:
        raise ConfigError(mistakes)
    if (name := data.get("name")) != path.stem:
        raise ConfigError([f'{path}: name: is "{name}", and the file is called "{path.stem}"; they must be the same'])
    return profile


def load_programme(path: Path) -> Programme:
    """A programme. Raises ConfigError."""
    data = read_toml(path)
    programme, mistakes = mistakes_in(path, Programme, data)
    if "blinded" in data:
        told = [(0, word) for _, word in telling_words(path.stem)] + telling_words(path.read_text(encoding="utf-8"))
        mistakes += [
            f'{path}: {f"line {line}" if line else "its name"}: "{word}" would tell in a blinded programme'
            for line, word in told
        ]
    if programme is None or mistakes:
        raise ConfigError(mistakes)
    return strictest(programme)


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


def shipped(kind: str) -> dict[str, Path]:
    """Files of a kind ("playlists" or "devices") by name; a clinic's own come before the shipped ones."""
    here = Path(__file__).parents[1]
    packaged = Path(str(importlib.resources.files("controller"))) / "data" / kind
    found: dict[str, Path] = {}
    for folder in (packaged, here.parent / kind, OVERRIDES / kind):
        if folder.is_dir():
            found |= {path.stem: path for path in sorted(folder.glob("*.toml"))}
    return found


def shipped_profiles() -> dict[str, BaseModel]:
    """Every device profile there is, by name. Raises ConfigError for a clinic's own that is not right."""
    return {name: load_profile(path) for name, path in shipped("devices").items()}


def find_programme(name: str) -> Path:
    """The file of a programme, by name or by path. Raises ConfigError."""
    known = shipped("playlists")
    if name in known:
        return known[name]
    if name.endswith(".toml") and Path(name).is_file():
        return Path(name)
    raise ConfigError([f'there is no programme "{name}"{did_you_mean(name, known)}'])


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
            mistakes.append(f'{path}: {where}.profile: there is no profile "{name}"{did_you_mean(name, known)}')
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
        for channel in bus.get("channels", ()):
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
