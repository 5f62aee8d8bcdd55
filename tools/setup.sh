# Sourced by ./dev: installs the Debian packages that are missing and finds a cargo that builds the blst crate.

BUILD_PACKAGES=(g++ cmake ninja-build ccache mold pkg-config git ca-certificates
  libboost1.81-dev libboost-json1.81-dev libboost-url1.81-dev libssl-dev libcurl4-openssl-dev libsodium-dev
  libutf8proc-dev libpcsclite-dev libfido2-dev libsqlite3-dev libpq-dev libyaml-cpp-dev libcli11-dev libspdlog-dev libfmt-dev libexpected-dev prometheus-cpp-dev
  libgtest-dev libgmock-dev libbenchmark-dev librapidcheck-dev libbotan-2-dev
  postgresql openssl age pcscd vsmartcard-vpcd libcbor-dev
  clang-19 clang-tidy-19 clang-format-19 lld-19 libclang-rt-19-dev valgrind curl jq python3 python3-venv awscli)
# For `./dev ifma` alone.
IFMA_PACKAGES=(bochs bochs-term bochsbios vgabios isolinux syslinux-common genisoimage cpio busybox-static)
CARGO_AT_LEAST=78  # minor version: 1.78

package_missing() { ! dpkg-query -W -f='${db:Status-Abbrev}' "$1" 2>/dev/null | grep -q '^ii'; }

# The server is for the tests, which make a cluster of their own; the package must not start one.
no_standing_cluster() {  # no_standing_cluster SUDO...
  [ ! -e /etc/postgresql-common/createcluster.d ] || return 0
  "$@" mkdir -p /etc/postgresql-common/createcluster.d
  echo 'create_main_cluster = false' | "$@" tee /etc/postgresql-common/createcluster.d/no-main-cluster.conf >/dev/null
}

install_packages() {  # install_packages NAME...
  local missing=()
  for name in "$@"; do
    if package_missing "$name"; then missing+=("$name"); fi
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
      as_root=(sudo)
    else
      echo "These packages are missing. Install them, then call again:"
      echo "  apt-get install ${missing[*]}"
      exit 2
    fi
  fi
  echo "installing ${#missing[@]} packages: ${missing[*]}"
  case " ${missing[*]} " in *" postgresql "*) no_standing_cluster "${as_root[@]}" ;; esac
  "${as_root[@]}" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null
}

setup_packages() {
  command -v dpkg-query >/dev/null || { echo "This set-up knows Debian 12 and its relatives only (no dpkg found)."; exit 2; }
  install_packages "${BUILD_PACKAGES[@]}"
}

cargo_new_enough() {  # cargo_new_enough PROGRAM
  local minor
  minor=$("$1" --version 2>/dev/null | sed -nE 's/^cargo 1\.([0-9]+)\..*/\1/p')
  [ -n "$minor" ] && [ "$minor" -ge "$CARGO_AT_LEAST" ]
}

# Sets CC_CARGO. Debian 12's own cargo is too old; its cargo-web package is not.
setup_cargo() {
  local program
  for program in "${CARGO:-}" cargo "$HOME/.cargo/bin/cargo"; do
    if [ -n "$program" ] && command -v "$program" >/dev/null && cargo_new_enough "$program"; then
      CC_CARGO=$(command -v "$program")
      return 0
    fi
  done
  install_packages cargo-web rustc-web
  CC_CARGO=$(command -v cargo)
}
