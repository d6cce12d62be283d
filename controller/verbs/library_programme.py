"""Which pieces of a library a programme draws on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from controller.arc.programme import SILENCE, Phase, Programme
from controller.arc.sources import Music
from controller.files import ConfigError, did_you_mean
from controller.messages import Piece


class ProgrammeMusic:
    """The sources of a programme's phases and sets, by the name of each."""

    def __init__(self, programme: Programme, only: str = "") -> None:
        self._programme = programme
        self.name = programme.name
        phases = [phase for phase in programme.phases if not only or phase.code == only]
        self._sources = {p.code: _source(p) for p in phases if p.source != SILENCE}
        if not only:
            self._sources |= {each.code: each.music for each in programme.sets}

    def phase(self, code: str) -> Phase:
        """A phase by its code; raises ConfigError that names the nearest."""
        for phase in self._programme.phases:
            if phase.code == code:
                return phase
        codes = [phase.code for phase in self._programme.phases]
        raise ConfigError([f'{self.name} has no phase "{code}"{did_you_mean(code, codes)}'])

    def of_phase(self, code: str) -> ProgrammeMusic:
        """What one phase alone draws on."""
        return ProgrammeMusic(self._programme, self.phase(code).code)

    def uses(self, path: str, tags: Sequence[str] | None = None) -> bool:
        """Whether a phase or set may draw on a file; one whose `tags` are not known may be among any tagged."""
        return any(_draws(source, path, tags) for source in self._sources.values())

    def without(self, pieces: Sequence[Piece]) -> list[str]:
        """The phases and sets for which there is none among the pieces."""
        return [
            who
            for who, source in self._sources.items()
            if not any(_draws(source, piece.path, piece.tags) for piece in pieces)
        ]

    @staticmethod
    def allows(phase: Phase, piece: Piece) -> bool:
        """Whether a phase's own rules let a piece in."""
        return (phase.vocals or not piece.vocals) and piece.language not in phase.exclude_languages


def _source(phase: Phase) -> Music:
    return phase.music if phase.music != Music() else Music(folder=phase.code)


def _draws(source: Music, path: str, tags: Sequence[str] | None) -> bool:
    """A playlist's entries are known only in the room; it may hold any file."""
    if source.pieces and not any(path.endswith(f"/{entry}") for entry in source.pieces):
        return False
    if source.tags and tags is not None and not {tag.lower() for tag in source.tags} & set(tags):
        return False
    folder = tuple(part for part in source.folder.split("/") if part)
    parts = Path(path).parent.parts
    return not folder or any(parts[at : at + len(folder)] == folder for at in range(len(parts)))
