"""From final numbers to what people read: figures, sentences, HTML and PDF. It computes no result."""

import locale
import os

# matplotlib is imported here, before any other module does it, apart from the settings of whoever runs the program:
# a backend that does not exist stops the import, and so does, where a person's settings say ``use_locale``, a locale.
os.environ.pop("MPLBACKEND", None)
_BEFORE, _VARIABLE = locale.setlocale(locale.LC_ALL), os.environ.get("LC_ALL")
os.environ["LC_ALL"] = "C"
try:
    import matplotlib as matplotlib
finally:
    locale.setlocale(locale.LC_ALL, _BEFORE)
    del os.environ["LC_ALL"]
    if _VARIABLE is not None:
        os.environ["LC_ALL"] = _VARIABLE
