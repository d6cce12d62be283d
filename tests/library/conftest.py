from __future__ import annotations

from pathlib import Path

import pytest

from controller.library.generate import make_demo_library


@pytest.fixture(scope="session")
def demo_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's music, made once for all tests."""
    directory = tmp_path_factory.mktemp("music")
    make_demo_library(directory)
    return directory
