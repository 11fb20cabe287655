/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Planted faults that made it fail: a name found in the middle of a line; hex
 * read as decimal; the text's length trusted. */
#include "unit.h"

#include "base/bytes.h"
#include "memory/vmcoreinfo.h"

#include <string.h>

static const char text[] =
	"OSRELEASE=6.12.117\nBUILD-ID=00ff\nSYMBOL(init_top_pgt)=ffffffff8a009000\n"
	"NUMBER(phys_base)=-4194304\nXSIZE(page)=65\nSIZE(page)=64\n"
	"KERNELOFFSET=9000000\nNUMBER(bad)=x\n";

/* An ELF note with this name and text; returns its size. */
static size_t make_note(uint8_t *out, const char *name, uint32_t text_bytes)
{
	le32_t header[3] = {le32_of((uint32_t)strlen(name) + 1), le32_of(text_bytes), le32_of(0)};

	memcpy(out, header, sizeof(header));
	memcpy(out + 12, name, strlen(name) + 1);
	memcpy(out + 24, text, sizeof(text) - 1);
	return 24 + sizeof(text) - 1;
}

static void reads_lines(void **state)
{
	uint8_t note[1024];
	struct vmcoreinfo v;
	char release[16];
	int64_t x;

	(void)state;
	assert_ok(vmcoreinfo_parse(note, make_note(note, "VMCOREINFO", sizeof(text) - 1), &v));
	assert_true(vmcoreinfo_get(&v, "SYMBOL(init_top_pgt)", &x));
	assert_int_equal((uint64_t)x, 0xffffffff8a009000);
	assert_true(vmcoreinfo_get(&v, "NUMBER(phys_base)", &x));
	assert_int_equal(x, -4194304);
	assert_true(vmcoreinfo_get(&v, "SIZE(page)", &x));
	assert_int_equal(x, 64);
	assert_true(vmcoreinfo_get(&v, "KERNELOFFSET", &x));
	assert_int_equal(x, 0x9000000);
	assert_false(vmcoreinfo_get(&v, "SIZE(folio)", &x));
	assert_false(vmcoreinfo_get(&v, "SIZE", &x));
	assert_false(vmcoreinfo_get(&v, "NUMBER(bad)", &x));
	assert_true(vmcoreinfo_text(&v, "OSRELEASE", release, sizeof(release)));
	assert_string_equal(release, "6.12.117");
	assert_false(vmcoreinfo_text(&v, "OSRELEASE", release, 8)); /* does not fit */
}

static void refuses_other_bytes(void **state)
{
	uint8_t note[1024];
	struct vmcoreinfo v;
	size_t n = make_note(note, "VMCOREINFO", sizeof(text) - 1);

	(void)state;
	for (size_t i = 0; i < n; i++)
		assert_err(vmcoreinfo_parse(note, i, &v), ERR_FORMAT);
	n = make_note(note, "VMCOREINFX", sizeof(text) - 1);
	assert_err(vmcoreinfo_parse(note, n, &v), ERR_FORMAT);
	n = make_note(note, "VMCOREINFO", UINT32_MAX);
	assert_err(vmcoreinfo_parse(note, n, &v), ERR_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_lines),
		cmocka_unit_test(refuses_other_bytes),
	};

	return cmocka_run_group_tests_name("vmcoreinfo", tests, NULL, NULL);
}
