# SPDX-License-Identifier: Apache-2.0
# Shared by quickstart and test: packages that are missing are installed, the rest is left alone.

source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

build_packages=(gcc libc6-dev cmake ninja-build pkg-config libluajit-5.1-dev libuv1-dev libpcre2-dev libyaml-dev
  libmbedtls-dev libzstd-dev zlib1g-dev python3 curl)
# llhttp: a library from Debian 13 on, its C sources before.
if ! grep -q '^VERSION_CODENAME=bookworm' /etc/os-release; then
  build_packages+=(libllhttp-dev)
else
  build_packages+=(node-llhttp)
fi
test_packages=(clang clang-format clang-tidy libclang-rt-14-dev libmsgpack-dev valgrind git zstd gzip strace tzdata wrk mount)
grep -q '^VERSION_CODENAME=bookworm' /etc/os-release || test_packages=("${test_packages[@]/libclang-rt-14-dev/libclang-rt-dev}")

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

install_packages() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  echo "installing: ${missing[*]}"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# build PRESET: configures where needed and builds.
build() {
  (cd "$source_dir" && cmake --preset "$1" >"$source_dir/build/$1.log" 2>&1 || { cat "$source_dir/build/$1.log"; exit 1; })
  (cd "$source_dir" && cmake --build --preset "$1" -- --quiet)
}
