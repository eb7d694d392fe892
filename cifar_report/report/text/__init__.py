"""Whole sentences bound to data: what the report says, and never more than the verdicts do."""
