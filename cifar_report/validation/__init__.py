"""Holds a built report and its bundle against validators that are not this project's own."""
