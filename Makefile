# make demo    train, test and draw a small UniFormer Mask R-CNN
# make test    run the tests
# make lint    check the style and the types
# make setup   the environment alone; the others do it by themselves.
#              TORCH="torch==2.1.2 torchvision==0.16.2"  another pair
#              MMCV=native                               compiled operators
#              PYTHON=python3.12                         another interpreter
PYTHON ?= python3
PY = .venv/bin/python
TOY = configs/det/mask_rcnn_uniformer_toy.py
DEMO = work_dirs/demo

.PHONY: setup demo test lint

setup:
	@command -v $(PYTHON) >/dev/null || \
		{ echo 'error: $(PYTHON) not found; wanted Python 3.10 to 3.12'; exit 1; }
	@$(PYTHON) tools/setup_env.py --torch "$(TORCH)" --mmcv "$(MMCV)"

demo: setup
	@$(PY) tools/make_toyworld.py --layouts coco
	@tools/dist_train.sh $(TOY) 2 --work-dir $(DEMO)
	@tools/dist_test.sh $(TOY) "$$(cat $(DEMO)/last_checkpoint)" 2 \
		--work-dir $(DEMO)/test --show-dir $(DEMO)/pictures
	@echo "Pictures (left: annotation, right: prediction): $(DEMO)/pictures"

test: setup
	@$(PY) -m pytest -n auto --dist loadscope

lint: setup
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@$(PY) -m mypy mmuniformer
