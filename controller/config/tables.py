"""The tables of a room file, each with its keys, their ranges and what holds where nothing is said."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, Field

from controller.config.broker import BrokerTable
from controller.config.buttons import ButtonTable
from controller.config.desk import DeskTable
from controller.config.keeping import BackupTable, RetentionTable
from controller.config.people import SittersTable
from controller.config.preflight import PreflightTable
from controller.config.record import RecordTable
from controller.config.serial import Name, PortTable, SerialPlace
from controller.config.times import TimeOfDay
from controller.nearest import nearest
from controller.sound.calibration import BusLevels
from controller.validation import Table

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Seconds = Annotated[float, Field(gt=0.0, le=120.0)]


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
        near = nearest(name, available_timezones())
        meant = f'did you mean "{near}"?' if near else "its name is like Europe/Berlin"
        raise ValueError(f'there is no timezone "{name}"; {meant}') from None
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
