"""What a programme calls a participant, a sitter and a session, on the papers that leave the room."""

import dataclasses
from pathlib import Path

import pytest

from controller.config import find_programme
from controller.journal.store import session_file
from controller.messages import Start
from controller.rehearsal.fallback import card_of
from controller.report.account import Account
from controller.report.gathering import account_of
from controller.report.page import html
from controller.report.paper import pdf
from controller.report.picture import picture_of
from controller.report.terminal import head_lines
from tests.report.test_report import SESSION, Room


@pytest.fixture
def account(tmp_path: Path) -> Account:
    """A session under Oregon's rules."""
    room = Room(tmp_path)
    path = find_programme("psilocybin-oregon")
    start = Start(
        programme=path.stem, participants=("C-0412",), programme_text=path.read_text(), session=SESSION, seed=1
    )
    room.post(0.0, start, "AB")
    room.close()
    return account_of(session_file(tmp_path, SESSION))


def test_a_session_under_oregons_rules_speaks_of_a_client_and_a_facilitator(account: Account) -> None:
    heads = dict(line.split("  ", maxsplit=1) for line in head_lines(account) if "  " in line)
    assert heads["Client"].strip() == "C-0412"
    assert heads["Facilitator"].strip().startswith("AB")
    page = html(account)
    assert "Administration session" in page and "<dt>Client</dt>" in page
    assert "Participant" not in page
    assert pdf(account).startswith(b"%PDF")
    card = card_of(account.programme, account, picture_of(account), 1)
    assert card.whose == "Client" and card.steps[0].startswith("Stay with the client.")


def test_words_of_a_programme_that_are_long_or_empty_spoil_no_paper(account: Account) -> None:
    def called(word: str) -> Account:
        programme = account.programme.model_copy(update={"labels": {"participant": word}})
        return dataclasses.replace(account, programme=programme)

    assert pdf(called("x" * 200)).startswith(b"%PDF")
    unsaid = called("")
    card = card_of(unsaid.programme, unsaid, picture_of(unsaid), 1)
    assert card.whose == "Participant" and card.steps[0].startswith("Stay with the participant.")
