"""The disk fills, fails or turns read-only under a running session: it goes on, and what is shown as noted is noted.

The daemon is the real one; the disks are real file systems, and the errors come from below the program.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from controller import wording
from controller.console.client import Client
from controller.journal.reading import list_sessions, read_records
from controller.messages import Mark, Note, Pause, Reply, ReserveChanged, Resume, Start
from tests.record.daemon_alone import assert_kept, begin, daemon_alone
from tests.record.disks import make_image, mounted, needs_mounts, small_disk
from tests.record.test_power_cuts import SMALL
from tests.waiting import patiently, until

SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int fails(int fd) {
    char link[64], path[4096];
    const char *when = getenv("FAILS_WHILE_THERE");
    if (!when || access(when, F_OK)) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return strstr(path, ".db") != NULL;
}

#define FAILING(kind, name, params, args)                              \
    kind name params {                                                 \
        static kind(*real) params;                                     \
        if (!real) real = (kind(*) params)dlsym(RTLD_NEXT, #name);     \
        if (fails(fd)) { errno = EIO; return -1; }                     \
        return real args;                                              \
    }

FAILING(ssize_t, write, (int fd, const void *data, size_t size), (fd, data, size))
FAILING(ssize_t, pwrite, (int fd, const void *data, size_t size, off_t at), (fd, data, size, at))
FAILING(ssize_t, pwrite64, (int fd, const void *data, size_t size, off_t at), (fd, data, size, at))
FAILING(int, fsync, (int fd), (fd))
FAILING(int, fdatasync, (int fd), (fd))
"""


def quietly(*command: str | Path) -> None:
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL)


def alarms(client: Client) -> set[str]:
    return {alarm.code for alarm in client.status.alarms}


def eat(disk: Path, name: str = "filler") -> Path:
    """Take all the room that a disk has left."""
    filler = disk / name
    with filler.open("ab", buffering=0) as file:
        for size in (4096, 512, 64, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
    return filler


async def room_goes_on_unnoted(client: Client, other: Client) -> list[asyncio.Task[Reply]]:
    """While nothing can be written: alarms everywhere, control, and nothing noted; gives what waits for the disk."""
    waiting = [asyncio.create_task(client.send(Mark(code="spoke"))) for _ in range(5)]
    await until(lambda: "journal_lost" in alarms(client) and "journal_lost" in alarms(other))
    waiting.append(asyncio.create_task(client.send(Note(text="while the disk is away"))))
    paused = asyncio.create_task(client.send(Pause()))
    await until(lambda: other.status.state == "paused")
    waiting.append(asyncio.create_task(other.send(Resume())))
    await until(lambda: client.status.state != "paused")
    refused = await client.send(Start(programme="demo", participants=("D-002",)))
    assert refused.refused == "not_recorded"
    marks = [entry for entry in other.status.log if entry.kind in ("pause", "resume")]
    assert marks
    assert all(entry.waits and wording.entry(entry)[1].startswith("not written yet: ") for entry in marks)
    assert not any(task.done() for task in waiting), "something was shown as noted that is not"
    assert not paused.done() or paused.result().values.get("path") == "engine"
    return [*waiting, paused]


async def answered(client: Client, waiting: list[asyncio.Task[Reply]]) -> list[Reply]:
    replies = await patiently(asyncio.gather(*waiting))
    assert not any(reply.refused for reply in replies)
    await until(lambda: not any(entry.waits for entry in client.status.log))
    return list(replies)


@needs_mounts
async def test_a_full_disk_costs_a_running_session_nothing_and_lets_no_new_one_begin(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 3000) as disk:
        room = "[record]\nreserve_mb = 0.3\nleast_free_mb = 0.1\n"
        async with (
            daemon_alone(tmp_path, disk / "state", room) as daemon,
            daemon.client("c0") as client,
            daemon.client("c1") as other,
        ):
            await begin(client)
            await until((disk / "state" / "reserve").exists)
            noted = [await client.send(Mark(code="spoke"))]
            eat(disk)
            for _ in range(40):  # the reserve is given up, and the record goes on in its room
                noted.append(await patiently(client.send(Mark(code="cold"))))
                if not (disk / "state" / "reserve").exists():
                    break
            noted.append(await client.send(Note(text="on record all the same")))
            await until(lambda: "disk_full" in alarms(client) and "disk_full" in alarms(other))
            refused = await client.send(Start(programme="demo", participants=("D-002",)))
            assert refused.refused == "disk_full"

            eat(disk, "filler-2")
            text = "word " * 300
            filling = [asyncio.create_task(client.send(Note(text=text))) for _ in range(10)]
            waiting = await room_goes_on_unnoted(client, other)
            for filler in disk.glob("filler*"):
                filler.unlink()
            noted += await answered(client, filling + waiting)
            await until(lambda: "journal_lost" not in alarms(client))
            await until(lambda: "disk_full" not in alarms(client) and (disk / "state" / "reserve").exists())
            daemon.end()
        assert_kept(disk / "state", [reply for reply in noted if reply.seq])
        (info,) = list_sessions(disk / "state")
        acts = [record.input.act for record, _ in read_records(info.file)]
        assert [act.there for act in acts if isinstance(act, ReserveChanged)] == [False, True]


@needs_mounts
@pytest.mark.skipif(not os.access("/sys/fs/ext4", os.W_OK), reason="the kernel is told of an error through /sys")
async def test_a_disk_that_turns_read_only_loses_nothing_that_was_noted(tmp_path: Path) -> None:
    image = tmp_path / "disk.img"
    make_image(image, 24)
    quietly("tune2fs", "-e", "remount-ro", image)
    noted = []
    with mounted(image, tmp_path / "disk") as disk:
        async with (
            daemon_alone(tmp_path, disk / "state", SMALL) as daemon,
            daemon.client("c0") as client,
            daemon.client("c1") as other,
        ):
            await begin(client)
            noted += [await client.send(Mark(code="spoke")) for _ in range(5)]
            break_file_system(disk)
            waiting = await room_goes_on_unnoted(client, other)
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
    quietly("fsck.ext4", "-p", image)
    with mounted(image, tmp_path / "after") as after:
        assert_kept(after / "state", noted)


def break_file_system(disk: Path) -> None:
    """Let the kernel find an error in it, upon which it turns read-only."""
    device = subprocess.run(["findmnt", "-no", "SOURCE", disk], check=True, capture_output=True, text=True).stdout
    Path("/sys/fs/ext4", Path(device.strip()).name, "trigger_fs_error").write_text("1")


@pytest.mark.skipif(shutil.which("gcc") is None, reason="errors are made by a small C library")
async def test_a_disk_that_gives_errors_loses_nothing_and_is_written_to_when_it_is_well(tmp_path: Path) -> None:
    source, shim, fault = tmp_path / "shim.c", tmp_path / "shim.so", tmp_path / "fault"
    source.write_text(SHIM)
    quietly("gcc", "-shared", "-fPIC", "-O1", "-w", "-o", shim, source, "-ldl")
    environment = {"LD_PRELOAD": str(shim), "FAILS_WHILE_THERE": str(fault)}
    async with (
        daemon_alone(tmp_path, tmp_path / "state", environment=environment) as daemon,
        daemon.client("c0") as client,
        daemon.client("c1") as other,
    ):
        await begin(client)
        noted = [await client.send(Mark(code="spoke")) for _ in range(5)]
        fault.touch()
        waiting = await room_goes_on_unnoted(client, other)
        before = record_count(tmp_path / "state")
        assert before < noted[-1].seq + len(waiting)
        fault.unlink()
        noted += await answered(client, waiting)
        await until(lambda: not alarms(client) & {"journal_lost", "journal_late"})
        daemon.end()
    assert_kept(tmp_path / "state", [reply for reply in noted if reply.seq])


def record_count(state_dir: Path) -> int:
    (info,) = list_sessions(state_dir)
    return info.records
