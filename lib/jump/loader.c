/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The main window, as loaded (offsets in jump/control.h):
 *
 *	stub + mailbox | boot_params | command line | tables | way back
 *	2 MiB: the writer kernel, by its ELF program headers, .bss left to itself
 *	after its last byte of memory: initramfs, then the handoff's cpio
 *	up to the end: the writer's free memory; somewhere in it, if a panic is to
 *	jump back, the room of its crash kernel
 */
#include "jump/loader.h"

#include "base/util.h"
#include "jump/bootparams.h"
#include "jump/control.h"
#include "jump/cpufeature.h"
#include "jump/kexec.h"

#include <elf.h>
#include <errno.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of the writer's own, after everything loaded: kernel data, page cache, buffers. */
#define FREE_AT_LEAST	    (16 * MIB)
#define CMDLINE_MAX	    2048
#define WRITER_HZ	    250 /* CONFIG_HZ of imagewriter/kernel.config */
#define WINDOW_KERNEL_ALIGN (2 * MIB)

/* The way back from a panic: the trampoline, and the kernel's own control page. */
#define CRASH_ALIGN (16 * MIB)
#define CRASH_BYTES (256 * KIB)

/* nokaslr: or it would move over the host. rdinit: its one program. noaux: there
 * is nothing to point at. nr_cpus: more would not fit the window, nor be faster. rodata: no foreign
 * code runs here, and protecting the kernel from it takes 0.2 s when emulated. */
#define CMDLINE_FIXED                                                                              \
	"nokaslr rdinit=/init panic=10 quiet nr_cpus=16 i8042.noaux rodata=off " CMDLINE_LIBC

/* Becomes the environment of /init. Without string instructions in memcpy and
 * memset: emulated CPUs run them byte by byte, and real ones hardly gain. */
#define CMDLINE_LIBC                                                                               \
	"GLIBC_TUNABLES=glibc.cpu.x86_rep_movsb_threshold=0x40000000:"                             \
	"glibc.cpu.x86_rep_stosb_threshold=0x40000000"

extern const uint8_t entry_stub_start[], entry_stub_end[];

/* The loaded part of the main window, in memory of ours. */
struct load {
	uint8_t *image;
	uint64_t bytes; /* of image, whole pages */
	uint64_t kernel_entry;
	uint64_t initrd; /* physical */
	uint64_t initrd_bytes;
};

uint64_t loader_mailbox(struct range main)
{
	return main.start + CONTROL_STUB + MAILBOX_OFFSET;
}

uint64_t loader_trampoline(struct range main)
{
	return main.start + CONTROL_TRAMPOLINE;
}

bool loader_la57_now(void)
{
	return cpufeature_la57_on();
}

/*
 * Check the kernel's ELF headers; *low and *high are the physical addresses of
 * its first byte and after its last, .bss included.
 */
static err_t kernel_span(const struct writer_files *w, uint64_t *low, uint64_t *high)
{
	const Elf64_Ehdr *eh = (const void *)w->vmlinux;
	const Elf64_Phdr *ph;

	if (w->vmlinux_bytes < sizeof(*eh) || memcmp(eh->e_ident, ELFMAG, SELFMAG) ||
	    eh->e_ident[EI_CLASS] != ELFCLASS64 || eh->e_machine != EM_X86_64 ||
	    eh->e_phentsize != sizeof(*ph) || eh->e_phoff > w->vmlinux_bytes ||
	    eh->e_phnum * sizeof(*ph) > w->vmlinux_bytes - eh->e_phoff)
		return err_new(ERR_CORRUPT, "the writer kernel is not an x86_64 ELF file");
	ph = (const void *)(w->vmlinux + eh->e_phoff);
	*low = UINT64_MAX;
	*high = 0;
	for (unsigned int i = 0; i < eh->e_phnum; i++) {
		if (ph[i].p_type != PT_LOAD)
			continue;
		if (ph[i].p_offset > w->vmlinux_bytes ||
		    ph[i].p_filesz > w->vmlinux_bytes - ph[i].p_offset ||
		    ph[i].p_filesz > ph[i].p_memsz || ph[i].p_memsz > GIB || ph[i].p_paddr > GIB)
			return err_new(ERR_CORRUPT, "the writer kernel's ELF segments are damaged");
		*low = min_u64(*low, ph[i].p_paddr);
		*high = max_u64(*high, ph[i].p_paddr + ph[i].p_memsz);
	}
	if (*low >= *high || *low % WINDOW_KERNEL_ALIGN || eh->e_entry < *low ||
	    eh->e_entry >= *high)
		return err_new(ERR_CORRUPT, "the writer kernel's ELF segments are damaged");
	return NULL;
}

static void place_kernel(const struct writer_files *w, uint64_t low, uint8_t *to)
{
	const Elf64_Ehdr *eh = (const void *)w->vmlinux;
	const Elf64_Phdr *ph = (const void *)(w->vmlinux + eh->e_phoff);

	for (unsigned int i = 0; i < eh->e_phnum; i++)
		if (ph[i].p_type == PT_LOAD)
			memcpy(to + (ph[i].p_paddr - low), w->vmlinux + ph[i].p_offset,
			       ph[i].p_filesz);
}

/*
 * Before it has a program, the writer's kernel unpacks its archives, which are not compressed,
 * into more memory; without it panics, when there is no way back yet. Of a resume this is not
 * asked: it was when the image was written, in that window.
 */
static err_t check_room(const struct loader_options *o, uint64_t end, uint64_t archives)
{
	uint64_t needs = FREE_AT_LEAST + (o->preserve_context ? archives : 0);

	if (end + needs <= o->main.end - o->main.start)
		return NULL;
	return err_new(ERR_INVALID,
		       "the writer takes %llu MiB, and %llu to run in; the window has %llu",
		       (unsigned long long)(end / MIB), (unsigned long long)(needs / MIB),
		       (unsigned long long)((o->main.end - o->main.start) / MIB));
}

static err_t place_files(const struct loader_options *o, struct load *l)
{
	const struct writer_files *w = o->writer;
	uint64_t low = 0, high = 0, at, end;
	uint8_t *handoff;

	TRY(kernel_span(w, &low, &high));
	at = align_up(CONTROL_KERNEL + (high - low), PAGE_BYTES);
	l->initrd_bytes = align_up(w->initrd_bytes, 4) + o->handoff_bytes;
	end = align_up(at + l->initrd_bytes, PAGE_BYTES);
	TRY(check_room(o, end, l->initrd_bytes));
	l->image = calloc(1, end);
	if (!l->image)
		return err_new(ERR_NOMEM, "loading the writer");
	l->bytes = end;
	l->kernel_entry = o->main.start + CONTROL_KERNEL +
			  (((const Elf64_Ehdr *)(const void *)w->vmlinux)->e_entry - low);
	l->initrd = o->main.start + at;
	place_kernel(w, low, l->image + CONTROL_KERNEL);
	memcpy(l->image + at, w->initrd, w->initrd_bytes);
	handoff = l->image + at + align_up(w->initrd_bytes, 4);
	if (mlock(handoff,
		  o->handoff_bytes)) /* until it is freed: the keys in it are not for swap */
		return err_errno("locking the handoff");
	memcpy(handoff, o->handoff, o->handoff_bytes);
	return NULL;
}

static void put64(uint8_t *at, uint64_t value)
{
	memcpy(at, &value, sizeof(value));
}

static void place_stub(const struct loader_options *o, struct load *l)
{
	uint8_t *page = l->image + CONTROL_STUB, *mailbox = page + MAILBOX_OFFSET;

	memcpy(page, entry_stub_start, (size_t)(entry_stub_end - entry_stub_start));
	put64(mailbox + MAILBOX_MAGIC_AT, MAILBOX_MAGIC);
	put64(mailbox + MAILBOX_KERNEL_AT, l->kernel_entry);
	put64(mailbox + MAILBOX_PARAMS_AT, o->main.start + CONTROL_BOOT_PARAMS);
	put64(mailbox + MAILBOX_TABLES_AT, o->main.start + CONTROL_TABLES);
	put64(mailbox + MAILBOX_LA57_AT, o->la57);
}

/*
 * Where the writer keeps its way back from a panic: as crashkernel= wants it, at
 * a multiple of 16 MiB (arch/x86/include/asm/crash_reserve.h, CRASH_ALIGN), behind
 * all that is loaded. 0: there is no such place.
 */
static uint64_t crash_room(const struct loader_options *o, const struct load *l)
{
	uint64_t at = align_up(o->main.start + l->bytes, CRASH_ALIGN);

	return at + CRASH_BYTES <= o->main.end ? at : 0;
}

/* The command line into n bytes; false when it does not fit. */
static bool make_cmdline(const struct loader_options *o, const struct load *l, char *out, size_t n)
{
	uint64_t crash = o->preserve_context ? crash_room(o, l) : 0;
	char crashkernel[64] = "", tsc[64] = "";

	if (crash)
		snprintf(crashkernel, sizeof(crashkernel), " crashkernel=%lluK@0x%llx",
			 (unsigned long long)(CRASH_BYTES / KIB), (unsigned long long)crash);
	if (o->tsc_khz)
		snprintf(tsc, sizeof(tsc), " tsc_early_khz=%u lpj=%u", o->tsc_khz,
			 o->tsc_khz * (1000 / WRITER_HZ));
	return (size_t)snprintf(out, n, "%s %s%s%s", CMDLINE_FIXED, o->cmdline, crashkernel, tsc) <
	       n;
}

static err_t place_params(const struct loader_options *o, struct load *l)
{
	struct bootparams_options b = {
		.memory = o->memory,
		.low = o->low,
		.main = {o->main.start + CONTROL_BYTES, o->main.end, RANGE_RAM},
		.cmdline = o->main.start + CONTROL_CMDLINE,
		.initrd = l->initrd,
		.initrd_bytes = l->initrd_bytes,
	};

	if (!make_cmdline(o, l, (char *)l->image + CONTROL_CMDLINE, CMDLINE_MAX))
		return err_new(ERR_INVALID, "the writer's command line is too long");
	return bootparams_make(&b, l->image + CONTROL_BOOT_PARAMS);
}

static err_t load_segments(const struct loader_options *o, const struct load *l)
{
	struct kexec_segment s[KEXEC_SEGMENT_MAX];
	size_t n = 0;

	if (o->preserve_context) {
		if (o->low->count + 1 > KEXEC_SEGMENT_MAX)
			return err_new(ERR_REFUSED,
				       "RAM below 640 KiB is in %zu pieces, more than "
				       "kexec_load takes",
				       o->low->count);
		for (size_t i = 0; i < o->low->count; i++)
			s[n++] = (struct kexec_segment){
				.buf = l->image, /* bufsz is 0: the pages are cleared */
				.mem = (void *)o->low->r[i].start,
				.memsz = o->low->r[i].end - o->low->r[i].start,
			};
	}
	s[n++] = (struct kexec_segment){
		.buf = l->image,
		.bufsz = l->bytes,
		.mem = (void *)o->main.start,
		.memsz = o->preserve_context ? o->main.end - o->main.start : l->bytes,
	};
	return kexec_load_segments(o->main.start + CONTROL_STUB, s, n,
				   o->preserve_context ? KEXEC_PRESERVE_CONTEXT : 0);
}

err_t loader_load(const struct loader_options *o)
{
	struct load l = {0};
	err_t e = place_files(o, &l);

	if (!e)
		e = place_params(o, &l);
	if (!e) {
		place_stub(o, &l);
		e = load_segments(o, &l);
	}
	if (l.image) /* the handoff in it may hold keys */
		explicit_bzero(l.image, l.bytes);
	free(l.image);
	return err_context(e, "loading the writer");
}

err_t loader_unload(void)
{
	return err_context(kexec_load_segments(0, NULL, 0, 0), "unloading the writer");
}

err_t loader_jump(void)
{
	if (!syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_KEXEC,
		     0))
		return NULL;
	if (errno == EBUSY)
		return err_new(ERR_REFUSED, "the jump was not made: the kernel is busy (a wake-up "
					    "event, or another suspend)");
	return err_errno("the jump was not made");
}
