# Sourced by the other scripts: finds the repository and makes its Python environment from the lock.
# Works as root or not, from any folder, in an empty environment.
set -euo pipefail

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
VENV=$ROOT/.venv
export HOME=${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}
export PATH=$VENV/bin:${PATH:-/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin}
export LC_ALL=C.UTF-8 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore
unset PYTHONPATH PYTHONHOME VIRTUAL_ENV

# Trust whom the machine trusts: pip and npm bring lists of their own, which know no proxy of the house.
authorities=/etc/ssl/certs/ca-certificates.crt
if [ -r "$authorities" ]; then
    export PIP_CERT=${PIP_CERT:-$authorities} NODE_EXTRA_CA_CERTS=${NODE_EXTRA_CA_CERTS:-$authorities}
fi

say() { printf '» %s\n' "$*" >&2; }
fail() { printf 'handhold: %s\n' "$*" >&2; exit 1; }

# Run a command quietly; show what it said only when it fails.
quietly() {
    local said
    said=$(mktemp)
    "$@" >"$said" 2>&1 || { local code=$?; tail -n 30 "$said" >&2; rm -f "$said"; return "$code"; }
    rm -f "$said"
}

as_root_with_apt() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

apt_updated=
apt_install() {
    if [ -z "$apt_updated" ]; then
        quietly env DEBIAN_FRONTEND=noninteractive apt-get update || return 1
        apt_updated=yes
    fi
    quietly env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
}

# The first Python that is new enough, looked for outside of our own environment.
find_python() {
    local name outside=${PATH#"$VENV/bin:"}
    for name in python3 python3.13 python3.12 python3.11; do
        name=$(PATH=$outside command -v "$name") || continue
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s\n' "$name"
            return
        fi
    done
    fail "no Python 3.11 or newer on this machine; install Debian's python3 and run this again"
}

# Debian ships Python without the part that puts pip into a new environment.
make_environment() {
    local python=$1
    rm -rf "$VENV"
    if "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        "$python" -m venv "$VENV"
    elif as_root_with_apt; then
        say "installing Debian's python3-venv"
        apt_install "$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')" ||
            fail "Debian's python3-venv could not be installed; install it and run this again"
        "$python" -m venv "$VENV"
    elif "$python" -m pip --version >/dev/null 2>&1; then
        "$python" -m venv --without-pip "$VENV"
        quietly "$python" -m pip --python "$VENV/bin/python" install pip
    else
        fail "this Python cannot make environments; run 'apt-get install python3-venv' as root, then run this again"
    fi
}

# What the environment was made for: where it lies, with which Python, from which lock.
mark_of() { printf '%s\n' "$ROOT" "$("$1" -c 'import sys; print(sys.version)')" "$(sha256sum <"$ROOT/requirements-dev.lock")" "$(sha256sum <"$ROOT/pyproject.toml")"; }
same_lines() { [ "$(sed -n "$1" <<<"$2")" = "$(sed -n "$1" <<<"$3")" ]; }

set_up() {
    local python wanted found
    python=$(find_python)
    exec 9>"$ROOT/.venv.lock" # two scripts at once: one sets up, the other waits
    flock 9
    wanted=$(mark_of "$python")
    found=$(cat "$VENV/handhold.mark" 2>/dev/null || true)
    if [ "$wanted" != "$found" ]; then
        if ! same_lines 1,2p "$wanted" "${found:-$(mark_of "$VENV/bin/python" 2>/dev/null || true)}" ||
            ! "$VENV/bin/python" -m pip --version >/dev/null 2>&1; then
            say "making .venv with $("$python" -V)"
            make_environment "$python"
        fi
        say "installing what requirements-dev.lock names"
        quietly "$VENV/bin/python" -m pip install --require-hashes --no-deps -r "$ROOT/requirements-dev.lock" ||
            fail "the packages of requirements-dev.lock could not be installed; is a package index reachable?"
        quietly "$VENV/bin/python" -m pip install --no-deps --no-build-isolation -e "$ROOT" ||
            fail "Handhold could not be installed into .venv"
        printf '%s\n' "$wanted" >"$VENV/handhold.mark"
    fi
    . "$ROOT/script/_assets.sh"
    exec 9>&-
}
