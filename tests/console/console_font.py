"""What the text console's font can show; `python -m tests.console.console_font FONT.psf.gz` reads a font's table."""

from __future__ import annotations

import gzip
import struct
import sys
from pathlib import Path

STORED = Path(__file__).with_name("console_font.txt")


def known() -> set[str]:
    """Every sign of the stored table."""
    found: set[str] = set()
    for line in STORED.read_text(encoding="utf-8").splitlines():
        for part in () if line.startswith("#") else line.split():
            first, _, last = part.partition("-")
            found |= {chr(point) for point in range(int(first, 16), int(last or first, 16) + 1)}
    return found


def read_psf1(path: Path) -> list[int]:
    """The code points in a PSF1 font's Unicode table. Raises ValueError for another kind of file."""
    data = path.read_bytes()
    data = gzip.decompress(data) if path.suffix == ".gz" else data
    if data[:2] != b"\x36\x04":
        raise ValueError(f"{path} is no PSF1 font")
    glyphs, size = 512 if data[2] & 1 else 256, data[3]
    points, in_sequence = set(), False
    for (point,) in struct.iter_unpack("<H", data[4 + glyphs * size :]):
        if point == 0xFFFF:
            in_sequence = False
        elif point == 0xFFFE:  # what follows is a sequence of several, not a sign of its own
            in_sequence = True
        elif not in_sequence:
            points.add(point)
    return sorted(points)


if __name__ == "__main__":
    print(" ".join(f"{point:04X}" for point in read_psf1(Path(sys.argv[1]))))
