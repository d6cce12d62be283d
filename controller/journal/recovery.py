"""What a restarted daemon begins from."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from controller.messages import Record, Reply, Stamp


@dataclass(frozen=True, kw_only=True, slots=True)
class Book:
    """One journal file as recovery found it: whole, verified.

    `records` follow the newest snapshot (all, where there is none; of the room's book at most the last 1000), with
    their texts left out. `replies`: the first answer to each of the last 1000 inputs, by input id.
    """

    book: str
    seq: int = 0
    last: Stamp | None = None
    snapshot: bytes | None = None
    snapshot_seq: int = 0
    records: tuple[Record, ...] = ()
    replies: dict[str, Reply] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Damage:
    """A journal file that did not verify, and the name under which it is kept."""

    book: str
    kept_as: Path
    first_bad: int | None
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Recovered:
    """The room's book, the session that was not closed (if any), and what had to be set aside."""

    room: Book
    session: Book | None = None
    damaged: tuple[Damage, ...] = ()

    @property
    def last(self) -> Stamp | None:
        """The newest stamp of all, for `RoomClock.continue_from`."""
        raise NotImplementedError


def recover(state_dir: Path) -> Recovered:
    """Verify the journals and find the session to go on with. Call it before `Journal` is made.

    A damaged file is renamed to `*.damaged-<utc>` and kept; an empty or missing state directory gives an empty room.
    """
    raise NotImplementedError
