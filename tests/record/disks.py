"""Disks of their own for a state directory: small ones that fill, and an image whose copy is a power cut."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

needs_mounts = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("mkfs.ext4") is None or not Path("/dev/loop-control").exists(),
    reason="mounting a disk needs root and loop devices",
)


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
