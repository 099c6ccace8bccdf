"""Refusals that nobody recorded yet: what a page could not even make a value of, or refused before it asked a desk.

A desk's own refusals are recorded by the office as they happen. What is refused earlier (two typed numbers that
disagree, a lost card reported without its act) is a refusal to the person all the same, and is put on the record here.
"""

from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.people import Actor
from accessctl.services.office import Office

OF_SIGN_IN = frozenset({Reason.CREDENTIALS_WRONG, Reason.THROTTLED})  # recorded with their source, or never


class Refusals:
    """Puts on the record what was refused outside every desk."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def record(self, actor: Actor, refusal: AccessError, *, case: str = "") -> None:
        """Record it, unless it was recorded already or is a refusal of the sign-in."""
        if refusal.reason not in OF_SIGN_IN:
            self._office.refused(refusal, actor, case=case)
