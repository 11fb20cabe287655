/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "resume/fit.h"

#include "base/util.h"
#include "fingerprint/fingerprint.h"
#include "image/reader.h"
#include "jump/cpufeature.h"
#include "memory/memmap.h"

#include <cpuid.h>
#include <string.h>

#define DISKS_WAIT_MS 10000

/* Of the CPU; what the boot kernel makes of it does not matter. */
static bool cpu_has_la57(void)
{
	unsigned int a, b, c = 0, d;

	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (c & (1u << 16));
}

static err_t check_cpu(const struct hostinfo *info)
{
	if (info->la57 && !cpu_has_la57())
		return err_new(ERR_REFUSED,
			       "the image was made with 5-level page tables, which this CPU "
			       "does not have: it is of another machine");
	if (!cpufeature_giant_pages())
		return err_new(ERR_REFUSED,
			       "this CPU has no 1 GiB pages (pdpe1gb): the image is of another "
			       "machine");
	return NULL;
}

static err_t check_memory(const struct hostinfo *info)
{
	struct range_list now;

	TRY(memmap_read(MEMMAP_DIR, &now));
	TRY(memmap_same(&info->memory, &now));
	for (size_t i = 0; i < info->windows.count; i++) {
		const struct range *w = &info->windows.r[i];
		const struct range *ram = range_holding(&now, w->start, w->end);

		if (!ram || ram->type != RANGE_RAM)
			return err_new(
				ERR_CORRUPT, "the image's window 0x%llx-0x%llx is not in RAM",
				(unsigned long long)w->start, (unsigned long long)w->end - 1);
	}
	return NULL;
}

static err_t check_writer(const struct hostinfo *info, const char *dir, struct writer_files *writer)
{
	TRY(writer_files_load(dir, writer));
	if (memcmp(writer->sha256, info->writer_sha256, sizeof(info->writer_sha256)))
		return err_new(ERR_REFUSED,
			       "the image was made by another version of the writer than the "
			       "one in %s; boot the initramfs that the machine had then",
			       dir);
	return NULL;
}

err_t fit_check(const struct target *target, const struct slot *slot, const struct image_keys *keys,
		const char *writer_dir, struct hostinfo *info, struct writer_files *writer)
{
	TRY(image_read_header(target, slot, keys, info));
	if (info->dump)
		return err_new(ERR_REFUSED, "the image was made of a memory dump, and has nothing "
					    "to resume");
	TRY(check_cpu(info));
	TRY(check_memory(info));
	TRY(check_writer(info, writer_dir, writer));
	TRY(fingerprint_check(NULL, DISKS_WAIT_MS, &info->prints));
	if (slot_is_sealed(slot) && !keys)
		return NULL; /* what it says so far is only what somebody has written there */
	/* The writer checks it again; refusing here saves a reboot. */
	return image_check_index(target, slot, keys, info);
}
