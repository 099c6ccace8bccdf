"""The panel, tested in front of real desks and a real store, and in a real browser."""
