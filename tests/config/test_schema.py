"""JSON Schemas for editors: shipped, up to date, and in agreement with the files that ship."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from controller.schema import Kind, schema_of
from controller.validation import LOOKS
from tests.config.json_schema import mistakes

HERE = Path(__file__).parents[2]
FOLDERS: dict[Kind, str] = {"room": "deploy/rooms", "profile": "devices", "programme": "playlists"}
SHIPPED: dict[Kind, str] = {
    "room": "deploy/rooms/room.schema.json",
    "profile": "devices/profile.schema.json",
    "programme": "playlists/programme.schema.json",
}
"""Where each schema lies, beside the files that name it in their first line."""

FILES = [(kind, path) for kind, folder in FOLDERS.items() for path in sorted((HERE / folder).glob("*.toml"))]


@pytest.mark.parametrize("kind", list(FOLDERS))
def test_the_shipped_schema_is_the_one_that_the_program_prints(kind: Kind) -> None:
    shipped = json.loads((HERE / SHIPPED[kind]).read_text(encoding="utf-8"))
    assert shipped == json.loads(json.dumps(schema_of(kind))), f"stillroom schema {kind} > {SHIPPED[kind]}"


def test_the_command_prints_it() -> None:
    done = subprocess.run([sys.executable, "-m", "controller", "schema", "room"], capture_output=True, check=True)
    assert json.loads(done.stdout)["title"] == "Stillroom room"


@pytest.mark.parametrize(("kind", "path"), FILES, ids=lambda each: each if isinstance(each, str) else each.name)
def test_every_shipped_file_names_its_schema_and_agrees_with_it(kind: Kind, path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    first = text.splitlines()[0]
    assert first.startswith("#:schema ")
    named = (path.parent / first.removeprefix("#:schema ")).resolve()
    assert named == (HERE / SHIPPED[kind]).resolve()
    assert mistakes(json.loads(named.read_text(encoding="utf-8")), tomllib.loads(text)) == []


def test_an_editor_is_told_of_an_unknown_key_a_wrong_unit_and_a_missing_part() -> None:
    schema = schema_of("profile")
    text = (HERE / "devices/zigbee2mqtt-dimmable.toml").read_text(encoding="utf-8")
    good: dict[str, Any] = tomllib.loads(text)
    assert mistakes(schema, good) == []
    assert mistakes(schema, good | {"topik": "x"})
    assert mistakes(schema, good | {"transition": {"unit": "minutes"}})
    assert mistakes(schema, {key: value for key, value in good.items() if key != "power_on"})
    described = json.dumps(schema)
    assert "{name}, the device's name there" in described, "an editor shows what a key means"


@pytest.mark.parametrize("kind", list(FOLDERS))
def test_what_a_text_must_look_like_is_said_in_words(kind: Kind) -> None:
    asked = {found for found in _values_of(schema_of(kind), "pattern") if isinstance(found, str)}
    assert asked <= LOOKS.keys()


def _values_of(schema: Any, key: str) -> list[Any]:
    if isinstance(schema, dict):
        here = [schema[key]] if key in schema else []
        return here + [found for value in schema.values() for found in _values_of(value, key)]
    return [found for value in schema for found in _values_of(value, key)] if isinstance(schema, list) else []
