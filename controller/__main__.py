"""The `stillroom` command: one verb a line, each with an example in its --help."""

from __future__ import annotations

import errno
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from controller.options import StateDir, fail
from controller.places import STATE, runtime_dir
from controller.verbs import Verbs

app = typer.Typer(
    name="stillroom",
    cls=Verbs,
    help="Session environment controller for a therapy room: music, light, record, call.\n\n"
    "Not a medical device. An addition to a wired nurse call, never instead of it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

if TYPE_CHECKING:
    from controller.config import Room

RoomFile = Annotated[Path, typer.Argument(metavar="ROOM.toml", help="The room file.")]


def _room(path: Path) -> Room:
    from controller.config import load_room

    return load_room(path)


@app.command()
def run(room: RoomFile, state: StateDir = STATE) -> None:
    """Run the room's daemon; after a crash or a power cut it goes on with the session that stands open.

    Example: stillroom run /etc/stillroom/room.toml --state /var/lib/stillroom
    """
    from controller.daemon import run_daemon
    from controller.journal.store import JournalInUse

    _log()
    try:
        run_daemon(_room(room), state, lambda: print("ready", flush=True))
    except JournalInUse as error:
        fail(f"{error}: this room's daemon is running already, or --state is another's")


@app.command()
def caller(room: RoomFile, state: StateDir = STATE) -> None:
    """Run the caller: it owns the path of the support call, so that a dead daemon cannot swallow one.

    Example: stillroom caller /etc/stillroom/room.toml --state /var/lib/stillroom
    """
    from controller.calls.caller import keep_caller

    _log()
    keep_caller(_room(room).caller(runtime_dir(state), state))


@app.command()
def buttons(room: RoomFile, state: StateDir = STATE) -> None:
    """Run the room's buttons, pedals and contacts: their own process, so that no hung daemon swallows a call.

    A warden keeps it. As a service it is to be started before the daemon and to outlive it, as the same user and with
    the same state directory as the daemon, the sound engine and the caller: it speaks to all three over their sockets
    there. It needs the groups dialout (serial ports) and input (pedals and keypads, which it grabs), and write access
    to the runtime directory; on a broker with an access list, reading what its buttons say and reading and writing its
    own stillroom/beat topic.

    Example: stillroom buttons /etc/stillroom/room.toml --state /var/lib/stillroom
    """
    from controller.inputs.panel import keep_panel

    _log()
    keep_panel(_room(room).buttons(runtime_dir(state)))


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Room files, device profiles, programmes.")],
    state: StateDir = STATE,
) -> None:
    """Check room files, device profiles and programmes; name every mistake at once.

    Where a room is among them, it is looked up whether its music holds what the programmes ask for.

    Example: stillroom check room.toml devices/*.toml playlists/*.toml
    """
    from controller.config import check_file
    from controller.files import ConfigError
    from controller.pool import missing_music

    mistakes: list[str] = []
    kinds: dict[Path, str] = {}
    for path in files:
        try:
            kinds[path] = check_file(path)
            print(f"{path}: this {kinds[path]} is right")
        except ConfigError as error:
            mistakes += error.mistakes
    programmes = [path for path, kind in kinds.items() if kind == "programme"]
    for path in [path for path, kind in kinds.items() if kind == "room" and programmes]:
        mistakes += missing_music(state, _room(path), programmes)
    for mistake in mistakes:
        print(mistake, file=sys.stderr)
    if mistakes:
        raise typer.Exit(1)


@app.command()
def schema(
    kind: Annotated[Literal["room", "profile", "programme"], typer.Argument(help="Which kind of file.")],
) -> None:
    """Print the JSON Schema of a kind of file; an editor with TOML support completes and checks with it.

    Example: stillroom schema profile > devices/profile.schema.json
    """
    import json

    from controller.schema import schema_of

    print(json.dumps(schema_of(kind), indent=1, ensure_ascii=False))


@app.command()
def rehearse(
    programme: Annotated[str, typer.Argument(help="Name or file of a programme.")],
    room: Annotated[Path | None, typer.Option(help="Plan with this room's library; imagined pieces otherwise.")] = None,
    library: Annotated[Path | None, typer.Option(metavar="DIR", help="Plan with what was measured below it.")] = None,
    script: Annotated[Path | None, typer.Option(metavar="FILE", help="A difficult day: +71m hold …")] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Why each piece, and what was left out.")] = False,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw the day: .svg, .png or .pdf.")] = None,
    now: Annotated[float | None, typer.Option(metavar="MINUTES", help="A line in the drawing.")] = None,
    card: Annotated[Path | None, typer.Option("--print", metavar="FILE.pdf", help="The fallback card.")] = None,
    state: StateDir = STATE,
    seed: Annotated[int, typer.Option(help="The same seed gives the same pieces.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Play a whole programme on a simulated clock, without any device, and print its timeline.

    Exit 1 where there is something to look at before the day.

    Example: stillroom rehearse psilocybin-25mg --plot arc.svg --print card.pdf
    """
    from controller.rehearsal.day import Wishes, rehearse

    wishes = Wishes(
        programme=programme,
        room=_room(room) if room else None,
        library=library,
        state_dir=state,
        seed=seed,
        script=script,
        plot=plot,
        card=card,
        now_minutes=now,
        explain=explain,
        as_json=as_json,
    )
    raise typer.Exit(rehearse(wishes))


@app.command()
def demo(
    headless: Annotated[bool, typer.Option(help="No console; one line for each thing that happens.")] = False,
    minutes: Annotated[float, typer.Option(min=1.0, max=720.0, help="Length of the whole session.")] = 6.0,
    state: Annotated[Path | None, typer.Option(help="Keep the record and the capture here.")] = None,
    wav: Annotated[Path | None, typer.Option(help="Write what the room hears to this file.")] = None,
) -> None:
    """Live through a whole session in a simulated room, on real parts; ends with a summary.

    Example: stillroom demo --headless --minutes 2
    """
    from controller.demo.supervisor import run_demo

    raise typer.Exit(run_demo(headless=headless or not sys.stdout.isatty(), minutes=minutes, state=state, wav=wav))


def _log() -> None:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("apscheduler").setLevel(logging.WARNING)  # it tells of every job that it lays


def main() -> None:
    """Run the command line; a file that has to be mended is explained, not traced."""
    from controller.files import ConfigError

    try:
        try:
            app()
        finally:
            sys.stdout.flush()
        return
    except ConfigError as error:
        for mistake in error.mistakes:
            print(mistake, file=sys.stderr)
    except KeyboardInterrupt:  # while a verb was still being imported
        sys.exit(130)
    except BrokenPipeError:  # who read it has seen enough
        _leave_stdout()
    except OSError as error:
        if error.errno not in _PLACES:
            raise
        _leave_stdout()
        print(f"{error.filename or 'what was to be said here'}: {error.strerror}", file=sys.stderr)
    sys.exit(1)


_PLACES = (errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EEXIST)
"""Errors that speak of a place somebody named; any other is our fault, and is traced."""


def _leave_stdout() -> None:
    """What is still to be written there is dropped: it would fail again at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
