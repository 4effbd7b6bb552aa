#!/usr/bin/env bash
# Training, embedding and serving on a GPU, in each precision, with XLA and without, on one GPU and
# on two parts of it, into one JSON (OUTPUT) and a table. It stops beginning cases after LIMIT
# seconds, what matters most first. Without a GPU it says so; SMALL=1 tries it there on tiny networks.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=${PYTHON:-python}
output=${OUTPUT:-benchmarks/results/gpu.json}
data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT
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

mkdir "$data/results"
measure() { # name of the result, program, flags
    local result=$data/results/$1
    if [ $SECONDS -ge "${LIMIT:-86400}" ]; then
        echo "no time for $1"
        return
    fi
    "$python" "${@:2}" "${network[@]}" --seconds="${SECONDS_EACH:-10}" --json="$result.json" \
        > /dev/null 2> "$result.log" || { echo "$1 failed:" && tail -n 3 "$result.log"; }
}

benchmark() { # case, precision, XLA, replicas
    measure "$1-$2-$3-$4" -m asen_tf.cli.benchmark --case="$1" --precision="$2" --jit="$3" --replicas="$4" \
        --batch="$batch" --data_dir="$data/garments"
}

precisions=(float32 mixed_bfloat16 mixed_float16)
for jit in false true; do
    for case in train_stage2 embed_all train_stage1; do
        for precision in "${precisions[@]}"; do
            benchmark "$case" "$precision" $jit 1
        done
    done
    for precision in "${precisions[@]}"; do
        benchmark train_stage2 "$precision" $jit 2
    done
    for precision in "${precisions[@]}"; do
        measure "serve-$precision-$jit" benchmarks/serving.py --precision="$precision" --jit=$jit
    done
done
"$python" benchmarks/gpu_table.py "$data/results" "$output"
