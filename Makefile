.DEFAULT_GOAL := help
SHELL := bash
BIN := .venv/bin
CONFIG ?=
ARGS ?=

.PHONY: help install train drift serve demo play test test-end-to-end test-slow test-cluster check manifests-check render schemas golden images-check format bench bench-serve bench-swap bench-rollout bench-quality bench-skab pictures lock clean

help: ## show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: ## make .venv from requirements.lock with pip (every other target does this first; a second run does nothing)
	@scripts/install.sh

train: install ## train on the simulated fleet and register a challenger; CONFIG=configs/skab.yaml, ARGS='--set a.b=c'
	@$(BIN)/vigia train $(if $(CONFIG),--config $(CONFIG)) $(ARGS)

drift: install ## new rows against a bundle's reference: page, figures, verdict by exit code; ARGS='--data URI'
	@$(BIN)/vigia drift $(ARGS)

serve: install ## serve the promoted model on http://127.0.0.1:8000 until Ctrl-C (nothing promoted yet: the challenger)
	@$(BIN)/vigia serve $(ARGS)

demo: install ## the whole loop: train, promote, verify, predict, a refusal, a revert, a rollback, status, history
	@$(BIN)/vigia demo $(ARGS)

play: install ## break a machine of the simulated fleet, see alerts with reasons, promote a new model live (asks; ARGS=--no-input)
	@$(BIN)/vigia play $(ARGS)

test: install ## the tests, without the end-to-end and the slow ones
	@$(BIN)/python -m pytest $(ARGS)

test-end-to-end: install ## the whole loop as a test
	@$(BIN)/python -m pytest -m end_to_end --timeout 900 $(ARGS)

test-slow: install ## faults, load and large samples (minutes)
	@$(BIN)/python -m pytest -m slow --timeout 1200 $(ARGS)

test-cluster: install ## the loop on the cluster of your kubeconfig, and what its API does; VIGIA_TEST_ENV, VIGIA_TEST_ENVIRONMENTS
	@$(BIN)/python -m pytest -m cluster --timeout 7200 -rs tests/cluster $(ARGS)
	@VIGIA_TEST_KUBECONFIG="$${KUBECONFIG:-$$HOME/.kube/config}" $(BIN)/python -m pytest -rs tests/fakes/test_kubernetes_conformance.py

check: install ## format, lint, types, import contracts, what the service imports
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m pytest tests/serving/test_imports.py

manifests-check: install ## every overlay against strict schemas, our own rules, promtool and yamllint; ARGS=minikube
	@$(BIN)/python -m tests.manifests.checking $(ARGS)

schemas: install ## download the operators' definitions at their tags into .vigia/schemas, as strict JSON Schemas
	@$(BIN)/python -m scripts.schemas

render: install ## manifests/templates into the ConfigMap that `vigia submit` reads, and Minikube's form of it
	@$(BIN)/python scripts/render_templates.py

images-check: ## make the images' environments without Docker and look at what is in them (GBs, minutes); ARGS='serve ops'
	@scripts/check-images.sh $(ARGS)

golden: install ## write what kustomize builds into tests/manifests/golden, so that a review shows it (needs kubectl)
	@$(BIN)/python -m tests.manifests.checking.golden

format: install ## apply format and safe lint fixes
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: install ## speed beside a peer, as ratios: scoring, validation, search; and the stages of train
	@$(BIN)/python -m tests.bench.scoring
	@$(BIN)/python -m tests.bench.validation
	@$(BIN)/python -m tests.bench.search
	@$(BIN)/python -m tests.bench.train

bench-serve: install ## vigia through Ray Serve beside mlflow, FastAPI and a bare reference (needs wrk); ARGS='--quick', '--write'
	@$(BIN)/python -m tests.bench.serve $(ARGS)

bench-swap: install ## twenty bundle changes under load from a store that takes 10 s to answer (four minutes); ARGS=--write
	@$(BIN)/python -m tests.bench.serve_swap $(ARGS)

bench-rollout: install ## promotions through git on two replicas at 300 requests/s, commit to last replica (two minutes); ARGS=--write
	@$(BIN)/python -m tests.bench.rollout $(ARGS)

bench-quality: install ## measure detection quality again, every table of docs/quality.md (a quarter of an hour)
	@$(BIN)/python -m tests.quality.tables --write
	@$(BIN)/python -m tests.quality.skab --write
	@$(BIN)/python -m tests.quality.budgets --write
	@$(BIN)/python -m tests.quality.fleet --write
	@$(BIN)/python -m tests.quality.drift --write
	@$(BIN)/python -m tests.quality.reasons --write
	@$(BIN)/python -m tests.quality.gate --write

bench-skab: install ## the Skoltech Anomaly Benchmark alone, by the protocol of its leaderboard (a minute)
	@$(BIN)/python -m tests.quality.skab $(ARGS)

pictures: install ## train on the simulated fleet and picture its pages for docs/pages (needs chromium)
	@$(BIN)/vigia train --quiet --workspace .vigia/pictures --set 'search.families=[isolation_forest]'
	@$(BIN)/vigia train --quiet --workspace .vigia/pictures
	@$(BIN)/vigia compare 1 2 --quiet --workspace .vigia/pictures
	@$(BIN)/python -m tests.evaluation.pages.pictures .vigia/pictures docs/pages

lock: ## resolve pyproject.toml into requirements.lock (needs uv)
	@scripts/lock.sh

clean: ## remove .venv, caches and the local workspace
	rm -rf .venv .vigia .mypy_cache .ruff_cache .pytest_cache *.egg-info build
