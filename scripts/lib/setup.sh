# shellcheck shell=bash
# Sourced by run.sh and test.sh: installs the Debian packages that are missing, and configures and builds a preset.

PACKAGES=(
  g++ cmake ninja-build pkg-config git ca-certificates gdb
  liburcu-dev libhwloc-dev hwloc libbenchmark-dev libbenchmark-tools libgtest-dev libcli11-dev libfmt-dev
  nlohmann-json3-dev libtomlplusplus-dev zlib1g-dev
  python3 python3-matplotlib python3-numpy python3-jinja2 python3-scipy python3-pytest
)

say() { printf '== %s\n' "$*"; }

missing_packages() {
  local package
  for package in "${PACKAGES[@]}"; do
    [[ $(dpkg-query -W -f='${Status}' "$package" 2>/dev/null) == 'install ok installed' ]] || printf '%s\n' "$package"
  done
}

as_root() {
  if [[ $EUID -eq 0 ]]; then "$@"; else sudo "$@"; fi
}

install_missing() {
  local missing
  mapfile -t missing < <(missing_packages)
  if [[ ${#missing[@]} -eq 0 ]]; then
    return
  fi
  say "installing with apt-get: ${missing[*]}"
  as_root apt-get update -q
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
}

# build PRESET [CMAKE_OPTION...] [-- TARGET...]
build() {
  local preset=$1 options=()
  shift
  while [[ $# -gt 0 && $1 != -- ]]; do options+=("$1"); shift; done
  [[ $# -gt 0 ]] && shift
  cmake --preset "$preset" "${options[@]}"
  if [[ $# -gt 0 ]]; then
    cmake --build --preset "$preset" --target "$@"
  else
    cmake --build --preset "$preset"
  fi
}
