/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The ioctls are made up; "filesystems" are numbers, and what the child did is kept in memory
 * that it shares. Time goes a hundred times as fast. Faults planted, each found: no limit; what
 * gets frozen after it was given up left frozen; those after it frozen all the same; a child
 * that was killed taken for one that froze, or its filesystem not thawed; the child looking
 * for its files in memory that is wiped for it; processes thawed only after the child was
 * waited for; the child not reaped; what is frozen not thawed when a later one fails.
 */
#include "unit.h"

#include "keys/locked.h"

#include <errno.h>
#include <linux/fs.h>
#include <linux/suspend_ioctls.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SNAPSHOT 1000
#define FAST	 100

/* What happens to a filesystem, by its number. */
enum { GOOD, BUSY, FLAT, FLAT_BAD, BAD, STUCK, DEADLY };

static struct world {
	int fate[16];
	atomic_int frozen[16]; /* 1, 0; 2: by somebody else */
	atomic_int processes;  /* frozen */
	atomic_int tried;      /* FIFREEZE */
	atomic_int stays;      /* a stuck one does not even go on with processes thawed */
	atomic_int stuck;      /* waiting now */
} * world;

static int failed(int no)
{
	errno = no;
	return -1;
}

static int freeze_number(int n)
{
	struct timespec nap = {.tv_nsec = 100000};

	world->tried++;
	switch (world->fate[n]) {
	case BUSY:
		world->frozen[n] = 2;
		return failed(EBUSY);
	case FLAT:
	case FLAT_BAD:
		return failed(EOPNOTSUPP);
	case BAD:
		return failed(EIO);
	case STUCK:
		world->stuck++;
		while (world->processes || world->stays)
			nanosleep(&nap, NULL);
		world->stuck--;
		break;
	case DEADLY:
		world->frozen[n] = 1;
		raise(SIGKILL);
	}
	world->frozen[n] = 1;
	return 0;
}

static int fake_ioctl(int fd, unsigned long request, int zero)
{
	(void)zero;
	switch (request) {
	case FIFREEZE:
		return freeze_number(fd);
	case FITHAW:
		if (!world->frozen[fd])
			return failed(EINVAL);
		world->frozen[fd] = 0;
		return 0;
	case SNAPSHOT_FREEZE:
	case SNAPSHOT_UNFREEZE:
		assert_int_equal(fd, SNAPSHOT);
		world->processes = request == SNAPSHOT_FREEZE;
		return 0;
	}
	return failed(ENOTTY);
}

static int fake_syncfs(int fd)
{
	return world->fate[fd] == FLAT_BAD ? failed(EIO) : 0;
}

static int fake_usleep(unsigned int us)
{
	return nanosleep(&(struct timespec){.tv_nsec = us * 1000 / FAST}, NULL);
}

static int fake_clock(clockid_t id, struct timespec *t)
{
	uint64_t ns;

	clock_gettime(id, t);
	ns = ((uint64_t)t->tv_sec * 1000000000 + (uint64_t)t->tv_nsec) * FAST;
	t->tv_sec = (time_t)(ns / 1000000000);
	t->tv_nsec = (long)(ns % 1000000000);
	return 0;
}

static int fake_close(int fd)
{
	(void)fd;
	return 0;
}

/* cmocka would make a failed test of a child that crashes, in the child. */
static pid_t fake_fork(void)
{
	pid_t pid = fork();

	if (!pid) {
		signal(SIGSEGV, SIG_DFL);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	}
	return pid;
}

#include "host/session/warnings.h"

#define ioctl	      fake_ioctl
#define syncfs	      fake_syncfs
#define usleep	      fake_usleep
#define clock_gettime fake_clock
#define fork	      fake_fork
#define close	      fake_close

/* They would be this machine's. */
#define warnings_allow(folder, w)   ((void)(w))
#define warnings_restore(folder, w) ((void)(w))

#include "host/disks/mounts.c"
#include "host/freezer.c"

#include "host/freeze.c"

#undef close
#undef fork

static struct freeze *freeze;
static struct mount mounts[16];

static int begin(void **state)
{
	static const char *const paths[] = {"/0", "/1", "/2", "/3"};
	void *p;

	(void)state;
	world = mmap(NULL, sizeof(*world), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	assert_true(world != MAP_FAILED);
	/* As in a session. */
	assert_ok(locked_create(sizeof(*freeze), &p));
	freeze = p;
	freeze->snapshot = SNAPSHOT;
	for (int i = 0; i < 4; i++) {
		mounts[i].path = paths[i];
		freeze->fs[i].fd = i;
		freeze->fs[i].mount = &mounts[i];
	}
	freeze->count = 4;
	return 0;
}

static int end(void **state)
{
	(void)state;
	munmap(world, sizeof(*world));
	locked_destroy(freeze, sizeof(*freeze));
	return 0;
}

/* What freeze_all() does once they are opened. */
static err_t freeze_now(void)
{
	err_t e = freeze_processes(freeze);

	if (!e)
		e = freeze_filesystems(freeze);
	if (e)
		thaw_or_warn(freeze);
	return e;
}

static void expect_error(const char *text)
{
	err_t e = freeze_now();

	if (!e || !strstr(err_text(e), text))
		fail_msg("\"%s\", wanted \"%s\"", e ? err_text(e) : "no error", text);
	err_free(e);
}

static void expect_thawed(void)
{
	assert_false(world->processes);
	for (int i = 0; i < 16; i++)
		assert_int_not_equal(world->frozen[i], 1);
	/* No child is left, not even a dead one. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void all_kinds(void **state)
{
	(void)state;
	world->fate[1] = BUSY;
	world->fate[2] = FLAT;
	assert_ok(freeze_now());
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(world->tried, 4);
	assert_true(world->processes);
	assert_int_equal(world->frozen[0], 1);
	assert_int_equal(world->frozen[3], 1);
	assert_ok(freeze_thaw(freeze));
	expect_thawed();
	assert_int_equal(world->frozen[1], 2);
}

static void none(void **state)
{
	(void)state;
	freeze->count = 0;
	assert_ok(freeze_now());
	assert_ok(freeze_thaw(freeze));
	expect_thawed();
}

static void one_fails(void **state)
{
	(void)state;
	world->fate[1] = BAD;
	expect_error("on /1: Input/output error");
	assert_int_equal(world->tried, 2);
	expect_thawed();
}

static void cannot_be_synced(void **state)
{
	(void)state;
	world->fate[2] = FLAT_BAD;
	expect_error("on /2: Input/output error");
	assert_int_equal(world->tried, 3);
	expect_thawed();
}

/* A program in the middle of a write is frozen. */
static void one_waits(void **state)
{
	(void)state;
	world->fate[1] = STUCK;
	expect_error("on /1 cannot be frozen");
	assert_int_equal(world->tried, 2);
	expect_thawed();
}

/* And goes on in time. */
static void one_waits_a_little(void **state)
{
	pid_t other;

	(void)state;
	world->fate[1] = STUCK;
	world->stays = 1;
	other = fake_fork();
	if (!other) {
		while (!world->stuck || !world->processes)
			nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
		nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL); /* 5 s */
		world->fate[1] = GOOD;
		world->processes = 0;
		world->stays = 0;
		_exit(0);
	}
	assert_ok(freeze_now());
	assert_int_equal(waitpid(other, NULL, 0), other);
	assert_int_equal(world->frozen[1], 1);
	assert_ok(freeze_thaw(freeze));
	expect_thawed();
}

/* It does not answer even then: we go on, and the child cleans up when it can. */
static void one_stays(void **state)
{
	(void)state;
	world->fate[2] = STUCK;
	world->stays = 1;
	expect_error("on /2 cannot be frozen");
	assert_non_null(strstr(log_tail(), "still being frozen"));
	assert_false(world->processes);
	assert_int_equal(world->frozen[0] + world->frozen[1], 0);
	assert_int_equal(world->stuck, 1);
	world->stays = 0;
	assert_true(waitpid(-1, NULL, 0) > 0);
	assert_int_equal(world->tried, 3);
	expect_thawed();
}

static void child_killed(void **state)
{
	(void)state;
	world->fate[1] = DEADLY;
	expect_error("on /1 was killed");
	expect_thawed();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_kinds, begin, end),
		cmocka_unit_test_setup_teardown(none, begin, end),
		cmocka_unit_test_setup_teardown(one_fails, begin, end),
		cmocka_unit_test_setup_teardown(cannot_be_synced, begin, end),
		cmocka_unit_test_setup_teardown(one_waits, begin, end),
		cmocka_unit_test_setup_teardown(one_waits_a_little, begin, end),
		cmocka_unit_test_setup_teardown(one_stays, begin, end),
		cmocka_unit_test_setup_teardown(child_killed, begin, end),
	};

	return cmocka_run_group_tests_name("freezer", tests, NULL, NULL);
}
