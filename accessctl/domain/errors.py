"""The one family of refusals of the domain: understood, and the answer is no.

A refusal is data: a reason from a closed list, the norm or step of the manual behind it, and the details that the
sentence shown to people is filled with. The sentence itself is written once, in Spanish, in the panel's catalogue.
"""

from collections.abc import Mapping
from enum import StrEnum


class Reason(StrEnum):
    """Why something is refused, at a door or at a desk. Closed: what is not here cannot be refused for it."""

    # at a door
    UNKNOWN_CREDENTIAL = "unknown_credential"
    MALFORMED_CREDENTIAL = "malformed_credential"
    NOT_DELIVERED = "not_delivered"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    LOST_OR_STOLEN = "lost_or_stolen"
    NO_RIGHT = "no_right"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    OUTSIDE_SCHEDULE = "outside_schedule"
    HOLIDAY = "holiday"
    VISIT_STEP_MISSING = "visit_step_missing"
    ESCORT_MISSING = "escort_missing"
    ESCORT_NOT_ENTITLED = "escort_not_entitled"
    ESCORT_RATIO = "escort_ratio"
    HOST_ABSENT = "host_absent"
    ANTI_PASSBACK = "anti_passback"
    OCCUPANCY_LIMIT = "occupancy_limit"
    LOCKDOWN = "lockdown"
    INTERLOCK = "interlock"
    DEVICE_REFUSED = "device_refused"  # the terminal decided alone and named no cause
    # at a desk
    NOT_FOUND = "not_found"
    WRONG_ROLE = "wrong_role"
    STEP_OUT_OF_ORDER = "step_out_of_order"
    CASE_CLOSED = "case_closed"
    DUTIES_NOT_SEPARATED = "duties_not_separated"
    NOT_AUTHORISED = "not_authorised"
    AUTHORITY_NOT_ENTITLED = "authority_not_entitled"
    REQUEST_EXPIRED = "request_expired"
    FORM_INCOMPLETE = "form_incomplete"
    FORM_NOT_SIGNED = "form_not_signed"
    NOT_ASSIGNED_TO_YOU = "not_assigned_to_you"
    BEYOND_AUTHORISATION = "beyond_authorisation"
    CARD_NOT_IN_STOCK = "card_not_in_stock"
    CARD_ALREADY_LIVE = "card_already_live"
    CARD_NEVER_AGAIN = "card_never_again"
    CARD_NUMBERS_DISAGREE = "card_numbers_disagree"
    CARD_NUMBER_INVALID = "card_number_invalid"
    CARD_TOO_LONG_FOR_DEVICE = "card_too_long_for_device"
    CARD_TRANSITION = "card_transition"
    RECEIPT_UNSIGNED = "receipt_unsigned"
    SIGNATURE_INVALID = "signature_invalid"
    IDENTITY_NOT_CHECKED = "identity_not_checked"
    TEMPLATE_QUALITY = "template_quality"
    FINGER_TAKEN = "finger_taken"
    DEVICE_UNAVAILABLE = "device_unavailable"
    CAPTURE_BUSY = "capture_busy"
    CAPTURE_EXPIRED = "capture_expired"
    TEXT_INVALID = "text_invalid"
    DOCUMENT_INVALID = "document_invalid"
    ALREADY_EXISTS = "already_exists"
    ALREADY_DONE = "already_done"
    UPLOAD_INVALID = "upload_invalid"
    CREDENTIALS_WRONG = "credentials_wrong"
    THROTTLED = "throttled"
    ACCOUNT_DISABLED = "account_disabled"
    PASSWORD_WEAK = "password_weak"  # noqa: S105 -- the name of a refusal, not a password


class AccessError(Exception):
    """Understood, and the answer is no. `norm` is a step (`P10.04`) or a norm (`N10.3`) of the manual, or empty.

    `details` holds only values that may be shown to whoever asked: no secrets, no template, nothing unbounded.
    `recorded` says that the refusal is an entry of the record already: whoever answers a person records what is not.
    """

    def __init__(self, reason: Reason, norm: str = "", **details: str | int) -> None:
        super().__init__(f"{reason.value} ({norm})" if norm else reason.value)
        self.reason = reason
        self.norm = norm
        self.details: Mapping[str, str | int] = details
        self.recorded = False
