# Sourced by quickstart.sh and test.sh: installs the Debian packages that are missing.
# shellcheck shell=bash disable=SC2034  # the lists are for those who source this

BUILD_PACKAGES=(cmake ninja-build g++ nlohmann-json3-dev libcli11-dev libboost-dev doctest-dev
                libopenblas-dev python3 python3-matplotlib)
TEST_PACKAGES=(libbenchmark-dev python3-jsonschema)
CLANG_PACKAGES=(clang)

say() { printf '\n== %s\n' "$*"; }

die() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

is_debian_like() {
  command -v apt-get >/dev/null && command -v dpkg-query >/dev/null && [[ -r /etc/os-release ]] &&
    grep -qE '^ID(_LIKE)?=.*(debian|ubuntu)' /etc/os-release
}

is_installed() {
  [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# install_missing PACKAGE...: does nothing when all are there. PARLEY_SKIP_SETUP=1 trusts that they
# are, under whatever names.
install_missing() {
  [[ -z ${PARLEY_SKIP_SETUP:-} ]] || return 0
  if ! is_debian_like; then
    printf '%s\n' "This script installs packages on Debian 12 and Ubuntu 24.04 (apt-get) only." \
      "Please install what these Debian packages hold, then run it with PARLEY_SKIP_SETUP=1:" \
      "  $*" >&2
    exit 1
  fi
  local missing=() as_root=() package
  for package in "$@"; do
    is_installed "$package" || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  if ((EUID != 0)); then
    command -v sudo >/dev/null ||
      die "neither root nor sudo; as root: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  say "installing ${missing[*]}"
  "${as_root[@]}" apt-get update -qq ||
    die "apt-get update failed; install by hand: ${missing[*]}"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
    --no-install-recommends "${missing[@]}" >/dev/null ||
    die "apt-get install failed; install by hand: ${missing[*]}"
}

# configure PRESET [CMAKE ARGUMENT...]: quiet unless it fails; uses ccache where there is one.
configure() {
  local log arguments=("--preset" "$@")
  if command -v ccache >/dev/null; then
    arguments+=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  fi
  if ! log=$(cmake "${arguments[@]}" 2>&1); then
    printf '%s\n' "$log" >&2
    die "configuring preset $1 failed"
  fi
}
