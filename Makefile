# Everything a newcomer needs: `make demo` and `make test` do their own set-up, quickly when it is done already.
.DEFAULT_GOAL := help
SHELL := /bin/bash
MAKEFLAGS += --no-print-directory

SETUP := packaging/setup
CHECKS := .venv/bin/python packaging/checks.py

# How many simulated worlds `make simulate` runs, and (optionally) the first seed: make simulate SEEDS=5000 FIRST=1
SEEDS ?= 2000
FIRST ?=
# How long `make fuzz` takes.
FUZZ_SECONDS ?= 300
# By what instances of `make demo` and `make chaos` reach the switch: dmcc, or jtapi over the JTAPI peer of the tests
TELEPHONY ?= dmcc
# More arguments for `make demo` and `make chaos`, for instance: make demo ARGS="--help"
ARGS ?=

# What is shipped knows no JTAPI client library: the tests' own is compiled, and its class path handed over.
ifeq ($(filter dmcc jtapi,$(TELEPHONY)),)
$(error TELEPHONY is $(TELEPHONY); there are dmcc and jtapi)
endif
ifeq ($(TELEPHONY),jtapi)
BY_JTAPI = --telephony jtapi --peer org.unifiedagent.testpeer.TestPeer \
  --class-path "$$(.venv/bin/python -m tests.jtapi_peer.build --print-classpath vendor)"
JAVA := java
endif

.PHONY: help demo test check simulate fuzz chaos build format setup constraints clean system system-demo system-test python web \
  pages

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: system-demo setup ## start a whole contact centre here: switch, diallers, three instances; prints the page to open
	@exec .venv/bin/unified-agent demo $(BY_JTAPI) $(ARGS)

test: system-test setup ## pass every test: check, pages, simulation, real sockets, browser (under 25 min)
	@$(CHECKS) test

check: python web ## lint, types, room contract, unit and property tests (under 90 s)
	@$(CHECKS) check

simulate: python ## simulate SEEDS=2000 worlds, each from its own seed, the first FIRST= or new each time
	@$(CHECKS) simulate --seeds $(SEEDS) $(if $(FIRST),--first-seed $(FIRST))

fuzz: python ## fuzz the wire codecs, guided by coverage, for FUZZ_SECONDS=300 together
	@$(SETUP)/fuzz.sh && exec .venv/bin/python -m tests.fuzz --seconds $(FUZZ_SECONDS)

chaos: system-test python ## break a whole cluster with 1,000 agents in every way (root; under 30 min)
	@exec .venv/bin/unified-agent chaos $(BY_JTAPI) $(ARGS)

build: setup ## build the wheel, pages included, into dist/
	@rm -rf dist && .venv/bin/python -m hatchling build -t wheel

format: python ## put the Python code into the house format
	@.venv/bin/ruff check --fix -q . ; .venv/bin/ruff format -q .

setup: python pages ## install what is needed and build the pages, and nothing else

constraints: python ## write constraints.txt from what is installed in .venv
	@$(SETUP)/constraints.sh

clean: ## remove what was built and installed here
	rm -rf .venv web/node_modules src/unified_agent/server/static dist build artefacts \
	  .mypy_cache .ruff_cache .import_linter_cache .hypothesis .fuzz

system:
	@$(SETUP)/system.sh

# The instances of the demo share a store; one that is alone needs none.
system-demo:
	@case " $(ARGS) " in *" --single "*) $(SETUP)/system.sh $(JAVA) ;; *) $(SETUP)/system.sh etcd $(JAVA) ;; esac

system-test:
	@$(SETUP)/system.sh browser etcd balancers java

python: system
	@$(SETUP)/python.sh

web: system
	@$(SETUP)/web.sh

pages: web
	@$(SETUP)/build_web.sh
