/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "jump/bootparams.h"

#include "base/io.h"
#include "base/util.h"

#include <asm/bootparam.h>
#include <assert.h>
#include <stdio.h>
#include <string.h>

#define BOOT_PARAMS_PATH "/sys/kernel/boot_params/data"
#define EFI_SYSTAB_PATH	 "/sys/firmware/efi/systab"

static_assert(sizeof(struct boot_params) == 4096, "boot_params is one page");

/* e820 of the writer, built in ascending order. */
static bool add(struct boot_params *bp, uint64_t start, uint64_t end, uint32_t type)
{
	struct boot_e820_entry *last =
		bp->e820_entries ? &bp->e820_table[bp->e820_entries - 1] : NULL;

	if (start >= end)
		return true;
	if (last && last->type == type && last->addr + last->size == start) {
		last->size += end - start;
		return true;
	}
	if (bp->e820_entries == E820_MAX_ENTRIES_ZEROPAGE)
		return false;
	bp->e820_table[bp->e820_entries++] =
		(struct boot_e820_entry){.addr = start, .size = end - start, .type = type};
	return true;
}

/* One RAM entry of the firmware, cut along the windows (sorted, disjoint). */
static bool add_ram(struct boot_params *bp, const struct range *ram,
		    const struct range_list *windows)
{
	uint64_t at = ram->start;
	bool ok = true;

	for (size_t i = 0; i < windows->count; i++) {
		const struct range *w = &windows->r[i];

		if (w->end <= ram->start || w->start >= ram->end)
			continue;
		ok = ok && add(bp, at, w->start, RANGE_RESERVED) &&
		     add(bp, w->start, w->end, RANGE_RAM);
		at = w->end;
	}
	return ok && add(bp, at, ram->end, RANGE_RESERVED);
}

static err_t make_e820(const struct bootparams_options *o, struct boot_params *bp)
{
	struct range_list windows = *o->low;
	bool ok = range_add(&windows, o->main.start, o->main.end, RANGE_RAM);

	range_sort(&windows);
	for (size_t i = 0; ok && i < o->memory->count; i++) {
		const struct range *r = &o->memory->r[i];

		if (r->type == RANGE_RAM)
			ok = add_ram(bp, r, &windows);
		else
			ok = add(bp, r->start, r->end, r->type);
	}
	if (!ok)
		return err_new(ERR_REFUSED, "the firmware's memory map has too many entries for "
					    "the writer's");
	return NULL;
}

/* Without it (an old kernel, no sysfs) the writer has no screen, and finds ACPI by itself. */
static void take_own_params(struct boot_params *bp)
{
	CLEANUP_FREE char *text = NULL;
	const struct boot_params *own;
	size_t n;
	err_t e = io_read_file(BOOT_PARAMS_PATH, sizeof(*own), &text, &n);

	if (e || n != sizeof(*own)) {
		err_free(e);
		return;
	}
	own = (const void *)text;
	bp->screen_info = own->screen_info;
	bp->edid_info = own->edid_info;
	bp->acpi_rsdp_addr = own->acpi_rsdp_addr;
}

/* EFI machines keep the ACPI root where only EFI's tables tell. */
static void take_rsdp_of_efi(struct boot_params *bp)
{
	CLEANUP_FREE char *text = NULL;
	unsigned long long rsdp;
	const char *line;
	size_t n;
	err_t e = io_read_file(EFI_SYSTAB_PATH, 65536, &text, &n);

	if (e) {
		err_free(e);
		return;
	}
	line = strstr(text, "ACPI20=");
	if (!line)
		line = strstr(text, "ACPI=");
	if (line && sscanf(strchr(line, '=') + 1, "%llx", &rsdp) == 1)
		bp->acpi_rsdp_addr = rsdp;
}

err_t bootparams_make(const struct bootparams_options *o, uint8_t out[4096])
{
	struct boot_params *bp = (void *)out;

	memset(bp, 0, sizeof(*bp));
	take_own_params(bp);
	take_rsdp_of_efi(bp);
	/* Documentation/arch/x86/boot.rst; the kernel itself reads these few */
	bp->hdr.boot_flag = 0xaa55;
	bp->hdr.header = 0x53726448; /* "HdrS" */
	bp->hdr.version = 0x020f;
	bp->hdr.type_of_loader = 0xff;
	bp->hdr.loadflags = LOADED_HIGH;
	bp->hdr.cmd_line_ptr = (uint32_t)o->cmdline;
	bp->ext_cmd_line_ptr = (uint32_t)(o->cmdline >> 32);
	bp->hdr.ramdisk_image = (uint32_t)o->initrd;
	bp->ext_ramdisk_image = (uint32_t)(o->initrd >> 32);
	bp->hdr.ramdisk_size = (uint32_t)o->initrd_bytes;
	return make_e820(o, bp);
}
