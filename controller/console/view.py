"""What one frame of the console is drawn from: a frozen snapshot, so that drawing is pure."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from msgspec import Struct
from rich.style import Style
from rich.text import Text

from controller import wording
from controller.console.looks import Look
from controller.console.menu import Tone
from controller.messages import Booking, CallView, ParticipantView, Status


class View(Struct, frozen=True, kw_only=True):
    """The room as this console knows it now."""

    status: Status = Status()
    call: CallView = CallView()
    call_path: str = "unknown"
    """ok, lost or unknown; "gone" when the caller itself cannot be reached."""
    connected: bool = True
    known: bool = True
    """Whether the room was ever heard."""
    silent_s: float = 0.0
    unanswered: int = 0
    mismatch: str = ""
    console: str = ""
    person: str = ""
    """Under whose initials entries go here; "" for nobody's."""
    locked: bool = False
    whom: tuple[str, ...] = ()
    answer: str = ""
    answer_tone: Tone = "plain"
    look: Look = Look()

    @property
    def leads(self) -> ParticipantView | None:
        """The participant whose T+ the arc counts from; before that is known, the first one."""
        people = self.status.participants
        return next((one for one in people if one.code == self.status.leads), people[0] if people else None)

    def t_plus(self, person: ParticipantView | None) -> str:
        """T+ of a participant in words; it goes on while the room is silent."""
        return wording.clock(None) if person is None else wording.t_plus(person, self.ahead_s)

    @property
    def has_dose(self) -> bool:
        """Whether there is a T+ to be asked for."""
        return bool(self.status.dose_parts)

    @property
    def ahead_s(self) -> float:
        """How far the room's clocks have gone on since it was last heard."""
        return 0.0 if self.connected or not self.known else self.silent_s

    @property
    def in_session(self) -> bool:
        """Whether a session is open."""
        return self.status.state not in ("idle", "ended")


NEAR_S = 3 * 3600.0
"""So long before its time a booking is what the next session is taken for."""


def following(status: Status) -> Booking | None:
    """The next booking whose session has not begun."""
    return next((booking for booking in status.bookings if not booking.session), None)


def booked_now(status: Status) -> Booking | None:
    """The booking that a session which is opened now is likely to be."""
    try:
        now = datetime.fromisoformat(status.utc).timestamp()
    except ValueError:
        return None
    booking = following(status)
    return booking if booking is not None and booking.starts_unix - NEAR_S <= now else None


@lru_cache(maxsize=512)
def style_of(colour: str, *, bold: bool = False, ground: str | None = None) -> Style:
    """The style of a colour; the few dozen that a theme has are made once."""
    return Style(color=colour, bold=bold, bgcolor=ground)


def styled(text: str, colour: str, *, bold: bool = False, ground: str | None = None) -> Text:
    """A piece of text in a colour."""
    return Text(text, style=style_of(colour, bold=bold, ground=ground), no_wrap=True, end="")


def local_time(utc: str, form: str = "%H:%M:%S", *, ahead_s: float = 0.0) -> str:
    """A UTC text as this place's wall-clock time; "" for one that is none."""
    try:
        return local_moment(utc, ahead_s=ahead_s).strftime(form)
    except ValueError:
        return ""


def local_moment(utc: str, *, ahead_s: float = 0.0) -> datetime:
    """So long after a UTC text, by this place's clock. Raises ValueError for a text that is none."""
    return datetime.fromtimestamp(datetime.fromisoformat(utc).timestamp() + ahead_s).astimezone()


def row(left: Text, right: Text, width: int) -> Text:
    """Two texts at the two ends of a row; the right one stays whole."""
    room = max(0, width - right.cell_len - 1)
    if left.cell_len > room:
        left = left.copy()
        left.truncate(room, overflow="ellipsis")
    line = left.copy()
    line.append(" " * max(0, width - left.cell_len - right.cell_len))
    line.append_text(right)
    return line


def ends_at(view: View) -> str:
    """When the arc will be over by the wall clock, and by how many minutes that is not as booked: "17:40 +12"."""
    status = view.status
    if status.projected_end_t is None:
        return ""
    told = local_time(status.utc, "%H:%M", ahead_s=status.projected_end_t - status.t)
    late = round(wording.later(status) / 60.0)
    return f"{told} {late:+d}" if late else told
