"""A DMX widget and relay boards that are not there, behind real ptys; they remember what they were told, and when."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from controller.lights.board import Asking, Board
from controller.serial_pty import PtyDevice


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame that reached the widget: CLOCK_BOOTTIME, the whole message, and its slots, channel 1 first."""

    at: float
    message: bytes
    slots: bytes


class SimulatedWidget(PtyDevice):
    """An ENTTEC DMX USB Pro: reads its messages by their length, whatever bytes they hold, and keeps every frame.

    `damaged` counts what was no message.
    """

    def __init__(self, link: Path) -> None:
        super().__init__(link)
        self.frames: list[Frame] = []
        self.damaged = 0
        self._rest = b""

    def plug(self) -> None:
        """Appear."""
        self._rest = b""
        super().plug()

    def slot(self, channel: int) -> int:
        """What a channel (1..512) stands at; 0 before any frame."""
        return self.frames[-1].slots[channel - 1] if self.frames else 0

    def _heard(self, data: bytes, at: float) -> None:
        self._rest += data
        while len(self._rest) >= 5:
            length = self._rest[2] | self._rest[3] << 8
            whole = length + 5
            if self._rest[0] != 0x7E or length > 600:
                self.damaged += 1
                self._rest = self._rest[1:]
            elif len(self._rest) < whole:
                return
            else:
                message, self._rest = self._rest[:whole], self._rest[whole:]
                if message[-1] == 0xE7 and message[1] == 6 and message[4] == 0:
                    self.frames.append(Frame(at, message, message[5:-1]))
                else:
                    self.damaged += 1


class SimulatedBoard(PtyDevice):
    """A relay board of any profile: switches, answers if its profile says how, and is released when it is unplugged."""

    def __init__(self, link: Path, board: Board) -> None:
        super().__init__(link)
        self.on = [False] * board.channels
        self.switched: list[tuple[float, int, bool]] = []
        """(CLOCK_BOOTTIME, channel from 1, on): every command that came."""
        self.answers = True
        self._commands = {
            board.switch(channel, on): (channel, on) for channel in range(1, board.channels + 1) for on in (True, False)
        }
        self._asks = {board.ask(channel): channel for channel in range(1, board.channels + 1)} if board.status else {}
        self._board = board
        self._rest = b""

    def plug(self) -> None:
        """Appear, with every relay released."""
        self.on = [False] * len(self.on)
        super().plug()

    def unplug(self) -> None:
        """Vanish; twice is fine."""
        super().unplug()
        self.on = [False] * len(self.on)

    def turn(self, channel: int, on: bool) -> None:
        """Move a relay by another hand."""
        self.on[channel - 1] = on

    def _heard(self, data: bytes, at: float) -> None:
        self._rest += data
        while message := next((each for each in (*self._commands, *self._asks) if self._rest.startswith(each)), b""):
            self._rest = self._rest[len(message) :]
            if message in self._commands:
                channel, on = self._commands[message]
                self.on[channel - 1] = on
                self.switched.append((at, channel, on))
            elif self.answers and self._board.status is not None:
                asked = range(1, len(self.on) + 1) if self._board.status.of_all else (self._asks[message],)
                echo = message if self._board.status.ask.text else b""
                self.send(echo + b"".join(self._state_of(channel, self._board.status) for channel in asked))
        known = (*self._commands, *self._asks)
        if self._rest and not any(each.startswith(self._rest) for each in known):
            self._rest = b""

    def _state_of(self, channel: int, status: Asking) -> bytes:
        said = status.on if self.on[channel - 1] else status.off
        return said.bytes_for(channel - 1 + self._board.first_channel)


def frames_per_second(frames: list[Frame]) -> float:
    """Mean rate of these frames."""
    return (len(frames) - 1) / (frames[-1].at - frames[0].at) if len(frames) > 1 else 0.0
