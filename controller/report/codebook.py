"""The codebook of the study tables: every variable once, with its type, unit, what it may be, and what it means.

The tables are written by it, so no column is without its line here. A variable that changes its meaning gets another
name; `since` is the codebook version in which it first stood.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

VERSION = 2

Kind = Literal["code", "text", "integer", "number", "flag", "utc"]


@dataclass(frozen=True, kw_only=True)
class Variable:
    """One column of one table. `flag` is 1 or 0; `utc` is ISO 8601 with Z; empty is "not known" or "does not apply"."""

    table: str
    variable: str
    type: Kind
    unit: str = ""
    allowed: str = ""
    meaning: str
    since: int = 1


_TABLES = """
sessions: one row a session
  session        code                            | the session's name in the room's record
  t_plus_min     number min                      | T+ of its opening; negative before ingestion
  utc            utc                             | when it was opened
  ended_utc      utc                             | when it was closed; empty while it is open
  room           code                            | the room's name
  programme      code                            | the programme as it was booked
  programme_sha256 code                          | SHA-256 of the programme's text as it was run
  software       text                            | the software that opened it, with its version
  blinded        flag                            | 1 where the programme is blinded
  state          code   open|closed|signed|unreadable | closed, signed off; nothing is known of one that cannot be read
  length_min     number min                      | from its opening to its end
  zero           code   ingestion|opening        | what T+ counts from; the opening where no dose was logged
  participants   integer                         | how many there were
  sitters        integer                         | how many different people acted at consoles
  pieces         integer                         | pieces of music that were begun
  music_min      number min                      | minutes in which music was heard
  marks          integer                         | one-key marks that were not taken back
  notes          integer                         | notes; their text is in no study table
  vitals         integer                         | readings that were taken
  calls          integer                         | support calls that were placed
  adverse_events integer                         | adverse events that were logged
  incidents      integer                         | entries of what went wrong in the room
  late_entries   integer                         | records added after the session was closed, without signatures
  redacted       integer                         | texts that were blanked
  signed_by      code                            | initials of the last signature
  signed_utc     utc                             | when that was
  chain_ok       flag                            | 1 where the whole record verifies
  missing        text   v2                       | what damage took of the record, in words; empty where nothing is lost
  records        integer                         | how many records it has
  head           code                            | hash of the last of them: the very record these rows were made of
participants: one row a participant and session
  session        code                            | the session's name
  participant    code                            | study code
  t_plus_min     number min                      | T+ of this participant's own ingestion; 0 for the first
  utc            utc                             | when that was
  doses          integer                         | doses, boosters, devices and starts that were logged
  total_amount   number see unit                 | sum of the amounts; empty where kits were used or amounts withheld
  unit           text                            | unit of the amounts
  booster        code   given|declined|none      | what became of the booster
  touch_scope    text                            | the touch that was agreed beforehand, as a code
  left_t_plus_min number min                     | T+ at which the participant left before the end; empty otherwise
  released_t_plus_min number min                 | T+ at which the participant was released; empty otherwise
doses: one row a dose, booster, device, infusion start or stop
  session        code                            | the session's name
  participant    code                            | study code
  t_plus_min     number min                      | T+ at which it was taken, as corrected
  utc            utc                             | when that was
  part           code   dose|booster|device|start|stop | what it was
  amount         number see unit                 | as corrected; empty where a kit was used
  unit           text                            | unit of the amount
  kit            code                            | kit number, where the role may see it
  witness        code                            | initials of who observed it
  by             code                            | initials of who logged it
  logged_after_min number min                    | how long after it was taken it was logged
  record         integer                         | number of the record, by which late_entries names it
vitals: one row a reading and participant
  session        code                            | the session's name
  participant    code                            | study code
  t_plus_min     number min                      | T+ at which it was read
  utc            utc                             | when that was
  systolic       integer mmHg                    | blood pressure
  diastolic      integer mmHg                    | blood pressure
  pulse          integer 1/min                   | pulse
  spo2           integer %                       | oxygen saturation
  celsius        number degC                     | body temperature
  missed         flag                            | 1 where a reason stands instead of figures
  by             code                            | initials of who entered it
  entered_after_min number min                   | how long after it was read it was entered
  amended        flag                            | 1 where it was corrected; what stands here is the corrected reading
  record         integer                         | number of the record, by which late_entries names it
vitals_due: one row a reading that the programme asked for
  session        code                            | the session's name
  participant    code                            | study code
  t_plus_min     number min                      | T+ at which it was due
  utc            utc                             | when that was
  what           code   time|baseline|booster    | a time of the programme, the baseline, or before a booster
  needs          code                            | what was to be read: bp, temperature, spo2, joined by spaces
  standing       code   in_window|late|missed|not_taken|not_reached | what became of it; missed has a reason on record
  taken_after_min number min                     | minutes from the due time to the reading; negative before
marks: one row a one-key mark and participant
  session        code                            | the session's name
  participant    code                            | study code; empty where it concerned the room
  t_plus_min     number min                      | T+
  utc            utc                             | when that was
  phase          code                            | the programme's phase
  code           code                            | which mark, as the programme names it
  by             code                            | initials
  entered_after_min number min                   | how long after it happened it was entered
  amended        flag                            | 1 where it was corrected; what stands here is the corrected mark
  taken_back     flag                            | 1 where it was taken back
  record         integer                         | number of the record, by which late_entries names it
touch: one row a touch, or its beginning or end, and participant
  session        code                            | the session's name
  participant    code                            | study code
  t_plus_min     number min                      | T+
  utc            utc                             | when that was
  touch          code                            | how, as a short code
  where          code                            | where, as a short code
  part           code   given|start|stop         | once, or its beginning or end
  minutes        number min                      | how long, where it was said
  by             code                            | initials
  entered_after_min number min                   | how long after it happened it was entered
  amended        flag                            | 1 where it was corrected
  record         integer                         | number of the record, by which late_entries names it
challenges: one row a challenging experience's beginning or end; apart from adverse events
  session        code                            | the session's name
  participant    code                            | study code
  t_plus_min     number min                      | T+
  utc            utc                             | when that was
  part           code   start|end                | which
  by             code                            | initials
  entered_after_min number min                   | how long after it happened it was entered
  amended        flag                            | 1 where it was corrected
  record         integer                         | number of the record, by which late_entries names it
notes: one row a phase in which notes were written; never their text
  session        code                            | the session's name
  t_plus_min     number min                      | T+ at which the phase was first entered
  utc            utc                             | when that was
  phase          code                            | the programme's phase
  notes          integer                         | how many
music: one row a piece that was begun
  session        code                            | the session's name
  t_plus_min     number min                      | T+ of its first sound
  utc            utc                             | when that was
  phase          code                            | the phase it was planned for
  title          text                            | as in the library
  artist         text                            | as in the library
  played_min     number min                      | how long it played, also while it was faded out
  ended          code                            | end, cut (by another), outage, or what was wrong with the file
light: the light as a line through points
  session        code                            | the session's name
  t_plus_min     number min                      | T+ of the point
  utc            utc                             | when that was
  level_percent  number %                        | perceived brightness; straight lines join the points
volume: how loud the music was let out, as steps
  session        code                            | the session's name
  t_plus_min     number min                      | T+ from which it holds
  utc            utc                             | when that was
  loudness_percent number %                      | of the calibrated perceived loudness; 0 is silence
adverse_events: one row an adverse event, as last updated
  session        code                            | the session's name
  participant    code                            | study code
  t_plus_min     number min                      | T+ of its onset
  utc            utc                             | when that was
  event          code                            | what it was, as a short code
  grade          integer 1|2|3|4|5               | severity, 1 mild to 5 death
  serious        flag                            | 1 where it meets the definition of serious
  related        code   related|possible|unrelated|unknown | whether it is thought to have to do with what was given
  needed         code                            | none, rescue, provider, emergency, transport, joined by spaces
  resolved       flag                            | 1 where it was over by the end of the record
  by             code                            | initials
  record         integer                         | number of the record
calls: one row a support call
  session        code                            | the session's name
  t_plus_min     number min                      | T+ at which it was placed
  utc            utc                             | when that was
  level          code   assist|emergency         | the highest level it reached
  by             code                            | initials, or the console or button, of who placed it
  outcome        code   placed|sent|acknowledged|not_delivered|stood_down | how far it came at the end
  acknowledged_after_s number s                  | until a person said that they were coming
incidents: one row an entry of what went wrong, or was right again
  session        code                            | the session's name
  t_plus_min     number min                      | T+
  utc            utc                             | when that was
  code           code                            | the kind of entry
  name           code                            | the device or part it concerns
phases: planned against delivered, one row a phase of the programme as booked
  session        code                            | the session's name
  t_plus_min     number min                      | T+ at which it was first entered; empty where it never was
  utc            utc                             | when that was
  phase          code                            | the phase
  planned_min    number min                      | its length in the programme
  delivered_min  number min                      | how long it was lived through, all visits together
  music_planned_min number min                   | minutes of music that the programme has in it
  music_heard_min number min                     | minutes in which a piece played and was let out
  silence_min    number min                      | minutes with no music let out: asked for, planned, or an outage
  light_mean_deviation_percent number %          | mean difference between the light and the programme's, perceived
  light_off_min  number min                      | minutes with a difference of 5 % or more
  interventions  integer                         | what people did to the session in it: pause, hold, volume, light …
late_entries: one row a record that was added after the session was closed; never its text
  session        code                            | the session's name
  t_plus_min     number min                      | T+ of what it speaks of; empty where it does not say
  utc            utc                             | when it was written down
  kind           code   addendum|redaction       | a late entry or amendment, or the blanking of a text
  amends         integer                         | the record that it puts right or blanks; empty otherwise
  by             code                            | initials
  after_sign_off flag                            | 1 where a signature was there already
presence: one row a person who acted at a console
  session        code                            | the session's name
  t_plus_min     number min                      | T+ of the first act
  utc            utc                             | when that was
  by             code                            | initials
  last_utc       utc                             | the last act
"""

_KINDS: dict[str, Kind] = {
    "code": "code", "text": "text", "integer": "integer", "number": "number", "flag": "flag", "utc": "utc",
}  # fmt: skip


def _read(text: str) -> Iterator[tuple[str, str, Variable | None]]:
    table = ""
    for line in text.strip().splitlines():
        if not line.startswith(" "):
            table, _, told = line.partition(": ")
            yield table, told, None
            continue
        left, _, meaning = line.partition(" | ")
        name, kind, *rest = left.split()
        allowed = next((word for word in rest if "|" in word), "")
        since = next((int(word[1:]) for word in rest if re.fullmatch(r"v\d+", word)), 1)
        unit = " ".join(word for word in rest if word not in (allowed, f"v{since}"))
        yield table, "", Variable(
            table=table, variable=name, type=_KINDS[kind], unit=unit, allowed=allowed, meaning=meaning.strip(),
            since=since,
        )  # fmt: skip


VARIABLES: tuple[Variable, ...] = tuple(variable for _, _, variable in _read(_TABLES) if variable is not None)
"""All of them, table by table, in the order of their columns."""

TABLES: dict[str, str] = {table: told for table, told, variable in _read(_TABLES) if variable is None}
"""What a row of each table is."""


def columns(table: str) -> tuple[str, ...]:
    """The columns of a table."""
    return tuple(variable.variable for variable in VARIABLES if variable.table == table)
