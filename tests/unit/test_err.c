/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Planted faults that made it fail: context put behind the text, ENOSPC taken
 * for ERR_IO, errno overwritten before its text is taken. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>

static void text_and_kind(void **state)
{
	err_t e = err_new(ERR_CORRUPT, "chunk %d is %s", 7, "bad");

	(void)state;
	assert_int_equal(err_kind(e), ERR_CORRUPT);
	assert_string_equal(err_text(e), "chunk 7 is bad");
	e = err_context(e, "image on %s", "vda2");
	e = err_context(e, "resuming");
	assert_int_equal(err_kind(e), ERR_CORRUPT);
	assert_string_equal(err_text(e), "resuming: image on vda2: chunk 7 is bad");
	err_free(e);
	assert_null(err_context(NULL, "nothing"));
	err_free(NULL);
}

static void of_errno(void **state)
{
	static const struct {
		int no;
		enum err_kind kind;
	} cases[] = {{ENOSPC, ERR_NOSPACE}, {ENOMEM, ERR_NOMEM}, {EIO, ERR_IO}, {ENOENT, ERR_IO}};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		char want[128];
		err_t e;

		snprintf(want, sizeof(want), "writing x: %s", strerror(cases[i].no));
		errno = cases[i].no;
		e = err_errno("writing %s", "x");
		assert_int_equal(err_kind(e), cases[i].kind);
		assert_string_equal(err_text(e), want);
		err_free(e);
	}
}

/* Too long a text is cut, context first and whole. */
static void long_texts(void **state)
{
	char text[2000];
	err_t e;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	errno = EIO;
	e = err_errno("%s", text);
	assert_true(strlen(err_text(e)) < 600);
	e = err_context(e, "front");
	assert_int_equal(strncmp(err_text(e), "front: xxx", 10), 0);
	e = err_context(e, "%s", text);
	assert_true(strlen(err_text(e)) < 600);
	err_free(e);
}

static void first_of_two(void **state)
{
	err_t a = err_new(ERR_IO, "a"), b = err_new(ERR_IO, "b");

	(void)state;
	assert_ptr_equal(err_first(a, NULL), a);
	assert_ptr_equal(err_first(NULL, b), b);
	assert_ptr_equal(err_first(a, b), a); /* b is freed: the sanitizer's business */
	assert_null(err_first(NULL, NULL));
	err_free(a);
}

static void kind_names(void **state)
{
	(void)state;
	for (int k = ERR_IO; k <= ERR_ABORTED; k++) {
		assert_non_null(err_kind_name((enum err_kind)k));
		assert_string_not_equal(err_kind_name((enum err_kind)k), "unknown error");
	}
	assert_string_equal(err_kind_name(ERR_FORMAT), "not an image");
	assert_string_equal(err_kind_name((enum err_kind)0), "unknown error");
	assert_string_equal(err_kind_name((enum err_kind)99), "unknown error");
}

static err_t step(int fail, int *reached)
{
	TRY(fail ? err_new(ERR_IO, "step") : NULL);
	++*reached;
	return NULL;
}

static void try_returns(void **state)
{
	int reached = 0;

	(void)state;
	assert_ok(step(0, &reached));
	assert_err(step(1, &reached), ERR_IO);
	assert_int_equal(reached, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_and_kind), cmocka_unit_test(of_errno),
		cmocka_unit_test(long_texts),	 cmocka_unit_test(first_of_two),
		cmocka_unit_test(kind_names),	 cmocka_unit_test(try_returns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
