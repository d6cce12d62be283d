"""The sound engine's process: `run_engine` blocks until it is told to end.

It imports numpy late, because how many threads numpy's libraries start is decided by their environment.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
from typing import TYPE_CHECKING, Any

from controller.sound.entry import prepare_process
from controller.sound.settings import SOCKET, Bus, SoundSettings

if TYPE_CHECKING:
    from controller.sound.player import Player
    from controller.sound.server import Caller, Server

__all__ = ["Bus", "SoundSettings", "run_engine"]

_TICK_S = 0.02
_TELEMETRY_TICKS = 25
_FADE_S = 0.1
_HUNG_DECODERS = 3
"""After so many decoders that never came back the process ends, to be started anew."""


def run_engine(settings: SoundSettings) -> None:
    """Be the room's sound engine until SIGTERM or SIGINT.

    Raises SystemExit where libVLC hangs again and again: the service's restart clears what a thread cannot.
    """
    prepare_process()
    asyncio.run(_run(settings))


async def _run(settings: SoundSettings) -> None:
    from controller.sound.player import Player
    from controller.sound.server import Server

    ending = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.set)
    player = Player(settings)
    talk = _Talk(player)
    server = Server(settings.runtime_dir / SOCKET, talk.joined, talk.said)
    talk.server = server
    player.start()
    await server.open()
    # What was imported stays: a collection need not look at it again, and is short beside the mixer.
    gc.collect()
    gc.freeze()
    watching = asyncio.create_task(player.card.watch())
    try:
        await _live(player, server, ending)
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
        player.fade_out(_FADE_S)
        await asyncio.sleep(_FADE_S + 0.2)
        await server.close()
        player.close()


async def _live(player: Player, server: Server, ending: asyncio.Event) -> None:
    ticks = 0
    while not ending.is_set():
        player.tick()
        events, player.fresh_events = player.fresh_events, []
        for event in events:
            server.broadcast(event)
        if ticks % _TELEMETRY_TICKS == 0:
            server.broadcast(player.telemetry())
        ticks += 1
        if player.decoders_hung >= _HUNG_DECODERS:
            raise SystemExit("libVLC hangs")
        await asyncio.sleep(_TICK_S)


class _Talk:
    """Turns what callers say into the player's calls."""

    def __init__(self, player: Player) -> None:
        self._player = player
        self.server: Server | None = None

    def joined(self, caller: Caller) -> None:
        """Tell a new caller everything; the daemon also what happened without it."""
        from controller.sound.protocol import line

        if caller.role == "daemon":
            for event in self._player.outbox:
                if event not in self._player.fresh_events:
                    caller.send(line(event))
        caller.send(line(self._player.report()))
        caller.send(line(self._player.telemetry()))

    def said(self, caller: Caller, message: dict[str, Any]) -> None:
        """Do what a message says. Raises ValueError where it is not of the protocol."""
        from controller.sound.protocol import commands, direct_acts, line

        if "direct" in message:
            act = direct_acts.validate_python(message)
            done = self._player.direct_act(act)
            caller.send(line({"done": act.id, "boottime": done}))
            if self.server is not None:
                self.server.broadcast(self._player.report())
        elif "ack_direct" in message:
            self._player.acknowledge(direct=message["ack_direct"])
        elif "ack_events" in message:
            self._player.acknowledge(events=int(message["ack_events"]))
        else:
            self._player.command(commands.validate_python(message))
