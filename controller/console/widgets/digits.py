"""Large digits of our own drawing: readable from the armchair, in three rows with half blocks or five without."""

from __future__ import annotations

_FONT: dict[str, tuple[str, ...]] = {
    "0": ("####", "#..#", "#..#", "#..#", "#..#", "####"),
    "1": (".##.", "..#.", "..#.", "..#.", "..#.", ".###"),
    "2": ("####", "...#", "####", "#...", "#...", "####"),
    "3": ("####", "...#", ".###", "...#", "...#", "####"),
    "4": ("#..#", "#..#", "####", "...#", "...#", "...#"),
    "5": ("####", "#...", "####", "...#", "...#", "####"),
    "6": ("####", "#...", "####", "#..#", "#..#", "####"),
    "7": ("####", "...#", "..#.", "..#.", ".#..", ".#.."),
    "8": ("####", "#..#", "####", "#..#", "#..#", "####"),
    "9": ("####", "#..#", "####", "...#", "...#", "####"),
    ":": (".", "#", ".", ".", "#", "."),
    "-": ("....", "....", "####", "....", "....", "...."),
}
"""Six pixels high."""

_HALVES = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}


def big(text: str, *, halves: bool = True, wide: int = 1) -> list[str]:
    """The text in large digits: three rows of half blocks, or six rows of `wide` full blocks a pixel.

    Characters without a drawing are left out.
    """
    glyphs = [_FONT[character] for character in text if character in _FONT]
    rows = ["".join(f"{glyph[at]}." for glyph in glyphs)[:-1] for at in range(6)]
    lit = [[pixel == "#" for pixel in line] for line in rows]
    if halves:
        return [
            "".join(_HALVES[pair] * wide for pair in zip(lit[at], lit[at + 1], strict=True)) for at in range(0, 6, 2)
        ]
    return ["".join(("█" if pixel else " ") * wide for pixel in line) for line in lit]
