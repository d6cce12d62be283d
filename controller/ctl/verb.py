"""What makes a verb of `stillroom ctl` of a function: its own words come from it, the shared ones from `send`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

import typer

from controller.ctl.asking import send
from controller.messages import Act

Maker = TypeVar("Maker", bound=Callable[..., Act])

_SHARED = inspect.signature(send, eval_str=True).parameters


def verb(
    app: typer.Typer, name: str | None = None, *, whom: bool = False, ago: bool = False
) -> Callable[[Maker], Maker]:
    """Make a verb of a function from its words to the act that they ask for.

    To the function's own options come `--state`, `--person` and `--why`; `--participant` where the act concerns
    somebody (`whom`), and `--ago` where it may be logged late. The verb's name is the function's unless given.
    """
    left_out = {"act"} | ({"participant"} if not whom else set()) | ({"ago"} if not ago else set())
    shared = [option for key, option in _SHARED.items() if key not in left_out]

    def made(act_of: Maker) -> Maker:
        own = inspect.signature(act_of, eval_str=True).parameters

        def ask(**words: Any) -> None:
            send(act_of(**{key: words[key] for key in own}), **{option.name: words[option.name] for option in shared})

        ask.__name__, ask.__doc__ = act_of.__name__, act_of.__doc__
        ask.__signature__ = inspect.Signature([*own.values(), *shared])  # type: ignore[attr-defined]
        app.command(name)(ask)
        return act_of

    return made
