/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/tools/tools.h"

#include "base/io.h"
#include "base/log.h"
#include "base/newfile.h"
#include "base/util.h"
#include "config/pins.h"
#include "elf/dump.h"
#include "formats/hostinfo.h"
#include "host/disks/foreign.h"
#include "host/tools/watch.h"
#include "image/commit.h"
#include "image/writer.h"
#include "keys/locked.h"
#include "keys/luks.h"
#include "keys/random.h"
#include "memory/freepages.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static const uint8_t luks_magic[] = {'L', 'U', 'K', 'S', 0xba, 0xbe};

struct packing {
	const struct tool_options *o;
	struct elfdump dump;
	struct freepages free;
	struct hostinfo host;
	struct newfile file;
	bool is_file; /* a new one, and no device */
	struct target target;
	struct commit commit;
	struct image_seal *seal; /* locked; NULL: not sealed */
	char *keyslots;		 /* that go into it; owned, NULL: none */
	size_t keyslots_bytes;
	struct slot slot;
	struct watch watch;
};

/* What the dump's kernel says of itself; all of it may be missing. */
static void describe(struct hostinfo *host, const struct vmcoreinfo *v)
{
	int64_t levels5 = 0;

	vmcoreinfo_text(v, "OSRELEASE", host->release, sizeof(host->release));
	vmcoreinfo_text(v, "BUILD-ID", host->build_id, sizeof(host->build_id));
	vmcoreinfo_get(v, "NUMBER(pgtable_l5_enabled)", &levels5);
	host->la57 = levels5 > 0;
}

static err_t find_free(struct packing *p)
{
	CLEANUP_FREE struct vmcoreinfo *v = malloc(sizeof(*v));
	struct physical memory = elfdump_physical(&p->dump);

	if (!v)
		return err_new(ERR_NOMEM, "looking for free pages");
	TRY(elfdump_vmcoreinfo(&p->dump, v));
	describe(&p->host, v);
	if (p->o->all_pages)
		return NULL;
	return freepages_find(&p->free, &memory, v, &p->dump.memory);
}

/* Which pages need not be saved. Nothing is guessed: in doubt all are saved. */
static void select_pages(struct packing *p)
{
	err_t e = find_free(p);

	if (e && !p->o->all_pages)
		log_warn("every page is saved, free ones too: %s", err_text(e));
	p->host.free_fill = e || p->o->all_pages ? FREE_FILL_SAVE : FREE_FILL_NONE;
	err_free(e);
}

/*
 * How large an image of all that is saved can get: every page stored, an index
 * of the worst kind (1.3 KiB of each block's 512), and room to spare. The file is
 * a hole of that size, and cut off at the end of the image.
 */
static uint64_t most_bytes(const struct packing *p)
{
	uint64_t ram = range_bytes(&p->dump.memory, RANGE_RAM);

	return align_up(ram + ram / 256 + 64 * MIB, PAGE_BYTES);
}

static err_t open_target(struct packing *p)
{
	struct stat st;

	p->is_file = stat(p->o->to, &st) || !S_ISBLK(st.st_mode);
	if (!p->is_file)
		return target_open(&p->target, p->o->to, true, true);
	TRY(newfile_create(&p->file, p->o->to, p->o->force));
	if (ftruncate(p->file.fd, (off_t)most_bytes(p)))
		return err_errno("%s", p->file.partial);
	return target_open(&p->target, p->file.partial, true, false);
}

/* A device that was never ours may hold anything; one that was may have been partitioned since. */
static err_t check_device(const struct packing *p)
{
	struct commit c;
	err_t e;

	if (p->is_file || p->o->force)
		return NULL;
	e = commit_load(&p->target, &c);
	if (!e)
		return err_context(foreign_check(p->o->to, false), "without --force");
	if (err_kind(e) != ERR_FORMAT)
		return e;
	err_free(e);
	return err_new(ERR_REFUSED, "%s has never held an image (--force overwrites what it holds)",
		       p->target.name);
}

static err_t begin(struct packing *p, uint8_t nonce[NONCE_BYTES])
{
	if (p->target.bytes < SLOT_DATA_START)
		return err_new(ERR_NOSPACE, "%s is too small to hold an image", p->target.name);
	TRY(check_device(p));
	TRY(random_bytes(nonce, NONCE_BYTES));
	TRY(commit_begin(&p->target, &p->commit, nonce, (uint64_t)time(NULL)));
	memcpy(p->slot.nonce, nonce, NONCE_BYTES);
	p->slot.created = p->commit.slot.created;
	p->slot.features_incompat = p->commit.slot.features_incompat;
	return NULL;
}

/* By a header like keys.luks, which then goes into the image, or by pins. */
static err_t read_public(struct packing *p, uint8_t public_key[SECRET_KEY_BYTES])
{
	CLEANUP_FREE char *text = NULL;
	struct pins pins;
	size_t n;

	TRY(io_read_file(p->o->seal, SLOT_KEYSLOTS_MAX, &text, &n));
	if (n >= sizeof(luks_magic) && !memcmp(text, luks_magic, sizeof(luks_magic))) {
		TRY(luks_public_key(p->o->seal, public_key));
		p->keyslots = text;
		p->keyslots_bytes = n;
		text = NULL;
		return NULL;
	}
	TRY(pins_load(p->o->seal, &pins));
	if (!pins.has_public)
		return err_new(ERR_INVALID, "%s has no public key", p->o->seal);
	memcpy(public_key, pins.public_key, sizeof(pins.public_key));
	return NULL;
}

/* To a public key alone: who has that can make such an image, so it is not authenticated. */
static err_t make_seal(struct packing *p, const uint8_t nonce[NONCE_BYTES])
{
	struct seal_recipient to = {.authenticated = false};
	void *seal;

	if (!p->o->seal)
		return NULL;
	TRY(locked_create(sizeof(*p->seal), &seal));
	p->seal = seal;
	TRY(read_public(p, to.public_key));
	TRY(sealing_make(p->seal, p->o->cipher ? p->o->cipher : cipher_fastest(), &to, nonce));
	p->seal->keyslots = (const uint8_t *)p->keyslots;
	p->seal->keyslots_bytes = p->keyslots_bytes;
	return NULL;
}

static err_t write_parts(struct packing *p, struct image_writer *w)
{
	CLEANUP_FREE uint8_t *header = malloc(HOSTINFO_MAX);
	struct elfdump_source *dump = NULL;
	struct memory_source source;
	err_t e;

	if (!header)
		return err_new(ERR_NOMEM, "writing the image");
	TRY(elfdump_source_create(&p->dump, p->free.bits ? &p->free : NULL, p->o->threads, &dump));
	source = elfdump_source_interface(dump);
	if (p->dump.notes_bytes)
		e = image_writer_add_notes(w, p->dump.notes, p->dump.notes_bytes, &p->host.notes);
	else
		e = NULL;
	if (!e)
		e = image_writer_run(w, &source, header, hostinfo_encode(&p->host, header),
				     &p->slot);
	elfdump_source_destroy(dump);
	return e;
}

static err_t write_image(struct packing *p)
{
	struct image_writer_options o = {
		.threads = p->o->threads,
		.codec = p->o->codec,
		.tick = watch_tick,
		.tick_arg = &p->watch,
	};
	char codec[CODEC_CHOICE_TEXT_MAX];
	struct image_writer *w;
	err_t e;

	TRY(begin(p, o.nonce));
	TRY(make_seal(p, o.nonce));
	o.seal = p->seal;
	TRY(image_writer_create(&o, &p->target, &w));
	watch_init(&p->watch, "packing");
	e = write_parts(p, w);
	watch_end(&p->watch);
	image_writer_codec(w, codec);
	image_writer_destroy(w);
	TRY(e);
	TRY(commit_valid(&p->target, &p->commit, &p->slot));
	if (p->is_file && ftruncate(p->file.fd, (off_t)p->slot.image_end))
		return err_errno("%s", p->file.partial);
	if (p->is_file)
		TRY(newfile_commit(&p->file));
	printf("%s: %llu MiB for %llu MiB of memory (%s), %llu MiB zero, %llu MiB free\n", p->o->to,
	       (unsigned long long)(p->slot.image_end / MIB),
	       (unsigned long long)(p->slot.raw_bytes / MIB), codec,
	       (unsigned long long)(p->slot.zero_pages * PAGE_BYTES / MIB),
	       (unsigned long long)(p->free.count * PAGE_BYTES / MIB));
	return NULL;
}

static err_t pack(struct packing *p)
{
	TRY(elfdump_open(&p->dump, p->o->from));
	p->host.dump = true;
	p->host.memory = p->dump.memory;
	p->host.cpus = p->dump.cpus;
	select_pages(p);
	TRY(watch_check());
	TRY(open_target(p));
	return write_image(p);
}

err_t pack_run(const struct tool_options *o)
{
	CLEANUP_FREE struct packing *p = calloc(1, sizeof(*p));
	err_t e;

	if (!p)
		return err_new(ERR_NOMEM, "packing");
	p->o = o;
	watch_signals();
	p->dump.fd = p->target.fd = p->file.fd = -1;
	e = pack(p);
	newfile_discard(&p->file);
	locked_destroy(p->seal, sizeof(*p->seal));
	free(p->keyslots);
	target_close(&p->target);
	freepages_deinit(&p->free);
	elfdump_close(&p->dump);
	return e;
}
