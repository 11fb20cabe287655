/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An ELF memory dump of an x86_64 machine, to be read: as QEMU's
 * dump-guest-memory, /proc/vmcore, or elfsink.h write it. ELF64, little endian,
 * ET_CORE, EM_X86_64; PT_LOAD segments say where which physical memory lies
 * (p_paddr), PT_NOTE segments what else is known (System V ABI, "Object Files";
 * include/uapi/linux/elf.h). e_phnum PN_XNUM (more than 65534 segments) included.
 *
 * Any bytes may come: what is not right is refused.
 */
#ifndef ELF_DUMP_H
#define ELF_DUMP_H

#include "base/err.h"
#include "base/range.h"
#include "memory/blocks.h"
#include "memory/physical.h"
#include "memory/source.h"
#include "memory/vmcoreinfo.h"

#include <stdint.h>

#define ELFDUMP_NOTES_MAX (1u << 20) /* as the image format has it */

/* Memory in the file: [start, end) of the machine at offset and on. Of bytes, not
 * of pages: the kernel cuts its segments where the firmware's map does. */
struct elfdump_segment {
	uint64_t start, end, offset;
};

struct elfdump {
	int fd;
	char name[128];
	/* PT_LOADs by p_memsz, neighbours joined, then whole pages of them; sorted; all RAM. */
	struct range_list memory;
	uint32_t segment_count; /* with content in the file (p_filesz), sorted, apart */
	struct elfdump_segment *segments;
	uint8_t *notes; /* contents of all PT_NOTE segments, one after the other, each
			 * padded with zeros to a multiple of 4 bytes */
	uint32_t notes_bytes;
	uint32_t cpus; /* number of NT_PRSTATUS notes named CORE */
};

/*
 * Open and check. ERR_FORMAT: no ELF file; ERR_UNSUPPORTED: another class,
 * machine, byte order or type, notes of more than ELFDUMP_NOTES_MAX, memory in
 * more than RANGE_MAX pieces, or none; ERR_CORRUPT: a table, segment or note that
 * lies outside of the file (a dump that was cut off), two contents of the same
 * memory, addresses above 2^52, notes that do not add up; ERR_INVALID: neither a
 * file nor a disk. On error there is nothing to close.
 */
err_t elfdump_open(struct elfdump *d, const char *path) ERR_CHECK;
void elfdump_close(struct elfdump *d);

/* Its memory by physical address; ERR_FORMAT where the file has none of it. From
 * any thread. */
struct physical elfdump_physical(struct elfdump *d);

/* The VMCOREINFO note. ERR_FORMAT: there is none. */
err_t elfdump_vmcoreinfo(const struct elfdump *d, struct vmcoreinfo *out) ERR_CHECK;

/* The same for notes that are not in a dump's file, but an image's. ERR_CORRUPT: they do
 * not add up. */
err_t elfdump_find_vmcoreinfo(const uint8_t *notes, size_t n, struct vmcoreinfo *out) ERR_CHECK;

/*
 * As the source of an image: all memory in the file but the free pages (borrowed;
 * NULL: none is free). Of a page that is there in part, the rest is zeros. Pages are
 * read into a buffer of each thread, since a file that shrinks (ERR_CORRUPT) or a
 * disk that fails must give an error, not a signal. d is borrowed.
 */
struct elfdump_source;

err_t elfdump_source_create(struct elfdump *d, const struct freepages *free_pages,
			    unsigned int threads, struct elfdump_source **out) ERR_CHECK;
void elfdump_source_destroy(struct elfdump_source *s); /* may be NULL */
struct memory_source elfdump_source_interface(struct elfdump_source *s);

#endif
