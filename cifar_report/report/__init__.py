"""From final numbers to what people read: figures, sentences, HTML and PDF. It computes no result."""

import os

os.environ.pop("MPLBACKEND", None)  # figures need no window, and a name that does not exist stops matplotlib's import
