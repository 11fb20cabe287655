/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How long a boot waits for which targets; time goes by as it is told here. Faults planted,
 * each found: a wait where all are there; one that ends early; what only somebody opens later
 * waited for; a wait without anybody at the console that ends at once; the key not heeded; one
 * that comes while somebody is asked not seen.
 */
#include "unit.h"

#include "resume/ask.h"
#include "resume/pinned.h"

#include <unistd.h>

/* Names that are there from this tenth of a second on. */
static struct {
	const char *name;
	unsigned int from;
} names[2];

static unsigned int tenths, pin_from;
static int answered; /* what asking gives: at once, unless it is ASK_NOBODY or ASK_SETTLED */
static unsigned int asked, limit;
static char said[512];

static int fake_access(const char *name, int mode)
{
	(void)mode;
	for (size_t i = 0; i < 2; i++)
		if (names[i].name && !strcmp(name, names[i].name))
			return tenths >= names[i].from ? 0 : -1;
	return -1;
}

static int fake_usleep(unsigned int us)
{
	assert_int_equal(us, 100000);
	tenths++;
	return 0;
}

bool pinned_is_there(const struct disk_where *where, const struct pin *pin)
{
	(void)where, (void)pin;
	return tenths >= pin_from;
}

int ask_console(const struct question *q, int seconds)
{
	asked++;
	limit = (unsigned int)seconds;
	snprintf(said, sizeof(said), "%s", q->text);
	if (answered > 0 || answered == ASK_NO_CONSOLE)
		return answered;
	for (int i = 0; i < seconds * 10; i++) {
		if (q->settled(q->ctx))
			return ASK_SETTLED;
		tenths++;
	}
	return ASK_NOBODY;
}

void ask_add(struct question *q, char key, const char *says)
{
	q->choices[q->count].key = key;
	q->choices[q->count++].text = says;
}

#define access fake_access
#define usleep fake_usleep
#include "resume/waiting.c"

#define NEVER 100000u

static struct options o;

static int setup(void **state)
{
	(void)state;
	memset(&o, 0, sizeof(o));
	memset(names, 0, sizeof(names));
	tenths = asked = limit = 0;
	pin_from = NEVER;
	answered = ASK_NOBODY;
	o.wait_seconds = 30;
	log_init("test");
	return 0;
}

static void target(const char *name, const char *device, unsigned int from)
{
	strcpy(o.targets[o.target_count], name);
	names[o.target_count].name = device;
	names[o.target_count++].from = from;
}

static void waits(unsigned int expected)
{
	waiting_for_targets(&o);
	assert_int_equal(tenths, expected);
}

static void test_there(void **state)
{
	(void)state;
	waits(0);
	target("/dev/vdb", "/dev/vdb", 0);
	target("luks:/dev/vdc1", "/dev/vdc1", 0);
	waits(0);
	assert_int_equal(asked, 0);
	names[1].from = 17;
	waits(17);
	assert_int_equal(asked, 0);
}

static void test_late(void **state)
{
	(void)state;
	target("/dev/vdb", "/dev/vdb", 0);
	target("/dev/disk/by-id/stick", "/dev/disk/by-id/stick", 200);
	waits(200);
	assert_int_equal(asked, 1);
	assert_int_equal(limit, 27);
	assert_non_null(strstr(said, "waiting for /dev/disk/by-id/stick,"));
	assert_true(waiting_is_there(&o, 1));
}

static void test_gone(void **state)
{
	(void)state;
	target("/dev/vdb", "/dev/vdb", NEVER);
	waits(300);
	assert_false(waiting_is_there(&o, 0));
	tenths = 0;
	answered = KEY_GO_ON;
	waits(30);
	tenths = 0;
	answered = ASK_NO_CONSOLE;
	waits(300);
	tenths = 0;
	o.wait_seconds = 2;
	asked = 0;
	waits(20);
	assert_int_equal(asked, 0);
}

/* These nobody opens before this program ends, or their pins are what is waited for. */
static void test_others(void **state)
{
	(void)state;
	target("/var/lib/dormouse.img", NULL, NEVER);
	target("/dev/mapper/swap", NULL, NEVER);
	waits(0);
	o.pins.count = 1;
	strcpy(o.pins.pins[0].target, "/dev/mapper/swap");
	o.pins.pins[0].kind = PIN_LOCATOR;
	pin_from = 50;
	waits(50);
	/* Of swap on a partition the name as well. */
	strcpy(o.targets[0], "/dev/vda3");
	strcpy(o.pins.pins[0].target, "/dev/vda3");
	names[0].name = "/dev/vda3";
	names[0].from = 90;
	waits(90);
}

#define WAITING_TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WAITING_TEST(test_there),
		WAITING_TEST(test_late),
		WAITING_TEST(test_gone),
		WAITING_TEST(test_others),
	};

	return cmocka_run_group_tests_name("waiting", tests, NULL, NULL);
}
