"""The simulated room: its music, its room file, its lamps and its support desk."""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path

from controller.config import shipped
from controller.library.catalogue import Catalogue
from controller.library.generate import make_demo_library
from controller.lights.profile import Profile, load_profile

LAMPS = {"bed-left": "bed left", "bed-right": "bed right"}
"""Name in the room: name at the bridge."""

LAMP_PROFILE = "zigbee2mqtt-dimmable"

ROOM = "demo"

_BUTTON = """
[ports.wall]
device = "{key}"

[buttons.wall-button]
profile = "button-serial-key"
port = "wall"
does = {{ single = "call assist" }}
"""


def music_dir() -> Path:
    """Where the demo's music lies once it is made."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(os.environ.get("STILLROOM_DEMO_MUSIC") or Path(cache) / "stillroom" / "demo-music")


def prepare_music(state_dir: Path) -> Path:
    """Make and measure the demo's music where that is not done, and give the room its measurements.

    Who comes while another process is at it waits, and finds it done. Raises OSError, RuntimeError for a broken piece.
    """
    folder = music_dir()
    measured = folder.parent / (folder.name + "-measured")
    measured.mkdir(parents=True, exist_ok=True)
    with (measured / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        make_demo_library(folder)
        catalogue = Catalogue(measured)
        try:
            _, problems = catalogue.scan([folder])
        finally:
            catalogue.close()
        if problems:
            raise RuntimeError(f"{problems[0].path}: {problems[0].why}")
        shutil.copy(measured / "library.db", state_dir / "library.db")
    return folder


def lamp_profile() -> Profile:
    """How the demo's lamps are spoken to."""
    return load_profile(shipped("devices")[LAMP_PROFILE].read_text(encoding="utf-8"))


def write_room_file(state_dir: Path, music: Path, port: int, output: str, capture: Path | None, key: str = "") -> Path:
    """The room's file, as a technician would have written it. `key`: the serial port of a button on the wall."""
    lamps = "".join(
        f'\n[[light.lamps]]\nname = "{name}"\nprofile = "{LAMP_PROFILE}"\ndevice = "{device}"\n'
        for name, device in LAMPS.items()
    )
    capture_line = f'capture = "{capture}"\n' if capture else ""
    button = _BUTTON.format(key=key) if key else ""
    path = state_dir / "room.toml"
    path.write_text(
        f"""format = 1
name = "{ROOM}"
simulated = true

[sound]
output = "{output}"
{capture_line}end_fade_s = 4
resume_fade_s = 3

[[sound.buses]]
name = "speakers"
channels = [1, 2]
ceiling_dbfs = -6.0

[music]
folders = ["{music}"]

[light]
slew_per_s = 0.10
{lamps}
[broker]
port = {port}
{button}
[preflight]
required = false
""",
        encoding="utf-8",
    )
    return path
