"""Which pieces fill a stretch of time to the second: subset sums, by bits of one long number."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Sequence

UNIT_S = 0.1
"""Lengths are counted in tenths of a second."""

CLOSE_S = 0.5
"""Nothing better than this is looked for."""

GOOD_S = 2.0
"""As good as this, and no less suitable pieces are looked at."""

OVER_S = 300.0
"""A stretch may be overrun by so much, where nothing fits better."""

MOST_RUN = 60
"""So many pieces of a listing are looked at for runs that stay together."""


def fit(lengths: Sequence[float], room_s: float, ends: Collection[int] = ()) -> list[int]:
    """The places of those lengths whose sum comes nearest to `room_s`; earlier ones are preferred.

    Bit n of a number says that n units can be made up of the lengths so far: one shift and one "or" for each length
    tries all their subsets. It stops as soon as a sum is close; at a place in `ends`, where less suitable lengths
    begin, as soon as it is good.
    """
    room = round(room_s / UNIT_S)
    if room <= 0:
        return []
    limit = room + round(OVER_S / UNIT_S)
    mask = (1 << limit + 1) - 1
    layers = [1]
    sizes = [max(1, round(length / UNIT_S)) for length in lengths]
    for count, size in enumerate(sizes, start=1):
        reach = layers[-1]
        layers.append(reach | (reach << size) & mask if size <= limit else reach)
        slack = round((GOOD_S if count in ends else CLOSE_S) / UNIT_S)
        low = max(0, room - slack)
        if (layers[-1] >> low) & ((1 << room - low + slack + 1) - 1):
            break
    return _trace(layers, sizes, _nearest(layers[-1], room))


def _nearest(reach: int, room: int) -> int:
    """The set bit nearest to bit `room`; bit 0 is always set."""
    below = (reach & ((1 << room + 1) - 1)).bit_length() - 1
    high = reach >> room
    if high:
        above = room + (high & -high).bit_length() - 1
        if above - room < room - below:
            return above
    return below


def _trace(layers: Sequence[int], sizes: Sequence[int], total: int) -> list[int]:
    """The lengths that make up `total`, the later ones only where it cannot be done without them."""
    taken = []
    for place in range(len(layers) - 2, -1, -1):
        if not layers[place] >> total & 1:
            taken.append(place)
            total -= sizes[place]
    return taken[::-1]


def fit_runs(
    lengths: Sequence[float], places: Sequence[int], room_s: float, fade_s: float, after: int | None = None
) -> list[int]:
    """As `fit`, for pieces that belong together: a run of neighbours in the listing, or two; all if they are too few.

    `places`: where each length stands in the listing. Within a run nothing overlaps; a run's end gives up `fade_s`. A
    run that begins right behind place `after` joins on to what sounds, and wins that overlap back.
    """
    if sum(lengths) <= room_s:
        return list(range(len(lengths)))
    runs: list[tuple[float, int, int]] = []
    count = min(len(lengths), MOST_RUN)
    for first in range(count):
        total = -fade_s + (fade_s if after is not None and places[first] == after + 1 else 0.0)
        for last in range(first, count):
            if last > first and places[last] != places[last - 1] + 1:
                break
            total += lengths[last]
            if total > room_s + OVER_S:
                break
            runs.append((total, first, last + 1))
    best_miss: float = abs(room_s)
    best: list[int] = []
    for total, first, end in runs:
        if (miss := abs(total - room_s)) < best_miss:
            best_miss, best = miss, list(range(first, end))
        if best_miss <= GOOD_S:
            return best
    runs.sort()
    totals = [total for total, _, _ in runs]
    for total, first, end in runs:
        near = bisect_left(totals, room_s - total)
        for other, start, stop in runs[max(0, near - 10) : near + 10]:
            miss = abs(total + other - room_s)
            apart = start > end or (start == end and places[start] != places[end - 1] + 1)
            if apart and miss < best_miss:
                best_miss, best = miss, [*range(first, end), *range(start, stop)]
    return best
