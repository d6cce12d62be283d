"""Disks of their own for a state directory: small ones that fill, and an image whose copy is a power cut."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

needs_mounts = pytest.mark.usefixtures("mounts")


@pytest.fixture(scope="session")
def mounts(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Skips where no disk can be mounted: not every root of a container can, whatever devices there are."""
    where = tmp_path_factory.mktemp("mounts")
    image = where / "image"
    try:
        make_image(image, 1)
        with mounted(image, where / "at"), small_disk(where / "small", 64):
            pass
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no disk can be mounted here: {error}")


@contextlib.contextmanager
def mounted(image: Path, at: Path) -> Iterator[Path]:
    """A disk image, mounted; what it holds is only what reached it."""
    at.mkdir(exist_ok=True)
    subprocess.run(["mount", "-o", "loop", image, at], check=True)
    try:
        yield at
    finally:
        subprocess.run(["umount", "-l", at], check=True)


def make_image(image: Path, megabytes: int) -> None:
    """An empty ext4 disk."""
    image.write_bytes(b"")
    os.truncate(image, megabytes * 1024 * 1024)
    subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True)


def copy_image(image: Path, copy: Path) -> None:
    """What a disk would hold if the power went now."""
    subprocess.run(["cp", "--sparse=always", image, copy], check=True)


@contextlib.contextmanager
def small_disk(at: Path, kilobytes: int) -> Iterator[Path]:
    """A disk in memory that fills quickly."""
    at.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", at], check=True)
    try:
        yield at
    finally:
        subprocess.run(["umount", "-l", at], check=True)
