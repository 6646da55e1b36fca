# `make fly` and `make test` work in an empty clone; the environment is made once and kept up to date by stamps.
#
#   make fly ARGS="--world pillars --seed 3"      make test TESTS=tests/events
#   make PYTHON=/path/to/python3.11 setup         make VENV=/elsewhere setup

VENV ?= .venv
PYTHON ?=
ARGS ?=
TESTS ?= tests
PYTEST_ARGS ?=

BIN := $(VENV)/bin
STAMPS := $(VENV)/.stamps
NODES := sim_node controller_node recorder_node player_node renderer_node aer_udp_node dv_camera_node \
	leg_sim_node leg_controller_node
SHARED := package.xml launch config sim_worlds

# The environment stands alone: a ROS 2 sourced in this shell, or another one's bootstrap mark, must not leak in.
unexport PYTHONPATH PYTHONHOME AMENT_PREFIX_PATH CMAKE_PREFIX_PATH COLCON_PREFIX_PATH LD_LIBRARY_PATH
unexport ROS_DISTRO ROS_VERSION ROS_PYTHON_VERSION RMW_IMPLEMENTATION _ROS_WHEELS_BOOTSTRAP_COMPLETE
# Traffic stays on this host unless the caller says otherwise.
export ROS_AUTOMATIC_DISCOVERY_RANGE ?= LOCALHOST
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup fly walk evaluate test lint types pytest doctor clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMPS)/message ## the environment in .venv: dependencies, the package, the messages

fly: setup ## one flight through the forest; ARGS go to `neuro_robot fly`
	$(BIN)/neuro_robot fly $(ARGS)

walk: setup ## a quadruped among pillars; ARGS go to `neuro_robot walk`
	$(BIN)/neuro_robot walk --world walk_obstacles --seconds 60 $(ARGS)

evaluate: setup ## many flights and the table of success rates; ARGS go to `neuro_robot evaluate`
	$(BIN)/neuro_robot evaluate $(ARGS)

doctor: setup ## what is there, what is missing, and the remedy
	$(BIN)/neuro_robot doctor

test: lint types pytest ## ruff, mypy and pytest; TESTS and PYTEST_ARGS narrow it

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

pytest: setup
	$(BIN)/python -m pytest $(PYTEST_ARGS) $(TESTS)

$(STAMPS)/venv: scripts/find_python.sh
	@python=$$(scripts/find_python.sh "$(PYTHON)") && echo "environment: $(VENV) with $$python" \
		&& "$$python" -m venv $(VENV)
	@mkdir -p $(STAMPS) && touch $@

# Editable, so that the source tree is what runs. The links make the environment a complete ROS 2 prefix: executables
# in lib/<package>, data in share/<package>, and the marker that ament looks packages up by.
$(STAMPS)/install: $(STAMPS)/venv setup.py setup.cfg package.xml
	@echo "installing dependencies (ROS 2 wheels, numba, pybullet, ...): a minute or two, once"
	@$(BIN)/python -m pip install -qq --upgrade pip
	@$(BIN)/python -m pip install -qq --editable ".[ros,build,dev]"
	@mkdir -p $(VENV)/lib/neuro_robot $(VENV)/share/neuro_robot $(VENV)/share/ament_index/resource_index/packages
	@for node in $(NODES); do ln -sfn ../../bin/$$node $(VENV)/lib/neuro_robot/$$node; done
	@for item in $(SHARED); do ln -sfn "$(CURDIR)/$$item" $(VENV)/share/neuro_robot/$$item; done
	@ln -sfn "$(CURDIR)/resource/neuro_robot" $(VENV)/share/ament_index/resource_index/packages/neuro_robot
	@touch $@

$(STAMPS)/message: $(STAMPS)/install $(shell find interfaces -type f -not -name '*.pyc')
	@echo "building event_camera_msgs and rosbag2_interfaces"
	@$(BIN)/python interfaces/build_message.py
	@touch $@

clean: ## remove the environment and everything built
	rm -rf $(VENV) build install log *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
