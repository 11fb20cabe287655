/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Faults planted, each found: the first note taken whatever its type; padding
 * forgotten; a note that is cut off read past its end (SAN=1). */
#include "unit.h"

#include "host/checks/freefill.c"
#include "host/checks/kconfig.c"
#include "host/checks/machine.c"
#include "host/checks/unpack.c"

static const uint8_t notes[] = {
	4, 0, 0, 0, 1, 0, 0, 0, 6, 0, 0, 0, 'G', 'N', 'U', 0, 7,    0,	  0,	0,
	4, 0, 0, 0, 4, 0, 0, 0, 3, 0, 0, 0, 'G', 'N', 'U', 0, 0xde, 0xad, 0xbe, 0x0f,
};

static void test_build_id(void **state)
{
	char id[41];

	(void)state;
	machine_build_id(notes, sizeof(notes), id);
	assert_string_equal(id, "deadbe0f");
	for (size_t n = 0; n < sizeof(notes); n++) {
		uint8_t *copy = unit_copy(notes, n);

		machine_build_id(copy, n, id);
		assert_string_equal(id, "");
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_build_id),
	};

	return cmocka_run_group_tests_name("machine", tests, NULL, NULL);
}
