#!/usr/bin/env bash
# Training, embedding and serving on a GPU, in each precision, with XLA and without, and training on
# two parts of the GPU, into one JSON (OUTPUT) and a table. CASES chooses; no case begins after LIMIT
# seconds; with RESULTS, a folder, several runs make one table. Without a GPU it says so; SMALL=1
# tries it there on tiny networks.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=${PYTHON:-python}
data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT
results=${RESULTS:-$data/results}
mkdir -p "$results"
export PYTHONPATH=$PWD${PYTHONPATH:+:$PYTHONPATH}
export TF_FORCE_GPU_ALLOW_GROWTH=true # the server's export is made in a process beside it

if ! "$python" -c "import tensorflow as tf; exit(not tf.config.list_physical_devices('GPU'))" 2> /dev/null; then
    echo "TensorFlow finds no GPU here"
    [ -n "${SMALL:-}" ] || exit 1
fi

network=(--global_backbone=resnet50 --local_backbone=resnet34 --size=224 --local_size=112)
batch=${BATCH:-32}
if [ -n "${SMALL:-}" ]; then
    network=(--global_backbone=resnet6 --local_backbone=resnet6 --size=32 --local_size=32 --attributes=2)
    batch=2
fi

measure() { # name of the result, program, flags
    local result=$results/$1
    if [ $SECONDS -ge "${LIMIT:-86400}" ]; then
        echo "no time for $1"
        return
    fi
    timeout "${CASE_LIMIT:-3600}" "$python" "${@:2}" "${network[@]}" --seconds="${SECONDS_EACH:-10}" \
        --json="$result.json" > /dev/null 2> "$result.log" || { echo "$1 failed:" && tail -n 3 "$result.log"; }
}

for jit in false true; do
    for case in ${CASES:-train_stage2 embed_all train_stage1 parts serve}; do
        for precision in float32 mixed_bfloat16 mixed_float16; do
            computes=(--precision="$precision" --jit=$jit)
            of=(-m asen_tf.cli.benchmark --batch="$batch" --data_dir="$data/garments")
            name=$case-$precision-$jit
            case $case in
                serve) measure "$name" benchmarks/serving.py "${computes[@]}" ;;
                parts) measure "$name" "${of[@]}" --case=train_stage2 --replicas=2 "${computes[@]}" ;;
                *) measure "$name" "${of[@]}" --case="$case" "${computes[@]}" ;;
            esac
        done
    done
done
"$python" benchmarks/gpu_table.py "$results" "${OUTPUT:-benchmarks/results/gpu.json}"
