# Kameng's workspace. Two commands matter: `make up` (the demo shop) and `make test`.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PACKAGES := engine modules/catalog modules/membership modules/settlement modules/fulfilment modules/analytics modules/gateways themes/storefront themes/admin
EDITABLE := $(foreach package,$(PACKAGES),-e $(package))

.PHONY: up test property soak faults screenshots lighthouse lint types imports schema schema-changes translations check lock clean help

help: ## What can be done here
	@grep -hE '^[a-zA-Z_.-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-zA-Z_.-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

up: .venv ## The demo shop: services, migrations, seed, web and worker; Ctrl-C stops all
	@$(BIN)/kameng dev --seed

test: .venv ## Every test, on a real PostgreSQL and Valkey; a part: make test ARGS=tests/catalog
	@$(BIN)/python tools/run_tests.py $(ARGS)

property: export KAMENG_PROPERTY_EXAMPLES ?= 1500
property: .venv ## 6,000 generated documents: compiled execution beside graphql-core
	@$(BIN)/python -m pytest tests/engine/graphql/compiled tests/composed

soak: .venv ## Mixed load with reloads, watching memory and every answer: make soak MINUTES=60
	@$(BIN)/python -m benchmarks.soak --minutes $(or $(MINUTES),5)

faults: .venv ## Mixed load while processes are killed, then what must hold: make faults MINUTES=30 SEED=7
	@$(BIN)/python -m tests.faults.mixed --minutes $(or $(MINUTES),2) --seed $(or $(SEED),1)

screenshots: .venv ## Pictures of every page at three widths, light and dark, into docs/pictures
	@$(BIN)/python -m tests.browser.screenshots

lighthouse: export KAMENG_LIGHTHOUSE_PERFORMANCE = 1
lighthouse: .venv ## Lighthouse's four grades of home, product and dashboard, as on a phone; wants a quiet machine
	@$(BIN)/python -m pytest -s tests/browser/test_lighthouse.py

.venv: $(VENV)/.installed ## Only the environment

$(VENV)/.installed: requirements.lock $(addsuffix /pyproject.toml,$(PACKAGES))
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Kameng needs Python 3.11 or later; this is %s. Name another one: make PYTHON=python3.12 ..." % sys.version.split()[0])'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@echo "Installing Kameng's packages ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation $(EDITABLE)
	@$(BIN)/python -m compileall -q $(PACKAGES)
	@touch $@

check: lint types imports schema-changes translations ## Lint, types, import rules, breaking changes of the schemas, translations

lint: .venv
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: .venv
	@$(BIN)/mypy

imports: .venv
	@$(BIN)/lint-imports

schema: .venv ## Write the GraphQL schemas to docs/schema
	@$(BIN)/kameng schema shop --output docs/schema/shop.graphql
	@$(BIN)/kameng schema admin --output docs/schema/admin.graphql

translations: .venv ## Whether every text is there in Chinese and English
	@$(BIN)/kameng i18n check

schema-changes: .venv
	@$(BIN)/python tools/schema_changes.py

lock: .venv ## Pin the newest allowed versions into requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/python tools/lock.py --upgrade

clean: ## Remove the environment and the demo shop's data
	@test ! -x $(BIN)/python || $(BIN)/python -c 'from pathlib import Path; from kameng.embedded import remove_data; remove_data(Path(".kameng"))'
	rm -rf $(VENV) .kameng
