"""Accounts of the panel: added, signed in to, disabled. No default password exists anywhere.

Sign-in is throttled by name and by source address; an unknown name costs as much time as a known one and gets the
same answer. A session carries the account's epoch: disabling the account or changing its password raises the epoch,
and every open session ends at its next request. Source of the rules: procedure 1 (an account exists only through a
request) and general norm NG.7 (it ends when the person leaves).
"""

from dataclasses import replace
from datetime import timedelta
from functools import cached_property

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from accessctl.domain.accounts import Account, SignInTry
from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.domain.people import GRANTABLE, SYSTEM, Actor, Permission, Person, Role
from accessctl.services.office import Office
from accessctl.services.people_desk import PersonForm, on_file, put_on_file
from accessctl.services.store import Work

WINDOW = timedelta(minutes=15)  # failures older than this are forgotten
FREE_TRIES_NAME = 5
FREE_TRIES_SOURCE = 30
SHORTEST, LONGEST = 12, 200  # NIST SP 800-63B: length, not composition rules; an upper bound keeps hashing bounded


class AccountDesk:
    """Who may sign in to the panel, and as what."""

    def __init__(self, office: Office, hasher: PasswordHasher) -> None:
        self._office = office
        self._hasher = hasher

    @cached_property
    def _nobody(self) -> str:
        """What is compared where there is no account: made by the first sign-in, whoever's it is."""
        return self._hasher.hash("nobody has this password")

    def add(
        self,
        actor: Actor,
        *,
        username: str,
        password: str,
        person: str | PersonForm,
        roles: frozenset[Role],
        reference: str,
    ) -> Account:
        """A new account; `reference` names the request that it comes from (P1).

        `person` is the id of somebody on file, or what is known of them: whoever has that document already gets the
        account, and somebody new is registered with it, both or neither.
        """
        self._office.require(actor, Permission.ACCOUNTS_MANAGE, norm="P1.01")
        if isinstance(person, PersonForm):
            self._office.require(actor, Permission.PEOPLE_EDIT, norm="N10.2")
        name = checked_username(username)
        checked_password(password)
        if not roles or not roles <= GRANTABLE:
            raise AccessError(Reason.FORM_INCOMPLETE, "P1.01", missing="roles")
        hashed = self._hasher.hash(password)
        now = self._office.clock()
        with self._office.begin(actor) as tx:
            holder = self._holder(tx, actor, person)
            if tx.accounts.find(username=name, limit=1):
                raise AccessError(Reason.ALREADY_EXISTS, "P1.01", field="username")
            account = Account(
                id=self._office.new_id(),
                username=name,
                person=holder.id,
                roles=tuple(sorted(roles)),
                password_hash=hashed,
                epoch=1,
                added_at=now,
            )
            tx.accounts.add(account)
            listed = " ".join(account.roles)
            data = {"username": name, "roles": listed, "request": reference[:80]}
            tx.record(Fact.ACCOUNT_ADDED, at=now, actor=actor, person=holder.id, norm="P1.01", data=data)
            tx.commit()
        return account

    def disable(self, actor: Actor, username: str, *, reason: str) -> None:
        """End an account and, at their next request, all of its sessions (NG.7)."""
        self._office.require(actor, Permission.ACCOUNTS_MANAGE, norm="NG.7")
        with self._office.begin(actor) as tx:
            found = tx.accounts.find(username=checked_username(username), limit=1)
            if not found:
                raise AccessError(Reason.NOT_FOUND, "NG.7", field="username")
            disable_account(tx, self._office, actor, found[0], reason)
            tx.commit()

    def accounts(self) -> list[Account]:
        """All accounts, by name."""
        with self._office.store.view() as tx:
            return sorted(tx.accounts.find(limit=2000), key=lambda account: account.username)

    def sign_in(self, username: str, password: str, *, source: str) -> Account:
        """The account, if name and password fit and nobody is guessing. Refusals are recorded with their source."""
        name = _name_to_try(username)
        now = self._office.clock()
        with self._office.store.view() as tx:
            wait = self._wait(tx, name, source)
            found = tx.accounts.find(username=name, limit=1)
        if wait > timedelta(0):
            raise AccessError(Reason.THROTTLED, "", seconds=int(wait.total_seconds()) + 1)
        account, nobody = found[0] if found else None, self._nobody
        fits = self._fits(account.password_hash if account else nobody, password[:LONGEST])
        if account is None or not fits or len(password) > LONGEST or account.disabled_at is not None:
            raise self._failed(name, source, account, actor=SYSTEM)
        with self._office.store.begin() as tx:
            for attempt in tx.sign_in_tries.find(username=name):
                tx.sign_in_tries.delete(attempt.id)
            actor = self._actor(tx, account)
            tx.record(Fact.ACCOUNT_SIGNED_IN, at=now, actor=actor, person=account.person, data={"source": source[:64]})
            tx.commit()
        return account

    def change_password(self, actor: Actor, *, old: str, new: str) -> Account:
        """One's own password, by whoever knows the old one; every open session of the account ends, this one too.

        Guessing the old one from a session left open is throttled and recorded like guessing at the door.
        """
        checked_password(new)
        now = self._office.clock()
        with self._office.store.view() as tx:
            account = tx.accounts.get(actor.account)
            wait = self._wait(tx, account.username, account.id)
        if wait > timedelta(0):
            raise AccessError(Reason.THROTTLED, "", seconds=int(wait.total_seconds()) + 1)
        if len(old) > LONGEST or not self._fits(account.password_hash, old):
            raise self._failed(account.username, account.id, account, actor=actor)
        if new == old:
            raise AccessError(Reason.PASSWORD_WEAK, "", shortest=SHORTEST)
        hashed = self._hasher.hash(new)
        with self._office.begin(actor) as tx:
            if tx.accounts.get(account.id) != account:  # disabled, or changed elsewhere, while the hash was made
                raise AccessError(Reason.ALREADY_DONE)
            changed = replace(account, password_hash=hashed, epoch=account.epoch + 1)
            tx.accounts.save(changed)
            tx.record(Fact.ACCOUNT_PASSWORD_CHANGED, at=now, actor=actor, person=account.person)
            tx.commit()
        return changed

    def sign_out(self, actor: Actor) -> None:
        """The person leaves the panel."""
        with self._office.store.begin() as tx:
            tx.record(Fact.ACCOUNT_SIGNED_OUT, at=self._office.clock(), actor=actor, person=actor.person)
            tx.commit()

    def who(self, account_id: str, epoch: int) -> Actor | None:
        """Whoever a session speaks for; None where the account was disabled or its sessions ended."""
        with self._office.store.view() as tx:
            account = tx.accounts.maybe(account_id)
            if account is None or account.disabled_at is not None or account.epoch != epoch:
                return None
            return self._actor(tx, account)

    def _failed(self, name: str, source: str, account: Account | None, *, actor: Actor) -> AccessError:
        """Count and record a wrong password; the refusal to raise."""
        now = self._office.clock()
        refusal = AccessError(Reason.CREDENTIALS_WRONG)
        with self._office.store.begin() as tx:
            for past in tx.sign_in_tries.find(limit=100):
                if now - past.at > WINDOW:  # nothing looks at it any more
                    tx.sign_in_tries.delete(past.id)
            tx.sign_in_tries.add(SignInTry(id=self._office.new_id(), username=name, source=source[:64], at=now))
            data = {"source": source[:64], "account": account.id if account else ""}
            tx.record(Fact.ACCOUNT_SIGN_IN_REFUSED, at=now, actor=actor, reason=refusal.reason.value, data=data)
            tx.commit()
        refusal.recorded = True
        return refusal

    def _holder(self, tx: Work, actor: Actor, person: str | PersonForm) -> Person:
        if isinstance(person, str):
            return tx.people.get(person)
        return on_file(tx, person) or put_on_file(tx, self._office, actor, person)

    def _actor(self, tx: Work, account: Account) -> Actor:
        person = tx.people.get(account.person)
        roles = frozenset(account.roles)
        return Actor(account=account.id, person=person.id, roles=roles, name=person.full_name)

    def _fits(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except VerificationError:
            return False

    def _wait(self, tx: Work, name: str, source: str) -> timedelta:
        """How long this name or this source still has to wait: doubling from 15 s, a quarter of an hour at most."""
        now = self._office.clock()
        longest = timedelta(0)
        for tries, free in (
            (tx.sign_in_tries.find(username=name, newest=True, limit=50), FREE_TRIES_NAME),
            (tx.sign_in_tries.find(source=source[:64], newest=True, limit=50), FREE_TRIES_SOURCE),
        ):
            recent = [attempt.at for attempt in tries if now - attempt.at < WINDOW]
            if len(recent) >= free:
                pause = min(timedelta(seconds=15 * 2 ** min(len(recent) - free, 10)), WINDOW)
                longest = max(longest, max(recent) + pause - now)
        return longest


def disable_account(tx: Work, office: Office, actor: Actor, account: Account, reason: str) -> None:
    """Disable inside somebody's transaction (a removal ends the panel account too, P5). Commits nothing."""
    if account.disabled_at is not None:
        return
    now = office.clock()
    ended = Account(
        id=account.id,
        username=account.username,
        person=account.person,
        roles=account.roles,
        password_hash=account.password_hash,
        epoch=account.epoch + 1,
        added_at=account.added_at,
        disabled_at=now,
    )
    tx.accounts.save(ended)
    data = {"username": account.username, "why": reason[:200]}
    tx.record(Fact.ACCOUNT_DISABLED, at=now, actor=actor, person=account.person, norm="NG.7", data=data)


def _name_to_try(username: str) -> str:
    """The name as accounts have it; one and the same for all that cannot be a name, so that these are counted too."""
    try:
        return checked_username(username)
    except AccessError:
        return "-"


def checked_username(username: str) -> str:
    """3 to 64 of `a-z 0-9 . _ -`, folded to lower case."""
    name = username.strip().casefold() if len(username) <= 100 else ""
    if (
        not 3 <= len(name) <= 64
        or not name.isascii()
        or not name.replace(".", "").replace("_", "").replace("-", "").isalnum()
    ):
        raise AccessError(Reason.TEXT_INVALID, "P1.01", field="username", longest=64)
    return name


def checked_password(password: str) -> None:
    """Long enough, bounded, and not one character repeated."""
    if not SHORTEST <= len(password) <= LONGEST or len(set(password)) < 5:
        raise AccessError(Reason.PASSWORD_WEAK, "", shortest=SHORTEST)
