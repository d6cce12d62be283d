"""All that can be done at the console: one module a subject, one table.

To add an action:

1. Write what it does as a function of `(do: Commands, key: str)` in the module of its subject, or in a new one
   beside it. It calls `do.send(act, words)`, `do.ask(form)`, `do.show(menu)`, `do.say(text)` or `do.for_one(…)`.
2. Add an `Action` to that module's `ACTIONS`: its name, its words, its keys or its `menu` (a `Subject` of `table`;
   its digit is its place there, so add at the end), the acts it `sends`, its `ctl` verb and when it is offered.
3. A new module is named once in `table.ACTIONS`. No menu may have more than nine lines; give it a further menu then.
4. Keys, key rows, `?`, the menus, the palette and the sheet of labels read it from there; so do the tests, which fail
   for an act of people that no action sends, for a verb that `stillroom ctl` lacks, and for an action without proof.
"""
