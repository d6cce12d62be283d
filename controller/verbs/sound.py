"""`stillroom sound …`: run the sound engine, and check with a meter what it lets a room hear."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from controller.clock import boottime, system_zone, utc_now
from controller.config import Room, load_room
from controller.journal.reading import list_sessions
from controller.options import AsJson, StateDir, fail
from controller.places import STATE, runtime_dir
from controller.room_file import check_sound_table, difference, replace_room_file, with_sound
from controller.sound.calibration import Implausible, settle
from controller.sound.card_controls import (
    Unreadable,
    find_moves,
    is_bluetooth,
    moved_settings,
    read_controls,
    stream_faults,
)
from controller.sound.check import Ask, Play, Say, Talk, opening
from controller.sound.settings import SOCKET
from controller.sound.tone_link import Engine, NotHeard, look_at_engine, play_tone
from controller.wording.quantities import counted

_FADE_S = 1.0
_TONE_S = 90.0
_START_S = 15.0
_SILENT_S = 0.3
"""Beyond its fade the output's own queue has to run empty."""

RoomFile = Annotated[Path, typer.Argument(metavar="ROOM.toml", help="The room file.")]


class _EngineUnlessNamed(TyperGroup):
    """A group whose verb "engine" is meant where none is named: `stillroom sound ROOM.toml`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] != "--help":
            args = ["engine", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_EngineUnlessNamed,
    no_args_is_help=True,
    help="Run the sound engine: stillroom sound ROOM.toml. Set a room's levels with a meter: stillroom sound check.",
)


@app.command()
def engine(room: RoomFile, state: StateDir = STATE) -> None:
    """Run the sound engine: its own process, which plays on when the daemon dies, and a warden that restarts it.

    Example: stillroom sound /etc/stillroom/room.toml --state /var/lib/stillroom
    """
    from controller.sound.__main__ import become_engine

    become_engine(load_room(room).sound(runtime_dir(state)))


@app.command()
def check(
    room: RoomFile,
    state: StateDir = STATE,
    person: Annotated[str, typer.Option(help="Initials of who measures; they stand in the file.")] = "",
    verify: Annotated[bool, typer.Option("--verify", help="No sound: have the card's own volumes moved?")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="No sound: tell what would be played.")] = False,
    answer: Annotated[
        list[str] | None, typer.Option(metavar="ANSWER", help="Answer the next question (may be repeated).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Set a room's levels with a meter at the participant's ear: 62 dB(A) for the programme, never above 80.

    Asks at each tone which jack sounds and what the meter reads, then shows what it would write into the room file.
    With --verify nothing sounds; exit 1 where a volume or mute behind the measurement has moved.

    Example: stillroom sound check /etc/stillroom/room.toml --person AB
    """
    read = load_room(room)
    buses = tuple(bus.levels() for bus in read.table.sound.buses)
    if dry_run:
        for line in opening(buses):
            typer.echo(line)
        return
    if verify:
        raise typer.Exit(_verify(read, state, as_json))
    try:
        _check(read, state, person, _answers(answer))
    except (Implausible, NotHeard, Unreadable) as why:
        fail(f"{why}.\nNothing was written.")


def _verify(room: Room, state: Path, as_json: bool) -> int:
    """Tell what has moved since the room was measured; the exit code."""
    sound = room.table.sound
    unmeasured = [bus.name for bus in sound.buses if bus.calibration is None]
    lines = [f"{name} was never measured: stillroom sound check {room.path}" for name in unmeasured]
    lines += find_moves(sound.card, sound.output, runtime_dir(state))
    if as_json:
        typer.echo(json.dumps({"settings": len(sound.card), "moved": lines}, indent=1, ensure_ascii=False))
        return 1 if lines else 0
    for line in lines:
        typer.echo(line)
    if not lines:
        settings = counted(len(sound.card), "setting of the card is", "settings of the card are")
        typer.echo(f"{settings} as when the room was measured.")
    return 1 if lines else 0


def _check(room: Room, state: Path, person: str, ask: Callable[[str], str]) -> None:
    """Talk, and write what was found. Raises Implausible, NotHeard, Unreadable."""
    check_sound_table(room.path, room.text)
    opened = [info.session for info in list_sessions(state) if not info.closed]
    if opened:
        raise NotHeard(f"session {opened[-1]} is open: its sound is left alone")
    while not re.fullmatch(r"\S{1,8}", person):
        person = ask("Your initials:")
    sound = room.table.sound
    with _an_engine(room, runtime_dir(state)) as (runtime, engine):
        _fit(engine)
        before = read_controls(sound.output)
        if is_bluetooth(engine.output, before):
            raise NotHeard(
                "the sound goes over Bluetooth, whose volume jumps to its highest at a reconnect: use a cable"
            )
        if faults := stream_faults(runtime):
            raise NotHeard("; ".join(faults))
        talk = Talk(tuple(bus.levels() for bus in sound.buses))
        _hold(talk, runtime, ask)
        card = read_controls(sound.output)
        if moved := moved_settings(before, card):
            raise NotHeard("the card's own volume moved during the check, check again: " + "; ".join(moved))
    if not talk.measured and not talk.moved:
        raise NotHeard("every bus was left out")
    target, buses = (sound.target_lufs, talk.buses) if talk.moved else settle(talk.buses, sound.target_lufs)
    on = utc_now().astimezone(system_zone()).date()
    text = room.path.read_text(encoding="utf-8")
    remembered = None if talk.moved else card
    fresh = with_sound(text, buses, target, remembered, measured=talk.measured, by=person, on=on)
    typer.echo(difference(room.path, text, fresh) or "Nothing in the room file changes.")
    while (said := ask("Write this into the room file? yes, no:").lower()) not in ("yes", "y", "no", "n"):
        pass
    if said.startswith("n"):
        typer.echo("Nothing was written.")
        raise typer.Exit(1)
    replace_room_file(room.path, fresh)
    again = ", and check again" if talk.moved else ""
    typer.echo(f"{room.path} is written. Restart daemon and sound engine for it to hold{again}.")
    if not talk.moved:
        typer.echo("Mark where the amplifier's knob stands: nobody can read that but you.")


def _hold(talk: Talk, runtime: Path, ask: Callable[[str], str]) -> None:
    """Go through a talk; whatever ends it, the tone fades out."""
    steps = talk.steps()
    answer: str | None = None
    buses = {bus.name: bus for bus in talk.buses}
    bus = talk.buses[0]
    try:
        while True:
            step = next(steps) if answer is None else steps.send(answer)
            answer = None
            match step:
                case Say():
                    typer.echo(step.text)
                case Ask():
                    answer = ask(step.question).lower()
                case Play():
                    bus = buses[step.bus]
                    play_tone(runtime, bus, step, _FADE_S, _TONE_S)
    except StopIteration:
        return
    finally:
        with contextlib.suppress(NotHeard):
            play_tone(runtime, bus, Play(bus.name), _FADE_S, _TONE_S)


def _answers(given: list[str] | None) -> Callable[[str], str]:
    """Answers from the command line, or asked of the technician. An end of answers ends the check."""
    if given is None:
        return lambda question: str(typer.prompt(question, default="", show_default=False, prompt_suffix=" ")).strip()
    left = iter(given)

    def next_answer(question: str) -> str:
        answer = next(left, None)
        if answer is None:
            raise NotHeard(f'"{question}" has no answer')
        typer.echo(f"{question} {answer}")
        return answer.strip()

    return next_answer


def _fit(engine: Engine) -> None:
    """Raise NotHeard where nobody would hear this engine, or a session would."""
    if engine.session:
        raise NotHeard(f"session {engine.session} is open: its sound is left alone")
    if engine.lost:
        raise NotHeard(f"the sound device does not play: {engine.lost}")
    if engine.output == "null":
        raise NotHeard("there is no sound device")


@contextlib.contextmanager
def _an_engine(room: Room, runtime: Path) -> Iterator[tuple[Path, Engine]]:
    """The engine that runs, or one for the check alone, and where its socket lies. Raises NotHeard."""
    found = look_at_engine(runtime)
    if found is not None:
        yield runtime, found
        return
    # In a directory of its own: whoever checks may be another user than the one that the room's engine runs as.
    with tempfile.TemporaryDirectory(prefix="stillroom-check-") as state:
        runtime = runtime_dir(Path(state))
        # It ends with us, even if we are killed: no engine of nobody's may hold the card.
        engine = [sys.executable, "-m", "controller", "sound", str(room.path.absolute()), "--state", state]
        command = ["setpriv", "--pdeathsig", "TERM", *engine]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            until = boottime() + _START_S
            while found is None and boottime() < until and process.poll() is None:
                Event().wait(0.1)
                found = look_at_engine(runtime) if (runtime / SOCKET).exists() else None
            if found is None:
                raise NotHeard("the sound engine does not start")
            yield runtime, found
            Event().wait(_FADE_S + _SILENT_S)
        finally:
            process.terminate()
            try:
                process.wait(10.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
