"""The first page: what waits for whoever signed in."""

from flask import Blueprint, render_template

from accessctl_web.access import signed_in

pages = Blueprint("home", __name__)


@pages.get("/")
@signed_in
def show() -> str:
    """What waits for me."""
    return render_template("home.html")
