"""What the suite asks: one file is one experiment, data only; a new file is found by itself."""
