"""The pieces that a room can draw on, by the sources that a programme names."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from os.path import normpath
from pathlib import Path

from controller.arc.planner import PlanRequest, plan
from controller.arc.programme import SILENCE, Programme
from controller.arc.shelves import Pool
from controller.arc.sources import Music
from controller.config import Room, load_programme
from controller.exchange.reading import read_listing
from controller.files import ConfigError, did_you_mean
from controller.library.catalogue import Catalogue
from controller.messages import Piece

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Library:
    """The measured pieces below a room's music folders. `names`: the path below its folder of each piece."""

    folders: tuple[Path, ...]
    names: dict[str, Piece]

    @classmethod
    def of(cls, pieces: Iterable[Piece], folders: Iterable[Path]) -> Library:
        """From the catalogue's pieces; of two files with the same name below two folders, the first folder's counts."""
        tops = tuple(folder.absolute() for folder in folders)
        names: dict[str, Piece] = {}
        for piece in pieces:
            for top in tops:
                if piece.path.startswith(f"{top}/"):
                    names.setdefault(piece.path[len(str(top)) + 1 :], piece)
                    break
        return cls(tops, names)

    def folder_names(self) -> set[str]:
        """The names of all folders that hold music, at any depth."""
        return {str(parent) for name in self.names for parent in Path(name).parents if str(parent) != "."}

    def tags(self) -> set[str]:
        """All tags in use."""
        return {tag for piece in self.names.values() for tag in piece.tags}


class RoomPool:
    """A room's pool for a programme, made anew only where catalogue, playlists or programme have changed.

    Sessions open and plan on threads of their own: what was made is taken and put as one.
    """

    def __init__(self, state_dir: Path, room: Room) -> None:
        self._state_dir = state_dir
        self._room = room
        self._made: tuple[object, object, Pool] = (None, None, Pool({}))
        """What for, from what, and the pool."""

    def pool(self, programme: Programme, beside: Path | None = None) -> Pool:
        """The pool. A source that cannot be found is empty here: a session goes on with what there is.

        Raises what reading the catalogue raises, where no earlier pool of the programme can stand in.
        """
        wanted = (programme.name, tuple(_musics(programme)), beside)
        stamps = [_stamp(path) for path in self._sources(programme, beside)]
        made_for, made_from, pool = self._made
        if made_for == wanted and made_from == stamps:
            return pool
        try:
            library = read_library(self._state_dir, self._room)
        except Exception:
            if made_for != wanted:
                raise
            log.exception("the library cannot be read: its music is taken to be as it was")
            return pool
        pool, _ = resolve_sources(programme, library, beside)
        self._made = wanted, stamps, pool
        return pool

    def _sources(self, programme: Programme, beside: Path | None) -> Iterator[Path]:
        """Every file that the pool is made from, whether it is there or not."""
        yield from (self._state_dir / name for name in ("library.db", "library.db-wal"))
        for _, _, music in _musics(programme):
            if music.playlist:
                yield from _places(music.playlist, beside, self._room.table.music.folders)


def read_library(state_dir: Path, room: Room) -> Library:
    """What was measured below a room's music folders."""
    return library_below(state_dir, *room.table.music.folders)


def library_below(state_dir: Path, *tops: Path) -> Library:
    """What was measured below these folders."""
    folders = [folder.resolve() for folder in tops]
    with closing(Catalogue(state_dir)) as catalogue:
        return Library.of(catalogue.pieces(folders), folders)


def missing_music(state_dir: Path, room: Room, programmes: Iterable[Path]) -> list[str]:
    """A sentence for each source of these programmes in which the room has no piece."""
    if not (state_dir / "library.db").is_file():  # looking must not make one
        return [f"{room.path}: nothing is measured in {state_dir}: stillroom library scan measures the room's music"]
    library = read_library(state_dir, room)
    found = (resolve_sources(load_programme(path), library, path.parent)[1] for path in programmes)
    return [f"{room.path}: {mistake}" for mistakes in found for mistake in mistakes]


def shortages(programme: Programme, library: Library, beside: Path | None = None) -> list[tuple[str, float]]:
    """The phases that this music cannot fill to their end, by title, and by how many minutes: a minute or more."""
    pool, _ = resolve_sources(programme, library, beside)
    laid = plan(PlanRequest(programme=programme, pool=pool, arc_s=-programme.arrival_s, phase=0, timeline_s=0.0))
    short = {str(fact.values["phase"]): float(fact.values["minutes"]) for fact in laid.reasons if fact.code == "short"}
    return [(phase.title, short[phase.code]) for phase in programme.phases if short.get(phase.code, 0.0) >= 1.0]


def resolve_sources(programme: Programme, library: Library, beside: Path | None = None) -> tuple[Pool, list[str]]:
    """The pieces of each source in the order of its listing, and a sentence for each that names nothing.

    Copies of one file are one piece, also where they lie in the folders of two phases: the first that is listed.
    """
    sources: dict[str, list[Piece]] = {}
    firsts: dict[str, Piece] = {}
    mistakes: list[str] = []
    if not library.names:
        where = ", ".join(str(folder) for folder in library.folders) or "any folder: the room names none"
        return Pool({}), [f"{programme.name}: nothing is measured below {where}: stillroom library scan measures it"]
    for place, source, music in _musics(programme):
        if source in sources:
            continue
        found, wrong = _resolve(music, source, library, beside)
        same = (firsts.setdefault(piece.digest or piece.path, piece) for piece in found)
        sources[source] = list(dict.fromkeys(same))
        mistakes += [f"{programme.name}: {place}: {sentence}" for sentence in wrong]
        if not found and not wrong:
            mistakes.append(f"{programme.name}: {place}: no piece is in all that it names")
    copies = [piece for piece in library.names.values() if firsts.get(piece.digest, piece).path != piece.path]
    return Pool(sources, copies), mistakes


def _musics(programme: Programme) -> Iterator[tuple[str, str, Music]]:
    """(place in the file, source, music) of every phase and set with music."""
    for phase in programme.phases:
        if phase.source != SILENCE:
            yield f'phases "{phase.code}".music', phase.source, phase.music
    for one in programme.sets:
        yield f'sets "{one.code}".music', one.source, one.music


def _resolve(music: Music, source: str, library: Library, beside: Path | None) -> tuple[list[Piece], list[str]]:
    """Pieces that are in everything the source names, in the order of the most exact listing."""
    wrong: list[str] = []
    listed: list[str] | None = None
    if music.pieces:
        listed, wrong = _listed(music.pieces, library, "pieces: there is no")
    elif music.playlist:
        listed, wrong = _playlist(music.playlist, library, beside)
    names: Sequence[str] = list(library.names) if listed is None else listed
    folder = music.folder or ("" if listed is not None or music.tags else source)
    if folder:
        inside = folder.strip("/") + "/"
        if not any(name.startswith(inside) for name in library.names):
            wrong.append(f'there is no folder "{folder}"{did_you_mean(folder, library.folder_names())}')
        names = [name for name in names if name.startswith(inside)]
    if music.tags:
        known = library.tags()
        wrong += [f'no piece has the tag "{tag}"{did_you_mean(tag, known)}' for tag in music.tags if tag not in known]
        names = [name for name in names if not set(music.tags).isdisjoint(library.names[name].tags)]
    return [library.names[name] for name in names], wrong


def _listed(entries: Iterable[str], library: Library, said: str) -> tuple[list[str], list[str]]:
    names, wrong = [], []
    for entry in entries:
        name = _name_of(entry, library)
        if name in library.names:
            names.append(name)
        else:
            wrong.append(f'{said} "{entry}"{did_you_mean(entry, library.names)}')
    return list(dict.fromkeys(names)), wrong


def _name_of(entry: str, library: Library) -> str:
    """An entry as a path below a music folder, also where its way goes up and down or through a link."""
    plain = normpath(entry)
    if not entry.startswith("/"):
        return plain
    path = Path(entry)
    ways = (plain, str(path.parent.resolve() / path.name))
    below = [way[len(str(top)) + 1 :] for way in ways for top in library.folders if way.startswith(f"{top}/")]
    return next((name for name in below if name in library.names), entry)


def _places(playlist: str, beside: Path | None, folders: Iterable[Path]) -> list[Path]:
    """Where a playlist may lie; the first that is there counts."""
    return [folder / playlist for folder in (*([beside] if beside else []), *folders)]


def _playlist(name: str, library: Library, beside: Path | None) -> tuple[list[str], list[str]]:
    """The entries of a playlist: paths, absolute or from the list's own folder or from a music folder."""
    path = next((place for place in _places(name, beside, library.folders) if place.is_file()), None)
    if path is None:
        there = {p.name for folder in (beside, *library.folders) if folder for p in folder.glob("*.m3u*")}
        return [], [f'there is no playlist "{name}"{did_you_mean(name, there)}']
    try:
        entries = [entry.location for entry in read_listing(path)]
    except ConfigError as error:
        return [], list(error.mistakes)
    own = [str((path.parent / entry).absolute()) for entry in entries]
    best = [
        mine if _name_of(mine, library) in library.names else entry for mine, entry in zip(own, entries, strict=True)
    ]
    return _listed(best, library, f"{name}: the library has no")


def _stamp(path: Path) -> tuple[int, int]:
    """When a file was last written to, and its size; zeros where there is none."""
    try:
        stat = path.stat()
    except OSError:
        return 0, 0
    return stat.st_mtime_ns, stat.st_size
