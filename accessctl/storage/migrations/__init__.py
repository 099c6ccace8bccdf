"""How a database comes to its present shape: Alembic's versions, shipped in the package.

`migrate` brings any database of ours up to date, an empty one included; it runs in one write transaction, so that of
several processes that start together one migrates and the others find it done, and a migration that is killed has
not happened. Tables are only ever changed by a new version; a test holds the versions against `tables` and the
triggers against `record_tables` and `guards`. A new version is drafted by `draft` from the difference between a
migrated database and the tables, and then read, corrected and given its name by a person.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from accessctl.storage.engine import DatabaseNotReady, begin_reading, begin_writing

HERE = Path(__file__).parent


def configuration(connection: Connection | None = None) -> Config:
    """Alembic's configuration for the versions in this folder."""
    config = Config()
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def migrate(engine: Engine) -> None:
    """Bring the database up to date. Nothing is changed where it is already. Raises `DatabaseNotReady`."""
    try:
        connection = begin_writing(engine)
    except OperationalError:
        raise DatabaseNotReady("the database does not answer") from None
    try:
        command.upgrade(configuration(connection), "head")
        connection.commit()
    finally:
        connection.close()


def draft(engine: Engine, name: str, message: str) -> None:
    """Write the file of a new version, from what `tables` has and this (migrated) database has not."""
    connection = begin_writing(engine)
    try:
        command.revision(configuration(connection), message=message, rev_id=name, autogenerate=True)
    finally:
        connection.close()


def require_current(engine: Engine) -> None:
    """Raises `DatabaseNotReady` where the database does not answer, or was not brought to its present shape."""
    try:
        with begin_reading(engine) as connection:
            current = is_current(connection)
    except OperationalError:
        raise DatabaseNotReady("the database does not answer") from None
    if not current:
        raise DatabaseNotReady("the database has not the shape of this version; accessctl init brings it there")


def is_current(connection: Connection) -> bool:
    """Whether the database has the shape that this program was written for."""
    present = MigrationContext.configure(connection).get_current_revision()
    return present == ScriptDirectory.from_config(configuration()).get_current_head()
