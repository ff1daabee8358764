# The commands for developers and operators. `make help` lists them.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

FUNCTIONS := backup-policy coverage global-settings member-accounts policy-types reattach restore-validation service-access
TARGET := $(or $(CARGO_TARGET_DIR),target)
VENV := .venv/.requirements
CHECKOV := .venv/.requirements-checkov
CARGO_LAMBDA := .venv/.requirements-lambda
# The archives for AWS, and the archives for this machine alone.
PACKAGE := $(TARGET)/package
LOCAL := $(TARGET)/local
PEERS := .venv/.peers
INDEPENDENT := .venv/.requirements-independent
BUDGETS = "$(TARGET)/debug/budgets" --package "$(PACKAGE)"
BROWSER := $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)

# Every target builds the same packages, so that the next one can reuse the build. The crate that
# drives a browser is large: only `make page` builds it.
WORKSPACE := --locked --workspace --exclude page

# For targets that run side by side: cargo chooses its own number of jobs, and does not look for the
# jobserver of make.
CARGO_ALONE := MAKEFLAGS= cargo

# A compiler may take 2 GB. With less than 6 GB free, one runs at a time.
ifeq ($(shell awk '/^MemAvailable/ { print ($$2 < 6000000) }' /proc/meminfo),1)
export CARGO_BUILD_JOBS ?= 1
endif

# The parameter file: see examples/org.toml.
FILE ?= org.toml
DEPLOY = python3 scripts/deploy $(1) "$(FILE)" $(if $(DRY_RUN),--dry-run)

.PHONY: help
help: ## List the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z0-9-]+:.*## / { printf "%-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## Protect a simulated organization of 40 accounts on this machine (RELEASE=1: the shipped build, DEMO_KEEP=1: leave it running)
	@$(MAKE) --no-print-directory --jobs 2 $(VENV) $(if $(RELEASE),package,local)
	cargo build $(WORKSPACE) --bin demo --bin org-backup
	"$(TARGET)/debug/demo" --package "$(if $(RELEASE),$(PACKAGE),$(LOCAL))"

.PHONY: local
local:
	$(CARGO_ALONE) build $(WORKSPACE) $(FUNCTIONS:%=--bin %) --bin demo --bin org-backup
	python3 scripts/package.py --local "$(TARGET)/debug" "$(LOCAL)" $(FUNCTIONS)

# Builds all targets at once, so that tests and programs share one build of each crate. Groups of test
# programs run side by side, because some mostly work and others mostly wait.
.PHONY: test
test: check ## Run every lint and test, except those of the shipped release; tests the page if there is a browser
	cargo build $(WORKSPACE) --all-targets
	@echo "three groups of tests run side by side; each prints its results when it ends"
	@$(MAKE) --no-print-directory --jobs 3 --output-sync=target test-contracts test-programs test-resources
	$(if $(BROWSER),$(MAKE) page,@echo "no browser is installed: the page of org-backup report was not tested; hint: install chromium")

# More tests than there are cores run at once: they wait for the published rates, and for other programs.
TESTS := RUST_TEST_THREADS=8 $(CARGO_ALONE) test $(WORKSPACE)

.PHONY: test-contracts
test-contracts:
	$(TESTS) --test contracts

.PHONY: test-programs
test-programs:
	$(TESTS) --test kept --test readme --test command --test interrupted --test fidelity --lib --bins
	$(TESTS) --doc

.PHONY: test-resources
test-resources:
	$(TESTS) --test scenarios --test faults

.PHONY: page
page: ## Test the page of org-backup report in a browser
	cargo clippy --locked --package page --all-targets -- --deny warnings
	cargo test --locked --package page

.PHONY: bench-page
bench-page: ## Measure the page of large organizations in a browser, and write it into docs/benchmarks/page.md
	BENCH_PAGE=1 cargo test --locked --package page --test page -- at_any_size --nocapture

.PHONY: pictures
pictures: page ## Draw the pictures of README.md: the page in a browser, and the command at a terminal
	cp "$(TARGET)/screenshots/readme.png" docs/page.png
	cargo build $(WORKSPACE) --bin org-backup --bin simulator
	python3 scripts/terminal.py "$(TARGET)/debug"

.PHONY: check
check: check-rust check-templates ## Check the formatting, lints, licences and templates

.PHONY: check-rust
check-rust: ## Check the formatting, lints and licences of the code
	cargo fmt --all --check
	cargo clippy $(WORKSPACE) --all-targets -- --deny warnings
	@if command -v cargo-deny >/dev/null; then cargo deny --all-features check bans licenses sources; \
	else echo "cargo-deny is not installed: licences and sources of crates are not checked"; fi

# Checks the templates only if one changed, since that takes longer than all other lints.
TEMPLATES := $(wildcard templates templates/*.yaml)

.PHONY: check-templates
check-templates: $(VENV) $(CHECKOV) ## Check the templates with cfn-lint and checkov
	@$(MAKE) --no-print-directory --jobs 2 .venv/.cfn-lint-passed .venv/.checkov-passed

.venv/.cfn-lint-passed: .cfnlintrc.yaml $(TEMPLATES) $(VENV)
	.venv/bin/cfn-lint
	touch $@

.venv/.checkov-passed: .checkov.yaml $(TEMPLATES) $(CHECKOV)
	# The script of checkov does not run from a folder with a space in its path.
	.venv/checkov/bin/python -m checkov.main --config-file .checkov.yaml
	touch $@

# Counts and shows the archives of the release. AT_LENGTH runs all faults and all random organizations,
# not only enough for a look.
.PHONY: ci
ci: export AT_LENGTH := 1
ci: test audit release independent ## Run everything that CI runs: make test, known vulnerabilities, the release, the independent check, the budgets, and the demo
	$(if $(BROWSER),,$(error no browser is installed; hint: install chromium))
	$(BUDGETS)
	$(MAKE) demo RELEASE=1

.PHONY: independent
independent: $(INDEPENDENT) ## Run the functions against moto, and check the results with boto3
	cargo build $(WORKSPACE) --all-targets
	.venv/independent/bin/python tests/independent/lives.py "$(TARGET)/debug"

.PHONY: budgets
budgets: package ## Measure the cost of each function, and write docs/benchmarks/budgets.md
	cargo build $(WORKSPACE) --all-targets
	$(BUDGETS) --write

.PHONY: bench-build
bench-build: ## Time a build from nothing, and write docs/benchmarks/build.md
	python3 benches/build.py

.PHONY: bench
bench: $(PEERS) bench-members ## Compare with other handlers, measure at the published rates, and merge the policies of large organizations
	cargo build $(WORKSPACE) --all-targets
	"$(TARGET)/debug/peers" --package "$(PACKAGE)" --python .venv/peers/bin/python
	"$(TARGET)/debug/convergence" --package "$(PACKAGE)"
	cargo bench --locked --package policy --bench language

.PHONY: bench-coverage
bench-coverage: ## Measure the checks of backups, count a sweep, and write docs/benchmarks/coverage.md
	cargo build $(WORKSPACE) --all-targets
	"$(TARGET)/debug/sweeps"
	cargo bench --locked --package report --bench coverage --bench coverage_memory

.PHONY: bench-check
bench-check: ## Check a repository of 5,000 files with the shipped command, in at most 0.3 s
	cargo build --release $(WORKSPACE) --bin org-backup
	python3 benches/check.py "$(TARGET)/release/org-backup"

.PHONY: soak
soak: ## Run with random faults for a while: make soak MINUTES=10, or SEED=... to repeat one
	SOAK_MINUTES=$(or $(MINUTES),10) SOAK_SEED=$(SEED) cargo test $(WORKSPACE) \
	  --test faults $(if $(SEED),at_random) -- --nocapture
	$(if $(SEED),,PROPTEST_CASES=$$(( $(or $(MINUTES),10) * 2000 )) PROPTEST_RNG_SEED=$$(date +%s) \
	  cargo test $(WORKSPACE) --test fidelity law)

.PHONY: mutants
mutants: ## Change the decisions one by one, and check that a test fails: make mutants [ONLY=crates/plan/src/owner.rs]
	@command -v cargo-mutants >/dev/null || { echo "cargo-mutants is not installed; hint: cargo install --locked cargo-mutants@27.1.0" >&2; exit 1; }
	cargo mutants --jobs 2 --package policy --package plan $(if $(ONLY),--file "$(ONLY)") --output "$(TARGET)"

.PHONY: live-check
live-check: $(VENV) ## Test the assumptions about AWS in a sandbox organization: make live-check ACCOUNT=... ORGANIZATION=... [MEMBER=...] [INSTANCE=... ROLE=...]
	@: $(or $(ACCOUNT),$(error ACCOUNT is not set: name the management account of a sandbox organization))
	@: $(or $(ORGANIZATION),$(error ORGANIZATION is not set: name the ID of the organization))
	.venv/bin/python tests/live/check.py --account-id $(ACCOUNT) --organization-id $(ORGANIZATION) \
	  $(if $(MEMBER),--member-account-id $(MEMBER)) $(if $(CLEAN_UP),--clean-up) \
	  $(if $(INSTANCE),--instance-arn $(INSTANCE) --role-arn $(ROLE))

.PHONY: bench-members
bench-members: $(PEERS) package ## Set up 1,000 and 10,000 simulated accounts, and 20 beside a script with boto3
	cargo build --locked --profile bench --package bench-members
	"$(TARGET)/release/bench-members" --binary "$(TARGET)/lambda/member-accounts/bootstrap" --python .venv/peers/bin/python

.PHONY: audit
audit: ## Look for known vulnerabilities of the crates, if the list can be downloaded: the result changes without the code
	@if ! command -v cargo-deny >/dev/null; then \
	  echo "cargo-deny is not installed: known vulnerabilities were not checked"; \
	elif ! cargo deny fetch db; then \
	  echo "the list of known vulnerabilities could not be downloaded: they were not checked"; \
	else cargo deny --all-features check advisories; fi

# cargo-lambda has the linker and the C library of Lambda, on every machine.
LAMBDA := PATH="$(CURDIR)/.venv/bin:$$PATH" $(CARGO_ALONE) lambda build --locked

.PHONY: build
build: $(CARGO_LAMBDA) ## Build the shipped functions, for x86_64 or, with ARCHITECTURE=arm64, for Graviton
	$(LAMBDA) --profile shipped $(if $(filter arm64,$(ARCHITECTURE)),--arm64,--x86-64) $(FUNCTIONS:%=--package %)

.PHONY: package
package: build ## Write one archive for each function, into a folder named after their content
	python3 scripts/package.py "$(TARGET)/lambda" "$(PACKAGE)" $(FUNCTIONS)

BUNDLE := $(TARGET)/org-backup
# The version of the C library of RHEL 7, so that the command also runs there and on Amazon Linux 2.
COMMAND := x86_64-unknown-linux-gnu.2.17

.PHONY: release
release: package ## Write org-backup.tar.gz, which deploys without Rust and make and has the command for Linux
	$(LAMBDA) --release --target $(COMMAND) --package cli --disable-optimizations --lambda-dir "$(TARGET)/command"
	rm -rf "$(BUNDLE)" "$(BUNDLE).tar.gz"
	mkdir -p "$(BUNDLE)/deploy"
	cp scripts/deploy/*.py scripts/deploy/*.json scripts/deploy/*.tsv "$(BUNDLE)/deploy"
	cp -r templates examples docs README.md CHANGELOG.md LICENSE "$(BUNDLE)"
	cp "$(PACKAGE)"/org-backup/*/*.zip "$(PACKAGE)"/org-backup/*/*.cdx.json "$(BUNDLE)"
	cp "$(TARGET)/command/org-backup/bootstrap" "$(BUNDLE)/org-backup"
	mkdir -p "$(BUNDLE)/man" "$(BUNDLE)/completions"
	cargo build $(WORKSPACE) --bin org-backup
	"$(TARGET)/debug/org-backup" manual "$(BUNDLE)/man"
	for it in bash zsh fish powershell; do \
	  "$(TARGET)/debug/org-backup" completions $$it > "$(BUNDLE)/completions/org-backup.$$it" || exit 1; done
	cd "$(BUNDLE)" && find . -type f ! -name SHA256SUMS | sort | xargs -d '\n' sha256sum > SHA256SUMS
	tar --create --gzip --file "$(BUNDLE).tar.gz" --sort name --mtime @0 --owner 0 --group 0 --numeric-owner \
	  --directory "$(TARGET)" org-backup

.PHONY: deploy
deploy: ## Deploy the file to AWS: make deploy FILE=org.toml [DRY_RUN=1, only print the changes] [YES=1, do not ask]
ifdef DRY_RUN
	$(call DEPLOY,deploy)
else
	$(call DEPLOY,check) --asked-later
	@$(MAKE) --no-print-directory package
	cargo build $(WORKSPACE) --bin org-backup
	$(call DEPLOY,deploy) $(if $(YES),--yes) --archives "$(PACKAGE)"/org-backup/*/ --command "$(TARGET)/debug/org-backup"
endif

.PHONY: undeploy
undeploy: ## Delete the stacks, and print what stays: make undeploy FILE=org.toml CONFIRM=yes [DRY_RUN=1] [EVERYTHING=1]
	@: $(or $(CONFIRM),$(DRY_RUN),$(EVERYTHING),$(error CONFIRM is not set: set it to yes to delete the stacks of $(FILE)))
	$(call DEPLOY,undeploy) $(if $(CONFIRM),--yes) $(if $(EVERYTHING),--members --everything) $(if $(ROLE),--role "$(ROLE)")

.PHONY: deploy-check
deploy-check: ## Report the mistakes in the file: make deploy-check FILE=org.toml
	$(call DEPLOY,check)

.PHONY: venv
venv: $(VENV) $(CHECKOV) ## Install the Python tools, pinned and hashed

$(VENV): requirements.txt
	@python3 -c 'import sys; sys.exit("Python 3.11 or newer is needed" if sys.version_info < (3, 11) else 0)'
	@python3 -c 'import ensurepip, venv' 2>/dev/null || { echo "this Python cannot make virtual environments; hint: install the package python3-venv" >&2; exit 1; }
	python3 -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	touch $@

$(CHECKOV): requirements-checkov.txt | $(VENV)
	python3 -m venv .venv/checkov
	.venv/checkov/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	touch $@

$(CARGO_LAMBDA): requirements-lambda.txt | $(VENV)
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	touch $@

$(INDEPENDENT): requirements-independent.txt | $(VENV)
	python3 -m venv .venv/independent
	.venv/independent/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	touch $@

$(PEERS): benches/peers/boto3/requirements.txt benches/peers/node/package-lock.json $(VENV)
	python3 -m venv .venv/peers
	.venv/peers/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	npm ci --prefix benches/peers/node --silent
	touch $@

.PHONY: clean
clean: ## Remove the results of the other targets
	cargo clean
	rm -rf .venv
