#!/usr/bin/env bash
# Makes Snakemake and the environments in an image, as environment.py makes them on any machine (envs/Dockerfile,
# envs/kinetrain.def): in /opt/kinetrain/NAME, where the rules look for them with --sdm apptainer.
set -euo pipefail
source=/opt/kinetrain/source
export KINETRAIN_WHEELS=/opt/kinetrain/wheels
pip install --no-cache-dir --require-hashes --requirement "$source/envs/workflow.hashes"
for name in mechanistic neural analysis; do
    python3 "$source/workflow/scripts/environment.py" "$source/envs/$name.txt" "/opt/kinetrain/$name"
done
rm -rf "$KINETRAIN_WHEELS" ~/.cache
