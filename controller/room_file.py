"""Writing into a room file what a sound check found; whatever people wrote around it stays."""

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
from tomlkit.items import Comment, Whitespace

from controller.config import load_room
from controller.files import ConfigError
from controller.sound.calibration import BusLevels


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
        _set(row, "name", bus.name)
        _set(row, "channels", list(bus.channels))
        if bus.level_db or "level_db" in row:
            _set(row, "level_db", bus.level_db)
        _set(row, "ceiling_dbfs", bus.ceiling_dbfs)
        if bus.sensitivity_dba is None:
            row.pop("calibration", None)
        elif bus.name in measured:
            signed = tomlkit.inline_table()
            signed.update({"sensitivity_dba": bus.sensitivity_dba, "by": by, "on": on})
            _set(row, "calibration", signed)
    _set(sound, "target_lufs", target_lufs)
    if "buses" not in sound:
        sound.append("buses", rows)
    if card is not None:
        sound.pop("card", None)
        if card:
            remembered = tomlkit.table()
            remembered.update(card)
            sound.append("card", remembered)
    return tomlkit.dumps(document)


def difference(path: Path, before: str, after: str) -> str:
    """What would change in a file, line by line; "" for nothing."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), str(path), str(path), lineterm="", n=1)
    return "\n".join(lines)


def replace_room_file(path: Path, text: str) -> None:
    """Put `text` in the place of a room file, whole or not at all, its owner and mode kept.

    Raises ConfigError where the text is no right room file, or cannot be written; the file is then as it was.
    """
    path = path.resolve()
    try:
        handle, name = tempfile.mkstemp(suffix=".toml", prefix=f".{path.stem}-", dir=path.parent)
        fresh = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            load_room(fresh)
            shutil.copymode(path, fresh)
            with contextlib.suppress(PermissionError):
                os.chown(fresh, path.stat().st_uid, path.stat().st_gid)
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)
    except ConfigError as error:
        raise ConfigError([mistake.replace(name, str(path)) for mistake in error.mistakes]) from None
    except OSError as error:
        raise ConfigError([f"{path}: cannot be written: {error.strerror}"]) from None


def _set(table: Any, key: str, value: Any) -> None:
    """Set a key where it stands if its value is another one, or behind the last one that the table has."""
    if key in table:
        if table[key] != value:
            table[key] = value
        return
    # What follows a table's last line (an empty one, a word about the next table) shall go on following it.
    body = getattr(table, "value", table).body
    tail = []
    while body and isinstance(body[-1][1], Whitespace | Comment):
        tail.append(body.pop()[1])
    table.append(key, value)
    for item in reversed(tail):
        table.add(item)
