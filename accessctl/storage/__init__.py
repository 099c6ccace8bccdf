"""Where values and the record are kept: the only package that knows SQLAlchemy. SQLite by default, or PostgreSQL."""
