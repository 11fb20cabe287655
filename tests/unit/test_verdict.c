/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Faults planted, each found: VALID with a damaged twin resumed unasked; RESUMING
 * resumed by dormouse.retry; failed_resumes ignored; WRITING beside an unreadable twin taken for
 * nothing; damage asked about again and again; a reboot without count or end; a forged image taken
 * for a damaged one, or offered for another try; a person's answer not waited for; page 0 of
 * a swap area not asked; a failure counted where no image is VALID; a LUKS partition that was
 * not opened taken for one without an image; damaged keyslots taken for a damaged image; what
 * was whole only at the second look resumed unasked; what nobody knows taken for nothing, or
 * rebooted for without an end.
 */
#include "unit.h"

#include "resume/verdict.c"

#define ASK	 OUTCOME_ASK
#define RESUME	 OUTCOME_RESUME
#define NOTHING	 OUTCOME_NOTHING
#define HOPELESS OUTCOME_HOPELESS
#define DAMAGED	 OUTCOME_DAMAGED
#define AGAIN	 VERDICT_AGAIN "why"

/* What there is, what fit_check says, and what becomes of it: by itself, and with
 * dormouse.retry. */
static const struct {
	enum slot_state state;
	bool twin_good, unreadable;
	unsigned int failed;
	const char *reason;
	int fit; /* kind of error; 0: none */
	enum outcome outcome, retried;
	bool may_try, waits;
} cases[] = {
	{SLOT_EMPTY, true, false, 0, "", 0, NOTHING, NOTHING, false, true},
	{SLOT_RETIRED, true, false, 0, "", 0, NOTHING, NOTHING, false, true},
	{SLOT_RETIRED, false, true, 1, "", 0, NOTHING, NOTHING, false, true},
	{SLOT_WRITING, true, false, 0, "", 0, NOTHING, NOTHING, false, true},
	{SLOT_WRITING, false, false, 0, "", 0, HOPELESS, HOPELESS, false, true},
	{SLOT_WRITING, false, true, 0, "", 0, ASK, ASK, false, true},
	{SLOT_RESUMING, true, false, 0, "", 0, ASK, ASK, true, true},
	{SLOT_RESUMING, false, true, 0, "", 0, ASK, ASK, true, true},
	{SLOT_RESUMING, true, false, 0, "", ERR_CORRUPT, DAMAGED, DAMAGED, false, false},
	{SLOT_RESUMING, true, false, 0, "", ERR_REFUSED, ASK, ASK, false, true},
	{SLOT_VALID, true, false, 0, "", 0, RESUME, RESUME, true, true},
	{SLOT_VALID, false, false, 0, "", 0, ASK, ASK, true, true},
	{SLOT_VALID, false, true, 0, "", 0, ASK, ASK, true, false},
	{SLOT_VALID, false, false, 0, "", ERR_CORRUPT, DAMAGED, DAMAGED, false, false},
	{SLOT_VALID, true, false, 1, "why", 0, ASK, RESUME, true, true},
	{SLOT_VALID, true, false, 2, AGAIN, 0, RESUME, RESUME, true, true},
	{SLOT_VALID, true, false, 0, "", ERR_REFUSED, ASK, ASK, false, false},
	{SLOT_VALID, true, false, 2, AGAIN, ERR_IO, ASK, ASK, false, false},
	{SLOT_VALID, true, false, 3, AGAIN, ERR_IO, ASK, ASK, false, true},
	{SLOT_VALID, true, false, 1, "why", ERR_NOMEM, ASK, ASK, false, false},
	{SLOT_VALID, true, false, 0, "", ERR_CORRUPT, DAMAGED, DAMAGED, false, false},
	{SLOT_VALID, true, false, 0, "", ERR_AUTH, ASK, ASK, false, true},
	{SLOT_RESUMING, true, false, 0, "", ERR_AUTH, ASK, ASK, false, true},
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct commit c = {
			.slot = {.state = cases[i].state, .failed_resumes = cases[i].failed},
			.twin_good = cases[i].twin_good,
			.unreadable = cases[i].unreadable,
		};
		err_t fit = cases[i].fit ? err_new((enum err_kind)cases[i].fit, "unfit") : NULL;
		struct verdict v;

		strcpy(c.slot.reason, cases[i].reason);
		verdict_of_slots(&c, &v);
		if (v.may_try)
			verdict_add_fit(&c, fit, &v);
		if (v.outcome != cases[i].outcome || v.may_try != cases[i].may_try)
			fail_msg("case %zu: outcome %d, may_try %d", i, v.outcome, v.may_try);
		if (v.outcome != NOTHING && v.outcome != RESUME && !v.text[0])
			fail_msg("case %zu: no reason", i);
		if (cases[i].fit && !strstr(v.text, "unfit"))
			fail_msg("case %zu: %s", i, v.text);
		if (verdict_waits(&v, &c, CONFIG_RESUME_REBOOT) != cases[i].waits)
			fail_msg("case %zu: waits", i);
		assert_false(verdict_waits(&v, &c, CONFIG_RESUME_DISCARD));
		assert_false(verdict_waits(&v, &c, CONFIG_RESUME_POWEROFF));
		verdict_retry(&v);
		if (v.outcome != cases[i].retried)
			fail_msg("case %zu: with retry %d", i, v.outcome);
		err_free(fit);
	}
}

/* Begun in one slot, beside what an older image has left: nothing is there, so nothing is
 * given up; unless that older one is an image still. */
static void test_begun_in_one(void **state)
{
	struct commit c = {.slot = {.state = SLOT_WRITING}, .twin_other = true};
	struct verdict v;

	(void)state;
	verdict_of_slots(&c, &v);
	assert_int_equal(v.outcome, NOTHING);
	c.holds_image = true;
	verdict_of_slots(&c, &v);
	assert_int_equal(v.outcome, HOPELESS);
}

/* A boot that was left for another one hands the image on; one that failed does not. */
static void test_reason(void **state)
{
	struct commit c = {.slot = {.state = SLOT_VALID}, .twin_good = true};
	err_t unfit = err_new(ERR_REFUSED, "unfit");
	struct verdict v;

	(void)state;
	assert_true(verdict_marks(&c));
	verdict_of_slots(&c, &v);
	verdict_add_fit(&c, unfit, &v);
	verdict_reason(&v, c.slot.reason);
	assert_string_equal(c.slot.reason, VERDICT_AGAIN "unfit");
	c.slot.failed_resumes = 1;
	assert_true(verdict_marks(&c));
	verdict_of_slots(&c, &v);
	assert_int_equal(v.outcome, RESUME);

	strcpy(c.slot.reason, "damaged");
	assert_false(verdict_marks(&c));
	verdict_of_slots(&c, &v);
	assert_non_null(strstr(v.text, "damaged"));
	verdict_add_fit(&c, unfit, &v);
	verdict_reason(&v, c.slot.reason);
	assert_null(strstr(c.slot.reason, VERDICT_AGAIN));
	c.slot.failed_resumes = 0;
	c.slot.state = SLOT_RESUMING;
	assert_false(verdict_marks(&c));
	c.slot.state = SLOT_RETIRED;
	assert_false(verdict_marks(&c));
	assert_non_null(strstr(c.slot.reason, "unfit; and at an earlier boot: damaged"));
	err_free(unfit);
}

/* Who mistyped is asked until there is an answer, whatever the configuration says of
 * nobody; and the image is as good as it was. */
static void test_locked(void **state)
{
	struct commit c = {.slot = {.state = SLOT_VALID}, .twin_good = true};
	err_t wrong = err_new(ERR_AUTH, "wrong passphrases");
	struct verdict v;

	(void)state;
	verdict_of_slots(&c, &v);
	verdict_add_locked(wrong, &v);
	assert_int_equal(v.outcome, ASK);
	assert_true(v.may_try);
	assert_non_null(strstr(v.text, "wrong passphrases"));
	assert_false(verdict_waits(&v, &c, CONFIG_RESUME_DISCARD));
	assert_true(verdict_waits(&v, &c, CONFIG_RESUME_REBOOT)); /* it would be the same */
	v.person = true;
	assert_true(verdict_waits(&v, &c, CONFIG_RESUME_DISCARD));
	assert_true(verdict_waits(&v, &c, CONFIG_RESUME_POWEROFF));
	verdict_reason(&v, c.slot.reason);
	c.slot.failed_resumes = 1;
	verdict_of_slots(&c, &v);
	assert_int_equal(v.outcome, RESUME);
	err_free(wrong);
}

/* The keyslots are damaged, or what opens them is missing: never given up for that. */
static void test_unopened(void **state)
{
	static const enum err_kind kinds[] = {ERR_CORRUPT, ERR_IO, ERR_REFUSED, ERR_AUTH};
	struct commit c = {.slot = {.state = SLOT_VALID}, .twin_good = true};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		err_t e = err_new(kinds[i], "not to be opened");
		struct verdict v;

		verdict_of_slots(&c, &v);
		verdict_add_unopened(&c, e, &v);
		assert_int_equal(v.outcome, ASK);
		assert_false(v.may_try);
		assert_non_null(strstr(v.text, "not to be opened"));
		/* For the first and the last no boot does better. */
		assert_int_equal(verdict_waits(&v, &c, CONFIG_RESUME_REBOOT),
				 kinds[i] == ERR_CORRUPT || kinds[i] == ERR_AUTH);
		err_free(e);
	}
}

/* Nobody could open it: asked, and waited for who typed, whatever the configuration says. */
static void test_closed(void **state)
{
	struct commit c = {.slot = {.state = SLOT_EMPTY}};
	err_t wrong = err_new(ERR_AUTH, "wrong passphrases");
	err_t none = err_new(ERR_FORMAT, "no image is marked");
	struct verdict v;

	(void)state;
	verdict_of_closed(wrong, true, &v);
	assert_int_equal(v.outcome, ASK);
	assert_true(v.may_try);
	assert_string_equal(v.text, "wrong passphrases");
	assert_true(verdict_waits(&v, &c, CONFIG_RESUME_DISCARD));
	verdict_of_closed(wrong, false, &v);
	assert_false(verdict_waits(&v, &c, CONFIG_RESUME_DISCARD));
	/* Another boot does no better, and cannot be counted. */
	assert_true(verdict_waits(&v, &c, CONFIG_RESUME_REBOOT));
	verdict_of_closed(none, false, &v);
	assert_int_equal(v.outcome, NOTHING);
	err_free(wrong);
	err_free(none);
}

/* Whole only at the second look: asked about, and another boot may be sure. */
static void test_doubt(void **state)
{
	struct commit c = {.slot = {.state = SLOT_VALID}, .twin_good = true};
	err_t first = err_new(ERR_CORRUPT, "a bit flipped");
	struct verdict v;

	(void)state;
	verdict_of_slots(&c, &v);
	verdict_add_doubt(first, &v);
	assert_int_equal(v.outcome, ASK);
	assert_true(v.may_try);
	assert_false(verdict_waits(&v, &c, CONFIG_RESUME_REBOOT));
	assert_non_null(strstr(v.text, "a bit flipped"));
	verdict_reason(&v, c.slot.reason);
	c.slot.failed_resumes = 1;
	verdict_of_slots(&c, &v);
	assert_int_equal(v.outcome, RESUME);
	err_free(first);
}

static void test_unknown(void **state)
{
	static const struct {
		enum err_kind kind;
		enum outcome outcome;
	} kinds[] = {
		{ERR_IO, OUTCOME_UNKNOWN},	{ERR_NOMEM, OUTCOME_UNKNOWN},
		{ERR_REFUSED, OUTCOME_UNKNOWN}, {ERR_INVALID, OUTCOME_UNKNOWN},
		{ERR_FORMAT, NOTHING},		{ERR_CORRUPT, NOTHING},
		{ERR_UNSUPPORTED, NOTHING},
	};
	struct commit c = {.slot = {.state = SLOT_EMPTY}};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		err_t e = err_new(kinds[i].kind, "not to be read");
		struct verdict v;

		verdict_of_unknown(e, &v);
		assert_int_equal(v.outcome, kinds[i].outcome);
		assert_false(v.may_try);
		assert_int_equal(v.text[0] != '\0', kinds[i].kind != ERR_FORMAT);
		verdict_retry(&v);
		assert_int_equal(v.outcome, kinds[i].outcome);
		err_free(e);
		if (v.outcome != OUTCOME_UNKNOWN)
			continue;
		assert_false(verdict_waits(&v, &c, CONFIG_RESUME_REBOOT));
		assert_int_equal(verdict_unanswered(&v, CONFIG_RESUME_REBOOT),
				 CONFIG_RESUME_DISCARD);
		assert_int_equal(verdict_unanswered(&v, CONFIG_RESUME_POWEROFF),
				 CONFIG_RESUME_POWEROFF);
	}
}

/* A swap area's page 0 must speak for the image, too. */
static void test_page0(void **state)
{
	static const struct {
		enum commit_page0 page0;
		enum slot_state state;
		enum outcome outcome;
		bool may_try, again;
	} pages[] = {
		{PAGE0_MARKED, SLOT_VALID, RESUME, true, false},
		{PAGE0_MARKED, SLOT_RESUMING, ASK, true, false},
		{PAGE0_SWAP, SLOT_VALID, HOPELESS, false, false},
		{PAGE0_SWAP, SLOT_RESUMING, HOPELESS, false, false},
		{PAGE0_OTHER, SLOT_VALID, HOPELESS, false, false},
		{PAGE0_UNREADABLE, SLOT_VALID, ASK, false, true},
		{PAGE0_SWAP, SLOT_RETIRED, NOTHING, false, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		struct commit c = {.slot = {.state = pages[i].state,
					    .features_incompat = SLOT_INCOMPAT_LOCATED},
				   .page0 = pages[i].page0,
				   .twin_good = true};
		struct verdict v;

		verdict_of_slots(&c, &v);
		if (v.outcome != pages[i].outcome || v.may_try != pages[i].may_try ||
		    v.again != pages[i].again)
			fail_msg("case %zu: outcome %d, may_try %d, again %d", i, v.outcome,
				 v.may_try, v.again);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),	cmocka_unit_test(test_begun_in_one),
		cmocka_unit_test(test_reason),	cmocka_unit_test(test_locked),
		cmocka_unit_test(test_closed),	cmocka_unit_test(test_unopened),
		cmocka_unit_test(test_page0),	cmocka_unit_test(test_doubt),
		cmocka_unit_test(test_unknown),
	};

	return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
