"""Makes .venv and installs the locked packages: `bootstrap.py [base|test|bench …]`. Stdlib only; starts nothing."""

import sys

if sys.version_info < (3, 11):
    sys.exit("seatwatch: Python 3.11 or newer is needed, this is %s: make PYTHON=python3.11" % sys.version.split()[0])

import importlib.util
import json
import os
import shutil
import ssl
import subprocess
import time
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from house import PYTHON, ROOT, VENV, Stop, alone, digest, disk_mb, failed, guarded, remove, run_tool, timing
from pipconf import read_pip_settings, uv_environment

GROUPS = ("base", "test", "bench")
STAMP = VENV / "seatwatch.json"
UV = VENV / "bin" / "uv"
OLDEST = (3, 11)
NO_VENV = (
    "this Python cannot make a virtual environment: install it with `apt-get install python3-venv` "
    "(other systems: the package that brings ensurepip), then try again"
)
# Starts in any folder name: a #! line can hold neither a blank nor more than 127 bytes.
SCRIPT = """#!/bin/sh
'''exec' "$(dirname -- "$(readlink -f -- "$0")")/python" "$0" "$@"
' '''
import sys

from {module} import {function}

sys.exit({function}())
"""
# One line of ASCII whatever the folder is called, and true after the folder is moved.
PATH_LINE = "import os, sys; sys.path.append(os.path.dirname(sys.prefix))\n"


def prepare(wanted: Sequence[str] = ("base",)) -> None:
    """The groups that are asked for, next to those that are there already; prints the timing `download`."""
    started = time.monotonic()
    strange = [name for name in wanted if name not in GROUPS]
    if strange:
        raise Stop(f"no group of packages called {', '.join(strange)}; there are {', '.join(GROUPS)}")
    if stamp_says(wanted):
        timing("download", 0.0, "nothing to do, .venv is up to date")
        return
    with alone("install"):
        if stamp_says(wanted):  # another make has done it meanwhile
            note = "done by another make"
        else:
            note = install(sorted({*wanted, *present_groups()}, key=GROUPS.index))
    timing("download", time.monotonic() - started, note)


def install(groups: Sequence[str]) -> str:
    STAMP.unlink(missing_ok=True)
    print(f"seatwatch: installing {' + '.join(groups)} into .venv", flush=True)
    make_venv()
    pip = find_pip()
    env = tool_environment(pip)
    fetch_uv(pip, env)
    files = [f"requirements/{name}.txt" for name in groups]
    how = sync(files, pip, env)
    register()
    STAMP.write_text(json.dumps(expected(groups), indent=1), encoding="utf-8")
    return f"by {how}; .venv is {disk_mb(VENV)} MB"


# --- the stamp -------------------------------------------------------------------------------------------------------


def expected(groups: Sequence[str]) -> dict[str, object]:
    """What must be true of a .venv that needs no work."""
    return {
        "python": venv_version(),
        "project": digest([ROOT / "pyproject.toml", Path(__file__).resolve()]),
        "groups": {name: digest([ROOT / "requirements" / f"{name}.txt"]) for name in groups},
    }


def read_stamp() -> dict[str, object]:
    if not STAMP.exists() or not PYTHON.exists():
        return {}
    try:
        found = json.loads(STAMP.read_text(encoding="utf-8"))
    except ValueError:  # cut short by a full disk: as good as none
        return {}
    return found if isinstance(found, dict) else {}


def present_groups() -> set[str]:
    groups = read_stamp().get("groups", {})
    return set(groups) & set(GROUPS) if isinstance(groups, dict) else set()


def stamp_says(wanted: Sequence[str]) -> bool:
    present = present_groups()
    return set(wanted) <= present and read_stamp() == expected(sorted(present, key=GROUPS.index))


def venv_version() -> str:
    """From pyvenv.cfg, so that a second run starts no process at all."""
    try:
        lines = (VENV / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return ""
    values = {key.strip(): value.strip() for key, _, value in (line.partition("=") for line in lines)}
    return values.get("version") or values.get("version_info") or ""


# --- the virtual environment -----------------------------------------------------------------------------------------


def make_venv() -> None:
    """A new one unless the present one runs; a half-made one is replaced."""
    if venv_runs():
        return
    if importlib.util.find_spec("venv") is None:
        raise Stop(NO_VENV)
    remove(VENV)
    command = [sys.executable, "-m", "venv"]
    code, output = 1, ""
    if has_ensurepip():
        code, output = run_tool("venv", [*command, VENV], env=os.environ)
    if code != 0:
        remove(VENV)
        code, output = run_tool("venv", [*command, "--without-pip", VENV], env=os.environ)
    if code != 0:
        raise failed("venv", output)


def venv_runs() -> bool:
    if not PYTHON.exists():
        return False
    ask = f"import sys, encodings; sys.exit(sys.version_info < {OLDEST} or sys.prefix == sys.base_prefix)"
    try:
        return subprocess.run([PYTHON, "-c", ask], capture_output=True).returncode == 0
    except OSError:  # made on another system
        return False


def has_ensurepip() -> bool:
    """Debian leaves it out unless python3-venv is installed."""
    return subprocess.run([sys.executable, "-c", "import ensurepip"], capture_output=True).returncode == 0


def find_pip() -> list[str]:
    """The pip of .venv, else one outside that can install into it, else none: a uv on the PATH may do."""
    inside = [str(PYTHON), "-m", "pip"]
    if _runs([*inside, "--version"]):
        return inside
    outside = [sys.executable, "-m", "pip", "--python", str(PYTHON)]  # pip 22.3 and newer
    if _runs([*outside, "--version"]):
        return outside
    if shutil.which("uv"):
        return []
    raise Stop(NO_VENV)


def _runs(command: Sequence[str]) -> bool:
    return subprocess.run(command, capture_output=True, cwd=ROOT).returncode == 0


# --- packages --------------------------------------------------------------------------------------------------------


def tool_environment(pip: Sequence[str]) -> dict[str, str]:
    """This environment plus what pip is told by its own files, said so that uv understands it."""
    env = {**os.environ, "PIP_USER": "0", "PIP_NO_INPUT": "1", "PYTHONUTF8": "1"}
    env = uv_environment(read_pip_settings(pip, env), env) if pip else env
    if ssl.get_default_verify_paths().cafile:  # a certificate authority of the house is known to the system
        env.setdefault("UV_SYSTEM_CERTS", "1")
    cache = Path(env.get("UV_CACHE_DIR") or Path(env.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "uv")
    above = next(folder for folder in (cache, *cache.parents) if folder.exists())
    if not os.access(above, os.W_OK):
        env["UV_NO_CACHE"] = "1"
    return env


def fetch_uv(pip: Sequence[str], env: Mapping[str, str]) -> None:
    """uv inside .venv, where it touches nothing of the system; without it pip does the work, slower."""
    if not pip or (UV.exists() and _runs([str(UV), "--version"])):
        return
    command = [*pip, "install", "--quiet", "--require-hashes", "-r", "requirements/uv.txt"]
    code, output = run_tool("uv", command, env=env)
    if code == 0:
        return
    fault = failed("uv", output)
    if unreachable(output):
        raise fault
    print(f"seatwatch: going on with pip instead of uv ({fault})", flush=True)


def sync(files: Sequence[str], pip: Sequence[str], env: Mapping[str, str]) -> str:
    """Exactly the locked packages by uv; by pip where uv is missing or cannot use what pip can."""
    uv = str(UV) if UV.exists() else shutil.which("uv")
    output = ""
    if uv:
        command = [uv, "pip", "sync", "--require-hashes", "--compile-bytecode", "--python", str(PYTHON), *files]
        code, output = run_tool("sync", command, env=env)
        if code == 0:
            return "uv"
    if not pip or unreachable(output):
        raise failed("sync", output)
    chosen = [part for name in files for part in ("-r", name)]
    code, output = run_tool("pip", [*pip, "install", "--quiet", "--require-hashes", "--no-deps", *chosen], env=env)
    if code != 0:
        raise failed("pip", output)
    return "pip"


def unreachable(output: str) -> bool:
    """A full disk or a missing network is no better with the other tool."""
    low = output.lower()
    return any(word in low for word in ("no space left", "os error 28", "disk quota", "newconnectionerror"))


# --- this project ----------------------------------------------------------------------------------------------------


def register() -> None:
    """Makes the working tree importable and the script `seatwatch` callable, without a build and without a network."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    site = site_packages()
    for old in site.glob("seatwatch-*.dist-info"):
        remove(old)
    info = site / f"seatwatch-{project['version']}.dist-info"
    info.mkdir()
    scripts: dict[str, str] = project["scripts"]
    written = {
        site / "seatwatch.pth": PATH_LINE,
        info / "METADATA": f"Metadata-Version: 2.4\nName: seatwatch\nVersion: {project['version']}\n",
        info / "INSTALLER": "deploy/bootstrap.py\n",
        info / "entry_points.txt": "[console_scripts]\n" + "".join(f"{n} = {t}\n" for n, t in scripts.items()),
        **{PYTHON.with_name(name): script(target) for name, target in scripts.items()},
    }
    for path, text in written.items():
        path.write_text(text, encoding="utf-8")
    for name in scripts:
        PYTHON.with_name(name).chmod(0o755)
    record = [f"{os.path.relpath(path, site)},," for path in (*written, info / "RECORD")]
    (info / "RECORD").write_text("\n".join(record) + "\n", encoding="utf-8")


def script(target: str) -> str:
    module, _, function = target.partition(":")
    return SCRIPT.format(module=module, function=function)


def site_packages() -> Path:
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    told = subprocess.run([PYTHON, "-X", "utf8", "-c", ask], capture_output=True, encoding="utf-8", check=True).stdout
    return Path(told.strip())


def main() -> int:
    prepare(tuple(sys.argv[1:]) or ("base",))
    return 0


if __name__ == "__main__":
    sys.exit(guarded(main))
