"""The verbs of `stillroom`, a file each."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

LATER = {
    "ctl": "controller.ctl:app",
    "journal": "controller.verbs.record:app",
    "console": "controller.verbs.console:app",
    "devices": "controller.verbs.devices:app",
    "library": "controller.verbs.library:app",
    "playlist": "controller.verbs.playlist:app",
    "sound": "controller.verbs.sound:app",
    "sitters": "controller.verbs.sitters:app",
    "book": "controller.verbs.book:book",
    "new-room": "controller.verbs.new_room:new_room",
}
"""Where each verb is that has a file of its own: a group of verbs, or a function."""


class Verbs(TyperGroup):
    """A group that imports a verb when it is named: a console or a call is not kept waiting for all the others."""

    def list_commands(self, ctx: Any) -> list[str]:
        """All names, those of this file's groups first."""
        return [*LATER, *super().list_commands(ctx)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The verb of a name, or None."""
        if cmd_name not in self.commands and cmd_name in LATER:
            self.commands[cmd_name] = _imported(cmd_name)
        return super().get_command(ctx, cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The verb that is meant; for a name that is none, the nearest of all is named."""
        if args[0] not in self.list_commands(ctx):
            for name in LATER:
                self.get_command(ctx, name)
        return super().resolve_command(ctx, args)


def _imported(name: str) -> Any:
    module, _, attribute = LATER[name].partition(":")
    verb = getattr(import_module(module), attribute)
    holder = typer.Typer(add_completion=False)
    if isinstance(verb, typer.Typer):
        holder.add_typer(verb, name=name)
    else:
        holder.command(name)(verb)
    return typer.main.get_group(holder).commands[name]
