/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/tools/tools.h"

#include "base/text.h"
#include "base/util.h"
#include "host/tools/imagefile.h"
#include "image/indexscan.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define CODEC_IDS 256

/* What the index says. */
struct stats {
	bool known; /* sealed, and no secret: all of it is not */
	uint32_t segments;
	uint64_t chunks[CODEC_IDS], raw[CODEC_IDS], stored[CODEC_IDS];
};

static err_t read_index(const struct imagefile *f, struct stats *stats)
{
	struct indexscan scan;
	struct chunk chunk;
	bool more = true;
	err_t e;

	if (slot_is_sealed(&f->commit.slot) && !f->unsealed.keys)
		return NULL; /* what it says is for who has the key */
	e = indexscan_init(&scan, &f->target, &f->commit.slot, f->unsealed.keys, &f->host);
	while (!e) {
		e = indexscan_next(&scan, &chunk, &more);
		if (e || !more)
			break;
		if (!chunk.data_pages)
			continue;
		stats->chunks[chunk.codec]++;
		stats->raw[chunk.codec] += (uint64_t)chunk.data_pages * PAGE_BYTES;
		stats->stored[chunk.codec] += chunk.stored;
	}
	stats->known = !e;
	stats->segments = scan.segments;
	indexscan_deinit(&scan);
	return e;
}

static void hex(char *out, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sprintf(out + 2 * i, "%02x", bytes[i]);
}

static const char *fill_name(enum free_fill fill)
{
	static const char *const names[] = {
		[FREE_FILL_NONE] = "none",
		[FREE_FILL_ZERO] = "zero",
		[FREE_FILL_POISON] = "poison",
		[FREE_FILL_SAVE] = "save",
	};

	return names[fill];
}

static unsigned long long mib(uint64_t bytes)
{
	return bytes / MIB;
}

static void print_line(const char *name, const char *text)
{
	char clean[SLOT_REASON_MAX];

	if (*text)
		printf("%-10s %s\n", name, text_printable(clean, sizeof(clean), text));
}

static void print_slot(const struct commit *c)
{
	const struct slot *slot = &c->slot;
	char nonce[2 * NONCE_BYTES + 1], when[64];
	time_t created = (time_t)slot->created;
	struct tm tm;

	hex(nonce, slot->nonce, NONCE_BYTES);
	printf("%-10s %s, generation %" PRIu64 "%s\n", "state", slot_state_name(slot->state),
	       slot->generation, c->twin_good ? "" : " (the other superblock is damaged)");
	if (slot->features_incompat & SLOT_INCOMPAT_SWAP)
		print_line("swap area", commit_is_dead(c) ? "turned on since: the image is dead"
					: c->page0 == PAGE0_MARKED ? "marked as suspended"
					: c->page0 == PAGE0_SWAP   ? "can be turned on"
								   : "its header is gone");
	if (slot->features_incompat & SLOT_INCOMPAT_LOCATED)
		print_line("swap area", commit_is_dead(c) ? "turned on since: the image is dead"
							  : "in its slots; page 0 tells where");
	print_line("nonce", nonce);
	if (localtime_r(&created, &tm) && strftime(when, sizeof(when), "%F %T %z", &tm))
		print_line("begun", when);
	if (slot->failed_resumes)
		printf("%-10s %u failed\n", "resumes", slot->failed_resumes);
	print_line("reason", slot->reason);
}

static const char *cipher_name(uint32_t id)
{
	const struct cipher *c = id <= UINT8_MAX ? cipher_by_id((uint8_t)id) : NULL;

	return c ? c->name : "unknown";
}

static bool is_authenticated(const struct slot *slot)
{
	return slot->sealing.flags & SLOT_SEALED_AUTHENTICATED;
}

static const char *opened_with(const struct unsealed *u)
{
	if (!u->keys)
		return "as it says of itself";
	return u->by_keyslots ? "opened with a passphrase of its own keyslots"
			      : "opened with the secret";
}

static void print_sealing(const struct imagefile *f)
{
	const struct slot *slot = &f->commit.slot;

	if (!slot_is_sealed(slot))
		return;
	printf("%-10s %s, %s, %s\n", "sealed", cipher_name(slot->sealing.cipher),
	       is_authenticated(slot) ? "authenticated" : "not authenticated",
	       opened_with(&f->unsealed));
}

static void print_host(const struct imagefile *f)
{
	const struct hostinfo *h = &f->host;

	print_line("host", h->hostname);
	print_line("kernel", h->release);
	print_line("build id", h->build_id);
	printf("%-10s %s, %u CPUs, %d levels of paging, free pages: %s\n", "made of",
	       h->dump ? "a memory dump" : "a running host", h->cpus, h->la57 ? 5 : 4,
	       fill_name(h->free_fill));
	if (f->notes_bytes)
		printf("%-10s %zu bytes\n", "notes", f->notes_bytes);
}

static void print_ranges(const char *name, const struct range_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		printf("%-10s 0x%010" PRIx64 "-0x%010" PRIx64 "  %6llu MiB  %s\n", i ? "" : name,
		       list->r[i].start, list->r[i].end - 1, mib(list->r[i].end - list->r[i].start),
		       range_type_name(list->r[i].type));
}

/* Of one whose extents lie scattered. */
static void print_map(const struct target *t)
{
	if (t->map_place)
		printf("%-10s %u extents on the disk, map at byte %" PRIu64 "\n", "target",
		       t->extent_count, t->map_place);
}

static void print_human(const struct imagefile *f, const struct stats *stats)
{
	const struct slot *slot = &f->commit.slot;

	print_slot(&f->commit);
	print_map(&f->target);
	print_sealing(f);
	print_host(f);
	print_ranges("memory", &f->host.memory);
	print_ranges("windows", &f->host.windows);
	printf("%-10s %llu MiB: %llu MiB of memory stored as %llu, %llu MiB zero, %llu MiB of one "
	       "word\n",
	       "size", mib(slot->image_end), mib(slot->raw_bytes), mib(slot->stored_bytes),
	       mib(slot->zero_pages * PAGE_BYTES), mib(slot->fill_pages * PAGE_BYTES));
	if (!stats->known) {
		print_line("index", "encrypted");
		return;
	}
	printf("%-10s %u segments\n", "index", stats->segments);
	for (int id = 0; id < CODEC_IDS; id++)
		if (stats->chunks[id])
			printf("%-10s %" PRIu64 " chunks, %llu MiB as %llu\n",
			       codec_by_id((uint8_t)id)->name, stats->chunks[id],
			       mib(stats->raw[id]), mib(stats->stored[id]));
}

static void json_text(const char *name, const char *text)
{
	printf("  \"%s\": ", name);
	text_json(stdout, text);
	printf(",\n");
}

static void json_number(const char *name, uint64_t x)
{
	printf("  \"%s\": %" PRIu64 ",\n", name, x);
}

static void json_ranges(const char *name, const struct range_list *list)
{
	printf("  \"%s\": [", name);
	for (size_t i = 0; i < list->count; i++) {
		printf("%s\n    {\"start\": %" PRIu64 ", \"end\": %" PRIu64 ", \"type\": ",
		       i ? "," : "", list->r[i].start, list->r[i].end);
		text_json(stdout, range_type_name(list->r[i].type));
		printf("}");
	}
	printf("%s],\n", list->count ? "\n  " : "");
}

static void json_sealing(const struct slot *slot)
{
	bool sealed = slot_is_sealed(slot);

	printf("  \"sealed\": %s,\n", sealed ? "true" : "false");
	if (!sealed)
		return;
	json_text("cipher", cipher_name(slot->sealing.cipher));
	printf("  \"authenticated\": %s,\n", is_authenticated(slot) ? "true" : "false");
	json_number("keyslots_bytes", slot->sealing.keyslots.length);
}

static void json_slot(const struct commit *c)
{
	const struct slot *slot = &c->slot;
	char nonce[2 * NONCE_BYTES + 1];

	hex(nonce, slot->nonce, NONCE_BYTES);
	json_text("state", slot_state_name(slot->state));
	json_number("generation", slot->generation);
	printf("  \"twin_good\": %s,\n", c->twin_good ? "true" : "false");
	json_text("nonce", nonce);
	json_number("created", slot->created);
	json_number("features_compat", slot->features_compat);
	json_number("features_incompat", slot->features_incompat);
	json_number("failed_resumes", slot->failed_resumes);
	json_text("reason", slot->reason);
	json_number("image_end", slot->image_end);
	json_number("data_pages", slot->data_pages);
	json_number("zero_pages", slot->zero_pages);
	json_number("fill_pages", slot->fill_pages);
	json_number("raw_bytes", slot->raw_bytes);
	json_number("stored_bytes", slot->stored_bytes);
	json_sealing(slot);
}

static void json_index(const struct stats *stats)
{
	bool first = true;

	json_number("index_segments", stats->segments);
	printf("  \"codecs\": {");
	for (int id = 0; id < CODEC_IDS; id++) {
		if (!stats->chunks[id])
			continue;
		printf("%s\n    \"%s\": {\"chunks\": %" PRIu64 ", \"raw_bytes\": %" PRIu64
		       ", \"stored_bytes\": %" PRIu64 "}",
		       first ? "" : ",", codec_by_id((uint8_t)id)->name, stats->chunks[id],
		       stats->raw[id], stats->stored[id]);
		first = false;
	}
	printf("%s}\n", first ? "" : "\n  ");
}

/* All 0: the whole of a file or device. */
static void json_map(const struct target *t)
{
	json_number("map_place", t->map_place);
	json_number("map_extents", t->map_place ? t->extent_count : 0);
	json_number("locator", t->locator);
}

static void print_json(const struct imagefile *f, const struct stats *stats)
{
	const struct hostinfo *h = &f->host;

	printf("{\n");
	json_slot(&f->commit);
	json_map(&f->target);
	printf("  \"dump\": %s,\n", h->dump ? "true" : "false");
	json_text("hostname", h->hostname);
	json_text("release", h->release);
	json_text("build_id", h->build_id);
	json_number("cpus", h->cpus);
	json_number("levels", h->la57 ? 5 : 4);
	json_text("free_fill", fill_name(h->free_fill));
	json_number("notes_bytes", f->notes_bytes);
	json_ranges("memory", &h->memory);
	json_ranges("windows", &h->windows);
	printf("  \"index_readable\": %s%s\n", stats->known ? "true" : "false",
	       stats->known ? "," : "");
	if (stats->known)
		json_index(stats);
	printf("}\n");
}

/* There was one, or there will be. */
static void print_no_image(const struct imagefile *f, bool json)
{
	if (!json) {
		print_slot(&f->commit);
		print_map(&f->target);
		return;
	}
	printf("{\n");
	json_slot(&f->commit);
	json_map(&f->target);
	printf("  \"dump\": false\n}\n");
}

static err_t inspect(struct imagefile *f, const struct tool_options *o)
{
	CLEANUP_FREE struct stats *stats = calloc(1, sizeof(*stats));

	if (!stats)
		return err_new(ERR_NOMEM, "inspecting");
	TRY(imagefile_open(f, o->from, o->at));
	if (!slot_holds_image(&f->commit.slot) || commit_is_dead(&f->commit)) {
		print_no_image(f, o->json);
		return NULL;
	}
	TRY(imagefile_read(f, o, false));
	TRY(err_context(read_index(f, stats), "%s", o->from));
	if (o->json)
		print_json(f, stats);
	else
		print_human(f, stats);
	return NULL;
}

err_t inspect_run(const struct tool_options *o)
{
	CLEANUP_FREE struct imagefile *f = calloc(1, sizeof(*f));
	err_t e;

	if (!f)
		return err_new(ERR_NOMEM, "inspecting");
	e = inspect(f, o);
	imagefile_close(f);
	return e;
}
