"""Device profiles and programmes: where their files lie, and reading one."""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel

from controller.arc.blinding import strictest
from controller.arc.mistakes import contradictions
from controller.arc.programme import Programme
from controller.files import ConfigError, did_you_mean, read_toml
from controller.inputs.kind import ButtonKind
from controller.lights.board import Board
from controller.lights.fixture import Fixture
from controller.lights.profile import Profile
from controller.messages import telling_words
from controller.validation import mistakes_in

PROFILE_KINDS: dict[str, type[BaseModel]] = {
    "mqtt-lamp": Profile,
    "dmx-fixture": Fixture,
    "relay-board": Board,
    "button": ButtonKind,
}
"""What a file in devices/ may describe, by its `kind`."""

OVERRIDES = Path("/etc/stillroom")
"""A clinic's own playlists/ and devices/ lie here and come before the shipped ones of the same name."""


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


def none_such(kind: str, name: str, among: Iterable[str]) -> str:
    """Says that there is no file of a kind by this name, which one may be meant, and where a clinic's own belong."""
    word = {"devices": "profile", "playlists": "programme"}[kind]
    own = f" (your own: {OVERRIDES / kind / name}.toml)" if name == Path(name).stem else ""
    return f'there is no {word} "{name}"{did_you_mean(name, among)}{own}'


def find_programme(name: str) -> Path:
    """The file of a programme, by name or by path. Raises ConfigError."""
    known = shipped("playlists")
    if name in known:
        return known[name]
    if name.endswith(".toml") and Path(name).is_file():
        return Path(name)
    raise ConfigError([none_such("playlists", name, known)])


def profiles_for(*, buttons: bool) -> list[str]:
    """The names of those profiles that a button may have, or a lamp."""
    names = []
    for name, path in shipped("devices").items():
        with suppress(ConfigError):
            if (read_toml(path).get("kind") == "button") is buttons:
                names.append(name)
    return names


def load_profile(path: Path) -> BaseModel:
    """A device profile, of the kind that it says. Raises ConfigError."""
    data = read_toml(path)
    kind = str(data.get("kind", ""))
    if kind not in PROFILE_KINDS:
        raise ConfigError([f'{path}: kind: "{kind}" is not a kind of device{did_you_mean(kind, PROFILE_KINDS)}'])
    profile, mistakes = mistakes_in(path, PROFILE_KINDS[kind], data)
    if profile is None:
        raise ConfigError(mistakes)
    if (name := data.get("name")) != path.stem:
        raise ConfigError([_called_otherwise(path, str(name))])
    return profile


def _called_otherwise(path: Path, name: str) -> str:
    return f'{path}: name: is "{name}", and the file is called "{path.stem}"; they must be the same'


def load_programme(path: Path) -> Programme:
    """A programme. Raises ConfigError."""
    data = read_toml(path)
    programme, mistakes = mistakes_in(path, Programme, data)
    if programme is not None:
        mistakes += [f"{path}: {sentence}" for sentence in contradictions(programme)]
        if programme.name != path.stem:
            mistakes.append(_called_otherwise(path, programme.name))
    if "blinded" in data:
        told = [(0, word) for _, word in telling_words(path.stem)] + telling_words(path.read_text(encoding="utf-8"))
        mistakes += [
            f'{path}: {f"line {line}" if line else "its name"}: "{word}" would tell in a blinded programme'
            for line, word in told
        ]
    if programme is None or mistakes:
        raise ConfigError(mistakes)
    return strictest(programme)
