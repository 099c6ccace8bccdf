"""The visitors' side of the panel: entries authorised, data registered, cards of the pool lent and taken back."""

import json
from dataclasses import dataclass, field
from datetime import timedelta

from demo_day import SIGNATURE, Day

from accessctl.domain.schedules import local

INK = {"strokes": json.dumps(SIGNATURE), "width": "600", "height": "200"}
COMPANY = "Enlaces del Sur, S. A."


@dataclass
class Register:
    """Visits and cards of the pool, by the name of who comes."""

    day: Day
    visits: dict[str, str] = field(default_factory=dict)
    cards: dict[str, str] = field(default_factory=dict)

    def pool(self, who: str, number: str) -> str:
        """Take a card into the visitors' pool; it is called like the person who will carry it."""
        day = self.day
        day.people["tecnico_infra"].post(
            "/visitas/tarjetas/", {"typed": number, "format": "em4100", "label": f"tarjeta de {who}"}
        )
        with day.core.store.view() as tx:
            found = next(card.id for card in tx.visitor_cards.find(limit=100) if card.label == f"tarjeta de {who}")
        self.cards[who] = found
        return found

    def authorised(self, who: str, zone: str, name: str, purpose: str, **more: str) -> str:
        """P4.01, or what stands for it in the other premises: the head authorises."""
        until = local(self.day.core.office.clock()) + timedelta(hours=2)
        form: dict[str, str | list[str]] = {
            "zone": zone,
            "name": name,
            "organisation": COMPANY,
            "purpose": purpose,
            "valid_until": until.strftime("%Y-%m-%dT%H:%M:%S"),
            **more,
        }
        page = self.day.people["jefe"].post("/visitas/nueva", form)
        self.visits[who] = page.rsplit("/", 1)[-1]
        return self.visits[who]

    def registered(self, visit: str, document: str, *, by: str, **more: str | list[str]) -> None:
        """P4.02 and P4.03, as typed from the document in the hand of whoever enters."""
        data: dict[str, str | list[str]] = {
            "document_kind": "dpi",
            "document_number": document,
            "third_party": "si",
            "briefed": "1",
        }
        self.day.people[by].post(f"/visitas/{visit}/datos", {**data, **more})

    def handed(self, visit: str, who: str, *, by: str) -> None:
        """A card of the pool for this visit."""
        self.day.people[by].post(f"/visitas/{visit}/tarjeta", {"card": self.cards[who]})

    def closed(self, visit: str, *, by: str, activities: str = "", leaves: list[str] | None = None) -> None:
        """P4.06 to P4.08: the escort's word, the card back, the line of the register."""
        desk = self.day.people[by]
        said: dict[str, str | list[str]] = {"activities": activities, "leaves": leaves or []}
        desk.post(f"/visitas/{visit}/salida/comprobar", said)
        desk.post(f"/visitas/{visit}/tarjeta/devuelta")
        desk.post(f"/visitas/{visit}/salida/anotar", {})
