"""accessctl: access control whose doors enforce the manual, and a record that proves itself."""
