"""The console's screens as they were last looked at: `python -m tests.console.picture --store` renews them."""

from __future__ import annotations

import contextlib
import difflib
import os
import time
from collections.abc import Iterator

import pytest

from controller.messages import telling_words
from tests.console.console_font import known
from tests.console.picture import SCREENS, pictures, shown, told_of
from tests.waiting import until


@pytest.fixture(autouse=True)
def _own_zone() -> Iterator[None]:
    before = os.environ.get("TZ")
    yield
    if before is None:
        os.environ.pop("TZ", None)
    else:
        os.environ["TZ"] = before
    time.tzset()


@pytest.mark.parametrize("name", sorted(pictures()))
async def test_a_screen_is_as_it_was_looked_at(name: str) -> None:
    stored = SCREENS / f"{name}.txt"
    assert stored.exists(), f"python -m tests.console.picture --store {name}"
    wanted = stored.read_text(encoding="utf-8")
    picture = pictures()[name]
    async with shown(picture) as app:
        with contextlib.suppress(TimeoutError):  # it may not be painted yet
            await until(lambda: told_of(app, picture) == wanted, within=10.0)
        found = told_of(app, picture)
    told = "\n".join(difflib.unified_diff(wanted.splitlines(), found.splitlines(), "stored", "now", lineterm=""))
    assert found == wanted, f"{told}\nif it is meant: python -m tests.console.picture --store {name}"


def test_every_stored_screen_has_its_picture() -> None:
    assert {path.stem for path in SCREENS.glob("*.txt")} == set(pictures())


@pytest.mark.parametrize("name", sorted(name for name in pictures() if "linux" in name))
def test_a_screen_of_the_linux_look_has_no_sign_beyond_the_consoles_font(name: str) -> None:
    assert set((SCREENS / f"{name}.txt").read_text(encoding="utf-8")) - {"\n"} <= known()


@pytest.mark.parametrize("name", sorted(name for name in pictures() if name.startswith("blinded")))
def test_a_blinded_screen_tells_neither_substance_nor_dose(name: str) -> None:
    assert telling_words((SCREENS / f"{name}.txt").read_text(encoding="utf-8")) == []
