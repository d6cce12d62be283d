"""The sound card's own volumes and mutes, which lie behind everything that was measured: read, and compared later.

ALSA's are read with `amixer` (alsa-utils), PulseAudio's and PipeWire's with `pactl`; nothing here changes any.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

_CARDS = Path("/proc/asound/cards")
_CARD = re.compile(r"^ *(\d+) \[(\S+) *\]", re.MULTILINE)
_WANTED_CARD = re.compile(r"(?:plug)?hw:(?:CARD=)?(\w+)")
_CONTROL = re.compile(r"Simple mixer control '(.+)',(\d+)$")
_CHANNEL = re.compile(r"^  (Mono|Front|Rear|Side|Center|Woofer|Channel|Left|Right)[^:]*:")

_PATIENCE_S = 5.0


class Unreadable(Exception):
    """The card's settings cannot be read; says why and what to do."""


def read_controls(output: str) -> dict[str, str]:
    """The settings behind a room's `output`, by name: "alsa ICUSBAUDIO7D PCM Front Left": "74% -6.00dB on".

    Of PulseAudio the default sink alone. Raises Unreadable where a card is there that cannot be read.
    """
    if output.startswith(("file:", "null")):
        return {}
    found: dict[str, str] = {}
    wanted = _WANTED_CARD.search(output)
    for number, name in _cards():
        if wanted is None or wanted[1] in (number, name):
            text = _said("amixer", "-c", number, "scontents")
            if text is None:
                raise Unreadable("the card's own mixer cannot be read: apt install alsa-utils")
            found |= {f"alsa {name} {control}": value for control, value in parse_scontents(text).items()}
    if wanted is None and (sinks := _said("pactl", "--format=json", "list", "sinks")) is not None:
        default = (_said("pactl", "get-default-sink") or "").strip()
        found |= parse_sinks(sinks, default)
    return found


def moved_settings(remembered: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """What is no longer as it was, a line each; empty while nothing has moved."""
    moved = []
    for name, before in remembered.items():
        after = now.get(name)
        if after is None:
            moved.append(f"{name}: was {before}, is not there")
        elif after != before:
            moved.append(f"{name}: was {before}, is {after}")
    return moved + [f"{name}: is {value}, was not there" for name, value in now.items() if name not in remembered]


def find_moves(remembered: Mapping[str, str], output: str, runtime_dir: Path) -> list[str]:
    """What no longer is as it was when a room was measured, a line each; plays nothing. For a preflight.

    `remembered`: the room file's sound.card; `output`: its sound.output. What cannot be read is such a line too.
    """
    try:
        found = moved_settings(remembered, read_controls(output))
    except Unreadable as why:
        found = [str(why)]
    try:
        found += stream_faults(runtime_dir)
    except Unreadable as why:
        found.append(str(why))
    return list(dict.fromkeys(found))


def stream_faults(runtime_dir: Path) -> list[str]:
    """Whether PulseAudio plays the running engine's own stream as it is: it remembers volumes by program.

    A line for each fault; none where no engine runs, or not by PulseAudio. Raises Unreadable.
    """
    try:
        pid = (runtime_dir / "sound.life").read_text(encoding="ascii").strip()
    except OSError:
        return []
    streams = _said("pactl", "--format=json", "list", "sink-inputs")
    return [] if streams is None else parse_streams(streams, pid)


def is_bluetooth(output: str, controls: Mapping[str, str]) -> bool:
    """Whether the sound goes over Bluetooth, whose volume jumps to its highest at a reconnect."""
    return any(word in name.lower() for name in (output, *controls) for word in ("bluez", "bluealsa", "bluetooth"))


def parse_scontents(text: str) -> dict[str, str]:
    """What `amixer scontents` says of playback: "Master Front Left": "74% -6.00dB on"; recording is left out."""
    found: dict[str, str] = {}
    control, playback = "", False
    for line in text.splitlines():
        if head := _CONTROL.match(line):
            control = head[1] + (f" {head[2]}" if head[2] != "0" else "")
            playback = False
        elif line.strip().startswith("Capabilities:"):
            words = line.split()
            playback = bool({"pvolume", "pswitch", "volume", "switch", "pvolume-joined", "pswitch-joined"} & {*words})
        elif line.strip().startswith("Item0:"):
            found[control] = line.split(":", 1)[1].strip().strip("'")
        elif playback and _CHANNEL.match(line):
            channel, _, value = line.strip().partition(":")
            if said := _playback(value):
                found[f"{control} {channel}"] = said
    return found


def _playback(value: str) -> str:
    """The part of a channel's line that is about playing: "Playback 55 [74%] [-6.00dB] [on]"."""
    playing = value.split("Capture", 1)[0]
    return " ".join(re.findall(r"\[([^\]]+)\]", playing))


def parse_sinks(text: str, default: str) -> dict[str, str]:
    """What `pactl --format=json list sinks` says of the default sink: "pulse NAME front-left": "74% -7.85 dB on".

    Raises Unreadable.
    """
    found: dict[str, str] = {}
    with _understanding():
        for sink in json.loads(text):
            if sink["name"] == default:
                mute = "off" if sink["mute"] else "on"
                for channel, volume in sink["volume"].items():
                    found[f"pulse {default} {channel}"] = f"{volume['value_percent']} {volume['db']} {mute}"
                if port := sink.get("active_port"):
                    found[f"pulse {default} port"] = str(port)
    return found


@contextlib.contextmanager
def _understanding() -> Iterator[None]:
    """While a sound server's words are read: other versions may say it in other ways. Raises Unreadable."""
    try:
        yield
    except (ValueError, LookupError, TypeError, AttributeError):
        raise Unreadable("what pactl says of the sound server's volumes cannot be understood") from None


def parse_streams(text: str, pid: str) -> list[str]:
    """What is wrong with a process's streams in `pactl --format=json list sink-inputs`, a line each.

    Raises Unreadable.
    """
    faults = []
    with _understanding():
        for stream in json.loads(text):
            if stream["properties"].get("application.process.id") != pid:
                continue
            number = stream["index"]
            if stream["mute"]:
                faults.append(f"PulseAudio mutes the engine's stream: pactl set-sink-input-mute {number} 0")
            levels = {volume["value_percent"] for volume in stream["volume"].values()}
            if levels != {"100%"}:
                shown = ", ".join(sorted(levels))
                way = f"pactl set-sink-input-volume {number} 100%"
                faults.append(f"PulseAudio plays the engine's stream at {shown}: {way}")
    return faults


def _cards() -> list[tuple[str, str]]:
    """ALSA's cards: number and short name."""
    try:
        return _CARD.findall(_CARDS.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return []


def _said(*command: str) -> str | None:
    """What a command prints; None where it is not there, fails or hangs."""
    words = {**os.environ, "LC_ALL": "C.UTF-8"}
    try:
        done = subprocess.run(command, env=words, capture_output=True, timeout=_PATIENCE_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace")
