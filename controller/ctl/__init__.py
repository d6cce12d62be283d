"""`stillroom ctl`: what a console does, from a script. A refusal exits 1 with its reason."""

from __future__ import annotations

import contextlib
import io

import typer

from controller.ctl import blinding, booking, clinical, live, people, preflight, record, session, status
from controller.ctl.asking import heard
from controller.ctl.signing import PinFrom, source
from controller.files import ConfigError
from controller.messages import Act

app = typer.Typer(no_args_is_help=True)


@app.callback()
def ctl(pin_from: PinFrom = None) -> None:
    """Do from a script what a console does. A refusal exits 1 with its reason."""
    source.set(pin_from)


for subject in (status, session, blinding, booking, clinical, live, people, record):
    app.add_typer(subject.app)
app.add_typer(preflight.app, name="preflight")


def acts_of(words: list[str]) -> tuple[Act, tuple[str, ...]]:
    """The act, and whom it concerns, that `stillroom ctl WORDS` would send. Raises ValueError with the reason."""
    listening: list[tuple[Act, tuple[str, ...]]] = []
    token = heard.set(listening)
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            typer.main.get_command(app).main(args=words, prog_name="", standalone_mode=False)
    except (typer.TyperException, ConfigError) as error:
        raise ValueError(str(error)) from None
    finally:
        heard.reset(token)
    if not listening:
        raise ValueError(said.getvalue().strip() or f'"{words[0]}" is nothing that a sitter does')
    return listening[0]
