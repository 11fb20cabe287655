/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What fuzzing begins with: inputs of each target, made by the product's encoders;
 * right ones, and
 * some with one fault, to begin at. seeds FOLDER writes FOLDER/fuzz_NAME/NUMBER.
 */
#include "unit.h"

#include "elffile.h"
#include "sample_host.h"
#include "smallimage.h"

#include "base/bytes.h"
#include "base/util.h"
#include "codec/codec.h"
#include "formats/directory.h"
#include "formats/extentmap.h"
#include "formats/handoff.h"
#include "formats/index.h"
#include "formats/keyblock.h"
#include "formats/locator.h"
#include "formats/report.h"
#include "memory/vmcoreinfo.h"

#include <stdio.h>
#include <sys/stat.h>

static const uint8_t nonce[NONCE_BYTES] = "nonce of a seed";
static const char info_text[] =
	"OSRELEASE=6.12.1\nSIZE(page)=64\nSYMBOL(init_top_pgt)=ffffffff8a00\n";

static const char *folder;

/* One more seed of a target: a first part, which may be empty, and a second. */
static void put2(const char *target, const void *a, size_t a_bytes, const void *b, size_t b_bytes)
{
	static unsigned int number;
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, target);
	mkdir(path, 0777);
	snprintf(path, sizeof(path), "%s/%s/%u", folder, target, number++);
	f = fopen(path, "w");
	if (!f || fwrite(a, 1, a_bytes, f) != a_bytes || fwrite(b, 1, b_bytes, f) != b_bytes ||
	    fclose(f)) {
		perror(path);
		exit(1);
	}
}

static struct slot sample_slot(enum slot_state state)
{
	struct slot s = {
		.state = state,
		.generation = 7,
		.created = 1700000000,
		.header = {SLOT_DATA_START, 2000, 1},
		.directory = {SLOT_DATA_START + 4096, 48, 2},
		.image_end = 1 << 20,
		.data_pages = 10,
		.zero_pages = 3,
		.fill_pages = 1,
		.raw_bytes = 10 * PAGE_BYTES,
		.stored_bytes = 4711,
	};

	memcpy(s.nonce, nonce, sizeof(nonce));
	return s;
}

static void slots(void)
{
	for (unsigned int state = SLOT_EMPTY; state <= SLOT_RETIRED; state++) {
		struct slot s = sample_slot((enum slot_state)state);
		uint8_t b[SLOT_BYTES];

		snprintf(s.reason, sizeof(s.reason), "a key was pressed");
		s.failed_resumes = state;
		slot_encode(&s, b);
		put2("fuzz_slot", b, 512, "", 0); /* the rest is zero */
	}
}

/* Some extents of three pages; more than a block has when there are so many. One is
 * something else. */
static void map(uint32_t count, uint64_t locator, uint32_t which, struct extent other)
{
	struct extent *list = malloc(count * sizeof(*list));
	static uint8_t b[9 + 2 * EXTENTMAP_BYTES];
	struct extentmap m;
	err_t e;

	assert_non_null(list);
	for (uint32_t i = 0; i < count; i++)
		list[i] = (struct extent){MIB + 5ull * (count - i) * PAGE_BYTES,
					  (i ? 3 : 4) * PAGE_BYTES};
	e = extentmap_plan(&m, list, count);
	assert_null(e);
	memcpy(m.nonce, nonce, sizeof(nonce));
	m.locator = locator;
	if (locator)
		memset(m.saved, 's', 20);
	if (other.length)
		m.extents[which] = other;
	b[0] = 1;
	for (int i = 0; i < 8; i++)
		b[1 + i] = (uint8_t)(m.places[0] >> 8 * i);
	for (uint32_t i = 0; i < m.blocks; i++)
		extentmap_encode(&m, i, b + 9 + i * EXTENTMAP_BYTES);
	put2("fuzz_located", b, 9 + m.blocks * EXTENTMAP_BYTES, "", 0);
	extentmap_deinit(&m);
	free(list);
}

static void located(void)
{
	static const struct extent none;
	struct locator l = {.map = 0x123000};
	uint8_t b[LOCATOR_BYTES];

	memcpy(l.nonce, nonce, sizeof(nonce));
	locator_encode(&l, b);
	put2("fuzz_located", "\0", 1, b, sizeof(b));
	map(3, 0, 0, none);
	map(6, 8192 + LOCATOR_AT, 0, none);
	map(230, 8192 + LOCATOR_AT, 0, none);
	/* A head in pieces; extents that overlap, and one over the second block. */
	map(3, 0, 0, (struct extent){MIB + 15 * PAGE_BYTES, 3 * PAGE_BYTES});
	map(6, 8192 + LOCATOR_AT, 5, (struct extent){MIB + 10 * PAGE_BYTES, PAGE_BYTES});
	map(230, 8192 + LOCATOR_AT, 229, (struct extent){MIB + 5 * PAGE_BYTES, 3 * PAGE_BYTES});
}

static void seal_slots(void)
{
	struct keyblock k = {{0}, {1}, {2}, {3}, {4}};
	struct slot s = sample_slot(SLOT_VALID);
	uint8_t b[SLOT_BYTES];

	s.features_incompat = SLOT_INCOMPAT_SEALED;
	s.image_end += 3 * PAGE_BYTES;
	s.sealing.cipher = 1;
	s.sealing.flags = SLOT_SEALED_AUTHENTICATED;
	s.sealing.keyslots = (struct slot_region){s.image_end - 3 * PAGE_BYTES, 5000, 7};
	s.sealing.key = (struct slot_region){s.image_end - PAGE_BYTES, SLOT_KEY_BYTES, 8};
	slot_encode(&s, b);
	put2("fuzz_slot", b, sizeof(b), "", 0);
	memcpy(k.nonce, nonce, sizeof(nonce));
	keyblock_encode(&k, b);
	put2("fuzz_slot", b, 512, "", 0);
}

static struct hostinfo sample_dump(void)
{
	struct hostinfo h = {
		.release = "6.1",
		.cpus = 4,
		.dump = true,
		.memory = {2, {{0, 0x9f000, RANGE_RAM}, {0x100000, 0x400000, RANGE_RAM}}},
	};

	return h;
}

static void headers(void)
{
	static uint8_t b[HANDOFF_MAX];
	struct hostinfo host = sample_host(), dump = sample_dump();
	struct handoff h = {
		.mode = HANDOFF_HIBERNATE,
		.then = HANDOFF_POWEROFF,
		.device_bytes = 1 << 30,
		.device_name = "/dev/vda2",
		.extent_count = 2,
		.extents = {{1 << 20, 1 << 20}, {4 << 20, 1 << 21}},
		.codec = CODEC_LZ4,
		.codec_level = 4,
		.threads = 2,
		.mailbox = 0x10001000,
		.trampoline = 0x10002000,
		.host = host,
	};
	struct report r = {.result = REPORT_FAILED,
			   .why = REPORT_WHY_FULL,
			   .text = "target is full",
			   .log = "a\nb\n"};

	put2("fuzz_header", "\0", 1, b, hostinfo_encode(&host, b));
	host.report[0] = host.report[1] = host.report[2] = host.report[3] = 0;
	host.jump_entry = 0;
	put2("fuzz_header", "\0", 1, b, hostinfo_encode(&host, b));
	put2("fuzz_header", "\0", 1, b, hostinfo_encode(&dump, b));
	memcpy(h.nonce, nonce, sizeof(nonce));
	h.host.jump_entry = 0;
	put2("fuzz_header", "\1", 1, b, handoff_encode(&h, b));
	h.sealed = true;
	put2("fuzz_header", "\1", 1, b, handoff_encode(&h, b));
	h.sealed = false;
	h.has_image_key = true;
	h.mode = HANDOFF_RESTORE;
	h.host.jump_entry = 0x20000123;
	put2("fuzz_header", "\1", 1, b, handoff_encode(&h, b));
	h.extent_count = 0;
	h.map_place = 0x123000;
	put2("fuzz_header", "\1", 1, b, handoff_encode(&h, b));
	report_encode(&r, nonce, b);
	put2("fuzz_header", "\2", 1, b, 64 + REPORT_TEXT_MAX + REPORT_LOG_MAX);
	report_prepare(b, nonce);
	put2("fuzz_header", "\2", 1, b, 64 + REPORT_TEXT_MAX + REPORT_LOG_MAX);
}

/* A block with every kind of run. */
static struct chunk sample_chunk(uint64_t block)
{
	struct chunk c = {
		.first_pfn = block * CHUNK_PAGES,
		.run_count = 5,
		.runs = {{RUN_DATA, 2, 0},
			 {RUN_ZERO, 7, 0},
			 {RUN_SKIP, 9, 0},
			 {RUN_FILL, 3, 0x1122334455667788},
			 {RUN_DATA, 1, 0}},
		.data_pages = 3,
		.codec = CODEC_LZO,
		.stored = 700,
		.offset = 40000,
		.crc32c = 5,
	};

	return c;
}

static void indexes(void)
{
	struct index_place places[3] = {{SLOT_DATA_START, 700, 1, {9}},
					{SLOT_DATA_START + 4096, 65536, 2, {8}},
					{1 << 30, 1, 3, {7}}};
	static struct index_segment seg;
	uint8_t b[256];

	for (uint32_t n = 0; n <= 7; n++) {
		bool sealed = n & 4;

		directory_encode(places, n & 3, nonce, sealed, b);
		put2("fuzz_index", sealed ? "\2" : "\0", 1, b, directory_bytes(n & 3, sealed));
	}
	for (uint32_t n = 0; n <= 7; n++) {
		index_segment_init(&seg, nonce, n, n & 1);
		for (uint32_t i = 0; i < n; i++) {
			struct chunk c = sample_chunk(i * i);

			if (i == 1)
				c = (struct chunk){.first_pfn = i * CHUNK_PAGES,
						   .run_count = 1,
						   .runs = {{RUN_ZERO, CHUNK_PAGES, 0}}};
			index_segment_add(&seg, &c);
		}
		put2("fuzz_index", n & 1 ? "\3" : "\1", 1, seg.buf, index_segment_finish(&seg));
	}
}

/* n pages that can be compressed well: in small inputs, each change matters. */
static void fill_pages(uint8_t *p, unsigned int n, uint64_t seed)
{
	for (size_t i = 0; i < n * (size_t)PAGE_BYTES; i++)
		p[i] = i % PAGE_BYTES < 20 ? (uint8_t)unit_random(&seed) : (uint8_t)(i / 1024);
}

/* Compress with any codec; returns the size, or 0 when there is no such codec. */
static size_t compress(uint8_t codec, const uint8_t *raw, size_t n, uint8_t *out)
{
	const struct codec *c = codec_by_id(codec);
	void *w = c && c->workspace ? malloc(c->workspace(c->level_default)) : NULL;
	size_t stored = c ? c->compress(raw, n, out, c->level_default, w) : 0;

	free(w);
	return stored;
}

static void chunks(void)
{
	static uint8_t raw[8 * PAGE_BYTES], out[16 * PAGE_BYTES];

	for (uint8_t codec = 0; codec_by_id(codec); codec++)
		for (unsigned int n = 1; n <= 8; n *= 2) {
			uint8_t head[3] = {codec, (uint8_t)(n - 1), 1};

			fill_pages(raw, n, n);
			put2("fuzz_chunk", head, 3, out, compress(codec, raw, n * PAGE_BYTES, out));
			head[0] |= 0x80;
			put2("fuzz_chunk", head, 3, raw, 100 * n);
		}
}

static size_t put_notes(struct elffile *f)
{
	size_t from = f->n;
	uint8_t registers[336] = {7};

	elffile_note(f, "CORE", NT_PRSTATUS, registers, sizeof(registers));
	elffile_note(f, "VMCOREINFO", 0, info_text, sizeof(info_text) - 1);
	return from;
}

static void elfs(void)
{
	struct elffile f = elffile_new(4);
	Elf64_Shdr s = {.sh_info = 4};
	static char large[VMCOREINFO_MAX + 4] = "A=1\n";

	elffile_notes(&f, 0, put_notes(&f));
	elffile_load(&f, 1, 0x2000, 2 * PAGE_BYTES, 99);
	elffile_load(&f, 2, 0x1000, PAGE_BYTES, 200);
	elffile_load(&f, 3, 0x180000 + 100, 3 * PAGE_BYTES, 700);
	put2("fuzz_elf", f.b, f.n, "", 0);
	/* The kernel's text, and a number of headers in a section header. */
	f.p[3] = f.p[1];
	f.p[3].p_filesz = f.p[3].p_memsz = 64;
	f.p[3].p_offset += 3;
	f.p[3].p_vaddr = 0xffffffff81000000;
	f.h->e_phnum = PN_XNUM;
	f.h->e_shentsize = sizeof(s);
	f.h->e_shoff = f.n;
	put2("fuzz_elf", f.b, f.n, &s, sizeof(s));
	elffile_free(&f);
	f = elffile_new(2);
	elffile_load(&f, 0, 0, 8 * MIB, 100);
	f.p[1] = (Elf64_Phdr){.p_type = PT_NOTE, .p_offset = f.n};
	elffile_note(&f, "VMCOREINFO", 0, large, sizeof(large));
	f.p[1].p_filesz = f.n - f.p[1].p_offset;
	put2("fuzz_elf", f.b, f.n, "", 0);
	elffile_free(&f);
}

struct parts {
	uint8_t b[PARTS][65536];
	uint16_t n[PARTS];
	uint64_t chunks, stored;
};

/* Blocks of data, of one codec or each of those that compress, and what index and directory say of
 * them. */
static void make_chunks(struct parts *p, uint8_t only_codec)
{
	static struct index_segment seg;
	static uint8_t raw[3 * PAGE_BYTES];
	struct index_place place = {smallimage_place[PART_SEGMENT].offset, 0, 0, {0}};

	index_segment_init(&seg, nonce, 0, false);
	for (uint8_t codec = 0; codec_by_id(codec); codec++) {
		struct chunk c = sample_chunk(2u + codec); /* from 1 MiB on */

		if (codec != only_codec && (only_codec != UINT8_MAX || !codec))
			continue;
		fill_pages(raw, 3, codec);
		c.codec = codec;
		c.offset = smallimage_place[PART_DATA].offset + p->n[PART_DATA];
		c.stored = (uint32_t)compress(codec, raw, sizeof(raw),
					      p->b[PART_DATA] + p->n[PART_DATA]);
		p->n[PART_DATA] += (uint16_t)c.stored;
		p->chunks++;
		p->stored += c.stored;
		index_segment_add(&seg, &c);
	}
	p->n[PART_SEGMENT] = (uint16_t)index_segment_finish(&seg);
	memcpy(p->b[PART_SEGMENT], seg.buf, p->n[PART_SEGMENT]);
	directory_encode(&place, 1, nonce, false, p->b[PART_DIRECTORY]);
	p->n[PART_DIRECTORY] = (uint16_t)directory_bytes(1, false);
}

static void make_header(struct parts *p, bool dump, enum free_fill fill)
{
	struct hostinfo h = dump ? sample_dump() : sample_host();
	struct elffile f = elffile_new(0);
	size_t from = put_notes(&f), n = f.n - from;

	if (dump) {
		p->n[PART_DATA] = (uint16_t)align_up(p->n[PART_DATA], PAGE_BYTES);
		h.notes.offset = smallimage_place[PART_DATA].offset + p->n[PART_DATA];
		h.notes.length = (uint32_t)n;
		memcpy(p->b[PART_DATA] + p->n[PART_DATA], f.b + from, n);
		p->n[PART_DATA] += (uint16_t)n;
	} else { /* so small that a restore takes no time */
		h.memory = (struct range_list){
			2, {{0, 0x9fc00, RANGE_RAM}, {0x100000, 0x400000, RANGE_RAM}}};
		h.windows = (struct range_list){1, {{0x380000, 0x400000, RANGE_RAM}}};
		h.main_window = h.windows.r[0];
		h.jump_entry = 0x200123;
		h.report[0] = h.report[1] = h.report[2] = h.report[3] = 0;
	}
	h.free_fill = fill;
	p->n[PART_HEADER] = (uint16_t)hostinfo_encode(&h, p->b[PART_HEADER]);
	elffile_free(&f);
}

static void put_image(const struct parts *p, uint8_t flags)
{
	static uint8_t b[SMALLIMAGE_HEAD + PARTS * 65536];
	size_t n = SMALLIMAGE_HEAD;

	b[0] = flags;
	for (int i = 0; i < PARTS; i++) {
		le16_t length = le16_of(p->n[i]);

		memcpy(b + 1 + 2 * i, &length, 2);
		memcpy(b + n, p->b[i], p->n[i]);
		n += p->n[i];
	}
	put2("fuzz_image", b, n, "", 0);
}

/* All right by itself; end: of the image. */
static void make_slot(struct parts *p, uint64_t end)
{
	struct slot s = sample_slot(SLOT_VALID);
	uint8_t slot[SLOT_BYTES];

	s.image_end = end;
	s.data_pages = 3 * p->chunks;
	s.zero_pages = 7 * p->chunks;
	s.fill_pages = 3 * p->chunks;
	s.raw_bytes = s.data_pages * PAGE_BYTES;
	s.stored_bytes = p->stored;
	slot_encode(&s, slot);
	p->n[PART_SLOT] = 256;
	memcpy(p->b[PART_SLOT], slot, 256);
}

static void images(void)
{
	for (unsigned int i = 0; i < 8; i++) {
		static struct parts p;

		memset(&p, 0, sizeof(p));
		make_chunks(&p, i < 4 ? (uint8_t)i : UINT8_MAX);
		make_header(&p, i % 2, (enum free_fill)(i % 4));
		make_slot(&p, SMALLIMAGE_BYTES);
		put_image(&p, i & 4 ? SMALLIMAGE_IN_B : 0);
		put_image(&p, SMALLIMAGE_VERIFY);
		put_image(&p, SMALLIMAGE_SALVAGE);
		make_slot(&p, 2 * SMALLIMAGE_BYTES); /* cut off */
		put_image(&p, SMALLIMAGE_KEEP_COUNTS);
	}
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: seeds FOLDER\n");
		return 1;
	}
	folder = argv[1];
	slots();
	located();
	seal_slots();
	headers();
	indexes();
	chunks();
	elfs();
	images();
	return 0;
}
