"""The words of the room's people: signing on and off, handing over, breaks, and wrong PINs."""

from __future__ import annotations

from controller.wording.quantities import duration, number
from controller.wording.templates import Template, Values, figure, text

ACTS: dict[str, str] = {
    "signed_on": "sign on", "signed_off": "sign off", "hand_over": "hand over", "break_begun": "begin a break",
    "break_over": "end a break",
}  # fmt: skip

ALREADY: dict[str, str] = {"break_begun": "the break has begun already"}


def wait(seconds: float) -> str:
    """How long a lockout still lasts, as a person counts: "27 s", "4 min"."""
    whole = max(1, round(seconds))
    return f"{whole} s" if whole < 100 else duration(whole)


def _signed_on(values: Values) -> str:
    who = text(values, "initials")
    if values.get("seconds"):
        return f"{who} stands by as the second person"
    if values.get("once"):
        return f"{who} for one command"
    return f"{who} unlocked the console" if values.get("unlocks") else f"{who} signed on"


def _signed_off(values: Values) -> str:
    who = text(values, "initials")
    return f"{who} signed off" if who else "signed off"


def _handed_over(values: Values) -> str:
    leaves, to = text(values, "leaves"), text(values, "to")
    return f"{leaves} hands over to {to}" if leaves else f"hands over to {to}"


def _break(values: Values) -> str:
    told = [f"{text(values, 'initials')} out" if text(values, "initials") else "break begins"]
    if text(values, "minutes"):
        told.append(f"{text(values, 'minutes')} min")
    if text(values, "cover"):
        told.append(f"cover {text(values, 'cover')}")
    return ", ".join(told)


def _back(values: Values) -> str:
    who = text(values, "initials")
    return f"{who} is back" if who else "back from the break"


def _locked_out(values: Values) -> str:
    waits = wait(figure(values, "seconds") or 0.0)
    who = "whoever nobody knows" if text(values, "name") == "?" else text(values, "name")
    return f"{who} waits {waits}: {text(values, 'count')} wrong PINs in a row"


def _still_locked_out(values: Values) -> str:
    waits = wait(figure(values, "wait_s") or 0.0)
    return f"too many wrong PINs: wait {waits}. Call, pause and exit light work"


def _not_on_duty(values: Values) -> str:
    who, allowed = text(values, "who"), text(values, "allowed")
    told = f"{who} is not on duty" if who else "nobody is signed on at this console"
    return f"{told}; on duty: {allowed}" if allowed else told


def _not_on_break(values: Values) -> str:
    allowed = text(values, "allowed")
    return f"not on a break; {allowed} is" if allowed else "nobody is on a break"


def _wrong_pin(values: Values) -> str:
    left = figure(values, "left")
    if left is not None and 0 < left <= 2:
        return f"initials or PIN are wrong; {number(left)} more and this waits"
    return "initials or PIN are wrong"


def _no_register(values: Values) -> str:
    if values.get("why") == "missing":
        return "the register of sitters is GONE: nobody signs on until stillroom sitters add. Call and pause work"
    return "the register of sitters cannot be read: nobody can sign on. Call and pause work"


def _register_lost(values: Values) -> str:
    if values.get("why") == "missing":
        return "SITTERS' REGISTER GONE: nobody can sign on. Repair: stillroom sitters add"
    return "THE REGISTER OF SITTERS cannot be read: nobody can sign on"


REFUSALS: dict[str, Template] = {
    "sign_on_needed": "sign on first (0). Call, pause and exit light need no sign-on",
    "no_sitters": "no PINs here: stillroom sitters add AB",
    "not_on_duty": _not_on_duty,
    "not_on_break": _not_on_break,
    "no_cover": "nobody else is on duty: name who stays in the room (cover)",
    "wrong_pin": _wrong_pin,
    "locked_out": _still_locked_out,
    "sitters_unreadable": _no_register,
    "pin_not_compared": "the PIN was not looked at, nor counted as wrong: {why}. Once more",
    "one_at_a_time": "the PIN before is still being looked at",
}

FACTS: dict[str, tuple[str, Template]] = {
    # What people do.
    "signed_on": ("duty", _signed_on),
    "sign_on_refused": (
        "duty",
        lambda v: f"{text(v, 'initials')}: {'PIN not looked at, the wait stands' if v.get('waits') else 'wrong PIN'}",
    ),
    "signed_off": ("duty", _signed_off),
    "hand_over": ("duty", _handed_over),
    "break_begun": ("break", _break),
    "break_over": ("break", _back),
    # What followed.
    "sitters_known": (
        "duty",
        lambda v: "the register of sitters was read" if v.get("readable") else "THE REGISTER OF SITTERS tells nothing",
    ),
    "duty_kept": ("duty", "duty, faders and light were handed on to the room's own book"),
    "locked_out": ("duty", _locked_out),
    "nobody_on_duty": ("duty", "NOBODY is on duty"),
    "alone_in_room": ("break", "{name} is ALONE in the room"),
    "break_late": ("break", "{name} is out longer than was said"),
    "break_ended": ("break", "{initials} was out for {minutes} min"),
}

ALARMS: dict[str, Template] = {
    "nobody_on_duty": "NOBODY IS ON DUTY: m, sign on",
    "alone_in_room": "{name} IS ALONE IN THE ROOM while a break lasts",
    "break_late": "{name} IS OUT LONGER than the break was to last",
    "sitters_lost": _register_lost,
}
