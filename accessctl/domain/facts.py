"""The closed vocabulary of what can have happened: three parts, past tense. The record holds nothing else.

The first part is the noun, the last what was done. An entry's `event` column is one of these.
"""

from enum import StrEnum


class Fact(StrEnum):
    """Everything that an entry of the record can say."""

    RECORD_BEGUN = "record:store:begun"
    SITE_APPLIED = "site:file:applied"
    SETTING_CHANGED = "site:setting:changed"
    EXPORT_MADE = "record:export:made"
    CHECKPOINT_SIGNED = "record:checkpoint:signed"

    ACCOUNT_ADDED = "account:panel:added"
    ACCOUNT_DISABLED = "account:panel:disabled"
    ACCOUNT_SIGNED_IN = "account:session:opened"
    ACCOUNT_SIGN_IN_REFUSED = "account:session:refused"
    ACCOUNT_SIGNED_OUT = "account:session:closed"

    PERSON_REGISTERED = "person:file:registered"
    PERSON_CORRECTED = "person:file:corrected"
    PERSON_REMOVED = "person:access:removed"

    CASE_OPENED = "case:procedure:opened"
    CASE_STEP_DONE = "case:step:done"
    CASE_STEP_REFUSED = "case:step:refused"
    CASE_ASSIGNED = "case:step:assigned"
    CASE_CLOSED = "case:procedure:closed"
    CASE_CANCELLED = "case:procedure:cancelled"
    FORM_ATTACHED = "case:form:attached"
    REQUEST_AUTHORISED = "case:request:authorised"
    DOCUMENT_PRINTED = "case:document:printed"

    CARD_STOCKED = "card:stock:added"
    CARD_ENROLLED = "card:life:enrolled"
    CARD_RELEASED = "card:life:released"
    CARD_DELIVERED = "card:life:delivered"
    CARD_SUSPENDED = "card:life:suspended"
    CARD_RESUMED = "card:life:resumed"
    CARD_REVOKED = "card:life:revoked"
    CARD_LOST = "card:life:lost"
    CARD_STOLEN = "card:life:stolen"
    CARD_DAMAGED = "card:life:damaged"
    CARD_RETURNED = "card:life:returned"
    CARD_DESTROYED = "card:life:destroyed"
    CAPTURE_STARTED = "card:capture:started"
    CARD_CAPTURED = "card:capture:read"

    FINGER_ENROLLED = "finger:template:enrolled"
    FINGER_REFUSED = "finger:template:refused"
    FINGER_WAIVED = "finger:template:waived"
    FINGER_ERASED = "finger:template:erased"

    ACCESS_CHOSEN = "access:grant:chosen"
    ACCESS_GRANTED = "access:grant:opened"
    ACCESS_ENDED = "access:grant:ended"
    RECEIPT_SIGNED = "receipt:signature:given"
    REMOVAL_REQUESTED = "removal:request:registered"
    REMOVAL_CONFIRMED = "removal:device:confirmed"

    DOOR_GRANTED = "door:entry:granted"
    DOOR_REFUSED = "door:entry:refused"
    DOOR_EXITED = "door:exit:granted"
    DOOR_UNLOCKED = "door:lock:released"
    DOOR_OPENED = "door:leaf:opened"
    DOOR_CLOSED = "door:leaf:closed"
    DOOR_FORCED = "door:leaf:forced"
    DOOR_HELD = "door:leaf:held_open"
    EXIT_BUTTON = "door:exit:requested"
    DEVICE_EVENT = "device:event:received"

    DEVICE_ONLINE = "device:link:restored"
    DEVICE_OFFLINE = "device:link:lost"
    DEVICE_IDENTIFIED = "device:identity:read"
    DEVICE_CLOCK_SET = "device:clock:set"
    DEVICE_CLOCK_DOUBTFUL = "device:clock:doubted"
    DEVICE_APPLIED = "device:contents:applied"
    DEVICE_DRIFTED = "device:contents:drifted"
    DEVICE_LOG_GAP = "device:log:gap_found"
    DEVICE_COMMAND_ASKED = "device:command:asked"
    DEVICE_COMMAND_DONE = "device:command:done"
    DEVICE_COMMAND_FAILED = "device:command:failed"

    ALARM_RAISED = "alarm:state:raised"
    ALARM_ACKNOWLEDGED = "alarm:state:acknowledged"
    ALARM_RESOLVED = "alarm:state:resolved"
    ALARM_REOPENED = "alarm:state:reopened"
    ALARM_VERIFIED = "alarm:state:verified"
