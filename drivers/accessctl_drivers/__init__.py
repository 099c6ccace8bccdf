"""Drivers: what speaks to terminals, desk readers and controllers. Services know them by `accessctl.ports` only."""
