"""Every verb of `stillroom ctl`: a module of them is named here once."""

from __future__ import annotations

from controller.ctl import acts_of, app, blinding, booking, clinical, live, people, preflight

__all__ = ["acts_of", "app", "blinding", "booking", "clinical", "live", "people", "preflight"]
