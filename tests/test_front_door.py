"""The set-up scripts in awkward folders, with things missing, and under Ctrl-C. Whole installs are `slow`."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

import house
import pipconf
import pytest
import ui

ROOT = Path(__file__).resolve().parent.parent
AWKWARD = "坐 席's $new folder"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The front door alone, before a product that only says hello."""
    root = tmp_path / AWKWARD
    for name in ("deploy", "requirements"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "Makefile"):
        shutil.copy(ROOT / name, root / name)
    (root / "qa").mkdir()
    (root / "qa" / "cli.py").write_text(
        "import sys\n\ndef main():\n    print('hello from', sys.argv[1:])\n    return 0\n", encoding="utf-8"
    )
    return root


def ask(root: Path, code: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Runs a few lines with the scripts of *root* at hand."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=root / "deploy",
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
    )


def bootstrap(root: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return ask(root, "import bootstrap, sys; sys.exit(bootstrap.guarded(bootstrap.main))", env)


def test_the_command_runs_in_any_folder_and_after_a_move(project: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", project / ".venv"], check=True)
    done = ask(project, "import bootstrap; bootstrap.register()")
    moved = project.rename(project.with_name("换 了 place"))
    link = moved.parent / "seatwatch"
    link.symlink_to(moved / ".venv" / "bin" / "seatwatch")

    assert done.returncode == 0, done.stderr
    assert subprocess.check_output([link, "a b"], text=True, cwd="/") == "hello from ['a b']\n"


def test_registering_twice_leaves_one_distribution(project: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", project / ".venv"], check=True)
    done = ask(project, "import bootstrap; bootstrap.register(); bootstrap.register()")

    assert done.returncode == 0, done.stderr
    assert len(list(project.glob(".venv/lib/*/site-packages/seatwatch-*.dist-info"))) == 1


def test_a_fresh_stamp_starts_no_process_and_a_new_lock_spoils_it(project: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", project / ".venv"], check=True)
    told = ask(
        project,
        """
        import json, subprocess
        import bootstrap as b
        b.STAMP.write_text(json.dumps(b.expected(["base"])))
        subprocess.Popen = None  # a fresh stamp needs nobody
        b.prepare(("base",))
        print(b.stamp_says(["base"]), b.stamp_says(["test"]))
        (b.ROOT / "requirements" / "base.txt").write_text("changed")
        print(b.stamp_says(["base"]))
        """,
    )

    assert told.stdout.splitlines()[1:] == ["True False", "False"], told.stderr
    assert told.stdout.startswith("download: 0.0 s")


def test_a_stamp_cut_short_is_no_stamp(project: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", project / ".venv"], check=True)
    told = ask(
        project, "import bootstrap as b; b.STAMP.write_text('{\"python\": '); print(b.stamp_says(['base']))"
    )

    assert told.stdout == "False\n", told.stderr


def test_without_venv_and_pip_one_line_names_the_package(project: Path, tmp_path: Path) -> None:
    shim = tmp_path / "shim"
    shim.mkdir()
    for name in ("ensurepip", "pip"):
        (shim / f"{name}.py").write_text(f"raise ImportError('no {name}')\n")
    told = bootstrap(project, PYTHONPATH=str(shim), PATH="/nowhere")

    assert told.returncode == 2
    assert told.stderr.count("\n") == 1
    assert "apt-get install python3-venv" in told.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_of_somebody_else_gets_one_line(project: Path) -> None:
    project.chmod(stat.S_IRUSR | stat.S_IXUSR)
    told = bootstrap(project)
    project.chmod(stat.S_IRWXU)

    assert told.returncode == 2
    assert told.stderr.count("\n") == 1
    assert "cannot be written" in told.stderr


def test_make_works_in_any_folder(project: Path) -> None:
    told = subprocess.run(["make", "help"], cwd=project, capture_output=True, text=True)

    assert told.returncode == 0, told.stderr
    assert {"run", "test", "test-all", "lint", "bench", "lock", "clean"} <= {
        line.split()[0] for line in told.stdout.splitlines()
    }


def test_make_without_a_python_says_which_it_needs(project: Path) -> None:
    told = subprocess.run(["make", "PYTHON=", "run"], cwd=project, capture_output=True, text=True)

    assert told.returncode == 2
    assert "Python 3.11 or newer is needed" in told.stderr


def test_the_check_of_a_commit_can_be_run() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert subprocess.run(["bash", "-n", ROOT / ".ci" / "run"]).returncode == 0


# --- what pip knows, said to uv --------------------------------------------------------------------------------------

LISTING = r"""
:env:.cert='/etc/ssl/own.pem'
global.cert='/etc/ssl/old.pem'
global.index-url='https://mirror.example.org/simple'
global.extra-index-url='https://a.example.org/simple\nhttps://b.example.org/simple'
install.find-links='/wheels /more'
global.trusted-host='mirror.example.org'
global.timeout='60'
"""


def test_pips_settings_reach_uv() -> None:
    said = pipconf.uv_environment(pipconf.parse_settings(LISTING), {})

    assert said == {
        "UV_DEFAULT_INDEX": "https://mirror.example.org/simple",
        "UV_INDEX": "https://a.example.org/simple https://b.example.org/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_FIND_LINKS": "/wheels,/more",
        "UV_INSECURE_HOST": "mirror.example.org",
        "UV_HTTP_TIMEOUT": "60",
        "SSL_CERT_FILE": "/etc/ssl/own.pem",
    }


def test_what_is_said_to_uv_itself_wins() -> None:
    own = {"UV_DEFAULT_INDEX": "https://uv.example.org/simple", "SSL_CERT_FILE": "/own.pem"}
    said = pipconf.uv_environment(pipconf.parse_settings(LISTING), own)

    assert {name: said[name] for name in own} == own


def test_a_machine_without_settings_says_nothing() -> None:
    assert pipconf.uv_environment(pipconf.parse_settings(""), {"PATH": "/bin"}) == {"PATH": "/bin"}


# --- Node, and the words of failing tools ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "fits"),
    [
        ("v18.20.4", False),
        ("v20.18.3", False),
        ("v20.19.0", True),
        ("v21.7.3", False),
        ("v22.11.0", False),
        ("v22.12.0", True),
        ("v24.19.0\n", True),
        ("nonsense", False),
    ],
)
def test_a_node_fits_by_its_version_not_by_its_presence(version: str, fits: bool) -> None:
    assert ui.node_fits(version) is fits


@pytest.mark.parametrize(
    ("output", "advice"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk is full"),
        ("error: Failed to fetch: `…`\n  cause: error sending request\n  cause: dns error", "no package index answers"),
        ("npm error code ENOTFOUND", "no package index answers"),
        ("error sending request: invalid peer certificate: UnknownIssuer", "certificate"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "lock file"),
        ("ERROR: No matching distribution found for av==18.1.0", "lacks a package"),
    ],
)
def test_a_tools_words_become_advice(output: str, advice: str) -> None:
    assert advice in str(house.failed("step", output))


def test_new_words_are_passed_on() -> None:
    stop = house.failed("ui-build", "start\nsrc/app.tsx(7,1): error TS2307: no module\nlast words\n")

    assert str(stop) == "ui-build failed: src/app.tsx(7,1): error TS2307: no module (all it said: .build/ui-build.log)"


# --- the demo in front, the build behind -----------------------------------------------------------------------------

WAITS = "import signal, sys; print('ready', flush=True); signal.pause()"
TELLS = """
import signal, sys
signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
print('ready', flush=True)
signal.pause()
"""


def together(front: str, behind: str) -> subprocess.Popen[str]:
    code = f"""
    import sys, run
    python = sys.executable
    sys.exit(run.together([python, "-c", {front!r}], [python, "-c", {behind!r}]))
    """
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=ROOT / "deploy",
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_ends_the_demo_and_the_build(number: signal.Signals) -> None:
    """Reading to the end of the output proves that nobody is left who could write to it."""
    with together(TELLS, WAITS) as both:
        assert both.stdout is not None
        assert [both.stdout.readline() for _ in range(2)] == ["ready\n", "ready\n"]
        both.send_signal(number)
        assert both.stdout.read() == ""

    assert both.returncode == (0 if number == signal.SIGINT else 128 + signal.SIGTERM)


def test_a_demo_that_ends_well_waits_for_the_build() -> None:
    with together("print('scored', flush=True)", "import os; print('built', os.nice(0), flush=True)") as both:
        assert both.stdout is not None
        said = sorted(both.stdout.read().splitlines())

    assert said == ["built 19", "scored"]
    assert both.returncode == 0


def test_a_demo_that_fails_ends_the_build() -> None:
    with together("import sys; sys.exit(3)", WAITS) as both:
        assert both.wait(60) == 3


# --- whole installs --------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_whole_install_twice(project: Path) -> None:
    first, second = bootstrap(project), bootstrap(project)
    imports = "import asyncpg, av, ctranslate2, faster_whisper, numpy, pydantic"
    there = subprocess.run([project / ".venv" / "bin" / "python", "-c", imports], capture_output=True, text=True)

    assert first.returncode == 0, first.stderr
    assert there.returncode == 0, there.stderr
    assert second.stdout.startswith("download: 0.0 s")
    assert house.disk_mb(project / ".venv") <= 900


@pytest.mark.slow
def test_no_network_gets_one_line(project: Path, tmp_path: Path) -> None:
    told = bootstrap(
        project,
        PIP_CONFIG_FILE=os.devnull,
        PIP_INDEX_URL="http://127.0.0.1:9/simple",
        PIP_FIND_LINKS="",
        PIP_RETRIES="1",
        XDG_CACHE_HOME=str(tmp_path / "cache"),
    )

    assert told.returncode == 2
    assert told.stderr.count("\n") == 1
    assert "no package index answers" in told.stderr
