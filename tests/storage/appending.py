"""A process that appends to a record without end and says so only after the commit; a test kills it.

python -m tests.storage.appending ADDRESS WORD
"""

import sys
from itertools import count

from accessctl.storage.engine import begin_writing, make_engine
from accessctl.storage.record_store import RecordAppender


def main(address: str, word: str) -> None:
    engine, appender = make_engine(address), RecordAppender()
    for batch in count():
        entries = [{"v": 1, "fact": word, "batch": batch, "number": number} for number in range(batch * 37 % 300 + 1)]
        with begin_writing(engine) as connection:
            indexes = appender.append(connection, entries)
            connection.commit()
        sys.stdout.write(f"{word} {batch} {indexes[0]} {indexes[-1]}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
