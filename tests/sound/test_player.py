"""The engine's decisions in this process, where libVLC can be made to hang."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from threading import Event

from controller.clock import RoomClock
from controller.messages import Cue, Dropout, Piece
from controller.sound.client import SoundClient
from controller.sound.player import Player
from controller.sound.protocol import LayCues, TurnTransport
from controller.sound.reporting import telemetry
from controller.sound.settings import Bus, SoundSettings
from tests.waiting import PATIENCE_S


async def until(player: Player, true: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not true():
            player.tick()
            await asyncio.sleep(0.02)


async def test_a_libvlc_that_hangs_is_left_alone_and_the_next_one_plays(
    tmp_path: Path, music: dict[str, Piece]
) -> None:
    buses = (Bus(name="speakers", channels=(1, 2)),)
    player = Player(SoundSettings(room="test", runtime_dir=tmp_path, buses=buses, output="null"))
    player.start()
    hung, release = player.decks.decoder, Event()
    hung._jobs.put(lambda: release.wait(120))
    try:
        cue = Cue(id=1, start_s=0, length_s=15, piece=music["low"])
        player.command(LayCues(session="s", plan=1, seq=1, cues=(cue,)))
        player.command(TurnTransport(session="s", seq=2, transport="play", fade_s=0.5))
        await until(player, lambda: any(e["event"] == "piece_started" for e in player.outbox))
        assert player.decks.decoder is not hung
        assert player.decks.hung == 1
        await until(player, lambda: telemetry(player)["buses"]["speakers"]["rms_dbfs"] > -40)
    finally:
        release.set()
        player.close()
        hung.shut()


async def test_what_a_device_played_as_silence_is_told_once_with_the_piece(
    tmp_path: Path, music: dict[str, Piece]
) -> None:
    buses = (Bus(name="speakers", channels=(1, 2)),)
    player = Player(SoundSettings(room="test", runtime_dir=tmp_path, buses=buses, output="null"))
    player.start()
    try:
        cue = Cue(id=1, start_s=0, length_s=15, piece=music["low"])
        player.command(LayCues(session="s", plan=1, seq=1, cues=(cue,)))
        player.command(TurnTransport(session="s", seq=2, transport="play", fade_s=0.5))
        await until(player, lambda: any(e["event"] == "piece_started" for e in player.outbox))
        player.tick()
        player.card.output.name = "device:test"
        for _ in range(2):
            player.card.output.late_blocks += 2
            player.tick()
        await until(player, lambda: any(e["event"] == "dropout" for e in player.outbox))
        (told,) = (e for e in player.outbox if e["event"] == "dropout")
        assert (told["why"], told["title"]) == ("ran_dry", "low.flac")
        assert told["lost_s"] >= 0.08
        assert SoundClient(tmp_path, RoomClock())._act_of(told) == Dropout(
            lost_s=told["lost_s"], why="ran_dry", title="low.flac"
        )
    finally:
        player.close()
