/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/checks/check.h"

#include "base/io.h"
#include "base/util.h"
#include "host/checks/writer_needs.h"
#include "host/disks/mounts.h"
#include "host/disks/stack.h"
#include "host/disks/swaps.h"
#include "host/disks/watched.h"
#include "host/freeze.h"
#include "jump/cpufeature.h"
#include "jump/window.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* Besides the window's copies: the writer unpacked and as it is loaded, and some air. */
#define LOAD_BYTES (40 * MIB)

/* The trampoline's page tables have one level-3 table: 512 x 1 GiB. */
#define RAM_END_MAX (512 * GIB)

#define KCORE_NOTES_MAX (64 * KIB)

void check_machine_cpu(const struct preflight *p, struct finding *out)
{
	(void)p;
	if (cpufeature_giant_pages())
		finding_set(out, FINDING_OK, "the CPU has 1 GiB pages");
	else
		finding_set(out, FINDING_REFUSE,
			    "the CPU has no 1 GiB pages (pdpe1gb), which the way "
			    "back from the writer needs");
}

void check_machine_memory_map(const struct preflight *p, struct finding *out)
{
	uint64_t end = 0;

	if (p->host_error[0]) {
		finding_set(out, FINDING_REFUSE, "%s", p->host_error);
		return;
	}
	for (size_t i = 0; i < p->host.memory.count; i++) {
		if (p->host.memory.r[i].type == RANGE_RAM)
			end = max_u64(end, p->host.memory.r[i].end);
	}
	if (!end)
		finding_set(out, FINDING_REFUSE,
			    "the firmware's memory map (/sys/firmware/memmap) shows no "
			    "RAM");
	else if (end > RAM_END_MAX)
		finding_set(out, FINDING_REFUSE,
			    "there is RAM above %llu GiB, which is not supported yet",
			    (unsigned long long)(RAM_END_MAX / GIB));
	else
		finding_set(out, FINDING_OK, "%llu MiB of RAM, in %zu pieces of memory map",
			    (unsigned long long)(range_bytes(&p->host.memory, RANGE_RAM) / MIB),
			    p->host.memory.count);
}

/*
 * NUMBER(sme_mask)= of vmcoreinfo (arch/x86/kernel/vmcore_info_64.c): the C-bit
 * of SME and SEV alike, 0 when no memory is encrypted. It is in the notes at
 * the start of /proc/kcore. false: cannot be read.
 */
static bool sme_mask(long long *mask)
{
	static const char name[] = "NUMBER(sme_mask)=";
	CLEANUP_CLOSE int fd = open("/proc/kcore", O_RDONLY | O_CLOEXEC);
	CLEANUP_FREE char *text = calloc(1, KCORE_NOTES_MAX + 1);
	const char *at;
	ssize_t n;

	if (fd < 0 || !text)
		return false;
	n = read(fd, text, KCORE_NOTES_MAX);
	at = n > 0 ? memmem(text, (size_t)n, name, sizeof(name) - 1) : NULL;
	if (!at)
		return false;
	*mask = strtoll(at + sizeof(name) - 1, NULL, 10);
	return true;
}

static bool has_tdx(void)
{
	CLEANUP_FREE char *text = NULL;
	size_t n;
	err_t e = io_read_file("/proc/cpuinfo", 64 << 20, &text, &n);
	bool has = !e && strstr(text, " tdx_guest");

	err_free(e);
	return has;
}

void check_machine_encryption(const struct preflight *p, struct finding *out)
{
	char option[32] = "";
	long long mask;

	if (has_tdx())
		finding_set(out, FINDING_REFUSE,
			    "this is an Intel TDX guest: its memory is encrypted, and "
			    "another kernel cannot read it");
	else if (sme_mask(&mask) && mask)
		finding_set(out, FINDING_REFUSE,
			    "memory is encrypted (AMD SME or SEV), so that another "
			    "kernel cannot read it; mem_encrypt=off switches SME off");
	else if (sme_mask(&mask))
		finding_set(out, FINDING_OK, "memory is not encrypted");
	else if (cmdline_find(p->cmdline, "mem_encrypt", option, sizeof(option)) &&
		 !strcmp(option, "on"))
		finding_set(out, FINDING_REFUSE,
			    "the kernel was booted with mem_encrypt=on: another kernel "
			    "cannot read such memory");
	else
		finding_set(out, FINDING_WARN,
			    "cannot tell whether memory is encrypted by AMD SEV (no "
			    "/proc/kcore); if it is, hibernating will not work");
}

void check_machine_virtio_mem(const struct preflight *p, struct finding *out)
{
	DIR *dir = opendir("/sys/bus/virtio/drivers/virtio_mem");
	bool device = false;
	struct dirent *d;

	(void)p;
	while (dir && (d = readdir(dir)))
		device |= !strncmp(d->d_name, "virtio", 6);
	if (dir)
		closedir(dir);
	if (device)
		finding_set(out, FINDING_REFUSE,
			    "there is a virtio-mem device: memory that it takes away "
			    "would be lost while nobody watches");
	else
		finding_set(out, FINDING_OK, "no virtio-mem device");
}

void check_machine_free_memory(const struct preflight *p, struct finding *out)
{
	uint64_t need = LOAD_BYTES +
			writer_needs_plan(p->config, &p->host, p->location.extents.count).bytes;

	if (p->mem_available < need)
		finding_set(out, FINDING_REFUSE,
			    "%llu MiB of memory are available, loading the writer takes %llu: "
			    "close something",
			    (unsigned long long)(p->mem_available / MIB),
			    (unsigned long long)(need / MIB));
	else
		finding_set(out, FINDING_OK, "%llu MiB of memory are available, loading takes %llu",
			    (unsigned long long)(p->mem_available / MIB),
			    (unsigned long long)(need / MIB));
}

static err_t check_filesystems(const struct mounts *mounts, size_t *count)
{
	*count = 0;
	for (size_t i = 0; i < mounts->count; i++) {
		const struct mount *m = &mounts->m[i];
		dev_t dev;

		if (!strcmp(m->type, "zfs"))
			return err_new(ERR_REFUSED,
				       "%s is on ZFS, which has not been shown to survive",
				       m->path);
		if (m->again || !mounts_on_disk(m, &dev))
			continue;
		(*count)++;
		if (dev)
			TRY(err_context(stack_check(dev), "the filesystem on %s", m->path));
	}
	return NULL;
}

/* Those on block devices; a file's is that of its filesystem. */
static err_t check_swaps(void)
{
	CLEANUP_FREE struct swaps *s = malloc(sizeof(*s));
	struct stat st;

	if (!s)
		return err_new(ERR_NOMEM, "no memory");
	TRY(swaps_read(s));
	for (uint32_t i = 0; i < s->count; i++) {
		if (!stat(s->list[i].path, &st) && S_ISBLK(st.st_mode))
			TRY(err_context(stack_check(st.st_rdev), "the swap area %s",
					s->list[i].path));
	}
	return NULL;
}

void check_machine_filesystems(const struct preflight *p, struct finding *out)
{
	CLEANUP_FREE struct prints *prints = malloc(sizeof(*prints));
	char weak[PRINT_NAME_MAX] = "";
	struct mounts mounts;
	size_t count;
	err_t e;

	(void)p;
	e = mounts_read(&mounts);
	if (!e) {
		e = check_filesystems(&mounts, &count);
		mounts_free(&mounts);
	}
	if (!e)
		e = freeze_check();
	if (!e)
		e = check_swaps();
	if (!e)
		e = prints ? watched_find(prints, weak) : err_new(ERR_NOMEM, "no memory");
	if (e)
		finding_set_err(out, FINDING_REFUSE, e);
	else if (*weak)
		finding_set(
			out, FINDING_WARN,
			"%s: of such a filesystem only the beginning is watched. If another system "
			"writes to it while this one is hibernated, it may be harmed by resuming",
			weak);
	else
		finding_set(out, FINDING_OK, "%zu writable filesystems on disks can be frozen",
			    count);
}
