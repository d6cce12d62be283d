"""Which act is allowed in which state of the session, in one place. An act that is not listed is always allowed."""

from __future__ import annotations

from controller.messages import Act, Mode, Refused

OPEN: frozenset[Mode] = frozenset({"ready", "running", "paused", "waiting"})
UNDER_WAY: frozenset[Mode] = frozenset({"running", "paused", "waiting"})

ALLOWED: dict[str, frozenset[Mode]] = {
    "start": frozenset({"idle", "ended"}),
    "dose": OPEN,
    "vitals": OPEN,
    "mark": OPEN,
    "note": OPEN,
    "resume": UNDER_WAY,
    "hold": frozenset({"running"}),
    "go": UNDER_WAY,
    "quiet": frozenset({"running", "waiting"}),
    "end": OPEN,
    "planned": OPEN,
}


def check_allowed(act: Act, mode: Mode) -> None:
    """Raise Refused where the state of the session does not allow the act."""
    modes = ALLOWED.get(act.kind)
    if modes is None or mode in modes:
        return
    if act.kind == "start":
        raise Refused("session_open")
    if mode in ("idle", "ended"):
        raise Refused("no_session", what=act.kind)
    raise Refused("wrong_state", what=act.kind, state=mode)
