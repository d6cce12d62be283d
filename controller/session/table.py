"""Which act is allowed in which state of the session: the whole of it, on one page.

An act of the machine's that is not in the table is always allowed. Beyond it a rule may refuse what makes no sense at
that moment, such as a hold while landing; see the rule's own module.
"""

from __future__ import annotations

from typing import get_args

from controller.messages import Act, Input, Mode, Refused

TABLE = """
                 idle  ready  running  paused  waiting  ended
start             x      .       .       .        .       x
begin_preflight   x      .       .       .        .       x
answer_preflight  x      .       .       .        .       x
run_preflight     x      .       .       .        .       x
override_preflight x     .       .       .        .       x
drop_preflight    x      .       .       .        .       x
dose              .      x       x       x        x       .
correct_dose      .      x       x       x        x       .
decline_booster   .      x       x       x        x       .
vitals            .      x       x       x        x       .
stable            .      x       x       x        x       .
release_answer    .      x       x       x        x       .
leave             .      x       x       x        x       .
masking_guess     .      x       x       x        x       .
release           .      x       x       x        x       .
touch             .      x       x       x        x       .
adverse_event     .      x       x       x        x       .
update_event      .      x       x       x        x       .
challenge         .      x       x       x        x       .
amend             .      x       x       x        x       .
mark              .      x       x       x        x       .
note              .      x       x       x        x       .

pause             x      x       x       x        x       x
evacuate          x      x       x       x        x       x
resume            .      .       x       x        x       .
hold              .      .       x       .        .       .
quiet             .      .       x       .        x       .
go                .      .       x       x        x       .
catch_up          .      .       x       x        x       .
land              .      .       x       x        x       .
shorten           .      .       x       x        .       .
skip              .      .       x       .        x       .
next              .      .       x       .        x       .
ground            .      .       x       .        x       .
set_limits        .      x       x       x        x       .
end               .      x       x       x        x       .

softer            x      x       x       x        x       x
volume            x      x       x       x        x       x
light             x      x       x       x        x       x
take_back         x      x       x       x        x       x
see_alarm         x      x       x       x        x       x
call              x      x       x       x        x       x
stand_down        x      x       x       x        x       x

signed_off        x      x       x       x        x       x
break_begun       .      x       x       x        x       .
break_over        .      x       x       x        x       .

planned           .      x       x       x        x       .
probed            x      .       .       .        .       x
"""


def _read(table: str) -> dict[str, frozenset[Mode]]:
    head, *rows = (line.split() for line in table.strip().splitlines() if line.strip())
    modes: dict[str, Mode] = {mode: mode for mode in get_args(Mode)}
    return {
        kind: frozenset(modes[mode] for mode, sign in zip(head, signs, strict=True) if sign == "x")
        for kind, *signs in rows
    }


ALLOWED: dict[str, frozenset[Mode]] = _read(TABLE)

OF_A_SESSION = frozenset(kind for kind, modes in ALLOWED.items() if "idle" not in modes) | {"take_back"}
"""Acts that mean one session and no other; what moves the room or calls somebody is there whatever runs."""


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


def check_session(given: Input, session: str) -> None:
    """Raise Refused for what was asked in another session than the one that is open now."""
    if given.session not in ("", session) and given.act.kind in OF_A_SESSION:
        raise Refused("other_session", what=given.act.kind)
