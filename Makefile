# `make` runs the workflow on the embedded default, `make test` passes the tests; `make help` lists the rest.
# Both set up what they need on first use: Python 3.11, a C++ compiler and make are enough.

PYTHON ?= python3
CONFIG ?= config/config.yaml
MIRROR ?=
ONLY ?=
OVERLAY ?=
export PATH := $(CURDIR)/.venv/bin:$(PATH)

# Nothing sees other packages than those that are pinned, whatever the user's shell says of Python.
$(foreach name,$(filter PYTHON%,$(.VARIABLES)),$(eval unexport $(name)))
export PYTHONNOUSERSITE := 1
export PYTHONUTF8 := 1

# Names of files reach the shell in variables, so that blanks, quotes and dollars in them are letters like others.
export CONFIG OVERLAY MIRROR ONLY
configuration = "$$CONFIG" $${OVERLAY:+"$$OVERLAY"}
results = "$$(python3 workflow/configuration results $(configuration))"
report = $(results)/report.html
# A line per step; what steps say goes to their logs, what Snakemake says to its own. VERBOSE=1 shows all of it.
quietly = $(if $(VERBOSE),snakemake,PYTHONPATH=workflow/terminal snakemake --logger kinetrain)
discard = $(if $(VERBOSE),,> /dev/null)
with_mirror = $(if $(MIRROR),"mirror='$$(printf %s "$$MIRROR" | sed "s/'/''/g")'")
with_only = $(if $(ONLY),"only=[$$(printf %s "$$ONLY" | tr -s ' ' ',')]")
also = $(if $(MIRROR)$(ONLY),--config $(with_mirror) $(with_only))
check = python3 workflow/configuration check $(configuration) $(also)

ENVIRONMENTS := mechanistic neural analysis
# Words that run a command in the environment of a kind of rule.
environment = PATH="$$(python3 workflow/scripts/environment.py envs/$(1).txt):$$PATH" PYTHONPATH=workflow OMP_NUM_THREADS=1

# Words that pin packages for Python 3.11 and newer: one whose newest version needs a newer Python has a line for each.
resolve = uv pip compile --quiet --universal --python-version 3.11 --prerelease disallow --no-emit-index-url --no-annotate --no-header
# Words that write the hashes of the pins on standard input. A wheel of torch may be a local build, one of AMICI is ours.
hash = $(resolve) --no-deps --generate-hashes -

.PHONY: .venv run check plan clean compare so-far real paper-neural paper-mechanistic report test test-mechanistic test-neural test-analysis test-workflow test-petab test-cluster test-faults test-crate test-report coverage lint format benchmark docs pins configured setup environments help

run: configured setup  ## run the configuration CONFIG (default: config/config.yaml), from the data to the report
	@$(check) > /dev/null
	@python3 workflow/scripts/release_lock.py
	@$(quietly) --configfile $(configuration) $(also) $(discard)
	@python3 workflow/scripts/summary.py $(results)

check: configured setup  ## say in a second what is wrong in CONFIG
	@$(check)

plan: configured setup  ## say what a run of CONFIG takes: jobs, CPU hours, memory, disk, what is done, what is to download
	@$(check) > /dev/null
	@.venv/bin/python workflow/scripts/plan.py --configfile $(configuration) $${MIRROR:+--mirror "$$MIRROR"} $${ONLY:+--only $$ONLY}

paper-neural:  ## the figures and tables of the DASH paper: MIRROR=folder, OVERLAY=config/paper-neural-small.yaml for a part of them
	@$(MAKE) --no-print-directory run CONFIG=config/paper-neural.yaml

paper-mechanistic:  ## the figures of the mini-batch paper: MIRROR=folder, OVERLAY=config/paper-mechanistic-small.yaml for a part of them
	@$(MAKE) --no-print-directory plan CONFIG=config/paper-mechanistic.yaml
	@$(MAKE) --no-print-directory run CONFIG=config/paper-mechanistic.yaml

real:  ## run on measured data: MIRROR=folder with the files, or download them
	@$(MAKE) --no-print-directory run CONFIG=config/real.yaml

report: configured setup  ## write the self-contained HTML report of CONFIG
	@$(check) > /dev/null
	@python3 workflow/scripts/release_lock.py
	@$(quietly) --configfile $(configuration) $(also) $(discard) -- $(report)
	@python3 workflow/scripts/summary.py $(results)

compare: setup  ## show the runs in results/ side by side, in results/index.html (FOLDER=another)
	@$(call environment,analysis) python workflow/scripts/compare_runs.py "$(or $(FOLDER),results)"

so-far: configured setup  ## write a report of what is there so far, also while a run goes on
	@$(call environment,analysis) python workflow/scripts/report_so_far.py $(results)

test: setup environments  ## pass all tests (one group: make test-neural, -mechanistic, -analysis, -workflow); MIRROR=folder adds those that need real data
	@echo "Testing in two processes; each group prints when it is done"
	@$(MAKE) --no-print-directory --jobs=2 --keep-going --output-sync=target $(addprefix test-,workflow $(ENVIRONMENTS))  # the longest first

$(addprefix test-,$(ENVIRONMENTS)): test-%:
	@echo "== tests in the environment '$*'"
	@$${MIRROR:+env KINETRAIN_MIRROR="$$MIRROR"} env $(call environment,$*) python -m pytest --quiet tests/unit/$*

test-workflow:
	@echo "== tests of the workflow"
	@$${MIRROR:+env KINETRAIN_MIRROR="$$MIRROR"} pytest --quiet tests/workflow

test-faults: setup environments  ## kill, fill the disk, damage files: after each the tables are the same, or a line says what to do (half an hour)
	pytest --quiet -s --durations=0 --durations-min=1 tests/faults

test-cluster: setup environments  ## run the smoke workflow on a SLURM of this machine, and cancel, drain, restart (needs root and SLURM)
	@python3 workflow/scripts/environment.py envs/workflow.txt .cache/cluster > /dev/null
	@uv pip install --quiet --python .cache/cluster/bin/python \
	    "$$(sed -n 's/.*\(snakemake-executor-plugin-slurm==[0-9.]*[0-9]\).*/\1/p' profiles/slurm/config.yaml)"
	.cache/cluster/bin/python -m pytest --quiet -s --durations=0 --durations-min=1 tests/cluster

# The validators are in no environment: as pins they would be part of what results are made with.
test-crate: configured setup  ## validate the RO-Crate and the CycloneDX list of the results of CONFIG, with the libraries of both
	@uv run --quiet --no-project --with rocrate==0.16.0 --with roc-validator==0.13.0 \
	    --with "cyclonedx-python-lib[json-validation]==11.12.0" python tests/crate/validate.py $(results)

test-petab: setup environments  ## run the PEtab test suite from MIRROR=folder and write docs/petab_conformance.md
	$(call environment,mechanistic) python tests/petab_suite/conformance.py --mirror "$$MIRROR" --output docs/petab_conformance.md

test-report: setup environments  ## look at the report with Chromium, at 1366 and 390 pixels and as PDF: pictures in .cache/report
	@KINETRAIN_REPORT="$$(ls $(report) 2> /dev/null)" KINETRAIN_SCREENSHOTS=.cache/report \
	    $(call environment,analysis) python -m pytest --quiet -rs tests/report

# coverage lies over each environment for this run alone: as a pin it would be part of what results are made with.
coverage: setup environments  ## say which lines of the library the unit tests run (commands run as processes are not seen)
	@rm -rf .cache/coverage && mkdir -p .cache/coverage
	@set -e; for name in $(ENVIRONMENTS); do \
	    programs=$$(python3 workflow/scripts/environment.py envs/$$name.txt); \
	    VIRTUAL_ENV=$$(cd "$$programs/.." && pwd) PATH="$$programs:$$PATH" PYTHONPATH=workflow OMP_NUM_THREADS=1 \
	        COVERAGE_FILE=.cache/coverage/.coverage.$$name $${MIRROR:+env KINETRAIN_MIRROR="$$MIRROR"} uv run --quiet --no-project --with coverage \
	        python -m coverage run --source workflow/kinetrain -m pytest --quiet tests/unit/$$name; \
	done
	@cd .cache/coverage && uv run --quiet --no-project --with coverage coverage combine --quiet
	@COVERAGE_FILE=.cache/coverage/.coverage uv run --quiet --no-project --with coverage coverage report --sort=cover

lint: setup  ## check style, types, layers and workflow: ruff, mypy, import-linter, snakefmt, snakemake --lint
	ruff check .
	ruff format --check .
	mypy
	PYTHONPATH=workflow lint-imports --no-cache
	snakefmt --check Snakefile workflow
	snakemake --lint

format: setup  ## bring all files into the project's style
	ruff check --fix .
	ruff format .
	snakefmt Snakefile workflow

benchmark: setup environments  ## measure speed: ratios against peers, side by side in one run
	$(call environment,mechanistic) python benchmarks/mechanistic.py $${MIRROR:+--mirror "$$MIRROR"}
	$(call environment,neural) python benchmarks/neural.py
	.venv/bin/python benchmarks/costs.py $${MIRROR:+--mirror "$$MIRROR"}

docs: setup  ## write the pages that are made from the code anew, and the documentation as a site in .cache/site
	@{ sed '/^## All keys$$/q' config/README.md; echo; .venv/bin/python workflow/configuration keys; } > config/README.md.new
	@mv config/README.md.new config/README.md
	@.venv/bin/python workflow/configuration schema > config/schema.json
	@.venv/bin/python workflow/configuration schema overlay > config/schema-overlay.json
	@PYTHONPATH=workflow python3 -c 'from kinetrain.tables import describe; print(describe(), end="")' > docs/tables.md
	@python3 docs/generate.py
	@PATH="$$(python3 workflow/scripts/environment.py envs/docs.txt):$$PATH" NO_MKDOCS_2_WARNING=1 mkdocs build --quiet --strict
	@echo Open .cache/site/index.html

pins: setup  ## pin the newest packages that envs/*.in allow, in envs/*.txt and envs/*.yaml, and pass all tests with them
	@set -e; for name in workflow docs $(ENVIRONMENTS); do \
	    $(resolve) --upgrade envs/$$name.in -o envs/$$name.txt; \
	    sed -i -e 's/+cpu//' -e '/^nvidia-/d' -e '/^cuda-/d' -e '/^triton/d' -e "/sys_platform == 'win32'$$/d" envs/$$name.txt; \
	    $(hash) < envs/$$name.txt -o envs/$$name.hashes --no-emit-package torch --no-emit-package amici; \
	done
	@set -e; set -- $$(echo cyipopt | $(hash) | tr -d '\\'); \
	    sed -i -e "s/^version=.*/version=$${1#*==}/" -e "s/^hash=.*/hash=$${2#--hash=}/" envs/mechanistic.post-deploy.sh
	@grep '^amici==' envs/mechanistic.txt | $(hash) -o envs/mechanistic.sources
	@set -e; for name in $(ENVIRONMENTS); do \
	    { sed '/- pip:$$/q' envs/$$name.yaml; sed 's/^/      - /' envs/$$name.txt; } > envs/$$name.new; \
	    mv envs/$$name.new envs/$$name.yaml; \
	done
	@$(MAKE) --no-print-directory test

configured:
	@for file in $(configuration); do test -f "$$file" || { echo "error: the configuration '$$file' does not exist" >&2; exit 2; }; done

# Compared by content: after a clock was set back, times would have it made at every call, or not when it should be.
setup:  ## put Snakemake and the checkers into .venv
	@cmp -s envs/workflow.txt .venv/made || $(MAKE) --no-print-directory .venv

.venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and f"Python 3.11 or newer is needed, this is {sys.version}")'
	@rm -rf .venv
	@$(PYTHON) workflow/scripts/environment.py envs/workflow.txt .venv > /dev/null
	@cp envs/workflow.txt .venv/made

environments: setup  ## make the software environments, say before a machine goes off the network
	@set -e; for name in $(ENVIRONMENTS); do python3 workflow/scripts/environment.py envs/$$name.txt > /dev/null; done

# Results of other configurations may lie in folders below, each with its own logs.
clean:  ## delete the results of CONFIG; those of others, environments (.venv, .snakemake) and ~/.cache/kinetrain stay
	@folder=$(results); if test -d "$$folder/logs"; then \
	    for part in "$$folder"/*; do test -d "$$part/logs" || rm -rf "$$part"; done; \
	    rmdir "$$folder" 2> /dev/null; echo "deleted $$folder"; \
	    for part in "$$folder"/*/logs; do test -d "$$part" && echo "kept $${part%/logs}"; done; true; \
	else echo "nothing to delete: '$$folder' holds no results"; fi

help:  ## list all commands
	@sed -n 's/^\([a-z-]*\):.*## /make \1\t/p' $(MAKEFILE_LIST) | expand -t 24
	@echo "Variables: CONFIG=file, OVERLAY=file laid over it, MIRROR=folder with downloaded files, ONLY=problem, data set or arm (mechanistic, neural), VERBOSE=1 for all that Snakemake says"
