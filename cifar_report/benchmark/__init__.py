"""Measures how fast the suite is, against its aims, other ways and the machine's own limit: ``nox -s bench``."""
