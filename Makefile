# Berth: an immutable container host. `make help` lists what can be made.
VERSION := 0.1.0
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh
HOSTCC ?= gcc
FUZZ_SECONDS ?= 600
export BERTH_CACHE ?= $(HOME)/.cache/berth
export BERTH_HOSTCC := $(HOSTCC)

# Without -j: every processor. Lines are printed as things happen, so output is not held back.
ifeq ($(MAKELEVEL)$(filter -j%,$(MAKEFLAGS)),0)
MAKEFLAGS += -j$(shell nproc)
endif

# Stamps in the image come from the commit, so that the same commit makes the same bytes.
REVISION := $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo none)
export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 1)
export BERTH_RELEASE := $(VERSION)+$(REVISION)

include image-build/packages.mk
include image-build/compile.mk
include image-build/image.mk

.PHONY: help run image bundle kernel test unit fuzz sweep sweep-oci lint lint-sources bench \
	fetch packages deps clean distclean reference

help: ## this list
	@echo "Berth $(VERSION). On a fresh Debian 12 or 13 machine make run and make test are enough."
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' Makefile
	@echo "Variables: MIRROR=URL  BERTH_CACHE=DIR  STRICT=1 (locked sources or none)"
	@echo "  KERNEL=bzImage  KEYS=DIR (keys of updates; image-build/bundle)"
	@echo "  ROLLOUT=HOURS (make bundle: machines take it one after the other)  ROLLOUT_BEGIN=UNIX"

# Each begins with a make of its own, so that nothing is built before what it needs is installed;
# and one after the other, since two would both renew what they share in out/.
run: ## build what is missing and start a machine in this terminal
	@image-build/deps run
	+@$(MAKE) --no-print-directory image
	@qemu/run

test: ## every test: units, lint, machines; the last line adds up
	@image-build/deps test
	+@$(MAKE) --no-print-directory image $(units)
	+@$(MAKE) --no-print-directory test-image
	+@$(MAKE) --no-print-directory test-update
	@tests/run --unit $(units) --lint --machine

image: out/berth.img ## the disk image: out/berth.img, out/berth.qcow2, out/direct/, out/pxe/

bundle: $(bundle_file) ## the update bundle, signed: out/berth-VERSION.bundle

kernel: out/pkg/linux.key ## the kernel alone

unit: $(units) ## unit tests alone
	@tests/run --unit $(units)

fuzz: $(fuzzers) ## libFuzzer's targets in turn; FUZZ_SECONDS=600 each
	@tests/fuzz/run $(FUZZ_SECONDS) $(fuzzers)

sweep-oci: image ## the runtime killed at each of its system calls
	@BERTH_SWEEP=1 BERTH_CASES=^kill- /usr/bin/python3 -m pytest -p no:cacheprovider -q \
		tests/oci/test_oci.py

lint: ## warnings of a second compiler, shellcheck, layering, names and lengths
	@tests/run --lint

sweep: ## power cuts at every write, SWEEP=50 disks booted; every bad version, BIOS and UEFI (long)
	@image-build/deps test
	+@$(MAKE) --no-print-directory image
	+@$(MAKE) --no-print-directory test-update
	@BERTH_SWEEP_BOOTS=$(or $(SWEEP),50) /usr/bin/python3 -m pytest -p no:cacheprovider -q -rP -n 2 \
		--dist loadgroup tests/update/test_update.py tests/update/test_rollback.py

bench: ## boot times, memory and sizes, medians of five boots
	@image-build/deps test
	+@$(MAKE) --no-print-directory image
	@/usr/bin/python3 tests/boot/bench.py

fetch: ## download and verify every source
	@image-build/fetch --record out/sources

reference: out/host/bin/bootcfg ## write init/bootcfg/REFERENCE.md, all configuration keys
	@out/host/bin/bootcfg reference >init/bootcfg/REFERENCE.md

deps: ## install what build and tests need (Debian 12 or 13, through apt)
	@image-build/deps test

clean: ## remove out/
	rm -rf out

distclean: clean ## remove out/ and the cache of sources and built packages as well
	rm -rf "$(BERTH_CACHE)"

# What the tests' runner asks for: clang's opinion of each file, shellcheck's of each script.
lint_objects := $(patsubst %.c,out/lint/%.ok,$(sort $(foreach f,$(folders),$(wildcard $f/*.c)) \
	$(unit_sources) $(fuzz_sources) tests/fuzz/replay.c))
out/lint/%.ok: %.c out/hostroot/.keys
	@mkdir -p $(@D)
	@clang -fsyntax-only -Wno-unknown-warning-option \
		-Wno-gnu-variable-sized-type-not-at-end $(c_common) \
		-isystem out/hostroot/usr/include -Itests -MMD -MP -MT $@ -MF out/lint/$*.d $<
	@touch $@
-include $(lint_objects:.ok=.d)

scripts := $(shell git ls-files .ci image-build qemu rootfs kernel-config tests/oci tests/engine \
	tests/fuzz/run | \
	xargs awk 'FNR == 1 && /^.!\/bin\/sh/ { print FILENAME }')
lint-sources: $(lint_objects)
	@shellcheck -S warning -x -e SC1090,SC1091,SC2034 $(scripts)
