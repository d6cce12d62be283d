"""`stillroom journal`, whole: the verbs that read the record, and those that add to it or carry it away."""

from __future__ import annotations

from controller.verbs.archive import add, amend, redact, sign
from controller.verbs.backup import backup, restore, retention
from controller.verbs.export import export
from controller.verbs.journal import app
from controller.verbs.study import fidelity

for verb in (export, sign, add, amend, redact, backup, restore, retention, fidelity):
    app.command()(verb)

__all__ = ["app"]
