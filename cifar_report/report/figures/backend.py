"""Imports matplotlib before any other module does, apart from the locale of whoever runs the program."""

import locale
import os

# Where a person's settings say ``axes.formatter.use_locale`` the import itself sets the locale that these variables
# name, and fails where there is none of that name.
_BEFORE, _VARIABLE = locale.setlocale(locale.LC_ALL), os.environ.get("LC_ALL")
os.environ["LC_ALL"] = "C"
try:
    import matplotlib as matplotlib
finally:
    locale.setlocale(locale.LC_ALL, _BEFORE)
    del os.environ["LC_ALL"]
    if _VARIABLE is not None:
        os.environ["LC_ALL"] = _VARIABLE
