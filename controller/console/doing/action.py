"""What the table of actions is made of."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from controller import wording
from controller.console.menu import Line
from controller.messages import Act, Status

if TYPE_CHECKING:
    from controller.console.commands import Commands

Run = Callable[["Commands", str], None]
"""Does it; hears which of its keys it was, "" for a line of a menu."""

Repeat = Literal["once", "step"]

Subject = Literal["call", "room", "music", "clinical", "record", "leaving", "sitters", "session", "screen"]
"""The menus behind `m`, in the order of their digits."""


def always(_status: Status) -> str:
    """Offered at any time."""
    return ""


def in_session(status: Status) -> str:
    """Offered while a session is open."""
    return wording.refusal("no_session", {}) if status.state in ("idle", "ended") else ""


class Action(Struct, frozen=True, kw_only=True):
    """One thing that a person can do at the console.

    `keys`: Textual's names or single characters, in lower case. `anywhere`: the ones that work even inside a text
    field. `in_dialog`: its keys work over a menu, a PIN and the sheet of all keys as well. `repeat`: a held "once" key
    counts once until it has rested for 700 ms, a held "step" key counts at most every 120 ms. `menu`: the menu that it
    stands in; `confirm`: its digit there only chooses it, and Enter does it. `offered`: "" while it can be done, else
    why not. `stands`: how the matter stands now, shown beside it in the menu. `ctl`: the verb of `stillroom ctl` that
    does the same, with its options; "" only for what concerns this screen alone. `sends`: the acts that it may send.
    """

    name: str
    run: Run
    long: str
    help: str
    keys: tuple[str, ...] = ()
    anywhere: tuple[str, ...] = ()
    shown: str = ""
    shown_plain: str = ""
    """The key's sign where the font lacks `shown`."""
    short: str = ""
    caps: tuple[str, ...] = ()
    """The word on the label of each key, where they are not all `short`."""
    in_dialog: bool = False
    repeat: Repeat = "once"
    menu: Subject | None = None
    confirm: bool = False
    offered: Callable[[Status], str] = always
    stands: Callable[[Status], str] | None = None
    ctl: str = ""
    sends: tuple[type, ...] = ()

    def sign(self, *, plain: bool) -> str:
        """The key as it is shown, with the signs of this font."""
        return self.shown_plain if plain and self.shown_plain else self.shown


def sending(act: Act, words: str) -> Run:
    """What an action does that sends one act for the room, always the same; `words` name it on the answer line."""
    return lambda do, _key: do.send(act, words, ())


def choose_way(do: Commands, title: str, one: tuple[str, str], other: tuple[str, str], run: Run) -> None:
    """Open a menu in the place of a pair of keys: each (key, word)."""
    do.choose(title, [Line(label=word, run=partial(run, do, key)) for key, word in (one, other)])
