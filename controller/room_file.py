"""Writing into a room file what was found in its room; whatever people wrote around it stays."""

from __future__ import annotations

import contextlib
import difflib
import os
import shutil
import tempfile
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.items import AoT, Comment, Item, Table, Whitespace

from controller.config import load_room
from controller.files import ConfigError, to_disk
from controller.sound.calibration import BusLevels


def check_sound_table(path: Path, text: str) -> None:
    """Raise ConfigError where the file writes its sound so that nothing could be added to it: before anybody measures.

    It may be a [sound] of its own, with [[sound.buses]] behind it, or not be there.
    """
    places = [(key, item) for key, item in tomlkit.parse(text).body if key is not None and key.key == "sound"]
    if len(places) > 1 or any(not isinstance(item, Table) or key.is_dotted() for key, item in places):
        raise ConfigError(
            [f"{path}: sound: is written in one line or in several places; bring all of it together under [sound]"]
        )


def with_sound(
    text: str,
    buses: Iterable[BusLevels],
    target_lufs: float,
    card: Mapping[str, str] | None,
    *,
    measured: Collection[str],
    by: str,
    on: date,
) -> str:
    """A room file's text with these levels; the buses `measured` are signed, and `card` is remembered if not None."""
    document = tomlkit.parse(text)
    sound: Any = document.setdefault("sound", tomlkit.table())
    rows = sound.get("buses")
    if rows is None:
        rows = tomlkit.aot()
    by_name = {str(row["name"]): row for row in rows}
    for bus in buses:
        row = by_name.get(bus.name)
        if row is None:
            row = tomlkit.table()
            rows.append(row)
            row.trivia.indent = "\n"
        set_key(row, "name", bus.name)
        set_key(row, "channels", list(bus.channels))
        if bus.level_db or "level_db" in row:
            set_key(row, "level_db", bus.level_db)
        set_key(row, "ceiling_dbfs", bus.ceiling_dbfs)
        if bus.sensitivity_dba is None:
            row.pop("calibration", None)
        elif bus.name in measured:
            signed = tomlkit.inline_table()
            signed.update({"sensitivity_dba": bus.sensitivity_dba, "by": by, "on": on})
            set_key(row, "calibration", signed)
    set_key(sound, "target_lufs", target_lufs)
    if "buses" not in sound:
        sound.append("buses", rows)
    if card is not None:
        _remember(sound, card)
    return tomlkit.dumps(document)


def _remember(sound: Any, card: Mapping[str, str]) -> None:
    remembered = sound.get("card")
    if remembered is None:
        if not card:
            return
        tail = _take_tail(sound)
        remembered = tomlkit.table()
        sound.append("card", remembered)
        remembered.update(card)
        _put_tail(remembered, tail)
        return
    for gone in [name for name in remembered if name not in card]:
        del remembered[gone]
    for name, value in card.items():
        set_key(remembered, name, value)


def difference(path: Path, before: str, after: str) -> str:
    """What would change in a file, line by line; "" for nothing."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), str(path), str(path), lineterm="", n=1)
    return "\n".join(lines)


def replace_room_file(path: Path, text: str) -> None:
    """Put `text` in the place of a room file, whole or not at all, its owner, mode and line ends kept.

    Raises ConfigError where the text is no right room file, or cannot be written; the file is then as it was.
    """
    path = path.resolve()
    try:
        handle, name = tempfile.mkstemp(suffix=".toml", prefix=f".{path.stem}-", dir=path.parent)
        fresh = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline=_line_end(path)) as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            load_room(fresh)
            shutil.copymode(path, fresh)
            _keep_owner(fresh, path.stat())
            fresh.replace(path)
            to_disk(path.parent)
        finally:
            fresh.unlink(missing_ok=True)
    except ConfigError as error:
        raise ConfigError([mistake.replace(name, str(path)) for mistake in error.mistakes]) from None
    except OSError as error:
        raise ConfigError([f"{path}: cannot be written: {error.strerror}"]) from None


def _line_end(path: Path) -> str:
    """As the first line ends: an editor on Windows would show every other kind as one long line, or mix them."""
    with path.open("rb") as file:
        return "\r\n" if file.readline().endswith(b"\r\n") else "\n"


def _keep_owner(fresh: Path, was: os.stat_result) -> None:
    try:
        os.chown(fresh, was.st_uid, was.st_gid)
    except PermissionError:  # another's file: its group at least, by which the daemon may read it
        with contextlib.suppress(PermissionError):
            os.chown(fresh, -1, was.st_gid)


def set_key(table: Any, key: str, value: Any) -> None:
    """Set a key where it stands if its value is another one, or behind the last one that the table has."""
    if key in table:
        if table[key] != value:
            table[key] = value
        return
    tail = _take_tail(table)
    table.append(key, value)
    _put_tail(table, tail)


def _take_tail(table: Any) -> list[Item]:
    """What follows the last line of a table (an empty one, a word about the next table) and shall go on following."""
    body = getattr(table, "value", table).body
    tail: list[Item] = []
    while body and isinstance(body[-1][1], Whitespace | Comment):
        tail.insert(0, body.pop()[1])
    if not tail and body and isinstance(last := body[-1][1], Table | AoT):
        return _take_tail(last[-1] if isinstance(last, AoT) else last)
    return tail


def _put_tail(table: Any, tail: Iterable[Item]) -> None:
    for item in tail:
        table.add(item)
