# make demo    train, test and draw a small UniFormer Mask R-CNN
# make test    run the tests
# make lint    check the style and the types
# make setup   the environment alone; the others do it by themselves.
#              TORCH="torch==2.1.2 torchvision==0.16.2"  another pair
#              MMCV=native                               compiled operators
#              HOSTS=onedl                               OpenMMLab's forks
#              PYTHON=python3.12                         another interpreter
#              They stay chosen; TORCH=locked, MMCV=lite, HOSTS=stock go back.
# make lock    requirements.lock anew, after a change of requirements.txt
# make test-newest   the tests on the newest of everything that is allowed,
#              in .venv-newest, and which package broke what; TESTS=tests/models
# make docs    the site, in site/; a warning or a broken link is an error
# make ordeal  kill, stop and spoil trainings of every task; ORDEAL='--kills 2'
PYTHON ?= python3
VENV ?= .venv
PY = $(VENV)/bin/python
TOY = configs/det/mask_rcnn_uniformer_toy.py
DEMO = work_dirs/demo

.PHONY: setup demo test lint lock test-newest ordeal docs

setup:
	@command -v $(PYTHON) >/dev/null || \
		{ echo 'error: $(PYTHON) not found; wanted Python 3.10 to 3.13'; exit 1; }
	@$(PYTHON) tools/setup_env.py --torch "$(TORCH)" --mmcv "$(MMCV)" \
		--hosts "$(HOSTS)" --venv "$(VENV)"

demo: setup
	@$(PY) tools/make_toyworld.py --layouts coco
	@PYTHON=$(abspath $(PY)) tools/dist_train.sh $(TOY) 2 --work-dir $(DEMO)
	@PYTHON=$(abspath $(PY)) tools/dist_test.sh $(TOY) "$$(cat $(DEMO)/last_checkpoint)" 2 \
		--work-dir $(DEMO)/test --show-dir $(DEMO)/pictures
	@echo "Pictures (left: annotation, right: prediction): $(DEMO)/pictures"

test: setup
	@$(PY) -m pytest -n auto --dist loadscope

test-newest:
	@$(PYTHON) tools/test_newest.py $(TESTS)

ordeal: setup
	@$(PY) -m tests.ordeal $(ORDEAL)

lint: setup
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@$(PY) -m mypy mmuniformer

lock: setup
	@$(PY) tools/lock.py

docs: .venv-docs/bin/mkdocs
	@NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --strict
	@echo "site/index.html"

.venv-docs/bin/mkdocs: requirements-docs.lock
	@$(PYTHON) -m venv .venv-docs
	@.venv-docs/bin/pip install -q --no-deps --require-hashes -r $<
	@touch $@
