"""The sound engine's life: `run_engine` blocks until it is told to end.

It imports numpy late, because how many threads numpy's libraries start is decided by their environment.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from controller.sound.entry import prepare_process
from controller.sound.settings import SOCKET, SoundSettings
from controller.tasks import cancel
from controller.warden import NO_PAST, Heart, Past

if TYPE_CHECKING:
    from controller.sound.player import Player
    from controller.sound.protocol import PlayTone
    from controller.sound.server import Caller, Server

_log = logging.getLogger(__name__)

_TICK_S = 0.05
_LOOK_TICKS = 2
_TELEMETRY_TICKS = 10
_FADE_S = 0.1
_LISTEN_AGAIN_S = 0.5
_HUNG_DECODERS = 6
"""With so many decoders that do not come back the process ends, to be started anew; a disk that stalls frees them."""


def run_engine(settings: SoundSettings, heart: Heart | None = None, past: Past = NO_PAST) -> None:
    """Be the room's sound engine until SIGTERM or SIGINT; goes on where the life before it, `past`, was last heard.

    Ends the process where libVLC hangs again and again: a new one clears what a thread cannot.
    """
    prepare_process()
    asyncio.run(_run(settings, heart, past))


async def _run(settings: SoundSettings, heart: Heart | None, past: Past) -> None:
    from controller.sound.player import Player
    from controller.sound.server import Server

    ending = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.set)
    player = Player(settings, past)
    talk = _Talk(player)
    server = Server(settings.runtime_dir / SOCKET, talk.joined, talk.said)
    talk.server = server
    player.start(heart.beat if heart is not None else _unwatched)
    # What was imported stays: a collection need not look at it again, and is short beside the mixer.
    gc.collect()
    gc.freeze()
    listening = asyncio.create_task(_listen(server))
    try:
        await _live(player, server, ending)
    finally:
        await cancel(listening)
        player.fade_out(_FADE_S)
        await asyncio.sleep(_FADE_S + 0.2)
        await server.close()
        player.close()


async def _listen(server: Server) -> None:
    """Open the socket, however often that takes: an engine that nobody can speak to plays what it holds."""
    told = ""
    while True:
        try:
            return await server.open()
        except OSError as error:
            if told != (told := str(error)):
                _log.error("nobody can speak to the sound engine: %s", error)
            await asyncio.sleep(_LISTEN_AGAIN_S)


async def _live(player: Player, server: Server, ending: asyncio.Event) -> None:
    from controller.sound.reporting import report, telemetry

    ticks = 0
    while not ending.is_set():
        player.tick()
        if ticks % _LOOK_TICKS == 0:
            player.card.look()
        events, player.fresh_events = player.fresh_events, []
        for event in events:
            if event["event"] == "output":
                server.broadcast(report(player))
            server.broadcast(event)
        if ticks % _TELEMETRY_TICKS == 0:
            server.broadcast(telemetry(player))
        ticks += 1
        if player.decks.hung >= _HUNG_DECODERS:
            # At once: an orderly end would wait for what hangs, in silence.
            print("libVLC hangs", file=sys.stderr, flush=True)
            os._exit(1)
        await asyncio.sleep(_TICK_S)


def _unwatched(_well: bool) -> None:
    """Nobody watches this engine."""


class _Talk:
    """Turns what callers say into the player's calls."""

    def __init__(self, player: Player) -> None:
        self._player = player
        self.server: Server | None = None

    def joined(self, caller: Caller) -> None:
        """Tell a new caller everything; the daemon also what happened without it."""
        from controller.messages import line_of
        from controller.sound.reporting import report, telemetry

        if caller.role == "daemon":
            for event in self._player.outbox:
                if event not in self._player.fresh_events:
                    caller.send(line_of(event))
        caller.send(line_of(report(self._player)))
        caller.send(line_of(telemetry(self._player)))

    def said(self, caller: Caller, message: dict[str, Any]) -> None:
        """Do what a message says. Raises ValueError where it is not of the protocol."""
        from controller.messages import from_plain, line_of
        from controller.sound.protocol import Command, DirectAct, PlayTone
        from controller.sound.reporting import report

        if "direct" in message:
            act = from_plain(DirectAct, message)
            done = self._player.direct_act(act)
            caller.send(line_of({"done": act.id, "boottime": done}))
            if self.server is not None:
                self.server.broadcast(report(self._player))
        elif "ack_direct" in message:
            self._player.acknowledge(direct=message["ack_direct"])
        elif "ack_events" in message:
            self._player.acknowledge(events=int(message["ack_events"]))
        elif "tone" in message:
            tone = from_plain(PlayTone, message)
            caller.send(line_of({"tone": tone.tone, "refused": self._play_tone(tone)}))
        else:
            self._player.command(from_plain(Command, message))  # type: ignore[arg-type]  # a union is no type[T]

    def _play_tone(self, tone: PlayTone) -> str:
        """Let the tone of a sound check sound; returns why not, as a code."""
        from controller.sound.tone import amplitude_of, noise

        player = self._player
        bus = next((bus for bus in player.settings.buses if bus.name == tone.tone), None)
        if bus is None or (bus.channels, bus.ceiling_dbfs) != (tone.channels, tone.ceiling_dbfs):
            return "room"
        if player.sheet.session:
            return "session"
        noise()  # made here and not in the mixer's thread, which has no time for it
        left, right = (amplitude_of(dbfs, bus.ceiling_dbfs) for dbfs in (tone.left_dbfs, tone.right_dbfs))
        player.mixer.command(partial(player.mixer.set_tone, bus.name, left, right, tone.fade_s, tone.for_s))
        return ""
