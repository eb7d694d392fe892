"""How a report is built changes how long it takes, and not a byte of it."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from built import bundle
from command import environment
from elsewhere import TooMany, divide, lack, leave

from cifar_report.analysis import analyse
from cifar_report.bundle import Bundle
from cifar_report.cli import main
from cifar_report.errors import SuiteError
from cifar_report.report import build as builder
from cifar_report.report import workers
from cifar_report.report.build import build_report, file_names
from cifar_report.report.errand import Errand
from cifar_report.report.figures.cache import FigureCache
from cifar_report.report.figures.gallery import jobs
from cifar_report.report.figures.job import Job
from cifar_report.report.i18n import Translation
from cifar_report.report.typesetting.paper import Paper, PartSource
from cifar_report.report.workers import Workers

CREATED = "2026-01-01T01:00:00+00:00"


def contents(folder):
    """Return the files of a Greek report."""
    return {name: (folder / name).read_bytes() for name in file_names(["el"])}


def test_side_by_side_and_from_the_cache_gives_the_same_bytes(built, tmp_path, monkeypatch):
    """Several processes that fill an empty cache, and then find it full, write what one writes without any."""
    figures, drawn = FigureCache(tmp_path / "figures"), []

    def build(processes=2):
        build_report(bundle(), tmp_path / "several", ["el"], processes=processes, cache=figures)

    with monkeypatch.context() as patch:
        patch.setattr(builder, "_write_both", lambda edition, *_, **__: drawn.append(edition.figures) or [])
        build()  # as far as the figures
        assert list(figures.folder.iterdir())
        patch.setattr(workers, "_draw", None)  # nothing is left to draw
        build(processes=1)
    assert drawn[0] == drawn[1]
    monkeypatch.setattr(workers, "_draw", None)
    monkeypatch.setattr(workers, "_draw_formulas", None)
    build()
    assert contents(tmp_path / "several") == contents(built.folder)


def test_a_check_names_the_file_that_differs(built, tmp_path, monkeypatch, capsys):
    """One byte that was changed is found, a missing file too, and nothing is repaired in secret."""

    def build_again(_bundle, output, languages, *, processes=1):
        assert processes > 0
        return [Path(shutil.copy(built.folder / name, output)) for name in file_names(languages)]

    monkeypatch.setattr(builder, "build_report", build_again)  # the same bytes, as the test above has found them
    words = ("report", "--check", "--bundle", str(bundle().folder), "--output", str(tmp_path), "--lang", "el")
    page, paper = build_again(bundle(), tmp_path, ["el"])
    assert main(words) == 0
    assert capsys.readouterr().out == f"{tmp_path}: byte for byte what this bundle gives\n"
    changed = bytearray(page.read_bytes())
    changed[len(changed) // 2] ^= 1
    page.write_bytes(changed)
    assert main(words) == 1
    assert capsys.readouterr().err.splitlines() == [f"{page} is not what this bundle gives"]
    assert page.read_bytes() == bytes(changed)
    page.write_bytes(contents(built.folder)[page.name])
    paper.unlink()
    assert main(words) == 1
    assert capsys.readouterr().err.splitlines() == [f"{paper} is not what this bundle gives"]
    assert not paper.exists()


def some_job(language="en") -> Job:
    """Return a job that is quickly drawn."""
    results = analyse(bundle())
    return next(job for job in jobs(results, Translation(language), bundle=bundle()) if job.draw.startswith("layers"))


def test_a_job_is_known_by_what_it_draws():
    """Equal data have equal keys; another language, another trial or another kind of figure has another one."""
    every = [job.key() for job in jobs(analyse(bundle()), Translation("en"), bundle=bundle())]
    again = [job.key() for job in jobs(analyse(Bundle.load(bundle().folder)), Translation("en"), bundle=bundle())]
    assert every == again
    assert len(set(every)) == len(every)
    assert some_job("el").key() != some_job().key()


@pytest.mark.parametrize("damage", [b"", b"\0" * 40, None], ids=["empty", "foreign", "cut"])
def test_a_damaged_file_of_the_cache_counts_as_none(tmp_path, damage):
    """Whatever lies in the cache, only what was put there whole comes out."""
    job, figures = some_job(), FigureCache(tmp_path)
    drawn = job.run()
    figures.put(job.key(), drawn)
    assert figures.figures(job.key()) == drawn
    path = tmp_path / job.key()
    path.write_bytes(path.read_bytes()[:-1] if damage is None else damage)
    assert figures.figures(job.key()) is None


def test_the_cache_stays_small(tmp_path):
    """What was asked for last is kept, what was not is deleted."""
    figures = FigureCache(tmp_path, most_bytes=250)
    for place, name in enumerate(("old", "older", "asked")):
        (tmp_path / name).write_bytes(b"x" * 100)
        stamp = time.time() - 100 * (place == 0) - 200 * (place == 1)
        os.utime(tmp_path / name, (stamp, stamp))
    figures.prune()
    assert {path.name for path in tmp_path.iterdir()} == {"old", "asked"}


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path):
    """A file where the folder should be is no reason for no report."""
    (tmp_path / "file").write_text("no folder")
    figures = FigureCache(tmp_path / "file")
    figures.put("key", ())
    assert figures.figures("key") is None
    figures.prune()


IMPORTED = """
import sys
from importlib import import_module
from pkgutil import iter_modules

import cifar_report.report.{0}

for each in iter_modules(getattr(cifar_report.report.{0}, "__path__", ())):
    import_module(f"cifar_report.report.{0}.{{each.name}}")
print(*sorted({{"matplotlib", "pandas", "scipy", "statsmodels", "weasyprint"}} & sys.modules.keys()))
"""


@pytest.mark.parametrize(
    ("package", "heavy"),
    [("build", ""), ("edition", ""), ("figures", "matplotlib"), ("typesetting", "weasyprint")],
)
def test_each_process_imports_what_it_works_with(package, heavy):
    """Who writes, draws or sets does without the libraries of the others, which cost seconds and memory."""
    code = IMPORTED.format(package)
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == heavy


ELSEWHERE = """
import sys
from pathlib import Path

import psutil
from cifar_report.bundle import Bundle
from cifar_report.report import edition
from cifar_report.report.workers import Workers

if __name__ == "__main__":
    bundle = Bundle.load(Path(sys.argv[1]))
    with Workers(2) as crew:
        wait = crew.analyse(bundle)
        worker = crew._analysing._process.pid
        results = wait()
        gone = not psutil.pid_exists(worker)
        here = sorted({"scipy", "statsmodels", "pandas"} & sys.modules.keys())
        from cifar_report.analysis import analyse
        print(gone, here, results == analyse(bundle))
"""


def test_the_results_are_worked_out_elsewhere(tmp_path):
    """They are those that would be worked out here, which imports no statistics, and that process goes with its own."""
    (tmp_path / "elsewhere.py").write_text(ELSEWHERE)
    words = [sys.executable, str(tmp_path / "elsewhere.py"), str(bundle().folder)]
    done = subprocess.run(words, env=environment(), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "True [] True"


def is_gone(process) -> bool:
    """Return whether a process ends within half a minute."""
    deadline = time.monotonic() + 30
    while Path(f"/proc/{process}").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    return not Path(f"/proc/{process}").exists()


def test_a_worker_that_dies_is_named():
    """The error says what happened and what to do."""
    with Workers(2) as crew, pytest.raises(SuiteError, match="ended early"):
        crew.call(leave)()


def test_a_process_that_dies_while_it_sets_pages_is_named(tmp_path, monkeypatch):
    """The error of a missing PDF says the same."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # it leaves its typefaces there
    parts = PartSource("<p>A page.</p>", {}), PartSource("<p>A page.</p>", TooMany())
    with Workers(2) as crew, pytest.raises(SuiteError, match="ended early"):
        crew.set_pages(Paper("<p>A page.</p>", parts, CREATED, b"{}", "Numbers"))()


def test_a_package_that_is_found_missing_late_is_named(monkeypatch, tmp_path, capsys):
    """Statistics are imported after the command began; where they are missing a sentence says what to install."""

    def without_scipy(*_arguments, **_options):
        raise ModuleNotFoundError("No module named 'scipy'", name="scipy")

    monkeypatch.setattr(builder, "build_report", without_scipy)
    assert main(["report", "--bundle", str(bundle().folder), "--output", str(tmp_path)]) == 1
    assert "scipy is not installed: pip install -e '.[report]'" in capsys.readouterr().err


def test_an_errand_says_what_came_of_it():
    """The result, what the function raised, with the name of a package or the place of a fault, or that it died."""
    right, lacking, wrong, dead = Errand(divide, 4), Errand(lack, "scipy"), Errand(divide, 0), Errand(leave)
    assert right.result() == 0.25
    with pytest.raises(ModuleNotFoundError) as raised:
        lacking.result()
    assert raised.value.name == "scipy"
    with pytest.raises(ZeroDivisionError) as raised:
        wrong.result()
    assert "return 1 / number" in raised.value.__notes__[0]
    with pytest.raises(SuiteError, match="ended early"):
        dead.result()


def test_an_interrupted_report_does_not_wait_for_the_results():
    """Whoever works them out writes nothing, and is ended."""
    errand, began = Errand(time.sleep, 300), time.monotonic()

    def interrupted() -> None:
        with Workers(2) as crew:
            crew._analysing = errand
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not errand._process.is_alive()
    assert time.monotonic() - began < 60


def test_setters_that_cannot_begin_do_not_cost_the_figures(monkeypatch):
    """A process that dies before it can set a page is heard of when there are pages; what is drawn is drawn."""
    monkeypatch.setattr(workers, "_nothing", leave)
    with Workers(2) as crew:
        assert crew.analyse(bundle())().trials
        assert crew.formulas()
        with pytest.raises(SuiteError, match="ended early"):
            crew.set_pages(Paper("<p>A page.</p>", (PartSource("<p>One.</p>", {}),), CREATED, b"{}", "N"))()


def test_ctrl_c_is_left_to_the_process_that_waits():
    """A terminal's Ctrl-C reaches every process: workers ignore it."""
    with Workers(2) as crew:
        assert crew.call(signal.getsignal, signal.SIGINT)() == signal.SIG_IGN
        for pool in crew._setters:
            assert pool.submit(signal.getsignal, signal.SIGINT).result() == signal.SIG_IGN


def test_a_setter_goes_with_the_last_report():
    """What it held is free while the other one binds; until then both stay for the next report."""
    paper = Paper("<p>A page.</p>", (PartSource("<p>One.</p>", {}), PartSource("<p>Two.</p>", {})), CREATED, b"{}", "N")
    with Workers(2) as crew:
        first, second = (pool.submit(os.getpid).result() for pool in crew._setters)
        once = crew.set_pages(paper)()
        assert Path(f"/proc/{second}").exists()
        assert crew.set_pages(paper, last=True)() == once
        assert is_gone(second)
        assert Path(f"/proc/{first}").exists()


KILLED = """
import os, time
from cifar_report.report.errand import Errand
from cifar_report.report.workers import Workers

if __name__ == "__main__":
    crew = Workers(2)
    every = [pool.submit(os.getpid).result() for pool in (crew._drawing, *crew._setters)]
    print(Errand(time.sleep, 300)._process.pid, *every, flush=True)
    time.sleep(300)
"""


def test_workers_end_with_the_process_that_started_them(tmp_path):
    """Killed, it can tell nobody: they see it themselves, and what they keep on disk goes with them."""
    (tmp_path / "killed.py").write_text(KILLED)
    command = [sys.executable, str(tmp_path / "killed.py")]
    with subprocess.Popen(command, env=environment(TMPDIR=str(tmp_path)), stdout=subprocess.PIPE, text=True) as process:
        helpers = [int(number) for number in process.stdout.readline().split()]
        assert len(list(tmp_path.glob("weasyprint-*"))) == workers.SETTERS
        process.kill()
    assert all(is_gone(helper) for helper in helpers)
    assert not list(tmp_path.glob("weasyprint-*"))
