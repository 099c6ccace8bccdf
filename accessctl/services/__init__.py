"""Use cases: one class per desk, one public method per verb, one visible transaction per method."""
