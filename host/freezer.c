/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/freezer.h"

#include <errno.h>
#include <linux/fs.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STEP_MS 1

struct freezing {
	size_t count;
	int fds[FREEZER_MAX];
	int errors[FREEZER_MAX]; /* valid once the state is FREEZER_FAILED */
	/* From FREEZER_PENDING by whoever is first: the child with what it has done, or the
	 * parent, which gives up. */
	_Atomic int states[FREEZER_MAX];
};

static bool decide(struct freezing *s, size_t i, enum freezer_state state)
{
	int pending = FREEZER_PENDING;

	return atomic_compare_exchange_strong(&s->states[i], &pending, (int)state);
}

static enum freezer_state freeze_one(int fd, int *error)
{
	*error = 0;
	if (!ioctl(fd, FIFREEZE, 0))
		return FREEZER_OURS;
	if (errno == EBUSY) /* somebody else's fsfreeze, who will thaw it too */
		return FREEZER_DONE;
	/* vfat and the like have no journal; what is dirty goes out */
	if (errno == EOPNOTSUPP && !syncfs(fd))
		return FREEZER_DONE;
	*error = errno;
	return FREEZER_FAILED;
}

/* In the child, until the first that fails or was given up meanwhile. */
static void freeze_each(struct freezing *s)
{
	for (size_t i = 0; i < s->count && s->states[i] == FREEZER_PENDING; i++) {
		enum freezer_state state = freeze_one(s->fds[i], &s->errors[i]);

		if (decide(s, i, state)) {
			if (state == FREEZER_FAILED)
				return;
			continue;
		}
		if (state == FREEZER_OURS)
			ioctl(s->fds[i], FITHAW, 0);
		return;
	}
}

err_t freezer_start(struct freezer *f, const int *fds, size_t count)
{
	struct freezing *s =
		mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (s == MAP_FAILED)
		return err_errno("mapping memory for what is frozen");
	f->shared = s;
	s->count = count;
	for (size_t i = 0; i < count; i++) {
		s->fds[i] = fds[i];
		s->states[i] = FREEZER_PENDING;
	}
	f->child = fork();
	if (!f->child) {
		freeze_each(s);
		_exit(0);
	}
	if (f->child > 0)
		return NULL;
	f->child = 0;
	return err_errno("starting a process that freezes filesystems");
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Has the child ended? */
static bool ended(struct freezer *f)
{
	if (f->child && waitpid(f->child, NULL, WNOHANG))
		f->child = 0;
	return !f->child;
}

enum freezer_state freezer_wait(struct freezer *f, size_t i, unsigned int limit_ms, int *error)
{
	struct freezing *s = f->shared;
	uint64_t until = now_ms() + limit_ms;

	while (s->states[i] == FREEZER_PENDING) {
		if (ended(f))
			decide(s, i, FREEZER_LOST);
		else if (now_ms() > until)
			decide(s, i, FREEZER_GIVEN_UP);
		else
			usleep(STEP_MS * 1000);
	}
	*error = s->errors[i];
	return (enum freezer_state)s->states[i];
}

bool freezer_end(struct freezer *f, unsigned int limit_ms)
{
	uint64_t until = now_ms() + limit_ms;
	bool gone;

	if (!f->shared)
		return true;
	while (!(gone = ended(f)) && now_ms() < until)
		usleep(STEP_MS * 1000);
	munmap(f->shared, sizeof(*f->shared));
	f->shared = NULL;
	f->child = 0;
	return gone;
}
