"""What the machine and the software are, and the variables under which workers start."""

import os
import platform
import re
import subprocess
from functools import partial
from importlib import metadata
from pathlib import Path

import psutil

from cifar_report import __version__
from cifar_report.bundle import Environment
from cifar_report.errors import UsageError

WORKER_VARIABLES = {
    "TF_ENABLE_ONEDNN_OPTS": "1",  # explicit: its default differs between builds, and it changes results
    "TF_CPP_MIN_LOG_LEVEL": "1",  # warnings and errors go into the run's log
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "KERAS_BACKEND": "tensorflow",
}
ROOT = Path(__file__).resolve().parents[2]
SETTINGS = re.compile(
    "(TF|XLA|ONEDNN|DNNL|KERAS|NPY|OMP|KMP|GOMP|OPENBLAS|GOTO|MKL|BLIS|VECLIB|SKLEARN|SCIPY|JOBLIB|LC)_.*"
    "|LANG|LANGUAGE|GLIBC_TUNABLES|PYTHON(WARNINGS|OPTIMIZE|INSPECT|IOENCODING)"
)
"""The variables of a user that could change what is computed, or stop it: workers start without them."""
NEUTRAL = {
    "KERAS_HOME": os.devnull,  # no keras.json: its floatx and data format would reach every network
    "LC_ALL": "C",
    "PYTHONUTF8": "1",
}
PROCESSOR_INFORMATION = Path("/proc/cpuinfo")
DESIGN = {"family": "cpu family", "model": "model"}  # by their names in Linux
VECTORS = {"avx512f": "AVX-512", "avx2": "AVX2", "avx": "AVX"}  # by their flags in Linux, the widest first
GRAPHICS_CARDS = Path("/proc/driver/nvidia")
PACKAGES = ("tensorflow", "keras", "numpy", "scikit-learn", "scipy", "statsmodels", "matplotlib", "weasyprint")


def record_environment() -> Environment:
    """Return the environment's record; no host name and no path is in it."""
    installed = {name: next(iter(metadata.distributions(name=name)), None) for name in PACKAGES}
    return Environment(
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.release()} {platform.machine()}",
        processor=processor_name(),
        cores=len(available_cores()),
        memory_bytes=psutil.virtual_memory().total,
        packages={name: found.version for name, found in installed.items() if found is not None},
        variables=dict(WORKER_VARIABLES),
        project_version=__version__,
        project_commit=project_commit(),
    )


def worker_environment(card: int | None = None) -> dict[str, str]:
    """Return the user's variables but for those that could reach results; ``card`` is the one card of those shown."""
    own = {name: value for name, value in os.environ.items() if not SETTINGS.fullmatch(name)}
    if card is not None:
        shown = os.environ.get("CUDA_VISIBLE_DEVICES")
        own["CUDA_VISIBLE_DEVICES"] = str(card) if shown is None else shown.split(",")[card].strip()
    return own | NEUTRAL | WORKER_VARIABLES


def available_cores() -> list[int]:
    """Return the processor numbers that this process may use."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))


def graphics_cards() -> int:
    """Return how many graphics cards the training may use: those that there are and that CUDA's variable shows."""
    found = len(list(GRAPHICS_CARDS.glob("gpus/*")))
    shown = os.environ.get("CUDA_VISIBLE_DEVICES")
    if shown is None:
        return found
    names = [name.strip() for name in shown.split(",")]
    hidden = next((place for place, name in enumerate(names) if name in ("", "-1")), len(names))
    return min(found, hidden)  # as CUDA reads it: what stands behind an unknown name is hidden too


def cards_asked(devices: str | None) -> int:
    """Return on how many graphics cards single runs train, one on each; raises UsageError where there are fewer."""
    if devices in (None, "cpu"):
        return 0
    found, there = re.fullmatch("gpu(:[1-9][0-9]?)?", devices or ""), graphics_cards()
    if found is None:
        raise UsageError(f"--devices {devices}: it is cpu, gpu or gpu:N")
    count = int(found[1][1:]) if found[1] else there
    if not 0 < count <= there:
        raise UsageError(f"--devices {devices}: NVIDIA's driver and CUDA_VISIBLE_DEVICES show {there} graphics cards")
    return count


def describe_cards(count: str = "") -> str:
    """Return which graphics cards there are, ``count`` of them, with their driver: both decide how they round."""
    told = [path.read_text(errors="replace") for path in sorted(GRAPHICS_CARDS.glob("gpus/*/information"))]
    models = sorted({found[1].strip() for text in told if (found := re.search("Model:(.*)", text))})
    version = GRAPHICS_CARDS / "version"
    driver = re.search(r"\d+\.\d[\d.]*", version.read_text(errors="replace")) if version.is_file() else None
    named = f"{count or f'{graphics_cards()} graphics cards'} ({', '.join(models) or 'unknown'}"
    return f"{named}, driver {driver[0] if driver else 'unknown'})"


def shown(text: str, most: int = 200) -> str:
    """Return the end of a text from outside as a record may hold it: of a bounded size, in signs that can be shown."""
    kept = "".join(each if each.isprintable() or each in "\n\t" else ascii(each)[1:-1] for each in text[-most:])
    return kept[-most:]


def processor_name(information: Path = PROCESSOR_INFORMATION) -> str:
    """Return the processor's name with what decides how it rounds: its design and its widest vector instructions."""
    lines = information.read_text(errors="replace").splitlines() if information.is_file() else []
    parts = [line.partition(":") for line in reversed(lines)]  # so that those of the first processor stay
    fields = {name.strip(): value.strip() for name, _, value in parts}
    if "model name" not in fields:
        return shown(platform.processor() or platform.machine())
    design = [f"{word} {fields[name]}" for word, name in DESIGN.items() if fields.get(name)]
    if flags := fields.get("flags", "").split():
        design.append(next((name for flag, name in VECTORS.items() if flag in flags), "no AVX"))
    return shown(f"{fields['model name']} ({', '.join(design)})" if design else fields["model name"])


def project_commit(root: Path = ROOT) -> str | None:
    """Return the commit of the project's own checkout, marked where files were changed; None without one."""
    if not (root / ".git").exists():
        return None
    variables = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    ask = partial(subprocess.run, capture_output=True, text=True, timeout=10, check=True, env=variables, cwd=root)
    try:
        ask(["git", "ls-files", "--error-unmatch", "cifar_report/__init__.py"])
        done = ask(["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"])
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
