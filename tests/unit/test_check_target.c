/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is said of a target before anything is frozen, its room above all. Faults planted,
 * each found: the estimate of none as if it were compressed; free pages left out of the worst
 * case where they are saved; what helps told of another kind, or another target proposed
 * beside one that is there; an obstacle made of what may fit; nothing said of what does not
 * fit at worst; a plain image taken beneath dm-crypt.
 */
#include "unit.h"

#include "host/checks/check.h"
#include "tempfile.h"

#include "host/checks/finding.c"
#include "host/checks/imagesize.c"

#include "host/checks/check_target.c"

bool stack_is_disk(dev_t dev)
{
	return dev == 0x801;
}

bool stablename_better(const char *device, char *out, size_t n)
{
	(void)device, (void)out, (void)n;
	return false;
}

err_t luksvolume_check(const char *device)
{
	(void)device;
	return NULL;
}

err_t luksvolume_check_free(const char *device)
{
	(void)device;
	return NULL;
}

const char *location_device(const struct location *l)
{
	return l->name;
}

bool location_is_located(const struct location *l)
{
	return l->kind != LOCATION_DEVICE && l->kind != LOCATION_LUKS;
}

const char *location_what(const struct location *l)
{
	(void)l;
	return "what it is";
}

err_t location_check_pin(const struct location *l, const struct pins *pins)
{
	(void)l, (void)pins;
	return NULL;
}

err_t location_check_ext(const struct location *l, const struct pins *pins)
{
	(void)l, (void)pins;
	return NULL;
}

err_t held_open(const char *name, bool writable, struct held *h)
{
	(void)name, (void)writable;
	memset(h, 0, sizeof(*h));
	return NULL;
}

void held_close(struct held *h)
{
	(void)h;
}

err_t foreign_check(const char *path, bool own_locator)
{
	(void)path, (void)own_locator;
	return NULL;
}

static struct config config;

/* 4096 MiB of RAM, 1024 of them in use: 1024 + 16 + 8 at worst, 16 + 8 at least. */
#define WORST 1048
#define LEAST 24

static struct preflight *machine(enum location_kind kind, uint64_t room)
{
	static struct preflight p;

	config_init(&config);
	assert_ok(config_add_target(&config, "/the/target"));
	memset(&p, 0, sizeof(p));
	p.config = &config;
	p.host.memory.count = 1;
	p.host.memory.r[0] = (struct range){0, 4096 * MIB, RANGE_RAM};
	p.host.vmcoreinfo = 4096;
	p.mem_total = 4000 * MIB;
	p.mem_free = 3072 * MIB;
	p.location.kind = kind;
	p.location.dev = 0x801;
	p.location.room = room;
	strcpy(p.location.name, "/the/target");
	return &p;
}

static void expect(const struct preflight *p, enum finding_level level, const char *text)
{
	struct finding f = {0};

	check_target_size(p, &f);
	if (f.level != level || strcmp(f.text, text))
		fail_msg("level %d, \"%s\"", f.level, f.text);
}

static void test_kinds(void **state)
{
	static const struct {
		enum location_kind kind;
		const char *helps;
	} kinds[] = {
		{LOCATION_DEVICE, "a larger partition"},
		{LOCATION_LUKS, "a larger partition"},
		{LOCATION_SWAP, "a larger swap area, or less in it"},
		{LOCATION_SWAPFILE, "a larger swap file, or less in it"},
		{LOCATION_FILE, "removing the file and \"dormouse setup --size\""},
	};
	static const struct {
		uint64_t room;
		enum finding_level level;
		const char *is, *has;
	} sizes[] = {
		{LEAST * MIB - 1, FINDING_REFUSE, "is", "23"},
		{LEAST * MIB, FINDING_WARN, "is probably", "24"},
		{WORST / 2 * MIB - 1, FINDING_WARN, "is probably", "523"},
		{WORST / 2 * MIB, FINDING_WARN, "may be", "524"}, /* the estimate fits */
		{WORST * MIB - 1, FINDING_WARN, "may be", "1047"},
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		for (size_t k = 0; k < ARRAY_LEN(sizes); k++) {
			snprintf(text, sizeof(text),
				 "the target /the/target %s too small: it has room for %s MiB, "
				 "the image takes some 524 MiB, at worst 1048. What would help: "
				 "%s, another target beside it, or fewer programs",
				 sizes[k].is, sizes[k].has, kinds[i].helps);
			expect(machine(kinds[i].kind, sizes[k].room), sizes[k].level, text);
		}
		expect(machine(kinds[i].kind, WORST * MIB), FINDING_OK,
		       "/the/target has room for 1048 MiB; the image takes some 524 MiB, at worst "
		       "1048");
	}
}

/* Nothing is compressed, or perhaps nothing. */
static void test_codecs(void **state)
{
	struct preflight *p = machine(LOCATION_DEVICE, WORST * MIB - 1);

	(void)state;
	strcpy(config.codec, "none");
	expect(p, FINDING_WARN,
	       "the target /the/target is probably too small: it has room for 1047 MiB, the image "
	       "takes some 1048 MiB, at worst 1048. What would help: a larger partition, a codec "
	       "that compresses, another target beside it, or fewer programs");
	strcpy(config.codec, "auto");
	expect(p, FINDING_WARN,
	       "the target /the/target is probably too small: it has room for 1047 MiB, the image "
	       "takes some 1048 MiB, at worst 1048. What would help: a larger partition, another "
	       "target beside it, or fewer programs");
	p->location.room = WORST * MIB;
	expect(p, FINDING_OK,
	       "/the/target has room for 1048 MiB; the image takes some 1048 MiB, at worst 1048");
}

/* All 4096 MiB: 64 more, and 8. */
static void test_free_saved(void **state)
{
	static const char text[] =
		"the target /the/target may be too small: it has room for 4167 MiB, the image "
		"takes some 2084 MiB, at worst 4168. What would help: a larger partition, another "
		"target beside it, or fewer programs";
	struct preflight *p = machine(LOCATION_DEVICE, 4168 * MIB - 1);

	(void)state;
	p->host.free_fill = FREE_FILL_SAVE;
	expect(p, FINDING_WARN, text);
	p->host.free_fill = FREE_FILL_NONE;
	p->host.vmcoreinfo = 0;
	expect(p, FINDING_WARN, text);
}

/* Where there is another, one that hardly suffices is not tried. */
static void test_others(void **state)
{
	struct preflight *p = machine(LOCATION_SWAP, 256 * MIB - 1);

	(void)state;
	assert_ok(config_add_target(&config, "/the/other"));
	expect(p, FINDING_REFUSE,
	       "the target /the/target is too small: it has room for 255 MiB, the image takes some "
	       "524 MiB, at worst 1048. What would help: a larger swap area, or less in it, or "
	       "fewer programs");
	p->location.room++;
	expect(p, FINDING_WARN,
	       "the target /the/target is probably too small: it has room for 256 MiB, the image "
	       "takes some 524 MiB, at worst 1048. What would help: a larger swap area, or less in "
	       "it, or fewer programs");
	strcpy(config.codec, "none");
	p->location.room = 512 * MIB - 1;
	expect(p, FINDING_REFUSE,
	       "the target /the/target is too small: it has room for 511 MiB, the image takes some "
	       "1048 MiB, at worst 1048. What would help: a larger swap area, or less in it, a "
	       "codec that compresses, or fewer programs");
	strcpy(config.codec, "lz4");
	/* Free pages that are saved may all be zeros. */
	p->location.room = 256 * MIB;
	p->host.free_fill = FREE_FILL_SAVE;
	expect(p, FINDING_WARN,
	       "the target /the/target is probably too small: it has room for 256 MiB, the image "
	       "takes some 2084 MiB, at worst 4168. What would help: a larger swap area, or less "
	       "in "
	       "it, or fewer programs");
	/* The last one has nothing behind it. */
	p = machine(LOCATION_SWAP, 256 * MIB - 1);
	assert_ok(config_add_target(&config, "/the/other"));
	p->candidate = 1;
	expect(p, FINDING_WARN,
	       "the target /the/target is probably too small: it has room for 255 MiB, the image "
	       "takes some 524 MiB, at worst 1048. What would help: a larger swap area, or less in "
	       "it, another target beside it, or fewer programs");
	strcpy(p->target_error, "it is not there");
	expect(p, FINDING_SKIP, "there is no target");
}

static void test_device(void **state)
{
	struct preflight *p = machine(LOCATION_SWAP, WORST * MIB);
	struct finding f = {0};
	struct tempfile disk;

	(void)state;
	tempfile_open(&disk, MIB);
	strcpy(p->location.disk.disk_name, disk.path);
	p->location.disk.encrypted = true;
	check_target_device(p, &f);
	assert_int_equal(f.level, FINDING_OK);
	assert_string_equal(f.text, "/the/target is what it is, beneath dm-crypt");
	config.encrypt = false;
	check_target_device(p, &f);
	assert_int_equal(f.level, FINDING_REFUSE);
	assert_non_null(strstr(f.text, "only an encrypted one may be"));
	assert_false(check_target_fits(p, &f));
	p->location.disk.encrypted = false;
	assert_true(check_target_fits(p, &f));
	tempfile_close(&disk);
	p->location.kind = LOCATION_DEVICE; /* on a stack that the writer does not see */
	p->location.dev = 0xfd00;
	check_target_device(p, &f);
	assert_int_equal(f.level, FINDING_REFUSE);
	assert_non_null(strstr(f.text, "is not a bare disk"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),	   cmocka_unit_test(test_codecs),
		cmocka_unit_test(test_free_saved), cmocka_unit_test(test_others),
		cmocka_unit_test(test_device),
	};

	return cmocka_run_group_tests_name("check_target", tests, NULL, NULL);
}
