# The front door.  `make` lists what there is; the work is in CMake and tools/.
.DEFAULT_GOAL := help
SHELL := /bin/bash
JOBS ?= $(shell nproc)
FUZZ_SECONDS ?= 5
.NOTPARALLEL:

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-17s %s\n", $$1, $$2 }' Makefile

.PHONY: run demo
run: build ## build, start on embedded defaults, walk through, keep serving
	build/release/writ demo --keep

demo: build ## the same, and exit: non-zero if a step differs
	build/release/writ demo

.PHONY: build clean install
build: setup-build build-release ## the program, at build/release/writ

install: build ## to PREFIX (/usr/local), under DESTDIR
	install -D -m 755 -s build/release/writ $(DESTDIR)$(or $(PREFIX),/usr/local)/bin/writ

clean: ## remove build/
	rm -rf build

.PHONY: test test-unit test-flow test-differential test-tsan test-fault test-fuzz test-all
test: setup-test build-dev ## set-up, build, unit and flow tests under ASan
	tools/test dev unit flow

test-unit: setup-test build-dev ## only the unit tests
	tools/test dev unit

test-flow: setup-test build-dev ## only the flow tests; FLOW_FILES="a.test.mjs ..." for some
	tools/test dev flow

test-differential: setup-test build-dev ## Cedar beside another engine: CASES (200000) from SEED (1)
	tools/test dev differential

test-tsan: setup-test build-tsan ## unit tests and some flow tests under TSan
	tools/test tsan unit flow

test-fault: setup-test build-dev ## crashes, failing disks and killed processes (a sample)
	tools/test dev fault

test-fuzz: setup-test build-fuzz ## corpora, then FUZZ_SECONDS (5) of fuzzing each
	tools/fuzz $(FUZZ_SECONDS)

test-all: setup-all ## the whole of everything, on every preset (an hour)
	tools/test_all

.PHONY: fuzz lint bench bench-cedar
fuzz: setup-test build-fuzz ## fuzz for FUZZ_SECONDS each, in a loop until stopped
	while FUZZ_SEED=0 tools/fuzz $(FUZZ_SECONDS); do :; done

lint: setup-test ## layout, layers, headers, clang-tidy
	tools/lint

bench: setup-bench build-release ## the table of measured figures
	bench/run

bench-cedar: setup-bench build-release ## Cedar beside the other engines of it
	bench/cedar/run

.PHONY: setup-build setup-test setup-bench setup-all
setup-build setup-test setup-bench setup-all: setup-%:
	@tools/setup $*

presets = dev clang tsan release release-test fuzz analyze
.PHONY: $(presets:%=build-%)
$(presets:%=build-%): build-%: | build/
	@[ build/$*/build.ninja -nt CMakePresets.json ] || cmake --preset $* >build/$*.log || \
		{ cat build/$*.log; exit 1; }
	cmake --build --preset $* -j $(JOBS) -- -k 0

build/:
	@mkdir -p build
