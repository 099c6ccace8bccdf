"""The peer of P4, as such servers are usually written: Flask, a row a line, a commit a request, no record at all."""

import os
import sqlite3

from flask import Flask, request


def peer_app() -> Flask:
    """Behind granian's WSGI interface; the database is the file that `PEER_DATABASE` names."""
    app = Flask("peer")
    file = os.environ["PEER_DATABASE"]
    with sqlite3.connect(file) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE IF NOT EXISTS events (sn TEXT, idx INTEGER, line TEXT, UNIQUE (sn, idx, line))")

    @app.post("/iclock/cdata")
    def upload() -> str:
        serial = request.args["SN"]
        rows = []
        for line in request.get_data(as_text=True).split("\n"):
            fields = dict(field.split("=", 1) for field in line.split("\t"))
            rows.append((serial, int(fields["index"]), line))
        database = sqlite3.connect(file, timeout=30)
        try:
            database.execute("PRAGMA synchronous=FULL")
            database.executemany("INSERT OR IGNORE INTO events VALUES (?, ?, ?)", rows)
            database.commit()
        finally:
            database.close()
        return "OK"

    return app
