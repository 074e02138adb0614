# Third-party packages: one stamp each, out/pkg/NAME.key, made by build-package. What depends on
# what is read from the package files themselves.

package_names := $(filter-out %~,$(notdir $(wildcard image-build/packages/*)))
PACKAGES_TOTAL := $(words $(package_names))
export PACKAGES_TOTAL

out/packages.mk: $(wildcard image-build/packages/*) image-build/package-rules
	@mkdir -p out
	@image-build/package-rules $(package_names) >$@

ifeq ($(filter clean distclean help deps,$(MAKECMDGOALS)),)
include out/packages.mk
# A result that has gone from the cache is built again.
$(shell for key in out/pkg/*.key; do [ -e "$$key" ] || continue; read -r name <"$$key"; \
	[ -d "$(BERTH_CACHE)/build/$$name" ] || rm -f "$$key"; done)
endif

out/toolchain.id: FORCE
	@mkdir -p out
	@{ $(HOSTCC) --version; ld --version; } | grep -E '^(gcc|cc|clang|GNU|[a-z0-9_-]*gcc)' >$@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

.PHONY: FORCE
FORCE:

out/sources/%: image-build/sources.lock
	@image-build/fetch --record out/sources $*

# Trees of links to what packages installed: the target's headers and libraries, and this machine's.
# $1 the tree, $2 the packages. Remade when one of them changes; .keys is the stamp.
define tree_rule
$1/.keys: $(2:%=out/pkg/%.key) image-build/packages.mk
	@cat $(2:%=out/pkg/%.key) >out/.keys.$(notdir $1)
	@cmp -s out/.keys.$(notdir $1) $1/.keys || { rm -rf $1 && mkdir -p $1 && \
		for key in $$$$(cat out/.keys.$(notdir $1)); do \
			image-build/link-tree "$(BERTH_CACHE)/build/$$$$key/root" $1; done; }
	@mv out/.keys.$(notdir $1) $$@
endef
sysroot_packages := musl linux-headers libyaml yyjson libseccomp libcap libmicrohttpd \
	libsodium libzstd zlib libarchive mbedtls curl tzdata
# mbedtls: its headers, for the second compiler.
hostroot_packages := yyjson-host tzdata mbedtls
$(eval $(call tree_rule,out/sysroot,$(sysroot_packages)))
$(eval $(call tree_rule,out/hostroot,$(hostroot_packages)))

.PHONY: packages
packages: $(package_names:%=out/pkg/%.key)
