/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the restoring writer leaves in an image that it could not put back. Faults planted, each
 * found: the reason written over RESUMING, which makes it VALID again; none written.
 */
#include "commitfixture.h"

#define place place_image
#include "imagewriter/restore.c"

static struct fixture *fixture;
static struct target *opened;
static jmp_buf rebooted;

err_t device_find(const struct handoff *h, struct target *out)
{
	(void)h;
	opened = out;
	return target_open(out, fixture->file.path, true, false);
}

void power_reboot(unsigned int after_seconds)
{
	(void)after_seconds;
	target_close(opened); /* on the stack that is left now */
	longjmp(rebooted, 1);
}

err_t secrets_keys(struct handoff *h, struct image_keys **out)
{
	(void)h;
	(void)out;
	return NULL;
}

void secrets_forget_keys(struct image_keys **k)
{
	(void)k;
}

/* None of these is come to: there is no header in the image. */
#define NEVER(type, name, args)                                                                    \
	type name args                                                                             \
	{                                                                                          \
		abort();                                                                           \
	}
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
NEVER(void, watchdog_begin, (struct watchdog * w, uint32_t host_timeout))
NEVER(void, memwatch_init, (struct memwatch * m))
NEVER(void, memwatch_tick, (struct memwatch * m))
NEVER(void, memwatch_log, (const struct memwatch *m))
NEVER(void, console_init, (struct console * c, const char *verb, bool keys))
NEVER(err_t, console_tick, (void *arg, const struct image_progress *progress))
NEVER(void, console_deinit, (struct console * c, const struct image_progress *progress))
NEVER(err_t, host_report,
      (struct hostmem * mem, const struct hostinfo *info, const struct report *report))
NEVER(err_t, host_prepare_jump,
      (uint64_t trampoline, uint64_t entry, const struct range_list *windows,
       const struct watchdog *watchdog))
NEVER(err_t, host_jump, (void))
#pragma GCC diagnostic pop

static void run(struct fixture *f)
{
	static struct handoff h;

	fixture = f;
	if (!setjmp(rebooted))
		restore_run(&h);
}

/* The next boot asks, with the reason. */
static void test_valid(void **state)
{
	struct fixture *f = *state;

	make_valid(f);
	run(f);
	assert_ok(commit_load(&f->t, &f->c));
	assert_int_equal(f->c.slot.state, SLOT_VALID);
	assert_int_equal(f->c.slot.failed_resumes, 1);
	assert_true(f->c.slot.reason[0]);
}

/* Somebody has given it control since it was looked at: it stays what it is. */
static void test_resuming(void **state)
{
	struct fixture *f = *state;
	uint64_t generation;

	make_valid(f);
	assert_ok(commit_resuming(&f->t, &f->c));
	generation = f->c.slot.generation;
	run(f);
	assert_loaded(f, SLOT_RESUMING);
	assert_int_equal(f->c.slot.generation, generation);
	assert_int_equal(f->c.slot.failed_resumes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {COMMIT_TEST(test_valid), COMMIT_TEST(test_resuming)};

	return cmocka_run_group_tests_name("restore", tests, NULL, NULL);
}
