# Berth: an immutable container host. `make help` lists what can be made.
VERSION := 0.1.0
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh
HOSTCC ?= gcc
export BERTH_CACHE ?= $(HOME)/.cache/berth
export BERTH_HOSTCC := $(HOSTCC)

# Without -j: every processor. Lines are printed as things happen, so output is not held back.
ifeq ($(filter -j%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(shell nproc)
endif

# Stamps in the image come from the commit, so that the same commit makes the same bytes.
REVISION := $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo none)
export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 1)
export BERTH_RELEASE := $(VERSION)+$(REVISION)

include image-build/packages.mk
include image-build/compile.mk
include image-build/image.mk

##@ What people type
.PHONY: help run image kernel test unit lint bench fetch deps clean distclean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: image ## build what is missing and start the machine in this terminal
	qemu/run

deps: ## install what the build needs (Debian 12 and 13, through apt)
	@image-build/deps run
