"""What the findings of a commissioning say in words: the one table."""

from __future__ import annotations

from controller.commissioned import DeviceFindings, Finding, Standing

_STEPS = {
    "reachable": "Reachable",
    "retained": "Retained commands",
    "lowest": "Lowest steady level",
    "range": "Full range",
    "echo": "Echo",
    "transition": "Own fades",
    "power_on": "Power-on setting",
    "lamp_power": "Its plug pulled",
    "room_power": "Room's mains pulled",
}

_WORDS = {
    ("reachable", "answers"): "answers after {answer_s:.2f} s",
    ("reachable", "lost"): "its bridge says that it cannot be reached",
    ("reachable", "port"): "its port is open; whether it follows shows when it is moved",
    ("reachable", "port_lost"): "its port cannot be opened",
    ("reachable", "silent"): "does not answer a question",
    ("reachable", "not_asked"): "cannot be asked; what it says shows when it is moved",
    ("retained", "none"): "none lies on the broker",
    ("retained", "cleared"): "{count:.0f} found and cleared: {topics}",
    ("retained", "left"): "{count:.0f} found and LEFT: {topics}",
    ("lowest", "found"): "{number:g} of its own scale ({share:.0%}); the room's floor lies there",
    ("lowest", "kept"): "{number:g} found; the room file was left as it is",
    ("lowest", "never"): "not steady up to the room's ceiling ({ceiling:g})",
    ("lowest", "switched"): "only on or off",
    ("lowest", "declined"): "not looked for",
    ("range", "confirmed"): "{floor:.0%} to {ceiling:.0%}, both confirmed",
    ("range", "unconfirmed"): "{floor:.0%} to {ceiling:.0%} was asked for and not confirmed",
    ("range", "seen"): "{floor:.0%} to {ceiling:.0%}, seen",
    ("range", "unseen"): "{floor:.0%} to {ceiling:.0%} was not seen",
    ("echo", "heard"): "{median_s:.2f} s (slowest {slowest_s:.2f} s, {commands:.0f} commands)",
    ("echo", "missed"): "{median_s:.2f} s, but {missed:.0f} of {commands:.0f} commands had none",
    ("echo", "none"): "none to {commands:.0f} commands",
    ("echo", "no_echo"): "cannot answer",
    ("transition", "fades"): "asked for {asked_s:.2f} s, took {took_s:.2f} s",
    ("transition", "glide"): "asked for {asked_s:.2f} s; names its goal at once; was seen to glide",
    (
        "transition",
        "jump",
    ): "asked for {asked_s:.2f} s and was seen to JUMP: copy its profile, with transition.unit none",
    ("transition", "switched"): "only on or off",
    ("transition", "steps"): "has none; moved in small steps",
    ("power_on", "set"): "set ({payload}); it says {said}",
    ("power_on", "sent"): "sent ({payload}); it did not say so",
    ("power_on", "declined"): "left as it is",
    ("power_on", "by_hand"): "set by hand: {how}",
    ("lamp_power", "declined"): "not done",
    ("lamp_power", "gentle"): "came back gently; spoken to after {begun_s:.2f} s",
    ("lamp_power", "glare"): "came back bright; led down from {begun_s:.2f} s on, {glare_s:.1f} s of glare",
    ("lamp_power", "unnoticed"): "its return is not noticed: nothing would lead it down",
    ("lamp_power", "not_led"): "its return was noticed, but nothing was sent",
    ("lamp_power", "by_eye"): "it says nothing; seen by eye",
}

_MARKS = {"ok": "ok    ", "look": "LOOK  ", "failed": "FAILED", "skipped": "-     "}


def finding_line(finding: Finding) -> str:
    """One finding as a line; by its code alone where there are no words here for what a newer version found."""
    step = "lamp_power" if finding.step == "room_power" else finding.step
    try:
        words = _WORDS[step, finding.code].format(**finding.values)
    except (KeyError, ValueError):
        words = f'"{finding.code}": this version has no words for it; a newer one wrote the report'
    noticed = finding.values.get("noticed_s")
    loss = f"; its loss was noticed after {noticed:.1f} s" if isinstance(noticed, float) else ""
    return f"  {_MARKS[finding.verdict]}  {_STEPS.get(finding.step, finding.step):<20} {words}{loss}"


def device_lines(device: DeviceFindings) -> list[str]:
    """A device and what was seen of it."""
    return [f"{device.name} ({device.profile})", *(finding_line(finding) for finding in device.findings)]


def standing_lines(room: str, standing: Standing) -> list[str]:
    """How a room's commissioning stands, first in a sentence."""
    report = standing.report
    if standing.unread:
        return [
            f"{room}: nothing can be made of {standing.unread}: it is damaged, or a newer version wrote it.",
            "Show it with that version, or commission the room again: stillroom devices commission ROOM.toml",
        ]
    if report is None:
        return [f"{room} has not been commissioned: stillroom devices commission ROOM.toml"]
    signed = f"signed by {report.signed_by} on {report.signed_utc[:10]}"
    lines = [f"{room} is commissioned, {signed}."]
    if standing.state == "stale":
        what = ", ".join("its lamps in the room file" if name == "lamps" else name for name in standing.changed)
        lines = [f"{room} was commissioned, {signed}, and has changed since: {what}. Commission it again."]
    for device in report.devices:
        lines += ["", *device_lines(device)]
    return lines
