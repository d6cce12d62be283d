"""Large digits of our own drawing: T+ is read from two metres on every screen that shows 100 columns and 30 rows.

What is asked. ISO 9241-303 wants 16 minutes of arc as the least height of a character and prefers 20-22, and a width of
0.5-1 of the height; that is for office light. A dimmed screen is read by tired eyes at an angle, so half as much again,
33, is asked for wherever the screen is large enough (our judgement), and 22 on the smallest one.

How high a row is. With 100x30: 2.86 mm on a Raspberry Pi's 7-inch display (85.9 mm for exactly 30 rows of 16 pixels),
the smallest that a room would mount; 4.0-5.0 mm in a window of usual type (18 pixels at 125 % on a 15.6-inch laptop, at
100 % on a 24-inch monitor) and on a 10.1-inch panel (135 mm); 6.5 mm and more where such screens are filled.

What comes of it at 2 m. Three rows: 15 minutes of arc on the 7-inch display, 21-26 in a window: too small on both
counts. Six rows: 29 on the 7-inch display, 41-52 in a window, 67 and more on a filled screen. A digit is eight columns
wide, 0.67 of its height where a cell is twice as high as wide, and its strokes a sixth of its height, 5 minutes of arc
at the least. So six rows, of hours and minutes: 100 columns have no room for large seconds, and nobody needs them from
across the room.
"""

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
"""Six pixels high, four wide."""

DIGIT_ROWS = 6


def big(text: str) -> list[str]:
    """The text in large digits, six rows high, two columns a pixel; characters without a drawing are left out."""
    glyphs = [_FONT[character] for character in text if character in _FONT]
    rows = ["".join(f"{glyph[at]}." for glyph in glyphs)[:-1] for at in range(DIGIT_ROWS)]
    return ["".join(("█" if pixel == "#" else " ") * 2 for pixel in line) for line in rows]
