"""Whether the page is correct HTML, by the Nu HTML checker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from cifar_report.validation.outcomes import MissingTool
from cifar_report.validation.tools import java, npm_packages, run

MOST_FINDINGS = 20


def check_markup(page: Path) -> list[str]:
    """Return the errors of the Nu HTML checker on a page; raises MissingTool where it cannot run."""
    jar = npm_packages() / "vnu-jar" / "build" / "dist" / "vnu.jar"
    done = run(java(), "-Xss4m", "-jar", jar, "--errors-only", "--exit-zero-always", "--format", "json", page)
    return markup_errors(done.stderr or done.stdout)


def markup_errors(answer: str) -> list[str]:
    """Return the errors in what the checker wrote; raises MissingTool when that is not its format."""
    try:
        messages = msgspec.json.decode(answer, type=dict[str, Any])["messages"]
    except (msgspec.DecodeError, KeyError) as error:
        raise MissingTool(f"the Nu HTML checker did not answer: {answer.strip()[-200:] or 'nothing'}") from error
    errors = [each for each in messages if each.get("type") in ("error", "non-document-error")]
    return [f"line {each.get('lastLine', '?')}: {each.get('message', '')}" for each in errors[:MOST_FINDINGS]]
