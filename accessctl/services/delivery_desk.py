"""P10.04 and P10.05: the user signs the receipt, the technician records the delivery. From then on the card opens.

Identity is checked by the document itself: the technician types the number from the document in the user's hand, and
it must be the one on file. The signature is strokes, stored as given and hashed into the record.
"""

import hashlib
import itertools
import json
import math
from dataclasses import replace

from accessctl.domain.cards import CardEvent
from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.domain.people import Actor, IdentityDocument, Person, Role
from accessctl.domain.procedures import PREMISES_ACCESS, check_turn, with_evidence
from accessctl.domain.requests import AccessRequest, GrantState, Signature
from accessctl.services.office import Office
from accessctl.services.procedure_run import at_step, do_step
from accessctl.services.store import Work
from accessctl.services.uploads import Upload, kept
from accessctl.services.wanted import devices_wanted

MOST_STROKES, MOST_POINTS, SIDE = 200, 8000, 4000
SHORTEST_INK = 40.0  # canvas pixels of line: a dot is no signature

Strokes = list[list[tuple[float, float]]]


class DeliveryDesk:
    """The receipt and the delivery."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def sign_receipt(
        self, actor: Actor, case_id: str, *, strokes: Strokes, width: int, height: int, document_shown: str
    ) -> Signature:
        """P10.04 on the screen: the user signs while the technician attends, who has checked the document."""
        now = self._office.clock()
        with self._office.begin(actor, case=case_id) as tx:
            request, person = self._attended(tx, actor, case_id, document_shown)
            ink = canonical_strokes(strokes, width=width, height=height)
            signature = Signature(
                id=self._office.new_id(),
                case=case_id,
                person=person.id,
                strokes=ink,
                width=width,
                height=height,
                sha256=hashlib.sha256(ink).hexdigest(),
                attended_by=actor.account,
                document_shown=person.document.number,
                at=now,
            )
            tx.signatures.add(signature)
            self._signed(tx, actor, request, signature.id, signature.sha256, "screen")
            tx.commit()
        return signature

    def sign_on_paper(self, actor: Actor, case_id: str, *, scan: Upload, document_shown: str) -> None:
        """P10.04 on paper: the receipt was printed and signed, its scan is attached."""
        now = self._office.clock()
        with self._office.begin(actor, case=case_id) as tx:
            request, _ = self._attended(tx, actor, case_id, document_shown)
            attachment = kept(
                scan,
                attachment_id=self._office.new_id(),
                case=case_id,
                kind="signed_receipt",
                added_by=actor.account,
                at=now,
            )
            tx.attachments.add(attachment)
            self._signed(tx, actor, request, attachment.id, attachment.sha256, "paper")
            tx.commit()

    def deliver(self, actor: Actor, case_id: str) -> None:
        """P10.05: the delivery is recorded; the card is active and its grants open from this commit on."""
        now = self._office.clock()
        with self._office.begin(actor, case=case_id) as tx:
            case, request = at_step(tx, case_id, 5, actor=actor, at=now)
            do_step(tx, case, 5, actor=actor, at=now)
            card = tx.cards.get(request.card)
            active = replace(card, state=card.after(CardEvent.DELIVER, norm="P10.05"), since=now)
            tx.cards.save(active)
            person = tx.people.get(request.beneficiary)
            if person.removed:
                tx.people.save(replace(person, removed=False))
            key = card.number.key
            tx.record(
                Fact.CARD_DELIVERED, at=now, actor=actor, case=case_id, person=person.id, credential=key, norm="P10.05"
            )
            for grant in tx.grants.find(case=case_id, state=GrantState.CHOSEN):
                tx.grants.save(replace(grant, state=GrantState.OPEN))
                data = {"schedule": grant.schedule}
                tx.record(
                    Fact.ACCESS_GRANTED,
                    at=now,
                    actor=actor,
                    case=case_id,
                    person=person.id,
                    door=grant.door,
                    norm="P10.05",
                    data=data,
                )
            tx.requests.save(replace(request, delivered_at=now))
            devices_wanted(tx, now, person=person.id)
            tx.commit()

    def _attended(self, tx: Work, actor: Actor, case_id: str, document_shown: str) -> tuple[AccessRequest, Person]:
        """The request and its user, once the technician it is assigned to has checked the document."""
        actor.require(Role.TECNICO_INFRA, norm="P10.04")
        case = tx.cases.get(case_id)
        check_turn(PREMISES_ACCESS, case, 4, {Role.USUARIO})
        if case.assigned_to not in {"", actor.account}:
            raise AccessError(Reason.NOT_ASSIGNED_TO_YOU, "P10.04")
        request = tx.requests.get(case_id)
        if self._office.clock() >= request.expires_at:
            raise AccessError(Reason.REQUEST_EXPIRED, "N10.3", expired=request.expires_at.isoformat())
        person = tx.people.get(request.beneficiary)
        try:
            shown = IdentityDocument.parse(person.document.kind.value, document_shown)
        except AccessError:
            raise AccessError(Reason.IDENTITY_NOT_CHECKED, "P10.04") from None
        if shown != person.document:
            raise AccessError(Reason.IDENTITY_NOT_CHECKED, "P10.04")
        return request, person

    def _signed(self, tx: Work, actor: Actor, request: AccessRequest, receipt: str, digest: str, how: str) -> None:
        now = self._office.clock()
        case = with_evidence(tx.cases.get(request.id), "identity", "signature")
        tx.requests.save(replace(request, receipt=receipt))
        data = {"sha256": digest, "how": how}
        person = request.beneficiary
        tx.record(Fact.RECEIPT_SIGNED, at=now, actor=actor, case=case.id, person=person, norm="P10.04", data=data)
        done = do_step(tx, case, 4, actor=actor, at=now, person=person, roles=frozenset({Role.USUARIO}))
        tx.cases.save(replace(done, assigned_to=case.assigned_to))


def canonical_strokes(strokes: Strokes, *, width: int, height: int, norm: str = "P10.04") -> bytes:
    """The strokes as bytes to keep: one decimal, inside the canvas, bounded, and with real ink in them.

    Raises `AccessError(SIGNATURE_INVALID)` under the step that asks for it; an empty pad is `RECEIPT_UNSIGNED`.
    """
    if not strokes:
        raise AccessError(Reason.RECEIPT_UNSIGNED, norm)
    sizes_fit = 0 < width <= SIDE and 0 < height <= SIDE
    if not sizes_fit or len(strokes) > MOST_STROKES or sum(len(stroke) for stroke in strokes) > MOST_POINTS:
        raise AccessError(Reason.SIGNATURE_INVALID, norm)
    ink = 0.0
    kept_strokes = []
    for stroke in strokes:
        try:
            points = [(round(float(x), 1), round(float(y), 1)) for x, y in stroke]
        except OverflowError:  # a whole number beyond every float
            raise AccessError(Reason.SIGNATURE_INVALID, norm) from None
        if not all(math.isfinite(x) and math.isfinite(y) for x, y in points):
            raise AccessError(Reason.SIGNATURE_INVALID, norm)
        if not all(-1 <= x <= width + 1 and -1 <= y <= height + 1 for x, y in points):
            raise AccessError(Reason.SIGNATURE_INVALID, norm)
        ink += sum(math.dist(a, b) for a, b in itertools.pairwise(points))
        kept_strokes.append(points)
    if ink < SHORTEST_INK:
        raise AccessError(Reason.RECEIPT_UNSIGNED, norm)
    return json.dumps(kept_strokes, separators=(",", ":")).encode()
