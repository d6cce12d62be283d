"""The sentences of blinded sessions; none of them can tell an arm."""

from __future__ import annotations

from controller.wording.templates import Template, nearest, text, whose

ACTS: dict[str, str] = {"masking_guess": "record a masking guess"}

REFUSALS: dict[str, Template] = {
    "blinded_amount": "this session is blinded: the kit's number, never an amount",
    "blinded_kit": "this session is blinded: the kit's number is needed (kit K-17)",
    "blinded_code": "no code of study {study}; its codes look like {allowed}",
    "not_blinded": "this session is not blinded: there is nothing to guess",
    "unknown_guess": nearest("guess", "code"),
}

FACTS: dict[str, tuple[str, Template]] = {
    "masking_guess": ("study", lambda v: whose(v, f"masking guess of the {text(v, 'of')} is kept, and not shown")),
}
