# From packages and programs to the disk image.
#
#   packages, programs, rootfs/, image store, SBOM -> out/root.erofs
#       -> berth.img, .qcow2, direct/, pxe/

root_packages := busybox dropbear e2fsprogs ca-certificates tzdata
image_out ?= out
# Signs bundles (signing.sec), and whose bundles the machine takes (*.pub).
KEYS ?= $(BERTH_CACHE)/keys
images_file ?= image-build/images.conf
compress ?= zstd,level=19
package_root = $(BERTH_CACHE)/build/$$(cat out/pkg/$1.key)/root

# For a kernel that is built by hand: make image KERNEL=path/to/bzImage
ifndef KERNEL
kernel_ready := out/pkg/linux.key
KERNEL = $(call package_root,linux)/boot/bzImage
endif

# What the image says of itself comes from the commit; a new commit makes a new image.
$(image_out)/release: FORCE
	@mkdir -p $(@D)
	@echo "$(BERTH_RELEASE) $(SOURCE_DATE_EPOCH)" >$@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

# As old as its last change, not as this commit: an update that leaves it alone moves none of it.
demo_epoch = $$(git log -1 --format=%ct -- rootfs/demo 2>/dev/null || echo 1)
out/demo-image/index.json: $(wildcard rootfs/demo/* rootfs/demo/www/*) out/pkg/busybox.key
	@rm -rf $(@D)
	@SOURCE_DATE_EPOCH=$(demo_epoch) rootfs/demo/make-image $(@D) \
		$(call package_root,busybox)/usr/bin/busybox

# Images that are embedded change outside of make's sight; unpacking them again is quick.
$(image_out)/store.tar: out/host/bin/unpack out/demo-image/index.json $(images_file) FORCE
	@mkdir -p $(@D)
	@out/host/bin/unpack embed --images $(images_file) --out $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

out/target/stripped/%: out/target/bin/%
	@mkdir -p $(@D)
	@strip -o $@ $<

# Docker's seccomp profile as the runtime would compile it at the first container's start, which
# takes libseccomp long. Only where this machine can run the target's programs, as it does here.
out/seccomp.filter: out/target/bin/berth-oci
	@$< seccomp-cache $@

$(KEYS)/signing.sec:
	@image-build/bundle/make-keys $(@D)

$(image_out)/root.erofs: image-build/root/assemble out/pkg/erofs-utils.key \
		$(shell find rootfs -type f -not -path 'rootfs/demo/*') $(root_packages:%=out/pkg/%.key) \
		$(programs:%=out/target/stripped/%) $(image_out)/store.tar $(image_out)/sbom.spdx.json \
		out/seccomp.filter $(image_out)/release $(KEYS)/signing.sec
	@image-build/root/assemble --list rootfs/root.list --version $(VERSION) --build $(BERTH_RELEASE) \
		$(foreach p,$(root_packages),--package $p=$(call package_root,$p)) \
		$(foreach p,$(programs),--program $($p.path)=out/target/stripped/$p) \
		--store $(image_out)/store.tar --sbom $(image_out)/sbom.spdx.json --keys $(KEYS) \
		--compress $(compress) --mkfs $(call package_root,erofs-utils)/usr/bin/mkfs.erofs \
		--out $(image_out)

$(image_out)/berth.img: $(image_out)/root.erofs image-build/disk/make-disk \
		image-build/disk/grub.cfg image-build/disk/pxe.py out/pkg/grub.key $(kernel_ready) \
		out/target/stripped/netboot
	@image-build/disk/make-disk --grub $(call package_root,grub)/usr --kernel $(KERNEL) \
		--root $(image_out)/root.erofs --verity $(image_out)/verity.json \
		--netboot out/target/stripped/netboot --out $(image_out)

# The same system as one signed file, for machines that run an older one.
bundle_file := $(image_out)/berth-$(BERTH_RELEASE).bundle
$(bundle_file): $(image_out)/berth.img image-build/bundle/make-bundle
	@rm -f $(image_out)/berth-*.bundle $(image_out)/berth-*.bundle.minisig
	@image-build/bundle/make-bundle --boot $(image_out)/boot.ext2 --root $(image_out)/root.erofs \
		--verity $(image_out)/verity.json --version $(BERTH_RELEASE) --keys $(KEYS) --out $@ \
		$(if $(ROLLOUT),--rollout $(ROLLOUT)) $(if $(ROLLOUT_BEGIN),--rollout-begin $(ROLLOUT_BEGIN))

# A later version of it, lz4 because tests write it often.
.PHONY: test-update
test-update:
	@$(MAKE) --no-print-directory image_out=out/update BERTH_RELEASE=$(VERSION).1+test \
		compress=lz4 out/update/berth.img

# What is in the image: package, version, licence, digest of its source.
sbom_packages := $(root_packages) musl linux grub2 libyaml yyjson libseccomp libcap2 libmicrohttpd \
	libsodium libzstd zlib libarchive mbedtls curl
$(image_out)/sbom.spdx.json: image-build/sbom image-build/sources.lock $(image_out)/release \
		$(root_packages:%=out/pkg/%.key)
	@image-build/sbom --version $(BERTH_RELEASE) --out $@ $(sbom_packages)

# The same system with real servers' images embedded besides the demo: what the machine tests boot.
# 130 MB of Debian: packed quickly rather than small.
.PHONY: test-image
test-image:
	@tests/images/build.py out/test/images
	@sed 's|PATH_TO_TEST_IMAGES|out/test/images|' tests/images/images.conf >out/test/images.conf
	@$(MAKE) --no-print-directory image_out=out/test images_file=out/test/images.conf \
		compress=lz4 out/test/berth.img
