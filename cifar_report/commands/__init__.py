"""What each command does: check, call the part that does it, and say what came of it."""
