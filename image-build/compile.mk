# How programs.mk's table becomes objects, libraries of folders, programs and unit tests.
# Four variants: target (musl, static-pie), check (this machine, sanitizers: unit tests), host (this
# machine, plain: host tools) and fuzz (as check, watched by libFuzzer). Everything goes to
# out/VARIANT.

c_warnings := -Wall -Wextra -Werror -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wvla \
	-Wformat=2 -Wno-format-truncation -Wundef -Wpointer-arith
c_common := -std=gnu11 -D_GNU_SOURCE -DBERTH_VERSION='"$(VERSION)"' -Iinit -Iruntime $(c_warnings) \
	-g -fno-common -fstack-protector-strong -ffunction-sections -fdata-sections

target.cc := BERTH_SYSROOT=$(CURDIR)/out/sysroot image-build/toolchain/berth-cc
target.cflags := -O2 -fno-asynchronous-unwind-tables -fno-unwind-tables \
	-ffile-prefix-map=$(CURDIR)/out/sysroot=
target.ldflags :=
target.ready := out/sysroot/.keys

check.cc := $(HOSTCC)
check.cflags := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer -isystem out/hostroot/usr/include -Itests
check.ldflags := -fsanitize=address,undefined -Lout/hostroot/usr/lib
check.ready := out/hostroot/.keys

host.cc := $(HOSTCC)
host.cflags := -O2 -isystem out/hostroot/usr/include
host.ldflags := -Wl,-z,relro,-z,now,--gc-sections -Lout/hostroot/usr/lib
host.ready := out/hostroot/.keys

fuzz.cc := clang
fuzz.cflags := -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer -Wno-unknown-warning-option -Wno-gnu-variable-sized-type-not-at-end \
	-isystem out/hostroot/usr/include
fuzz.ldflags := -fsanitize=fuzzer,address,undefined -Lout/hostroot/usr/lib
fuzz.ready := out/hostroot/.keys

folders :=
programs :=
host_programs :=
boot_programs :=

# Closures are made where a row stands, so a folder's row comes after those that it may include.
define folder_row
folders += $1
$1.needs := $2
$1.libs := $3
$1.src := $$(filter-out %/main.c %-main.c,$$(wildcard $1/*.c))
$1.all := $$(sort $1 $$(foreach need,$2,$$($$(need).all)))
$1.all_libs := $$(sort $3 $$(foreach need,$2,$$($$(need).all_libs)))
endef
folder = $(eval $(call folder_row,$1,$2,$3))

folder_lib = $(if $($2.src),out/$1/lib/$(subst /,_,$2).a)
libs_of = $(foreach each,$($2.all),$(call folder_lib,$1,$(each)))
# Libraries of one program may call each other only downwards, but the linker need not know; nor
# the order of those of others.
link = $($1.cc) $($1.ldflags) -o $2 $3 -Wl,--start-group $4 $(addprefix -l,$5) -Wl,--end-group

define folder_rules
ifneq ($($2.src),)
out/$1/lib/$(subst /,_,$2).a: $($2.src:%.c=out/$1/obj/%.o) $2
	@mkdir -p $$(@D)
	@rm -f $$@
	@ar rcsD $$@ $$(filter %.o,$$^)
endif
endef

define program_rules
out/$1/bin/$2: $3 $(call libs_of,$1,$4)
	@mkdir -p $$(@D)
	@echo "  link    $2 ($1)"
	@$(call link,$1,$$@,$3,$(call libs_of,$1,$4),$($4.all_libs))
endef

main_of = $(firstword $(wildcard $2/$1-main.c $2/main.c))
define program_row
$1.path := $3
$1.main := $(call main_of,$1,$2)
$1.folder := $2
ifneq ($$($1.main),)
programs += $1
endif
endef
program = $(eval $(call program_row,$1,$2,$3))

define host_program_row
ifneq ($(call main_of,$1,$2),)
host_programs += $1
endif
$1.folder := $2
$1.main := $(call main_of,$1,$2)
endef
host_program = $(eval $(call host_program_row,$1,$2))

define boot_program_row
boot_programs += $1
$1.folder := $2
$1.main := $(call main_of,$1,$2)
endef
boot_program = $(eval $(call boot_program_row,$1,$2))

define compile_rule
out/$1/obj/%.o: %.c image-build/compile.mk $($1.ready)
	@mkdir -p $$(@D)
	@echo "  cc      $$< ($1)"
	@$($1.cc) $(c_common) $($1.cflags) -MMD -MP -c $$< -o $$@
endef

include image-build/programs.mk

variants := target check host fuzz
$(foreach v,$(variants),$(eval $(call compile_rule,$v)))
$(foreach v,$(variants),$(foreach f,$(folders),$(eval $(call folder_rules,$v,$f))))
$(foreach p,$(programs) $(boot_programs),$(eval $(call program_rules,target,$p,\
	out/target/obj/$($p.main:.c=.o),$($p.folder))))
$(foreach p,$(host_programs),$(eval $(call program_rules,host,$p,\
	out/host/obj/$($p.main:.c=.o),$($p.folder))))

# Unit tests: tests/unit/FOLDER/test_NAME.c is one binary, linked with FOLDER and all that FOLDER
# may include.
unit_sources := $(foreach f,$(folders),$(wildcard tests/unit/$f/test_*.c))
units := $(unit_sources:tests/unit/%.c=out/check/unit/%)
unit_folder = $(patsubst tests/unit/%/,%,$(dir $1))
define unit_rules
out/check/unit/$(1:tests/unit/%.c=%): out/check/obj/$(1:.c=.o) \
		$(call libs_of,check,$(call unit_folder,$1))
	@mkdir -p $$(@D)
	@echo "  link    $1"
	@$(call link,check,$$@,out/check/obj/$(1:.c=.o),$(call libs_of,check,$(call unit_folder,$1)),\
		$($(call unit_folder,$1).all_libs) cmocka)
endef
$(foreach t,$(unit_sources),$(eval $(call unit_rules,$t)))

# Fuzz targets: tests/fuzz/FOLDER/NAME.c is linked as a unit test's file is: with libFuzzer, and
# with the driver that feeds it its seeds, which `make test` runs.
fuzz_sources := $(foreach f,$(folders),$(wildcard tests/fuzz/$f/*.c))
fuzz_folder = $(patsubst tests/fuzz/%/,%,$(dir $1))
fuzzers := $(fuzz_sources:tests/fuzz/%.c=out/fuzz/bin/%)
units += $(fuzz_sources:tests/fuzz/%.c=out/check/unit/fuzz/%)
define fuzz_rules
out/fuzz/bin/$(1:tests/fuzz/%.c=%): out/fuzz/obj/$(1:.c=.o) \
		$(call libs_of,fuzz,$(call fuzz_folder,$1))
	@mkdir -p $$(@D)
	@echo "  link    $1"
	@$(call link,fuzz,$$@,out/fuzz/obj/$(1:.c=.o),$(call libs_of,fuzz,$(call fuzz_folder,$1)),\
		$($(call fuzz_folder,$1).all_libs))
out/check/unit/fuzz/$(1:tests/fuzz/%.c=%): out/check/obj/$(1:.c=.o) \
		out/check/obj/tests/fuzz/replay.o $(call libs_of,check,$(call fuzz_folder,$1))
	@mkdir -p $$(@D)
	@echo "  link    $1 (check)"
	@$(call link,check,$$@,out/check/obj/$(1:.c=.o) out/check/obj/tests/fuzz/replay.o,\
		$(call libs_of,check,$(call fuzz_folder,$1)),$($(call fuzz_folder,$1).all_libs) cmocka)
endef
$(foreach t,$(fuzz_sources),$(eval $(call fuzz_rules,$t)))

.SECONDARY:
-include $(shell find out/target/obj out/check/obj out/host/obj out/fuzz/obj -name '*.d' \
	2>/dev/null)
