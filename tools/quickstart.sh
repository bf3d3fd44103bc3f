#!/usr/bin/env bash
# Usage: bash tools/quickstart.sh [--web] [--translation] [--work-dir DIR]
#                                 [--python PYTHON]
#
# From a fresh checkout to a word error rate, in at most 15 minutes on 2 CPU cores:
#
#   1. installs mmsign into the active virtual environment, else into .venv in the
#      checkout, which is made if need be
#   2. renders the toy corpus into data/toy
#   3. trains each stream alone, then configs/twostream_slr_quickstart.py from both
#   4. tests the best checkpoint on unseen signers, with beam search of width 5, and
#      bundles it in one file for inference, toy.bundle
#   5. prints WER and its parts for each output of the network, and where to find a
#      picture and a report in text
#
# How long that will take here is measured on a little of the work and printed first.
# Steps that are done already are skipped, and an interrupted training goes on from
# its last checkpoint. A GPU is used when there is one.
#
#   --web             also write a page that recognizes in the browser by the keypoint
#                     stream, and say how to open it; npm fetches what it runs on, once
#   --translation     go on to German sentences, in at most 15 more minutes: gloss-to-text
#                     pretraining, the network's features of every clip, the three
#                     translation heads; prints sentences, BLEU and ROUGE
#   --work-dir DIR    folder for logs, checkpoints and results
#                     (default: work_dirs/quickstart in the checkout)
#   --python PYTHON   interpreter to make .venv with (3.10 to 3.12)
#
# MMSIGN_TORCH="torch==2.6.0" installs this PyTorch instead of the tested one.
#
# As `mmsign quickstart` it uses the installation that it comes from, without step 1 or
# --python, and the current folder in place of the checkout.
set -euo pipefail

# mmsign.cli names its interpreter.
called="bash tools/quickstart.sh"
[[ -z "${MMSIGN_PYTHON:-}" ]] || called="mmsign quickstart"

usage() {
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" |
        sed "1s|bash tools/quickstart.sh|$called|"
}

work_dir=""
translation=0 web=0
while (($#)); do
    case "$1" in
        -h | --help) usage && exit 0 ;;
        --translation) translation=1 && shift ;;
        --web) web=1 && shift ;;
        --work-dir | --python)
            (($# > 1)) || { echo "error: $1 needs a value" >&2 && exit 2; }
            if [[ "$1" == --work-dir ]]; then
                work_dir="$2"
            elif [[ -n "${MMSIGN_PYTHON:-}" ]]; then
                echo "error: --python: $called runs with $MMSIGN_PYTHON" >&2 && exit 2
            else
                PYTHON="$2"
            fi
            shift 2
            ;;
        *) echo "error: unknown option $1" >&2 && usage >&2 && exit 2 ;;
    esac
done

# shellcheck source=tools/_setup_env.sh
source "$(dirname "${BASH_SOURCE[0]}")/_setup_env.sh"
# Where the toy corpus and the results go, and what stands before the scripts' names.
place="$ROOT" from=""
if [[ -n "${MMSIGN_PYTHON:-}" ]]; then
    place="$PWD" from="$ROOT/"
    [[ -w "$place" ]] || fail "cannot write into $place: change to another folder"
fi
if [[ -z "$work_dir" ]]; then
    work_dir="$place/work_dirs/quickstart"
elif [[ "$work_dir" != /* ]]; then
    work_dir="$PWD/$work_dir"
fi

say "1/5 Environment"
extras="" needed="torch mmaction"
if ((translation)); then
    extras=translation needed="$needed sacrebleu sentencepiece transformers"
fi
if ((web)); then
    extras="${extras:+$extras,}export" needed="$needed onnx onnxruntime"
fi
if [[ -n "${MMSIGN_PYTHON:-}" ]]; then
    PYTHON="$MMSIGN_PYTHON"
    for module in $needed; do
        "$PYTHON" -c "import importlib.util as u; exit(not u.find_spec('$module'))" ||
            fail "$module is not installed: pip install \"mmsign${extras:+[$extras]}\""
    done
    echo "$PYTHON, in $place"
else
    set_up_environment "$extras"
fi

# Everything below names paths of data as the configs do, relative to this folder.
cd "$place"
config="${from}configs/twostream_slr_quickstart.py"
package="$("$PYTHON" -c 'import importlib.util as u
print(*u.find_spec("mmsign").submodule_search_locations)')"

estimate() {
    "$PYTHON" "${from}tools/analysis/quickstart_time.py" "$@" ||
        echo "No estimate, see above"
}
if [[ ! -f "$work_dir/.trained" ]]; then
    say "How long it will take, from the beginning"
    if ((translation)); then estimate --translation; else estimate; fi
fi

say "2/5 Toy corpus"
# A corpus that this script made with another version of the renderer is made anew;
# one that somebody else put there is used as it is.
maker="$(cat "${from}tools/data/make_toy_corpus.py" "$package"/toy/*.py | cksum)"
stamp=data/toy/.made-by-quickstart
if [[ -f "$stamp" && "$(cat "$stamp")" != "$maker" ]]; then
    echo "The renderer has changed since data/toy was made: making it anew"
    rm -rf data/toy
fi
if [[ -d data/toy ]]; then
    echo "data/toy is there"
else
    rm -rf data/toy.partial
    mkdir -p data
    "$PYTHON" "${from}tools/data/make_toy_corpus.py" data/toy.partial
    printf '%s\n' "$maker" >data/toy.partial/.made-by-quickstart
    mv data/toy.partial data/toy
fi

say "3/5 Training (logs and checkpoints: $work_dir)"
# Stage 1, each stream alone: on a CPU both at once, with half of the cores each. Small
# networks gain more from that than from all the cores.
train_stream() {
    local stream="$1" work="$work_dir/$1"
    if [[ -f "$work/.trained" ]]; then
        echo "The $stream stream is trained already"
        return
    fi
    "$PYTHON" "${from}tools/train.py" "${from}configs/${stream}_slr_quickstart.py" \
        --work-dir "$work" --resume auto
    touch "$work/.trained"
}

if "$PYTHON" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())'; then
    train_stream video
    train_stream keypoint
else
    mkdir -p "$work_dir"
    cores="$(getconf _NPROCESSORS_ONLN)"
    export OMP_NUM_THREADS="$(((cores + 1) / 2))"
    echo "Keypoint stream: progress in $work_dir/keypoint.log"
    # A process group of its own, which goes if the other fails or the user interrupts.
    set -m
    train_stream keypoint >"$work_dir/keypoint.log" 2>&1 &
    keypoint_job=$!
    set +m
    trap 'kill -- "-$keypoint_job" 2>/dev/null || true' EXIT
    train_stream video
    if ! wait "$keypoint_job"; then
        tail -n 20 "$work_dir/keypoint.log" >&2
        fail "training the keypoint stream failed, see above"
    fi
    trap - EXIT
    unset OMP_NUM_THREADS
fi

# Stage 2, both streams together.
trained="$work_dir/.trained"
if [[ -f "$trained" ]]; then
    echo "Trained already; delete $work_dir to train again"
else
    "$PYTHON" "${from}tools/train.py" "$config" --work-dir "$work_dir" --resume auto \
        --cfg-options \
        model.video.checkpoint="$(cat "$work_dir/video/last_checkpoint")" \
        model.keypoint.checkpoint="$(cat "$work_dir/keypoint/last_checkpoint")"
    touch "$trained"
fi

say "4/5 Test"
# The best checkpoint by the average's WER on the development split.
checkpoint="$(ls -t "$work_dir"/best_*.pth 2>/dev/null | head -n 1 || true)"
if [[ -z "$checkpoint" ]]; then
    checkpoint="$(cat "$work_dir/last_checkpoint")"
fi
# Meanwhile, the network in one file, for tools/infer.py VIDEO --bundle FILE.
"$PYTHON" "${from}tools/export/bundle.py" "$config" "$checkpoint" "$work_dir/toy.bundle" \
    >"$work_dir/bundle.log" 2>&1 &
bundle_job=$!
"$PYTHON" "${from}tools/test.py" "$config" "$checkpoint" --work-dir "$work_dir/test" \
    --out "$work_dir/test_metrics.json" \
    --cfg-options model.decoder.beam_width=5 \
    test_evaluator.0.dump="'$work_dir/predictions'"
if ! wait "$bundle_job"; then
    cat "$work_dir/bundle.log" >&2
    fail "bundling the network failed, see above"
fi
grep -v ' - INFO - ' "$work_dir/bundle.log" || true

say "5/5 Report"
"$PYTHON" "${from}tools/analysis/quickstart_report.py" --work-dir "$work_dir"

if ((web)); then
    say "A page that recognizes in the browser"
    "$PYTHON" "${from}tools/export/web.py" "$work_dir/toy.bundle" "$work_dir/web"
fi

((translation)) || exit 0

slt="$work_dir/translation"
# Whether FILE was the last one written from what the other arguments say.
is_made_from() {
    [[ -f "$1" && -f "$1.made-from" && "$(cat "$1.made-from")" == "${*:2}" ]]
}
# Trains CONFIG in WORK_DIR from INPUTS, a text that names them, with further options,
# unless that is done already.
train_once() {
    local config="$1" work="$2" inputs="$3"
    shift 3
    if is_made_from "$work/.trained" "$inputs"; then
        echo "Trained already; delete $work to train again"
        return
    fi
    if ! is_made_from "$work/.started" "$inputs"; then
        # Of another corpus or recognizer.
        rm -rf "$work"
        mkdir -p "$work"
        touch "$work/.started"
        printf '%s\n' "$inputs" >"$work/.started.made-from"
    fi
    "$PYTHON" "${from}tools/train.py" "$config" --work-dir "$work" --resume auto "$@"
    touch "$work/.trained"
    printf '%s\n' "$inputs" >"$work/.trained.made-from"
}

say "Translation 1/4: gloss to text"
mkdir -p "$slt"
text=data/text/toy
corpus="$(cat data/toy/annotations/manual/*.train.* | cksum)"
if is_made_from "$text/sentencepiece.bpe.model" "$corpus"; then
    echo "The text vocabulary $text is there"
else
    "$PYTHON" "${from}tools/data/make_text_vocabulary.py" Phoenix2014TDataset data/toy \
        "$text" --size 300
    printf '%s\n' "$corpus" >"$text/sentencepiece.bpe.model.made-from"
fi
train_once "${from}configs/g2t_toy.py" "$slt/g2t" "$corpus"

say "Translation 2/4: features of every clip"
features="$slt/features.safetensors"
recognizer="$(cksum <"$checkpoint")"
if is_made_from "$features" "$corpus $recognizer"; then
    echo "$features is there"
else
    "$PYTHON" "${from}tools/extract_features.py" "$config" "$checkpoint" "$features" \
        --batch-size 8 --views 2
    printf '%s\n' "$corpus $recognizer" >"$features.made-from"
fi

say "Translation 3/4: the translation heads"
train_once "${from}configs/twostream_slt_toy.py" "$slt/slt" "$corpus $recognizer" \
    --cfg-options feature_file="'$features'" g2t_checkpoint="'$slt/g2t'" \
    model.recognizer_checkpoint="'$checkpoint'"

say "Translation 4/4: test on unseen signers"
translator="$(cat "$slt/slt/last_checkpoint")"
if is_made_from "$slt/test_metrics.json" "$(cksum <"$translator")"; then
    echo "Tested already"
else
    "$PYTHON" "${from}tools/test.py" "${from}configs/twostream_slt_toy.py" "$translator" \
        --work-dir "$slt/test" --out "$slt/test_metrics.json" \
        --cfg-options feature_file="'$features'" test_evaluator.1.dump="'$slt/sentences'"
    printf '%s\n' "$(cksum <"$translator")" >"$slt/test_metrics.json.made-from"
fi
"$PYTHON" "${from}tools/analysis/translation_report.py" --work-dir "$slt"
