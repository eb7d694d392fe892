"""Breaks things for real and says what was lost: ``python -m cifar_report.faults``."""
