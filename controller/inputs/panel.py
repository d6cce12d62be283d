"""The buttons' process: hears every button of the room, and takes each press to where it belongs.

A call goes to the caller and to the daemon alike, under one id. A pause that the daemon does not take within a quarter
of a second, and the fire panel's within a tenth, goes to the sound engine itself.
Over `buttons.sock` (mode 0660), an object a line:

    panel:  {"protocol": 1, "server": "buttons", "room": ROOM}
    daemon: {"protocol": 1, "client": "daemon"}
    panel:  {"state": {"lost": {BUTTON: WHY or ""}, "low": {BUTTON: PERCENT or null}, "fires": {BUTTON: true or false}}}
                                    on connecting, at changes; a button of which nothing is known yet is not in it
    panel:  {"input": {…}}          an Input with an id, again at the next connection if it was not noted
    daemon: {"took": ID}            it was ruled; what is urgent of it is done
    daemon: {"noted": ID}           its record is on disk, or it was refused
    panel:  {"beat": n}             every 2 s
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any

from controller.alone import serve_alone
from controller.broker import BrokerLink
from controller.clock import boottime
from controller.inputs.counts import Counts
from controller.inputs.keyboard import Grab, Keyboards, grab, leave
from controller.inputs.mqtt import MqttButtons
from controller.inputs.paths import CallPath, pause_engine
from controller.inputs.settings import Button, ButtonSettings
from controller.inputs.wired import Opener, WiredButtons
from controller.messages import LEAVING_FADE_S, PROTOCOL, Call, Fire, Input, Origin, Pause, line_of
from controller.places import make_dir
from controller.serial_port import open_serial
from controller.tasks import cancel
from controller.warden import NO_PAST, Heart, Past, keep_alive

_log = logging.getLogger(__name__)

SOCKET = "buttons.sock"
BEAT_S = 2.0
_HEARTBEATS = 8
"""Signs of life to the warden between two to the daemon."""
_SILENT_S = 2.0
"""A process that gives the warden none for so long is started anew."""
_TAKEN_S = 0.25
_FIRE_TAKEN_S = 0.1
"""The daemon takes an act within milliseconds; this and the fade together let the music be out in two seconds."""
_KEPT_S = 5.0
"""An act that reached no daemon by then is forgotten: it would be a surprise."""
_KEPT_URGENT_S = 60.0
_HELLO_S = 5.0
_MODE = 0o660


@dataclass(slots=True)
class _Kept:
    given: Input
    born: float
    taken: bool = False

    @property
    def fresh(self) -> bool:
        kept = _KEPT_URGENT_S if isinstance(self.given.act, Call | Fire) else _KEPT_S
        return boottime() - self.born < kept


class Panel:
    """All the buttons of a room. `opener` and `grabbing`: how ports and keyboards are had."""

    def __init__(self, settings: ButtonSettings, *, opener: Opener = open_serial, grabbing: Grab | None = None) -> None:
        self._settings = settings
        link = BrokerLink(settings.broker)
        chosen = grabbing or (leave if settings.simulated else grab)
        self._sources = (
            MqttButtons(settings.buttons, link, self, Counts(settings.runtime_dir / "buttons.counts")),
            WiredButtons(settings.buttons, self, opener),
            Keyboards(settings.buttons, self, chosen),
        )
        self._calls = CallPath(settings.runtime_dir)
        self._lost: dict[str, str] = {}
        self._low: dict[str, float | None] = {}
        self._fires: dict[str, bool] = {}
        self._kept: dict[str, _Kept] = {}
        self._daemons: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, stop: asyncio.Event, beat: Callable[[], None] = lambda: None) -> None:
        """Serve until `stop`, calling `beat` all the time; raises OSError where the socket cannot be opened."""
        path = self._settings.runtime_dir / SOCKET
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        server = await asyncio.start_unix_server(self._serve, str(path))
        path.chmod(_MODE)
        self._calls.link.start()
        for source in self._sources:
            source.start()
        self._begin(self._beat(beat))
        try:
            await stop.wait()
        finally:
            server.close()
            for source in reversed(self._sources):
                await source.close()
            await self._calls.link.close()
            await cancel(*self._tasks, *self._daemons.values())
            path.unlink(missing_ok=True)

    # --- what the buttons say ---------------------------------------------------------------------------------

    def pressed(self, button: Button, press: str) -> None:
        """Do what the room file has for this press."""
        action = button.does.get(press)
        if action is None:
            return
        _log.info("%s: %s", button.name, press)
        origin = _origin(button)
        if action.call is not None:
            call, level = self._calls.place(action.call, origin)
            self._send(Input(act=Call(call=call, level=level), origin=origin))
        elif action.fire and button.kind.contact is None:  # a press has no end to wait for
            self._fire(button, True)
            self._fire(button, False)
        elif action.act is not None:
            self._send(Input(act=action.act, origin=origin))

    def settled(self, button: Button, closed: bool) -> None:
        """A contact of the fire panel is a state: it stands for as long as it stands."""
        action = button.does.get("closed" if closed else "open")
        if any(each.fire for each in button.does.values()):
            self._fire(button, action is not None and action.fire)

    def reached(self, button: Button, why: str) -> None:
        """It answers, or does not."""
        before = self._lost.get(button.name)
        if why == before or (why and before):
            return
        self._lost[button.name] = why
        if why or before:
            _log.warning("%s: %s", button.name, why or "answers again")
        self._say_state()

    def charged(self, button: Button, low: bool, percent: float) -> None:
        """Its battery is low, or well again."""
        self._low[button.name] = percent if low else None
        self._say_state()

    def _fire(self, button: Button, standing: bool) -> None:
        if standing is self._fires.get(button.name):
            return
        self._fires[button.name] = standing
        if standing:
            _log.warning("%s: fire", button.name)
            self._send(Input(act=Fire(contact=button.name), origin=_origin(button)))
        self._say_state()

    # --- to the daemon ----------------------------------------------------------------------------------------

    def _send(self, given: Input) -> None:
        self._kept = {key: kept for key, kept in self._kept.items() if kept.fresh}
        self._kept[given.id] = _Kept(given, boottime())
        self._push({"input": given})
        if isinstance(given.act, Pause | Fire):
            self._begin(self._go_direct(given))

    async def _go_direct(self, given: Input) -> None:
        leaving = isinstance(given.act, Fire)
        if self._daemons:
            await asyncio.sleep(_FIRE_TAKEN_S if leaving else _TAKEN_S)
        kept = self._kept.get(given.id)
        if kept is not None and not kept.taken:
            act_id = f"{given.id}-pause" if leaving else given.id
            fade_s = LEAVING_FADE_S if leaving else None
            await pause_engine(self._settings.runtime_dir, act_id, given.origin, fade_s)

    def _say_state(self) -> None:
        self._push(self._state())

    def _state(self) -> dict[str, Any]:
        return {"state": {"lost": self._lost, "low": self._low, "fires": self._fires}}

    def _push(self, message: dict[str, Any]) -> None:
        line = line_of(message)
        for writer in self._daemons:
            if not writer.is_closing():
                writer.write(line)

    async def _beat(self, beat: Callable[[], None]) -> None:
        for count in itertools.count(1):
            for _ in range(_HEARTBEATS):
                beat()
                await asyncio.sleep(BEAT_S / _HEARTBEATS)
            self._push({"beat": count})

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(line_of({"protocol": PROTOCOL, "server": "buttons", "room": self._settings.room}))
        self._daemons[writer] = asyncio.current_task()
        try:
            async with asyncio.timeout(_HELLO_S):
                hello = json.loads(await reader.readline())
            if hello.get("protocol") != PROTOCOL:
                writer.write(line_of({"error": "protocol", "server": PROTOCOL}))
                return
            for kept in self._kept.values():
                if kept.fresh:
                    writer.write(line_of({"input": kept.given}))
            writer.write(line_of(self._state()))
            while line := await reader.readline():
                self._answered(json.loads(line))
        except (OSError, ValueError, AttributeError, TimeoutError) as error:
            _log.debug("a daemon left: %r", error)
        except asyncio.CancelledError:
            pass  # only `run` cancels, and asyncio's own callback would complain of it
        finally:
            del self._daemons[writer]
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def _answered(self, message: dict[str, Any]) -> None:
        self._kept.pop(message.get("noted", ""), None)
        if (kept := self._kept.get(message.get("took", ""))) is not None:
            kept.taken = True

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def keep_panel(settings: ButtonSettings) -> None:
    """Be the warden of the room's buttons until SIGTERM or SIGINT: a press is heard although their process hung.

    Raises SystemExit where the room's buttons are watched already.
    """
    keep_alive("buttons", settings.runtime_dir, partial(run_panel, settings), silent_s=_SILENT_S)


def run_panel(settings: ButtonSettings, heart: Heart | None = None, _past: Past = NO_PAST) -> None:
    """Run until SIGTERM or SIGINT. Raises RuntimeError when this room's buttons are run already."""
    make_dir(settings.runtime_dir)
    taken = "the buttons of this room are run already"
    serve_alone(
        settings.runtime_dir / "buttons.lock", taken, lambda: Panel(settings).run, heart.beat if heart else None
    )


def _origin(button: Button) -> Origin:
    return Origin(console=f"button.{button.name}", path="button")
