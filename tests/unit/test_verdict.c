/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Faults planted, each found: VALID with a damaged twin resumed; RESUMING
 * resumed; failed_resumes ignored; WRITING resumed;
 * not marked beside a damaged twin.
 */
#include "unit.h"

#include "resume/verdict.c"

static const struct {
	enum slot_state state;
	bool twin_good;
	unsigned int failed;
	bool retry;
	int kind; /* 0: no error */
	bool resume, says;
} cases[] = {
	{SLOT_EMPTY, true, 0, false, 0, false, false},
	{SLOT_EMPTY, false, 0, false, 0, false, false},
	{SLOT_RETIRED, true, 0, false, 0, false, false},
	{SLOT_RETIRED, false, 1, true, 0, false, false},
	{SLOT_WRITING, true, 0, true, 0, false, true},
	{SLOT_WRITING, false, 0, true, ERR_CORRUPT, false, false},
	{SLOT_RESUMING, true, 0, false, ERR_REFUSED, false, false},
	{SLOT_RESUMING, true, 1, true, ERR_REFUSED, false, false},
	{SLOT_VALID, true, 0, false, 0, true, false},
	{SLOT_VALID, false, 0, false, ERR_CORRUPT, false, false},
	{SLOT_VALID, false, 0, true, ERR_CORRUPT, false, false},
	{SLOT_VALID, true, 1, false, ERR_REFUSED, false, false},
	{SLOT_VALID, true, 1, true, 0, true, false},
	{(enum slot_state)9, true, 0, false, ERR_UNSUPPORTED, false, false},
};

static void test_decide(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct commit c = {
			.slot = {.state = cases[i].state,
				 .failed_resumes = cases[i].failed,
				 .reason = "why"},
			.twin_good = cases[i].twin_good,
		};
		const char *said;
		bool resume, marks = cases[i].state == SLOT_VALID && !cases[i].failed;
		err_t e = verdict_decide(&c, cases[i].retry, &resume, &said);

		if ((e ? (int)err_kind(e) : 0) != cases[i].kind || resume != cases[i].resume ||
		    (said != NULL) != cases[i].says)
			fail_msg("case %zu: %s", i, e ? err_text(e) : "no error");
		assert_int_equal(verdict_marks(&c), marks);
		if (cases[i].state == SLOT_VALID && cases[i].failed && e)
			assert_non_null(strstr(err_text(e), "why"));
		err_free(e);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decide),
	};

	return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
