#!/usr/bin/env bash
# Every speed case into benchmarks/results/, on an idle machine; SECONDS_EACH=10 takes minutes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=${PYTHON:-python}
data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT
export PYTHONPATH=$PWD:$PWD/client

measure() { # program, name of the result, flags
    "$python" $1 --json="benchmarks/results/$2.json" --data_dir="$data/garments" \
        --seconds="${SECONDS_EACH:-10}" "${@:3}" > /dev/null
}

large=(--global_backbone=resnet50 --local_backbone=resnet34 --size=224 --local_size=112)
small=(--global_backbone=resnet18 --local_backbone=resnet18 --size=112 --local_size=56)
benchmark="-m asen_tf.cli.benchmark"
compare=$benchmark
# Beside PyTorch where that is installed.
"$python" -c "import torch" 2> /dev/null && compare=benchmarks/compare_torch.py

for stage in train_stage1 train_stage2; do
    measure "$compare" "${stage}_resnet50_resnet34" --case=$stage "${large[@]}" --batch=4
    measure "$compare" "${stage}_resnet18_resnet18" --case=$stage "${small[@]}" --batch=16
    for precision in float32 mixed_bfloat16; do
        measure "$benchmark" "${stage}_${precision}_recompute_resnet50_resnet34" --case=$stage "${large[@]}" \
            --batch=4 --precision=$precision --recompute
    done
    measure "$benchmark" "${stage}_mixed_bfloat16_resnet50_resnet34" --case=$stage "${large[@]}" --batch=4 \
        --precision=mixed_bfloat16
    measure "$benchmark" "${stage}_mixed_bfloat16_resnet18_resnet18" --case=$stage "${small[@]}" --batch=16 \
        --precision=mixed_bfloat16
done
measure "$compare" embed_all_resnet50_resnet34 --case=embed_all "${large[@]}" --batch=8
measure "$compare" embed_all_resnet18_resnet18 --case=embed_all "${small[@]}" --batch=32
measure "$benchmark" embed_all_mixed_bfloat16_resnet50_resnet34 --case=embed_all "${large[@]}" --batch=8 \
    --precision=mixed_bfloat16
measure "$benchmark" embed_all_mixed_bfloat16_resnet18_resnet18 --case=embed_all "${small[@]}" --batch=32 \
    --precision=mixed_bfloat16
for case in embed_one pipeline evaluate export_start memory; do
    measure "$benchmark" "${case}_resnet50_resnet34" --case=$case "${large[@]}" --batch=4
done
