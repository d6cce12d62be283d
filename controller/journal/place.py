"""Where a backup may lie: on another file system than the record, mounted, writable, with room to spare."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

MARGIN_BYTES = 16 * 1024 * 1024
"""What is left free on a stick."""

LEFT_ON_A_SYSTEM_DISK_BYTES = 1024 * 1024 * 1024
"""What is left free where the backup shares a disk with the record or the system (our judgement)."""


class UnfitPlace(Exception):
    """A backup cannot be made there; the text says why, and what to do."""


@dataclass(frozen=True)
class Place:
    """A directory that was found fit. `encrypted`: whether the kernel says that it lies on dm-crypt (such as LUKS)."""

    path: Path
    mount_point: Path
    shared: bool
    encrypted: bool

    @property
    def free_bytes(self) -> int:
        """What may be written there."""
        left = LEFT_ON_A_SYSTEM_DISK_BYTES if self.shared else MARGIN_BYTES
        return shutil.disk_usage(self.path).free - left

    def check_space(self, needed_bytes: int) -> None:
        """Raise UnfitPlace where so much more does not fit."""
        if needed_bytes > self.free_bytes:
            needed, free = (f"{count / 1024**2:.1f} MiB" for count in (needed_bytes, max(0, self.free_bytes)))
            raise UnfitPlace(
                f"{self.path}: {needed} are needed and {free} may be used; "
                "remove what is not a backup from it, or take a larger one"
            )


def look_at(place: Path, state_dir: Path, *, same_disk: bool = False) -> Place:
    """The place, found fit. `same_disk`: it may knowingly share a disk with the record. Raises UnfitPlace."""
    if not place.is_dir():
        raise UnfitPlace(
            f"{place}: there is no such directory. Is the stick mounted? `lsblk -f` shows what is there, "
            "`udisksctl mount -b /dev/…` mounts it"
        )
    place = place.resolve()
    if place.is_relative_to(state_dir.resolve()):
        raise UnfitPlace(f"{place}: lies inside the record itself")
    device = place.stat().st_dev
    shared = device in (state_dir.stat().st_dev, Path("/").stat().st_dev)
    if shared and not same_disk:
        which = "the record" if device == state_dir.stat().st_dev else "the system"
        raise UnfitPlace(
            f"{place}: is on the same file system as {which}: nothing is mounted there, and a backup there would be "
            "lost with it. Mount a stick or a share there, or say --same-disk if that is meant"
        )
    if os.statvfs(place).f_flag & os.ST_RDONLY:
        raise UnfitPlace(f"{place}: is mounted read-only; `mount -o remount,rw {_mount_point(place)}`, if it is whole")
    if not os.access(place, os.W_OK | os.X_OK):
        raise UnfitPlace(f"{place}: may not be written to; mount it so that the room's own user may")
    return Place(place, _mount_point(place), shared, _is_encrypted(device))


def _mount_point(path: Path) -> Path:
    device = path.stat().st_dev
    while path != path.parent and path.parent.stat().st_dev == device:
        path = path.parent
    return path


def _is_encrypted(device: int) -> bool:
    uuid = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/dm/uuid")
    try:
        return uuid.read_text(encoding="ascii").startswith("CRYPT-")
    except OSError:
        return False
