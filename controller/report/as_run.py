"""What a session was run with, out of its record: one archive, with the digests that `sha256sum --check` reads."""

from __future__ import annotations

import io
import zipfile

from controller.messages import KeptName
from controller.report.account import Account

_FILES: dict[KeptName, str] = {
    "programme": "programme.toml",
    "room": "room.toml",
    "devices": "devices.json",
    "limits": "limits.json",
    "library": "library.json",
    "software": "software.txt",
}


def as_run(account: Account) -> bytes:
    """A ZIP file; the same bytes for the same session. Raises ValueError where nothing is kept."""
    if not account.as_run:
        raise ValueError("the record keeps nothing of what the session was run with")
    out = io.BytesIO()
    shown = [kept for kept in account.kept if kept.name in account.as_run and not _has_words(account, kept.name)]
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for kept in shown:
            archive.writestr(_entry(_FILES[kept.name]), account.as_run[kept.name])
        sums = "".join(f"{kept.sha256}  {_FILES[kept.name]}\n" for kept in shown)
        archive.writestr(_entry("SHA256SUMS"), sums)
    return out.getvalue()


def _has_words(account: Account, name: KeptName) -> bool:
    """Whether this part says what touch was consented to, as the first versions kept it, and the reader may not."""
    return name == "limits" and not account.role.texts and b'"touch_scope' in account.as_run[name]


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry
