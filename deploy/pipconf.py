"""Says in uv's words what this machine has set up for pip: mirrors, certificates, proxies. Changes no setting."""

import ast
import subprocess
from collections.abc import Mapping, Sequence

# pip: later sections win over earlier ones
_SECTIONS = ("global", "install", ":env:")


def read_pip_settings(pip: Sequence[str], env: Mapping[str, str]) -> dict[str, str]:
    """What `pip config list` shows, files and PIP_ variables together; empty when pip cannot tell."""
    asked = subprocess.run(
        [*pip, "config", "list"], env=dict(env), capture_output=True, text=True, encoding="utf-8", errors="replace"
    )
    return parse_settings(asked.stdout) if asked.returncode == 0 else {}


def parse_settings(listing: str) -> dict[str, str]:
    """Lines such as `global.index-url='https://…'` -> one value per key."""
    found: dict[str, dict[str, str]] = {section: {} for section in _SECTIONS}
    for line in listing.splitlines():
        name, _, value = line.partition("=")
        section, _, key = name.rpartition(".")
        if section in found and value:
            found[section][key] = str(ast.literal_eval(value))
    return {key: value for section in _SECTIONS for key, value in found[section].items()}


def uv_environment(pip: Mapping[str, str], env: Mapping[str, str]) -> dict[str, str]:
    """The environment for uv; what is already said in uv's own words stays."""
    words = {
        "UV_DEFAULT_INDEX": pip.get("index-url"),
        "UV_INDEX": " ".join(pip.get("extra-index-url", "").split()),
        "UV_FIND_LINKS": ",".join(pip.get("find-links", "").split()),
        "UV_INSECURE_HOST": " ".join(pip.get("trusted-host", "").split()),
        "UV_HTTP_TIMEOUT": pip.get("timeout") or pip.get("default-timeout"),
        "UV_NO_INDEX": "1" if pip.get("no-index", "").lower() in ("1", "true", "yes", "on") else None,
        "SSL_CERT_FILE": pip.get("cert"),
        "SSL_CLIENT_CERT": pip.get("client-cert"),
        "HTTPS_PROXY": pip.get("proxy"),
        "HTTP_PROXY": pip.get("proxy"),
    }
    if words["UV_INDEX"]:  # pip looks at all indexes at once; the hashes of the lock keep that safe
        words["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    if "UV_INDEX_URL" in env:  # uv's older name for the same thing
        del words["UV_DEFAULT_INDEX"]
    return {**{word: value for word, value in words.items() if value}, **env}
