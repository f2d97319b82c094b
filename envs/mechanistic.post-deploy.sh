#!/usr/bin/env bash
# Finishes the mechanistic environment whose bin is first on PATH: builds cyipopt (published as source only) against the
# IPOPT library inside the casadi package, so that no system package is needed. The wheel is kept and used again.
set -euo pipefail

version=1.7.0
hash=sha256:527eab917415af8808df05ab1899df12bde6e95e5c5d32644b59a69e18561471
python -c "import cyipopt, sys; sys.exit(cyipopt.__version__ != '$version')" 2>/dev/null && exit 0

wheels=${KINETRAIN_WHEELS:-$HOME/.cache/kinetrain/wheels}
mkdir -p "$wheels"
tag=$(python -c "import sys; print('cp%d%d' % sys.version_info[:2])")
casadi=$(python -c "import casadi, os; print(os.path.dirname(casadi.__file__))")

install() { # pip where the environment has it, else uv
    if python -m pip --version >/dev/null 2>&1; then
        python -m pip install --no-deps "$@"
    else
        uv pip install --python "$(command -v python)" --no-deps "$@"
    fi
}

if ! compgen -G "$wheels/cyipopt-$version-$tag-*_$(uname -m).whl" >/dev/null; then
    build=$(mktemp -d)
    trap 'rm -rf "$build"' EXIT
    cat >"$build/ipopt.pc" <<END
prefix=$casadi
Name: ipopt
Description: IPOPT as casadi brings it
Version: 3.14.19
Libs: -L\${prefix} -lipopt
Cflags: -I\${prefix}/include/coin-or
END
    echo "cyipopt==$version --hash=$hash" >"$build/cyipopt.txt"
    source=(--no-deps --require-hashes --no-binary cyipopt --requirement "$build/cyipopt.txt")
    # The program itself, not its Python wrapper: the isolated build could not import that.
    ln -s "$(python -c "import pkgconf; print(pkgconf.get_executable())")" "$build/pkg-config"
    # The extension finds libipopt.so.3 beside itself, in site-packages/casadi.
    export PATH="$build:$PATH" PKG_CONFIG_PATH="$build" LDFLAGS="-Wl,-rpath,\$ORIGIN/../casadi"
    if python -m pip --version >/dev/null 2>&1; then
        python -m pip wheel --no-cache-dir --wheel-dir "$wheels" "${source[@]}"
    else
        uv pip install --python "$(command -v python)" --no-cache "${source[@]}"
    fi
fi
if compgen -G "$wheels/cyipopt-$version-$tag-*_$(uname -m).whl" >/dev/null; then
    install --no-index --find-links "$wheels" "cyipopt==$version"
fi
python -c "import cyipopt"
