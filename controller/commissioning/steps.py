"""The steps that a lamp is put through, each of which gives one finding."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from statistics import median

from pydantic import BaseModel

from controller.broker import BrokerLink, BrokerSettings
from controller.commissioned import Finding
from controller.commissioning.hand import Hand, Order
from controller.commissioning.listening import connect
from controller.commissioning.steady import search_of
from controller.commissioning.terminal import Person, choose, yes
from controller.lights.dialect import Dialect
from controller.lights.fixture import Fixture
from controller.lights.profile import Level, Profile
from controller.lights.scale import Scale
from controller.lights.simulated_mqtt import understand
from controller.payloads import dig, document_of, fill

_SETTLED_S = 0.4
_PORT_OPENS_S = 0.5
_LIT = 0.001
_POLLS = 4
"""How often a lamp is asked in the time between two of its commands."""
_CROSSED = 0.15
"""An answer that comes within this share of a fade after its command may be older than the command."""
_SLOW = 0.5
"""A fade that took less than this share of what it was asked for was no fade."""


async def reachable(hand: Hand, lamp: str) -> Finding:
    """Whether it answers a question, or can be told to be there; of a lamp on a port, whether that can be opened."""
    if lamp not in hand.dialects:
        lost = await hand.until(lambda: hand.view(lamp).state == "lost", _PORT_OPENS_S)
        return Finding(step="reachable", verdict="failed" if lost else "ok", code="port_lost" if lost else "port")
    since = hand.clock.boottime_at(hand.clock.now())
    level = await hand.ask(lamp)
    if hand.view(lamp).state == "lost":
        return Finding(step="reachable", verdict="failed", code="lost")
    if level is not None:
        said = [sign.t - since for sign in hand.signs(lamp, since) if sign.level is not None]
        return Finding(step="reachable", verdict="ok", code="answers", values={"answer_s": _s(min(said, default=0.0))})
    asks = hand.askable(lamp)
    return Finding(step="reachable", verdict="failed" if asks else "look", code="silent" if asks else "not_asked")


async def retained_commands(settings: BrokerSettings, dialect: Dialect, person: Person) -> Finding:
    """Retained messages where it takes commands: found, and cleared where a person agrees. Raises NoBroker."""
    found: dict[str, bytes] = {}
    link = BrokerLink(settings)

    def heard(topic: str, payload: bytes, retained: bool, _at: float) -> None:
        if retained and payload and topic not in told:
            found[topic] = payload

    told = {topic for topic, _ in (*dialect.states, *dialect.availability)}
    for topics in command_filters(dialect):
        link.subscribe(topics, heard, own=False)
    try:
        await connect(link)
        await asyncio.sleep(_SETTLED_S)
        for topic, payload in found.items():
            person.say(f"  {topic} holds {payload.decode('utf-8', 'replace')[:100]}")
        if not found:
            return Finding(step="retained", verdict="ok", code="none")
        values: dict[str, bool | float | str] = {"count": float(len(found)), "topics": ", ".join(sorted(found))}
        if not await yes(person, "  It is carried out at every reconnection. Clear it?"):
            return Finding(step="retained", verdict="failed", code="left", values=values)
        for topic in found:
            link.publish(topic, b"", retain=True)
        await asyncio.sleep(_SETTLED_S)
        return Finding(step="retained", verdict="look", code="cleared", values=values)
    finally:
        await link.close()


def command_filters(dialect: Dialect) -> Iterator[str]:
    """Everywhere that a retained message would be carried out; a whole folder, where commands have one."""
    for topic in dialect.command_topics:
        yield f"{topic}/#"
    setting = fill(dialect.profile.power_on.topic, {"name": dialect.name, "base": dialect.base})
    folder = dialect.command_topic.rpartition("/")[0]
    if setting and setting != dialect.command_topic and setting.rpartition("/")[0] == folder:
        yield f"{folder}/+"  # each command is a topic of its own there


async def lowest_steady(hand: Hand, lamp: str, person: Person) -> tuple[Finding, float | None]:
    """The lamp's lowest number that a person sees lit and steady, by a `bare` hand; None where it is its profile's."""
    level = scale_of(hand, lamp)
    if level is None:
        return Finding(step="lowest", verdict="skipped", code="switched"), None
    scale, search = Scale(level), search_of(level)
    ceiling = scale.to_device(hand.room.table.light.ceiling)
    while not search.done:
        number = search.number(search.probe)
        if number > ceiling:
            return Finding(step="lowest", verdict="failed", code="never", values={"ceiling": ceiling}), None
        # Its darkest number is level 0, which a fixture shows as no light at all.
        await hand.move(lamp, max(_LIT, scale.from_device(number)), await hand.ask(lamp))
        search = search.answered(await yes(person, f"  At {number:g} of {level.max:g}: is it lit and steady?"))
    number = search.number(search.lit)
    share = (number - level.min) / (level.max - level.min)
    finding = Finding(step="lowest", verdict="ok", code="found", values={"number": number, "share": round(share, 3)})
    return finding, number if number > level.min else None


def scale_of(hand: Hand, lamp: str) -> Level | None:
    """The lamp's own scale; None for what is only on or off."""
    profile = profile_of(hand, lamp)
    if isinstance(profile, Profile):
        return profile.level
    if isinstance(profile, Fixture):
        return Level(min=profile.level.min, max=profile.level.max, whole=True, curve=profile.level.curve)
    return None


def profile_of(hand: Hand, lamp: str) -> BaseModel:
    """The lamp's profile, of whatever kind."""
    return hand.room.profiles[next(each.profile for each in hand.room.table.light.lamps if each.name == lamp)]


async def full_range(hand: Hand, lamp: str, person: Person) -> Finding:
    """From the room's floor to its ceiling; an answer where it answers, a person's eye where it does not."""
    light = hand.room.table.light
    low, high = light.floor, light.ceiling
    since = hand.clock.boottime_at(hand.clock.now())
    if scale_of(hand, lamp) is None:
        low, high = 0.0, 1.0
    down = await hand.move(lamp, low, await hand.ask(lamp))
    up = await hand.move(lamp, high)
    values: dict[str, bool | float | str] = {"floor": low, "ceiling": high}
    if lamp in hand.dialects:
        if up and down:
            return Finding(step="range", verdict="ok", code="confirmed", values=values)
        said = [sign.level for sign in hand.signs(lamp, since) if sign.level is not None]
        values |= {"lowest": round(min(said), 3), "highest": round(max(said), 3)} if said else {}
        return Finding(step="range", verdict="failed", code="unconfirmed", values=values)
    how = "off, and on" if scale_of(hand, lamp) is None else "dark slowly, and bright"
    seen = await yes(person, f"  It cannot answer. Did it go {how}?")
    return Finding(step="range", verdict="ok" if seen else "failed", code="seen" if seen else "unseen", values=values)


async def echo_and_transition(hand: Hand, lamp: str, person: Person) -> tuple[Finding, Finding]:
    """How soon it answers, and how long its own fades really take, by what it says when it is asked all the while."""
    dialect = hand.dialects.get(lamp)
    if dialect is None or dialect.profile.level is None:
        return (
            Finding(step="echo", verdict="skipped", code="no_echo"),
            Finding(step="transition", verdict="skipped", code="steps" if scale_of(hand, lamp) else "switched"),
        )
    light = hand.room.table.light
    since = hand.clock.boottime_at(hand.clock.now())
    here = hand.view(lamp).target
    there = light.floor if here > (light.floor + light.ceiling) / 2 else light.ceiling
    done = False

    async def poll() -> None:
        while not done:
            await hand.ask_only(lamp)
            await asyncio.sleep(dialect.profile.rate.lamp_interval_s / _POLLS)

    async with asyncio.TaskGroup() as group:
        group.create_task(poll())
        await hand.move(lamp, there)
        done = True
    orders = hand.orders(lamp, since)
    echo = _echo(hand, lamp, orders)
    asked, took = _transitions(hand, lamp, dialect, orders)
    if not asked:
        return echo, Finding(step="transition", verdict="skipped", code="steps")
    values: dict[str, bool | float | str] = {"asked_s": _s(median(asked))}
    if took and median(took) >= _SLOW * median(asked):
        return echo, Finding(
            step="transition", verdict="ok", code="fades", values=values | {"took_s": _s(median(took))}
        )
    seen = await choose(person, "  It names its goal at once. Did it glide, or jump in steps?", ("glide", "jump"))
    values["seen"] = seen
    glides = seen == "glide"
    return echo, Finding(step="transition", verdict="ok" if glides else "failed", code=seen, values=values)


def _echo(hand: Hand, lamp: str, orders: list[Order]) -> Finding:
    waits, missed = [], 0
    within = hand.dialects[lamp].profile.echo.within_s
    for order in orders:
        heard = [sign.t - order.t for sign in hand.signs(lamp, order.t) if sign.level is not None]
        if heard and heard[0] <= within:
            waits.append(heard[0])
        else:
            missed += 1
    values: dict[str, bool | float | str] = {"commands": float(len(orders)), "missed": float(missed)}
    if not waits:
        return Finding(step="echo", verdict="failed", code="none", values=values)
    values |= {"median_s": round(median(waits), 3), "slowest_s": round(max(waits), 3)}
    return Finding(step="echo", verdict="look" if missed else "ok", code="missed" if missed else "heard", values=values)


def _transitions(hand: Hand, lamp: str, dialect: Dialect, orders: list[Order]) -> tuple[list[float], list[float]]:
    """Seconds that were asked for, and seconds until it said that it had arrived; of commands that go a visible way."""
    asked, took = [], []
    for order, following in zip(orders, [*orders[1:], None], strict=True):
        heard = understand(dialect, order.payload)
        if heard is None or heard.level is None or heard.seconds <= 0:
            continue
        asked.append(heard.seconds)
        tolerance = dialect.scale.tolerance(heard.level)
        ends = order.t + heard.seconds + 1.0 if following is None else following.t
        said = [sign for sign in hand.signs(lamp, order.t) if sign.level is not None and sign.t <= ends]
        fresh = [sign for sign in said if sign.t > order.t + _CROSSED * heard.seconds]
        under_way = [sign for sign in fresh if abs((sign.level or 0.0) - heard.level) > tolerance]
        arrived = [sign.t - order.t for sign in said if abs((sign.level or 0.0) - heard.level) <= tolerance]
        # A bridge repeats the goal first and the truth when it is asked: the last that is still under way counts.
        if under_way:
            took.append(min([t for t in arrived if t > under_way[-1].t - order.t], default=heard.seconds))
    return asked, took


async def power_on(hand: Hand, lamp: str, person: Person) -> Finding:
    """What it does when its power comes back: set where the profile knows how and a person agrees, and read back."""
    dialect = hand.dialects.get(lamp)
    if dialect is None or not dialect.profile.power_on.payload:
        return Finding(step="power_on", verdict="skipped", code="by_hand", values={"how": _how(hand, lamp)})
    names = {"name": dialect.name, "base": dialect.base}
    topic, payload = fill(dialect.profile.power_on.topic, names), fill(dialect.profile.power_on.payload, names)
    values: dict[str, bool | float | str] = {"topic": topic, "payload": payload}
    if not await yes(person, f"  Have it come back gently after a power cut: send {payload} to {topic}?", "yes"):
        return Finding(step="power_on", verdict="skipped", code="declined", values=values)
    document = document_of(payload.encode())
    key = next(iter(document)) if isinstance(document, dict) and len(document) == 1 else topic.rpartition("/")[2]
    said: list[str] = []

    def heard(_topic: str, report: bytes, retained: bool, _at: float) -> None:
        value = dig(document_of(report), key)
        if value is not None and not retained:
            said.append(str(value))

    for state, _ in dialect.states:
        hand.link.subscribe(state, heard)
    hand.link.publish(topic, payload)
    if await hand.until(lambda: said, dialect.profile.echo.within_s):
        return Finding(step="power_on", verdict="ok", code="set", values=values | {"said": said[-1]})
    return Finding(step="power_on", verdict="look", code="sent", values=values)


def _how(hand: Hand, lamp: str) -> str:
    profile = profile_of(hand, lamp)
    if isinstance(profile, Profile):
        return profile.power_on.how or "as its maker says"
    if isinstance(profile, Fixture):
        without = "the last level" if profile.signal_lost == "hold" else f"{profile.power_on:.0%}"
        return f"at the dimmer itself; its profile counts on {without} without a signal"
    return "by the wiring; a relay without power is released"


def _s(seconds: float) -> float:
    return round(seconds, 3)
