"""Holds a bundle's RO-Crate metadata against the RO-Crate validator: ``python crate_check.py BUNDLE``; writes JSON.

It runs in an environment of its own (``locks/crate.txt``), because the validator wants older versions of packages
that the project uses, and so it imports nothing of the project. No request leaves the machine: the JSON-LD context,
which the validator would fetch, comes from the package rocrate, through the validator's own cache.
"""

from __future__ import annotations

import importlib.resources
import io
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import requests
import requests_cache
from requests.adapters import HTTPAdapter
from rocrate_validator import services
from rocrate_validator.models import ValidationSettings
from urllib3 import HTTPResponse

CONTEXT = "https://w3id.org/ro/crate/1.1/context"
PROFILE = "process-run-crate-0.5"


def issues(bundle: Path) -> list[str]:
    """Return what the validator objects to in a bundle, at the level that the profile requires."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "answers"
        fill(store)
        settings = ValidationSettings(
            rocrate_uri=str(bundle),
            profile_identifier=PROFILE,
            requirement_severity="REQUIRED",
            cache_path=store,
            offline=True,
        )
        result = services.validate(settings)
        return [f"{issue.check.identifier}: {issue.message}" for issue in result.get_issues()]


class FromPackage(HTTPAdapter):
    """Answers a request for the JSON-LD context with the copy in the package rocrate."""

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """Answer without a network."""
        content = (importlib.resources.files("rocrate") / "data" / "ro-crate.jsonld").read_bytes()
        headers = {"Content-Type": "application/ld+json"}
        raw = HTTPResponse(
            io.BytesIO(content), headers, 200, preload_content=False, request_method="GET", request_url=CONTEXT
        )
        return self.build_response(request, raw)


def fill(store: Path) -> None:
    """Put the JSON-LD context of RO-Crate 1.1 where the validator looks for what it has fetched before."""
    with requests_cache.CachedSession(str(store), backend="sqlite", expire_after=-1) as session:
        session.mount(CONTEXT, FromPackage())
        session.get(CONTEXT)


if __name__ == "__main__":
    print(json.dumps(issues(Path(sys.argv[1]).resolve())))
