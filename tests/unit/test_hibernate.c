/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * In what order the writer gives up: what can fail is tried while a reboot, or a panic,
 * still brings the session back.
 *
 * Planted faults that made it fail: the image given up before the way back was loaded;
 * a reboot instead of a panic when there is none; a panic not armed again after VALID;
 * a panic when the image may be valid.
 */
#include "unit.h"

#include "imagewriter/hibernate.c"

#include <setjmp.h>

static struct {
	jmp_buf out;
	char done[256];
	bool retired, loads, arms;
	enum report_result reported;
} machine;

static void did(const char *what)
{
	strcat(machine.done, machine.done[0] ? " " : "");
	strcat(machine.done, what);
}

static err_t fails(const char *what)
{
	return err_new(ERR_IO, "%s: planted", what);
}

/* The parts that are not looked at. */
void console_init(struct console *c, const char *verb, bool keys)
{
	(void)c, (void)verb, (void)keys;
}

err_t console_tick(void *arg, const struct image_progress *progress)
{
	(void)arg, (void)progress;
	return NULL;
}

void console_deinit(struct console *c, const struct image_progress *progress)
{
	(void)c, (void)progress;
}

void memwatch_init(struct memwatch *m)
{
	(void)m;
}

void memwatch_tick(struct memwatch *m)
{
	(void)m;
}

void memwatch_log(const struct memwatch *m)
{
	(void)m;
}

err_t device_find(const struct handoff *h, struct target *out)
{
	(void)h, (void)out;
	return fails("device");
}

err_t secrets_seal(struct handoff *h, struct image_seal **out)
{
	(void)h, (void)out;
	return fails("secrets");
}

void secrets_forget_seal(struct image_seal **s)
{
	(void)s;
}

void watchdog_begin(struct watchdog *w, uint32_t host_timeout)
{
	(void)w, (void)host_timeout;
}

void rescue_leave_word(struct hostmem *mem, const struct hostinfo *host)
{
	(void)mem, (void)host;
}

err_t rescue_disarm(void)
{
	return NULL;
}

/* Those that are. */
bool giveup(const struct target *t, struct commit *c, const struct slot *slot, bool valid_begun,
	    const char *reason)
{
	(void)t, (void)c, (void)slot, (void)valid_begun, (void)reason;
	did(machine.retired ? "retired" : "kept");
	return machine.retired;
}

err_t host_report(struct hostmem *mem, const struct hostinfo *info, const struct report *report)
{
	(void)mem, (void)info;
	did("report");
	machine.reported = report->result;
	return NULL;
}

err_t host_prepare_jump(uint64_t trampoline, uint64_t entry, const struct range_list *windows,
			const struct watchdog *watchdog)
{
	(void)trampoline, (void)windows, (void)watchdog;
	assert_int_equal(entry, 0x1234);
	did(machine.loads ? "loaded" : "not-loaded");
	return machine.loads ? NULL : fails("loading the way back");
}

/* A jump that is made does not return; here it always does, so what follows is seen too. */
err_t host_jump(void)
{
	did("jump");
	return fails("the jump");
}

err_t rescue_arm(struct hostmem *mem, const struct handoff *h, uint64_t entry,
		 const struct watchdog *watchdog)
{
	(void)mem, (void)h, (void)watchdog;
	assert_int_equal(entry, 0x1234);
	did(machine.arms ? "armed" : "not-armed");
	return machine.arms ? NULL : fails("arming");
}

void rescue_panic(void)
{
	did("panic");
	longjmp(machine.out, 1);
}

void power_reboot(unsigned int after_seconds)
{
	(void)after_seconds;
	did("reboot");
	longjmp(machine.out, 1);
}

void power_off(void)
{
	did("off");
	longjmp(machine.out, 1);
}

/* In a static place: it is looked at after longjmp. */
static struct hibernating *begin(bool retired, bool loads)
{
	static struct handoff h;
	static struct hibernating r;

	memset(&machine, 0, sizeof(machine));
	machine.retired = retired;
	machine.loads = loads;
	machine.arms = true;
	r = (struct hibernating){.h = &h, .mem_open = true, .target_open = true};
	return &r;
}

static void assert_gives_up(struct hibernating *r, const char *wanted)
{
	if (!setjmp(machine.out))
		give_up(r, fails("writing"), 0x1234);
	assert_string_equal(machine.done, wanted);
}

static void assert_comes_back(struct hibernating *r, const char *wanted)
{
	if (!setjmp(machine.out))
		come_back(r, 0x1234);
	assert_string_equal(machine.done, wanted);
}

static void test_come_back(void **state)
{
	(void)state;
	assert_comes_back(begin(true, true), "loaded retired report jump armed panic");
	assert_int_equal(machine.reported, REPORT_RETURNED);
	/* The image stays, and is resumed. */
	assert_comes_back(begin(true, false), "not-loaded reboot");
	assert_comes_back(begin(false, true), "loaded kept reboot");
}

static void test_give_up(void **state)
{
	struct hibernating *r = begin(true, true);

	(void)state;
	r->armed = true;
	assert_gives_up(r, "retired report loaded jump panic");
	assert_int_equal(machine.reported, REPORT_FAILED);
	r = begin(true, false);
	r->armed = true;
	assert_gives_up(r, "retired report not-loaded panic");
}

/* When it is not armed any more, or not yet. */
static void test_give_up_disarmed(void **state)
{
	struct hibernating *r = begin(true, false);

	(void)state;
	r->valid_begun = true;
	assert_gives_up(r, "retired report not-loaded armed panic");
	r = begin(true, false);
	machine.arms = false;
	assert_gives_up(r, "retired report not-loaded not-armed panic");
	r = begin(true, false);
	r->mem_open = false;
	assert_gives_up(r, "retired not-loaded panic");
}

static void test_may_be_valid(void **state)
{
	struct hibernating *r = begin(false, true);

	(void)state;
	r->valid_begun = true;
	r->armed = true;
	assert_gives_up(r, "kept reboot");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_come_back),
		cmocka_unit_test(test_give_up),
		cmocka_unit_test(test_give_up_disarmed),
		cmocka_unit_test(test_may_be_valid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
