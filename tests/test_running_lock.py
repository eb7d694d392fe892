"""One suite at a time on a bundle."""

import os
import subprocess
import sys

import pytest
from command import ROOT, call, contents, environment, is_one_sentence

from cifar_report.errors import SuiteError
from cifar_report.running.lock import hold

HOLDER = """
import sys, time
from pathlib import Path
from cifar_report.running.lock import hold
with hold(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_second_suite_gets_a_clear_sentence(tmp_path):
    """While one suite holds a bundle, another one says which process it is, ends with status 1, changes nothing."""
    with hold(tmp_path / "bundle"):
        before = contents(tmp_path)
        words = ("--profile", "smoke", "--only", "nearest_centroid", "--data", "synthetic")
        called = call("run", *words, "--bundle", "bundle", cwd=tmp_path)
        assert contents(tmp_path) == before
    holder = (tmp_path / "bundle" / ".lock").read_text().strip()
    assert called.status == 1
    assert is_one_sentence(called.err)
    assert f"another suite (process {holder})" in called.err
    assert "wait for it or stop it" in called.err


def test_the_lock_goes_with_its_holder(tmp_path):
    """A holder that is killed leaves no lock behind, and one that ends gives it up."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], env=environment(), cwd=ROOT, stdout=subprocess.PIPE
    )
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(SuiteError, match=f"process {holder.pid}"), hold(tmp_path):
        pytest.fail("two suites hold one bundle")
    holder.kill()
    holder.communicate()
    for _ in range(2):
        with hold(tmp_path):
            pass


@pytest.mark.parametrize("kind", ["folder", "link", "pipe"])
def test_what_is_no_plain_file_is_no_lock(tmp_path, kind):
    """A folder, a pipe or a link in the lock's place is named, not called a second suite, and nothing is emptied."""
    precious = tmp_path / "precious"
    precious.write_text("precious")
    folder = tmp_path / "bundle"
    folder.mkdir()
    lock = folder / ".lock"
    {"folder": lock.mkdir, "link": lambda: lock.symlink_to(precious), "pipe": lambda: os.mkfifo(lock)}[kind]()
    with pytest.raises(SuiteError, match=r"\.lock is no plain file"), hold(folder):
        pytest.fail("what is no file was locked")
    assert precious.read_text() == "precious"


def test_a_lock_with_strange_words_in_it_is_a_lock(tmp_path):
    """Whatever stands in the file, it can be held, and what is told of its holder is a number or nothing."""
    (tmp_path / ".lock").write_bytes(b"\xff\x1b[31m<script>")
    with hold(tmp_path):
        assert (tmp_path / ".lock").read_text() == f"{os.getpid()}\n"
        (tmp_path / ".lock").write_bytes(b"\xff\x1b[m\n")
        with pytest.raises(SuiteError, match=r"another suite \(process unknown\)"), hold(tmp_path):
            pytest.fail("two suites hold one bundle")
