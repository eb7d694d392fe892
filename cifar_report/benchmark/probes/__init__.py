"""Programs that train a slice and time it, one a way of training; each runs in a process of its own."""
