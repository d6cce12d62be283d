"""`stillroom console`: the sitter's screen, and the labels for its keys."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from controller.options import StateDir
from controller.places import STATE, runtime_dir

app = typer.Typer(invoke_without_command=True)

Person = Annotated[str | None, typer.Option(help="Initials of who sits here; they stand in the record.")]


@app.callback()
def console(context: typer.Context, state: StateDir = STATE, person: Person = None) -> None:
    """Open the sitter's console on the room that runs with this state directory.

    Example: stillroom console --person AB
    """
    if context.invoked_subcommand is None:
        from controller.console.app import run_console

        run_console(runtime_dir(state), person)


@app.command()
def labels(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE.pdf]", help="Plain text without.")] = None,
    programme: Annotated[str, typer.Option(help="Name of a programme, for the marks on 1-9.")] = "",
) -> None:
    """A printable sheet of labels for the keys, of true size, and of every way through the menus.

    Example: stillroom console labels labels.pdf --programme psilocybin-25mg
    """
    from controller import wording
    from controller.config import find_programme, load_programme
    from controller.console.doing.table import in_menus, path
    from controller.console.labels import as_text
    from controller.console.labels import labels as key_labels
    from controller.drawing.labels import write_labels

    marks = load_programme(find_programme(programme)).marks if programme else ()
    words = [(mark.code, mark.label) for mark in marks]
    if file is None:
        print(as_text(words))
        return
    ways = [(path(action), f"{action.long}: {action.help}") for action in in_menus()]
    write_labels(key_labels(words), ways, file, wording.NOT_A_MEDICAL_DEVICE)
    print(f"{file}: print it at 100 %")
