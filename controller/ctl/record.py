"""`stillroom ctl`, the verbs of what was written: a late entry to a session that is closed, and a text that must go."""

from __future__ import annotations

from typing import Annotated

import typer

from controller.ctl.verb import verb
from controller.messages import Act, Addendum, Redaction

app = typer.Typer()


@verb(app, "late-entry")
def late_entry(
    session: Annotated[str, typer.Argument(help="A closed one, as `stillroom journal list` names it.")],
    amends: Annotated[int, typer.Option(metavar="SEQ", help="The record that it puts right.")] = 0,
) -> Act:
    """Add to a closed session what --why says; it is marked as later. With a time: stillroom journal add --at.

    Example: stillroom ctl late-entry 20261201T090000Z-1f2a --why "slept from here on" --person AB
    """
    return Addendum(session=session, amends=amends)


@verb(app)
def blank(
    record: Annotated[int, typer.Argument(help="Number of the record.")],
    session: Annotated[str, typer.Option(help="A closed one; the open one without.")] = "",
) -> Act:
    """Blank a text for good, such as a name typed by mistake; the chain stays whole.

    Example: stillroom ctl blank 42 --why "a name"
    """
    return Redaction(session=session, seq=record)
