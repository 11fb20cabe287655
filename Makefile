# SPDX-License-Identifier: GPL-3.0-or-later
# Everything is built under build/; kernels are cached outside the tree
# (imagewriter/build-kernel). SAN=1: address and undefined-behaviour sanitizers, with which
# GCC 12 takes a struct that is wiped for its first member, and warns.
# FUZZ=1: those, and what libFuzzer needs.
comma := ,
B := build$(if $(SAN),-san)$(if $(FUZZ),-fuzz)
CC ?= gcc
CFLAGS := -std=gnu17 -D_GNU_SOURCE -O2 -g -ffunction-sections -fdata-sections \
	-Wall -Wextra -Wshadow -Wmissing-prototypes -Werror -Wno-format-truncation \
	-I. -Ilib $(if $(SAN),-fsanitize=address$(comma)undefined -fno-sanitize-recover=all -Wno-stringop-overflow)
LDFLAGS := -Wl,--gc-sections
ifdef FUZZ
CC := clang
CFLAGS += -Wno-unknown-warning-option -fno-sanitize-recover=all \
	-fsanitize=fuzzer-no-link,address,undefined
endif

LIB_SRC := $(wildcard lib/*/*.c formats/*.c) $(wildcard lib/*/*.S)
LIB_OBJ := $(patsubst %,$(B)/obj/%.o,$(LIB_SRC))
UNIT := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/test_*.c))
FUZZERS := $(patsubst tests/fuzz/%.c,build-fuzz/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
prog_obj = $(patsubst %,$(B)/obj/%.o,$(foreach d,$(1),$(wildcard $(d)/*.c)))

PATCHES := $(sort $(wildcard kernel-patches/*.patch))

PROGRAMS := $(B)/dormouse $(B)/dormouse-resume $(B)/dormouse-unlock $(B)/imagewriter
WRITER := $(B)/writer.vmlinux.lz4 $(B)/writer.cpio

.PHONY: all programs writer deps demo check check-all check-crash fuzz fuzz-targets fuzz-programs \
	unit unit-programs vm arrows bench-vm bench-pipeline install clean
.DELETE_ON_ERROR:

all: programs writer
programs: $(PROGRAMS)
writer: $(WRITER)

# What building and testing need, from Debian's archive; only what is missing.
deps:
	@tests/install-packages

$(B)/obj/%.c.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

$(B)/obj/%.S.o: %.S
	@mkdir -p $(@D)
	$(CC) -I. -Ilib -MMD -MP -c -o $@ $<

$(B)/libdormouse.a: $(LIB_OBJ)
	@rm -f $@
	$(AR) rcs $@ $^

$(B)/dormouse: $(call prog_obj,host host/*) $(B)/libdormouse.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -larchive -lcryptsetup -lblkid -lext2fs -lcom_err -lcrypto -llz4 -llzo2 -lzstd -luring -lpthread

# Static: they run where there are no libraries. (The linker's warnings are about
# parts of libcrypto that look up names and plugins, which nothing here does.)
$(B)/dormouse-resume: $(call prog_obj,resume) $(B)/libdormouse.a
	$(CC) $(CFLAGS) $(LDFLAGS) $(if $(SAN),,-static -Wl,--no-warnings) -o $@ $^ -lext2fs -lcom_err -lcrypto -llz4 -llzo2 -lzstd -luring -lpthread

# There is no static libcryptsetup.
$(B)/dormouse-unlock: $(call prog_obj,resume/unlock) $(B)/libdormouse.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcryptsetup -lcrypto -lpthread

$(B)/imagewriter: $(call prog_obj,imagewriter) $(B)/libdormouse.a
	$(CC) $(CFLAGS) $(LDFLAGS) $(if $(SAN),,-static -Wl,--no-warnings) -o $@ $^ -lcrypto -llz4 -llzo2 -lzstd -luring -lpthread

# The writer as shipped: kernel and initramfs, two files. The folder tells of a patch that was
# removed.
$(B)/writer.vmlinux.lz4: imagewriter/kernel.config imagewriter/build-kernel kernel-patches $(PATCHES)
	@mkdir -p $(@D)
	kernel=$$(imagewriter/build-kernel writer imagewriter/kernel.config $(PATCHES)) && \
		lz4 -q -12 -f $$kernel/vmlinux $@
	@touch $@

$(B)/writer.cpio: $(B)/imagewriter initramfs/make-writer-initramfs
	initramfs/make-writer-initramfs $(B)/imagewriter $@

$(B)/unit/%: tests/unit/%.c $(B)/libdormouse.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -Itests/unit -MMD -MP -MF $@.d -o $@ $< $(unit_extra) $(B)/libdormouse.a \
		-lcmocka -larchive -lcryptsetup -lblkid -lext2fs -lcom_err -lcrypto -llz4 -llzo2 -lzstd -luring -lpthread

# Of images.c it has one function, and nothing of what the others call.
$(B)/unit/test_images: unit_extra := -Wl,--gc-sections

$(B)/unit/test_opener $(B)/unit/test_luksimage: $(B)/dormouse-unlock

$(B)/bench/%: tests/bench/%.c $(B)/libdormouse.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -Itests/unit -MMD -MP -MF $@.d -o $@ $< $(B)/libdormouse.a \
		-lcrypto -llz4 -llzo2 -lzstd -luring -lpthread

# Seeds are made by the code as it is in use; the targets run it with sanitizers.
$(B)/fuzz/make-seeds: tests/fuzz/seeds.c $(B)/libdormouse.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -Itests/unit -MMD -MP -MF $@.d -o $@ $< $(B)/libdormouse.a \
		-lcmocka -lcrypto -llz4 -llzo2 -lzstd

build-fuzz/fuzz/fuzz_image: fuzz_extra := -Wl,--wrap=aligned_alloc,--wrap=free
build-fuzz/fuzz/fuzz_%: tests/fuzz/fuzz_%.c build-fuzz/libdormouse.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -fsanitize=fuzzer -MMD -MP -MF $@.d -o $@ $< build-fuzz/libdormouse.a \
		$(fuzz_extra) -lcrypto -llz4 -llzo2 -lzstd -luring -lpthread

fuzz-targets: $(FUZZERS)

fuzz-programs: $(B)/fuzz/make-seeds
	$(MAKE) FUZZ=1 fuzz-targets

# Each target for so many seconds: make fuzz SECONDS=60
SECONDS := 600
fuzz: deps
	tests/fuzz/run $(SECONDS)

# Its headers are among the unit tests'; of the programs it has one decision.
$(B)/crash: $(call prog_obj,tests/crash) $(B)/obj/resume/verdict.c.o $(B)/libdormouse.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcrypto -llz4 -llzo2 -lzstd -luring -lpthread

$(B)/obj/tests/crash/%.o: CFLAGS += -Itests/crash -Itests/unit

unit-programs: $(UNIT)

unit: $(UNIT)
	@for t in $(UNIT); do $$t || exit 1; done

arrows:
	@tests/arrows

vm: all
	tests/vm/run --check

demo: deps
	$(MAKE) -s all
	tests/vm/demo

check: deps
	$(MAKE) -s all
	tests/check

check-all: deps
	$(MAKE) -s all
	tests/check --all

# All power cuts and broken disks, simulated and in machines; `make check` runs a share.
check-crash: deps
	$(MAKE) -s all $(B)/crash
	tests/check-crash

bench-vm: deps
	$(MAKE) -s all
	tests/bench/vm

bench-pipeline: deps
	$(MAKE) -s programs $(B)/bench/hosts
	tests/bench/pipeline

# DESTDIR=... for a package. The example becomes no one's configuration by itself.
install: all
	install -D -m 755 $(B)/dormouse $(DESTDIR)/usr/sbin/dormouse
	install -D -m 755 $(B)/dormouse-resume $(DESTDIR)/usr/lib/dormouse/resume
	install -D -m 755 $(B)/dormouse-unlock $(DESTDIR)/usr/lib/dormouse/unlock
	install -D -m 755 initramfs/unlock-needs $(DESTDIR)/usr/lib/dormouse/unlock-needs
	install -D -m 644 -t $(DESTDIR)/usr/lib/dormouse $(WRITER)
	install -D -m 644 host/dormouse.conf.example $(DESTDIR)/usr/share/doc/dormouse/dormouse.conf.example
	install -D -m 755 initramfs/initramfs-tools/hooks/dormouse \
		$(DESTDIR)/usr/share/initramfs-tools/hooks/dormouse
	install -D -m 755 initramfs/initramfs-tools/scripts/init-premount/dormouse \
		$(DESTDIR)/usr/share/initramfs-tools/scripts/init-premount/dormouse

clean:
	rm -rf build build-san build-fuzz

-include $(shell find $(B) -name '*.d' 2>/dev/null)
