#!/bin/sh
# Print the Python that `make` builds its environment with, or say what the machine lacks and how to get it.
#
#   scripts/find_python.sh [PYTHON]
#
# Takes the first of PYTHON, python3.11, python3.10, python3 and those under ~/.pyenv that runs and is 3.10 or 3.11.
# Exit status 1, with every remedy on stderr, when there is none, or no venv module, headers or C++ compiler.

is_supported='import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 11))'
has_headers='import os, sys, sysconfig; sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))'

find_python() {
    if [ -n "$1" ]; then
        candidates=$1
    else
        candidates="python3.11 python3.10 python3 $(ls -d "$HOME"/.pyenv/versions/3.1[10].*/bin/python 2>/dev/null)"
    fi
    for candidate in $candidates; do
        # A name may be a pyenv shim that only prints an error: what counts is that it runs.
        if "$candidate" -c "$is_supported" 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
}

python=$(find_python "$1")
missing=
complain() {
    echo "neuro_robot: $1" >&2
    missing=yes
}

if [ -z "$python" ]; then
    found=$("${1:-python3}" --version 2>/dev/null || echo "${1:-python3}: none")
    complain "needs Python 3.10 or 3.11 (pybullet has no wheels for later ones); found $found.
    Debian 12:     sudo apt install python3 python3-venv python3-dev
    Ubuntu 22.04:  sudo apt install python3 python3-venv python3-dev
    elsewhere:     pyenv install 3.11, or uv python install 3.11; then make PYTHON=/path/to/python3.11"
else
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    "$python" -c 'import venv, ensurepip' 2>/dev/null ||
        complain "$python has no venv module: sudo apt install python$version-venv"
    "$python" -c "$has_headers" 2>/dev/null ||
        complain "$python has no C headers (Python.h), which the message build needs: sudo apt install python$version-dev"
fi
command -v "${CXX:-c++}" >/dev/null 2>&1 || command -v g++ >/dev/null 2>&1 || command -v clang++ >/dev/null 2>&1 ||
    complain "no C++ compiler, which the message build needs: sudo apt install g++"

[ -z "$missing" ] || exit 1
echo "$python"
