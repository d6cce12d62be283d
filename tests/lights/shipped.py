"""The profiles that ship, by name."""

from pathlib import Path

from controller.config import PROFILE_KINDS
from controller.config import load_profile as load_any
from controller.lights.profile import Profile

FOLDER = Path(__file__).parents[2] / "devices"
PROFILES: dict[str, Profile] = {
    path.stem: profile for path in sorted(FOLDER.glob("*.toml")) if isinstance(profile := load_any(path), Profile)
}
ZIGBEE = PROFILES["zigbee2mqtt-dimmable"]
assert "mqtt-lamp" in PROFILE_KINDS
