/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/checks/machine.h"

#include "base/io.h"
#include "base/util.h"
#include "config/cmdline.h"
#include "host/checks/freefill.h"
#include "host/checks/kconfig.h"
#include "jump/loader.h"
#include "memory/memmap.h"

#include <elf.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#define NOTES_MAX 65536

void machine_build_id(const uint8_t *notes, size_t n, char out[41])
{
	Elf64_Nhdr h;

	out[0] = '\0';
	while (n >= sizeof(h)) {
		size_t name, desc;

		memcpy(&h, notes, sizeof(h));
		notes += sizeof(h);
		n -= sizeof(h);
		name = align_up(h.n_namesz, 4);
		desc = align_up(h.n_descsz, 4);
		if (name > n || desc > n - name)
			return;
		if (h.n_type == NT_GNU_BUILD_ID && h.n_namesz == 4 && !memcmp(notes, "GNU", 4) &&
		    h.n_descsz <= 20) {
			for (size_t i = 0; i < h.n_descsz; i++)
				sprintf(out + 2 * i, "%02x", notes[name + i]);
			return;
		}
		notes += name + desc;
		n -= name + desc;
	}
}

/* What may be missing is: its error is dropped, and the text empty. */
static char *read_optional(const char *path, size_t *n)
{
	char *text = NULL;
	err_t e = io_read_file(path, NOTES_MAX, &text, n);

	err_free(e);
	return text;
}

static void describe_build_id(struct hostinfo *info)
{
	size_t n = 0;
	CLEANUP_FREE char *notes = read_optional("/sys/kernel/notes", &n);

	if (notes)
		machine_build_id((const uint8_t *)notes, n, info->build_id);
}

/* "0x12345678 1024": physical address and size in hex (kernel/ksysfs.c). */
static void describe_vmcoreinfo(struct hostinfo *info)
{
	size_t n = 0;
	CLEANUP_FREE char *text = read_optional("/sys/kernel/vmcoreinfo", &n);
	uint64_t address;
	uint32_t bytes;

	if (!text || sscanf(text, "%" SCNx64 " %" SCNx32, &address, &bytes) != 2)
		return;
	info->vmcoreinfo = address;
	info->vmcoreinfo_bytes = bytes;
}

static err_t describe_free_fill(struct hostinfo *info)
{
	char cmdline[CMDLINE_MAX];
	struct kconfig kc = {0};
	err_t e;

	TRY(cmdline_read(cmdline, sizeof(cmdline)));
	e = kconfig_load(info->release, &kc);
	if (e && err_kind(e) == ERR_NOMEM)
		return e;
	err_free(e); /* not known: freefill_decide is careful then */
	info->free_fill = freefill_decide(&kc, cmdline);
	kconfig_free(&kc);
	return NULL;
}

err_t machine_describe(struct hostinfo *out)
{
	struct utsname uts;

	memset(out, 0, sizeof(*out));
	if (uname(&uts))
		return err_errno("uname");
	snprintf(out->release, sizeof(out->release), "%s", uts.release);
	snprintf(out->hostname, sizeof(out->hostname), "%s", uts.nodename);
	out->la57 = loader_la57_now();
	out->cpus = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
	describe_build_id(out);
	describe_vmcoreinfo(out);
	TRY(memmap_read(MEMMAP_DIR, &out->memory));
	return describe_free_fill(out);
}
