"""Four panels side by side: Music, Light, Due, Paths."""

from __future__ import annotations

from rich.text import Text

from controller import wording
from controller.console.view import View, ends_at, following, row, styled
from controller.console.widgets.arc import value_at
from controller.messages import DueView, LampView

SHARES = (0.42, 0.20, 0.24, 0.14)
SHARES_OF_SEVERAL = (0.35, 0.20, 0.31, 0.14)
"""Where what falls due says whose it is."""

GAP = 2
SILENT_DBFS = -70.0
"""Below this no sound leaves the room's loudspeakers."""

_WORST = ("lost", "unconfirmed", "moving", "confirmed")


def draw_panels(view: View, width: int, height: int) -> list[Text]:
    """A row of titles and, beneath, what each panel has to say."""
    shares = SHARES if len(view.status.participants) < 2 else SHARES_OF_SEVERAL
    inner = width - 2 - GAP * (len(shares) - 1)
    widths = [int(inner * share) for share in shares]
    widths[0] += inner - sum(widths)
    titles = (("Music", music), ("Light", light), (_due_title(view, widths[2]), due), ("Paths", paths))
    drawn = [(title, draw(view, columns)) for (title, draw), columns in zip(titles, widths, strict=True)]
    lines = []
    for at in range(height):
        line = Text(" ", no_wrap=True, end="")
        for (title, content), columns in zip(drawn, widths, strict=True):
            if at == 0:
                cell = styled(title, view.look.colours.dim)
            else:
                cell = content[at - 1].copy() if at - 1 < len(content) else Text("", no_wrap=True, end="")
            cell.truncate(columns, overflow="ellipsis", pad=True)
            line.append_text(cell)
            line.append(" " * GAP)
        line.right_crop(GAP - 1)
        lines.append(line)
    return lines


def music(view: View, columns: int) -> list[Text]:
    """Piece, what is left of it, what comes, and proof that there is sound."""
    colours, status, signs = view.look.colours, view.status, view.look.signs
    track = status.track
    lines: list[Text] = []
    if track is None:
        lines.append(styled("no music" if view.in_session else "", colours.dim))
        lines.append(_transport(view))
    else:
        lines.append(styled(track.title, colours.bright))
        if track.artist and len(track.title) + len(track.artist) + 2 <= columns:
            lines[0].append_text(styled(f"  {track.artist}", colours.text))
        left = track.duration_s - track.position_s
        told = _transport(view)
        rest = styled(f" -{wording.countdown(left)}", colours.text)
        if told.cell_len:
            lines.append(row(told, rest, columns))
        else:
            room = max(1, columns - rest.cell_len)
            done = round(room * min(1.0, track.position_s / track.duration_s)) if track.duration_s > 0 else 0
            bar = styled(signs.bar_past * done, colours.past_edge)
            bar.append_text(styled(signs.bar_rest * (room - done), colours.faint))
            bar.append_text(rest)
            lines.append(bar)
    lines.append(_next(view, columns))
    lines.append(_volumes(view, columns))
    return lines


def _transport(view: View) -> Text:
    """Why there is no music, or ""."""
    colours, status = view.look.colours, view.status
    if status.state == "paused":
        return styled(f"{'evacuated' if status.evacuated else 'paused'}: r goes on", colours.bright)
    if status.quiet:
        if status.quiet_until_s is None:
            return styled("silence until r", colours.bright)
        return styled(f"music returns in {wording.duration(max(0.0, status.quiet_until_s - status.t))}", colours.bright)
    if status.silent_phase:
        return styled("silence, as the programme has it", colours.text)
    if status.sound.filler:
        return styled("filler plays", colours.medium)
    return Text("", no_wrap=True, end="")


def _next(view: View, columns: int) -> Text:
    track, colours = view.status.track, view.look.colours
    if track is None or not track.next_title:
        return Text("", no_wrap=True, end="")
    when = "" if track.next_in_s is None else f"  in {wording.duration(track.next_in_s)}"
    room = max(4, columns - 5 - len(when))
    chosen = next((title for code, title in view.status.sets if code == view.status.set_code), "")
    word = f"next ({chosen}) " if chosen else "next "
    room = max(4, room + len("next ") - len(word))
    line = styled(word, colours.dim)
    line.append_text(styled(f"{wording.fit(track.next_title, room)}{when}", colours.text))
    return line


def _volumes(view: View, columns: int) -> Text:
    """Each bus with its volume and a sign of what leaves it now."""
    colours, sound, signs = view.look.colours, view.status.sound, view.look.signs
    line = Text("", no_wrap=True, end="")
    if not sound.buses:
        return line
    shares = [f" {wording.percent_of_db(bus.level_db)} %" for bus in sound.buses]
    taken = sum(map(len, shares)) + 2 * len(shares) + 2 * (len(shares) - 1)
    names = _bus_names(tuple(bus.bus for bus in sound.buses), columns - taken)
    for index, bus in enumerate(sound.buses):
        line.append("  " if index else "")
        share = min(0.999, max(0.0, (bus.rms_dbfs + 60.0) / 60.0))
        sign = signs.meter[int(share * len(signs.meter))] if bus.rms_dbfs > SILENT_DBFS else "·"
        line.append_text(styled(sign, colours.now if bus.rms_dbfs > SILENT_DBFS else colours.dim))
        line.append_text(styled(f" {names[index]}", colours.dim))
        line.append_text(styled(shares[index], colours.text))
    return line


def _bus_names(names: tuple[str, ...], room: int) -> list[str]:
    """Names that fit together into `room` columns."""
    short = [name.removeprefix("head") for name in names]
    for kept in (list(names), short):
        if sum(map(len, kept)) <= room:
            return kept
    return [wording.fit(name, max(3, room // len(names))) for name in short]


def light(view: View, columns: int) -> list[Text]:
    """The level, whether the lamps confirmed it, who leads it, and what comes."""
    colours, status = view.look.colours, view.status
    lamps = status.light
    if not lamps:
        return [styled("no lamps", colours.dim)]
    level = sum(lamp.target for lamp in lamps) / len(lamps)
    lines = [styled(wording.percent(level), colours.bright), _confirmed(view, lamps)]
    scene = wording.SCENES.get(status.scene, status.scene).removeprefix("light ")
    lines.append(styled(scene, colours.text if status.scene == "arc" else colours.bright))
    if status.scene == "arc":
        lines.append(styled(_coming(view, level) if view.in_session else "", colours.dim))
    else:
        lines.append(styled("f: arc again", colours.dim))
    return lines


def _confirmed(view: View, lamps: tuple[LampView, ...]) -> Text:
    colours = view.look.colours
    worst = min((lamp.state for lamp in lamps), key=_WORST.index)
    many = sum(lamp.state == worst for lamp in lamps)
    of = f" {many} of {len(lamps)}" if many < len(lamps) else ""
    match worst:
        case "lost":
            return styled(f"LOST{of}", colours.medium, bold=True)
        case "unconfirmed":
            return styled(f"unconfirmed{of}", colours.medium)
        case "moving":
            return styled("moving", colours.text)
        case _:
            return styled("confirmed", colours.dim)


def _coming(view: View, level: float) -> str:
    """The next level of the curve that differs: "20 % in 40 min"."""
    status = view.status
    here = value_at(status.light_curve, status.arc_s)
    for s, wanted in status.light_curve:
        if s > status.arc_s and abs(wanted - here) >= 0.01:
            return f"{wording.percent(wanted)} in {wording.duration(s - status.arc_s)}"
    return "stays so"


def _due_title(view: View, columns: int) -> str:
    """When the arc will end stands beside the title, for it has a place of its own at every size."""
    ends = ends_at(view)
    if not ends:
        return "Due"
    return next((told for told in (f"Due   ends {ends}", f"ends {ends}") if len(told) <= columns), f"till {ends}")


def due(view: View, columns: int) -> list[Text]:
    """What a long pause offers, then what falls due, soonest first; after a session what is booked."""
    colours, status = view.look.colours, view.status
    if status.state == "ended" and (booking := following(status)) is not None:
        told = (wording.clock_time(booking.at), booking.programme, ", ".join(booking.participants))
        return [styled(wording.fit(text, columns), colours.text) for text in told]
    named = len(status.participants) > 1
    items = sorted((item for item in status.due if item.code != "arc_ends"), key=lambda item: item.in_s)
    lines = [_due_line(view, item, columns, named) for item in items]
    if status.shorten_s >= 60.0:
        offer = f"g: {wording.duration(status.shorten_s)} shorter"
        lines.insert(0, styled(wording.fit(offer, columns), colours.bright))
    return lines or [styled("nothing" if view.in_session else "", colours.dim)]


def _due_line(view: View, item: DueView, columns: int, named: bool) -> Text:
    colours = view.look.colours
    overdue = item.state == "overdue"
    soon = item.in_s < 300.0
    colour = colours.medium if overdue else colours.bright if soon else colours.text
    told = wording.due(item, named=named)
    if len(told) <= columns:
        return styled(told, colour)
    # Never cut the number, nor whether it is to come or gone by: the words give way.
    when = wording.duration(item.in_s)
    what = told.removesuffix(when).rstrip()
    sign = "now" if abs(item.in_s) <= 30.0 else f"since {when}" if item.in_s < 0 else f"in {when}"
    for word in (" now", " in", " since", " overdue", " due"):
        what = what.removesuffix(word)
    least = 2 if named and item.participant else 1  # whose it is says nothing without what it is
    while len(words := what.split(" ")) > least and len(what) + len(sign) >= columns:
        what = " ".join(words[:-1])
    what = what.removesuffix(" for").rstrip(":+ ")
    if len(what) + len(sign) >= columns:
        sign = sign.removeprefix("in ")  # a bare time is one that is to come
    return row(styled(wording.fit(what, columns - len(sign) - 1), colour), styled(sign, colour), columns)


def paths(view: View, columns: int) -> list[Text]:
    """What is broken of call path, broker, sound and record; a word when all is well."""
    colours, status = view.look.colours, view.status
    if not view.known:
        return [styled("unknown", colours.dim)]
    bad: list[tuple[str, str]] = []
    codes = {alarm.code for alarm in status.alarms}
    if view.call_path in ("lost", "gone") or "caller_lost" in codes:
        bad.append(("call LOST", colours.high))
    if not view.connected:
        bad.append(("room LOST", colours.high))
    if view.in_session and (status.sound.state == "lost" or "sound_lost" in codes):
        bad.append(("sound LOST", colours.high))
    if codes & {"journal_lost", "journal_late", "disk_full"} or status.journal.late_s > 2.0:
        bad.append(("disk LATE", colours.high))
    if "broker_lost" in codes:
        bad.append(("MQTT LOST", colours.medium))
    if any(lamp.state == "lost" for lamp in status.light):
        bad.append(("light LOST", colours.medium))
    lines = [styled(wording.fit(text, columns), colour, bold=True) for text, colour in bad]
    if not lines:
        lines.append(styled("all well", colours.dim))
    if status.simulated:
        lines.append(styled("simulated", colours.dim))
    if status.sound.state == "ok" and status.sound.output.startswith("null"):
        lines.append(styled("no sound card" if columns >= len("no sound card") else "no card", colours.medium))
    return lines
