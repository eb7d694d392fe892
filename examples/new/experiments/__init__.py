"""One file is one experiment."""
