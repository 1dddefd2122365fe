#!/usr/bin/env bash
# What the commands of a page find when tools/check_docs.py --run runs them: a
# toy model of each TASK that is named, after one short epoch, unless it is
# there; photo.jpg, video.mp4 and a folder of pictures.
#     tests/docs/stage.sh TASK...     det, seg, pose, cls, xxs, video
set -euo pipefail
train() {  # LAYOUT CONFIG WORK_DIR
    [ -s "work_dirs/$3/last_checkpoint" ] && return
    tools/make_toyworld.py --layouts "$1" \
        --images-train 16 --images-val 8 --force
    tools/train.py "configs/$2.py" --batch-size 4 "${@:4}"
}
for task; do
    case $task in
        det) train coco det/mask_rcnn_uniformer_toy mask_rcnn_uniformer_toy --epochs 1 \
            --cfg-options model.test_cfg.rcnn.score_thr=0.001 ;;  # finds something
        seg) train ade seg/fpn_uniformer_toy fpn_uniformer_toy --iters 4 ;;
        pose) train keypoints pose/topdown_uniformer_toy topdown_uniformer_toy --epochs 1 ;;
        cls) train imagenet cls/uniformer_toy cls/uniformer_toy --epochs 1 ;;
        xxs) train imagenet cls/uniformer_xxs_toy cls/uniformer_xxs_toy --epochs 1 ;;
        video) train kinetics video/uniformer_toy video/uniformer_toy --epochs 1 ;;
        *) echo "error: task=$task; wanted det, seg, pose, cls, xxs or video" >&2; exit 2 ;;
    esac
done
if [ ! -d pictures ]; then
    mkdir -p pictures
    [ -d data/coco/val2017 ] || tools/make_toyworld.py --layouts coco --images-train 16 --images-val 8 --force
    cp data/coco/val2017/*[1-4].jpg pictures
    cp "$(ls pictures/* | head -1)" photo.jpg
fi
if [ ! -f video.mp4 ] && [ -d data/kinetics400/val ]; then
    cp "$(ls data/kinetics400/val/*.mp4 | head -1)" video.mp4
fi
