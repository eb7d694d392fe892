"""Whether a bundle is what it says: every hash, key and count, every number and figure that follows from others."""
