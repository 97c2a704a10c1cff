#!/usr/bin/python3
"""Fetches, and builds, a Debian source package for comparisons, touching no system file.

Uses the mirrors that the machine already has, with deb-src added in an apt configuration of its own, all below a cache
folder. Prints where the source is. The result is never part of the repository.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

DEFAULT_CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "srcutorture"
SYSTEM_LISTS = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]


class CannotFetch(Exception):
    """One line: what is wrong and what to do."""


def from_one_line(text: str) -> list[str]:
    """deb-src lines for the deb lines of a classic sources.list."""
    lines = [line.strip() for line in text.splitlines()]
    return [re.sub(r"^deb(-src)?\s", "deb-src ", line) for line in lines if re.match(r"deb(-src)?\s", line)]


def from_deb822(text: str) -> list[str]:
    """deb-src lines for the stanzas of a .sources file."""
    lines = []
    for stanza in re.split(r"\n\s*\n", text):
        unfolded = re.sub(r"\n[ \t]+", " ", "\n".join(x for x in stanza.splitlines() if not x.startswith("#")))
        fields = dict(re.findall(r"(?m)^([A-Za-z-]+):\s*(.*)$", unfolded))
        if not fields.get("URIs") or fields.get("Enabled", "yes").lower() == "no":
            continue
        signed = fields.get("Signed-By", "")
        option = f"[signed-by={signed}] " if signed.startswith("/") else ""
        for uri in fields["URIs"].split():
            for suite in fields.get("Suites", "").split():
                lines.append(f"deb-src {option}{uri} {suite} {fields.get('Components', '')}".rstrip())
    return lines


def source_lines(lists: list[Path]) -> list[str]:
    """What the machine's lists offer, without repeats and in their order."""
    found: list[str] = []
    for path in lists:
        if path.suffix == ".sources":
            found += from_deb822(path.read_text())
        elif path.suffix == ".list" and path.is_file():
            found += from_one_line(path.read_text())
    return list(dict.fromkeys(found))


def apt(cache: Path, *command: str, cwd: Path) -> None:
    """apt-get with lists and cache of its own; CannotFetch with its last line if it fails."""
    options = {
        "Dir::Etc::sourcelist": cache / "sources.list", "Dir::Etc::sourceparts": "-", "Dir::State::lists": cache / "lists",
        "Dir::Cache": cache / "apt", "APT::Sandbox::User": "root", "APT::Get::List-Cleanup": "0",
    }
    full = ["apt-get", "-q", *(word for k, v in options.items() for word in ("-o", f"{k}={v}")), *command]
    done = subprocess.run(full, cwd=cwd, capture_output=True, text=True)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise CannotFetch(f"apt-get {command[0]} failed: {last}; check the network and the machine's mirrors")


def unpacked(package: str, cache: Path) -> Path | None:
    """The folder that an earlier call left, if any."""
    return next((d for d in sorted((cache / "src").glob(f"{package}-*")) if d.is_dir()), None)


def fetch(package: str, cache: Path) -> Path:
    """Downloads and unpacks the source; does nothing if it is there."""
    if found := unpacked(package, cache):
        return found
    if not shutil.which("dpkg-source"):
        raise CannotFetch("dpkg-source is missing; install dpkg-dev")
    half = cache / "half"  # what a call that was cut short left
    shutil.rmtree(half, ignore_errors=True)
    for part in ("lists/partial", "apt/archives/partial", "half", "src"):
        (cache / part).mkdir(parents=True, exist_ok=True)
    lines = source_lines(SYSTEM_LISTS)
    if not lines:
        raise CannotFetch("the machine's apt lists name no mirror; add one to /etc/apt/sources.list")
    (cache / "sources.list").write_text("\n".join(lines) + "\n")
    apt(cache, "update", cwd=cache)
    apt(cache, "source", package, cwd=half)
    for each in half.iterdir():
        each.rename(cache / "src" / each.name)
    if found := unpacked(package, cache):
        return found
    raise CannotFetch(f"apt-get source {package} left no folder {package}-*; is that the name of a source package?")


def build(source: Path) -> Path:
    """configure and make, out of the source; does nothing if it was built."""
    where = source / "build"
    if (where / ".built").exists():
        return where
    if not shutil.which("make"):
        raise CannotFetch("make is missing; install make")
    where.mkdir(exist_ok=True)
    # Debian's patches make generated files look old; the tarball's own are good.
    kept = [f"{tool}=:" for tool in ("ACLOCAL", "AUTOCONF", "AUTOHEADER", "AUTOMAKE", "MAKEINFO")]
    for command in (["../configure", "--quiet"], ["make", "-s", f"-j{os.cpu_count()}", *kept]):
        done = subprocess.run(command, cwd=where, capture_output=True, text=True)
        if done.returncode != 0:
            raise CannotFetch(f"{' '.join(command)} failed in {where}: {(done.stderr.strip().splitlines() or ['?'])[-1]}")
    (where / ".built").touch()
    return where


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("package", help="name of a Debian source package, such as liburcu")
    parser.add_argument("--build", action="store_true", help="configure and make it, and print the build folder instead")
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE, help="where everything goes (default: %(default)s)")
    arguments = parser.parse_args()
    try:
        source = fetch(arguments.package, arguments.cache.absolute())
        print(build(source) if arguments.build else source)
    except (CannotFetch, OSError) as error:
        print(f"debian_source.py: {error}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
