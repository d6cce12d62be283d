"""Whom the sources of presses tell."""

from __future__ import annotations

from typing import Protocol

from controller.inputs.settings import Button


class Hearer(Protocol):
    """Everything comes on the loop's thread."""

    def pressed(self, button: Button, press: str) -> None:
        """A press that counts."""
        ...

    def settled(self, button: Button, closed: bool) -> None:
        """How a contact stands now."""
        ...

    def reached(self, button: Button, why: str) -> None:
        """It answers again (""), or why it does not."""
        ...

    def charged(self, button: Button, low: bool, percent: float) -> None:
        """Its battery has become low or well."""
        ...
