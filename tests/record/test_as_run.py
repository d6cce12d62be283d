"""What a session was run with is in its own record, hashed."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from controller.journal.reading import parts_of, read_records, session_file, verify
from controller.messages import End, Start
from tests.journal.test_verify import tamper
from tests.record.daemon_alone import begin, daemon_alone

ROOT = Path(__file__).parents[2]


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

    tamper(file, "UPDATE parts SET content = (SELECT content FROM parts WHERE part = 1) WHERE part = 2")
    found = verify(file)
    assert (found.ok, found.first_bad) == (False, 1)
    assert "run with" in found.why
