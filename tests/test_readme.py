"""What the README says of commands and sizes is so; its findings are in ``test_docs_findings``."""

import re

from command import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_it_lists_every_session_and_every_command():
    """It names every session and every command in at most 120 lines."""
    from cifar_report.cli import COMMANDS

    sessions = set(re.findall(r"^def (\w+)\(session: nox\.Session\)", (ROOT / "noxfile.py").read_text(), re.MULTILINE))
    assert sessions - set(re.findall(r"`nox -s (\w+)", README)) == set()
    assert [name for name in COMMANDS if name not in README] == []
    assert len(README.splitlines()) <= 120
