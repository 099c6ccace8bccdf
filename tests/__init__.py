"""Tests of accessctl and its simulator: a package, so that the parts they share are imported by one name."""
