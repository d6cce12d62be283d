"""What a session was run with is in its own record, hashed."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

from typer.testing import CliRunner

from controller.__main__ import app
from controller.journal.reading import parts_of, read_records, session_file, verify
from controller.messages import End, Start
from tests.journal.writing import tamper
from tests.record.daemon_alone import begin, daemon_alone

ROOT = Path(__file__).parents[2]


def sums_hold(folder: Path) -> bool:
    return subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=folder, check=False).returncode == 0


async def test_a_session_keeps_programme_room_devices_limits_library_and_software_as_run(tmp_path: Path) -> None:
    state = tmp_path / "state"
    async with daemon_alone(tmp_path, state) as daemon, daemon.client() as client:
        session = await begin(client)
        assert not (await client.send(End())).refused
        daemon.end()
    file = session_file(state, session)
    start = next(read_records(file))[0].input.act
    assert isinstance(start, Start)
    assert [kept.name for kept in start.kept] == ["programme", "room", "devices", "limits", "library", "software"]
    parts = parts_of(file)
    for kept in start.kept:
        assert hashlib.sha256(parts[kept.name]).hexdigest() == kept.sha256
        assert len(parts[kept.name]) == kept.size
    assert parts["programme"].decode() == start.programme_text == (ROOT / "playlists" / "demo.toml").read_text()
    assert parts["room"] == daemon.room_file.read_bytes()
    assert parts["software"].decode() == start.software
    assert json.loads(parts["limits"])["no_vocals"] is False
    library = json.loads(parts["library"])
    assert library["catalogue_pieces"] == 0
    assert len(library["catalogue_sha256"]) == 64
    assert verify(file).ok

    out = tmp_path / "out"
    exported = ["journal", "export", session, "--as-run", "--html", "--jsonl", "--to", str(out), "--state", str(state)]
    assert CliRunner().invoke(app, exported).exit_code == 0
    shutil.unpack_archive(out / f"{session}-as-run.zip", out / "as-run")
    assert sums_hold(out / "as-run")
    head = json.loads((out / f"{session}.jsonl").read_text().splitlines()[0])
    assert [kept["name"] for kept in head["kept"]] == [kept.name for kept in start.kept]
    assert all(kept.sha256 in (out / f"{session}.html").read_text() for kept in start.kept)

    tamper(file, "UPDATE parts SET content = (SELECT content FROM parts WHERE part = 1) WHERE part = 2")
    found = verify(file)
    assert (found.ok, found.first_bad) == (False, 1)
    assert "run with" in found.why
