/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Faults planted, each found: room for the archives as they are loaded, and none to unpack them;
 * the handoff's archive not counted; a resume refused for want of that room. */
#include "unit.h"

#include "jump/loader.c"

#define KERNEL_BYTES (3 * MIB)
#define INITRD_BYTES (8 * MIB)
#define LOADED	     (CONTROL_KERNEL + KERNEL_BYTES + INITRD_BYTES)

static struct {
	Elf64_Ehdr eh;
	Elf64_Phdr ph;
} kernel;
static uint8_t initrd[INITRD_BYTES], handoff[MIB];
static struct writer_files writer;
static struct loader_options options;

static int begin(void **state)
{
	(void)state;
	memcpy(kernel.eh.e_ident, ELFMAG, SELFMAG);
	kernel.eh.e_ident[EI_CLASS] = ELFCLASS64;
	kernel.eh.e_machine = EM_X86_64;
	kernel.eh.e_phentsize = sizeof(kernel.ph);
	kernel.eh.e_phoff = sizeof(kernel.eh);
	kernel.eh.e_phnum = 1;
	kernel.eh.e_entry = 16 * MIB;
	kernel.ph = (Elf64_Phdr){.p_type = PT_LOAD, .p_paddr = 16 * MIB, .p_memsz = KERNEL_BYTES};
	writer = (struct writer_files){.vmlinux = (uint8_t *)&kernel,
				       .vmlinux_bytes = sizeof(kernel),
				       .initrd = initrd,
				       .initrd_bytes = sizeof(initrd)};
	options = (struct loader_options){.writer = &writer,
					  .handoff = handoff,
					  .handoff_bytes = PAGE_BYTES,
					  .preserve_context = true};
	return 0;
}

/* With so much of the window left after all that is loaded. */
static err_t place_with(uint64_t room)
{
	struct load l = {0};
	err_t e;

	options.main.start = GIB;
	options.main.end = GIB + LOADED + options.handoff_bytes + room;
	e = place_files(&options, &l);
	free(l.image);
	return e;
}

static void unpacking(void **state)
{
	uint64_t enough = FREE_AT_LEAST + INITRD_BYTES + PAGE_BYTES;

	(void)state;
	assert_ok(place_with(enough));
	assert_err(place_with(enough - PAGE_BYTES), ERR_INVALID);
	options.handoff_bytes = sizeof(handoff);
	assert_ok(place_with(FREE_AT_LEAST + INITRD_BYTES + MIB));
	assert_err(place_with(FREE_AT_LEAST + INITRD_BYTES), ERR_INVALID);
}

static void resuming(void **state)
{
	(void)state;
	options.preserve_context = false;
	assert_ok(place_with(FREE_AT_LEAST));
	assert_err(place_with(FREE_AT_LEAST - PAGE_BYTES), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(unpacking, begin),
		cmocka_unit_test_setup(resuming, begin),
	};

	return cmocka_run_group_tests_name("loader", tests, NULL, NULL);
}
