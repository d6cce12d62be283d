"""A session as one HTML file that needs nothing else: no script, no font, no picture from outside."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined

from controller import wording
from controller.drawing.arc import arc_svg
from controller.report import clinical
from controller.report.account import Account, chain_words
from controller.report.people import told
from controller.report.picture import picture_of
from controller.report.preflight import preflight_words
from controller.report.tables import clock_of


def html(account: Account) -> str:
    """The whole page."""
    templates = Environment(
        loader=PackageLoader("controller.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["t_plus"] = lambda t: clock_of(account.t_plus(t))
    templates.filters["present"] = told
    templates.filters["clock"] = lambda utc: utc[11:19]
    svg = arc_svg(picture_of(account))
    return templates.get_template("session.html").render(
        account=account,
        clinical=clinical,
        chain_words=chain_words,
        svg=svg[svg.index("<svg") :],
        preflight=preflight_words(account),
        duration=wording.duration(account.last_t - account.opened.t),
        not_a_medical_device=wording.NOT_A_MEDICAL_DEVICE,
    )
