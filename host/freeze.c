/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/freeze.h"

#include "base/log.h"
#include "base/util.h"
#include "host/session/warnings.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/suspend_ioctls.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BUSY_TRIES 50 /* of 0.1 s */
#define SETTINGS   "/proc/sys/kernel"

err_t freeze_init(struct freeze *f)
{
	memset(f, 0, sizeof(*f));
	/* Read-only is the hibernating side (kernel/power/user.c, snapshot_open). */
	f->snapshot = open("/dev/snapshot", O_RDONLY | O_CLOEXEC);
	if (f->snapshot >= 0)
		return NULL;
	switch (errno) {
	case EBUSY:
		return err_new(ERR_REFUSED, "/dev/snapshot: somebody else is hibernating");
	case EPERM:
		return err_new(ERR_REFUSED,
			       "/dev/snapshot: the kernel does not allow hibernation now "
			       "(lockdown, nohibernate, secret memory or CXL memory)");
	case ENODEV:
		return err_new(ERR_REFUSED, "/dev/snapshot: CPU 0 is offline, or a driver refuses");
	case ENOENT:
		return err_new(ERR_REFUSED, "/dev/snapshot is not there: no "
					    "CONFIG_HIBERNATION_SNAPSHOT_DEV, or no udev");
	default:
		return err_errno("opening /dev/snapshot");
	}
}

/*
 * ioctl on /dev/snapshot. EBUSY at once means that a suspend or reboot is under
 * way and may pass; after a second, that processes did not freeze.
 */
static int snapshot_ioctl(const struct freeze *f, unsigned long request)
{
	for (int i = 0;; i++) {
		time_t before = time(NULL);

		if (!ioctl(f->snapshot, request, 0))
			return 0;
		if (errno != EBUSY || i == BUSY_TRIES || time(NULL) > before + 1)
			return -1;
		usleep(100000);
	}
}

static void close_filesystems(struct freeze *f)
{
	while (f->count)
		close(f->fs[--f->count].fd);
	mounts_free(&f->mounts);
}

/*
 * Is fd in that mount? Its path may be hidden under a later mount. Mount
 * ids tell, since a btrfs subvolume's st_dev is not its superblock's.
 */
static bool is_of_mount(int fd, const struct mount *m)
{
	struct statx sx;

	return !statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_MNT_ID, &sx) &&
	       (sx.stx_mask & STATX_MNT_ID) && sx.stx_mnt_id == m->id;
}

static err_t open_mount(const struct mount *m, int *out)
{
	int fd = open(m->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return err_errno("opening %s to freeze it", m->path);
	if (!is_of_mount(fd, m)) {
		close(fd);
		return err_new(ERR_REFUSED,
			       "%s on %s is hidden by another mount, so that it cannot "
			       "be frozen; unmount it",
			       m->source, m->path);
	}
	*out = fd;
	return NULL;
}

/* By any of its mounts; the first of all is number i. */
static err_t open_filesystem(struct freeze *f, size_t i)
{
	const struct mount *first = &f->mounts.m[i];
	err_t e = open_mount(first, &f->fs[f->count].fd);

	for (i++; e && i < f->mounts.count; i++) {
		const struct mount *m = &f->mounts.m[i];
		err_t other;

		if (m->superblock != first->superblock)
			continue;
		other = open_mount(m, &f->fs[f->count].fd);
		if (!other)
			err_free(e);
		e = other ? err_first(e, other) : NULL;
	}
	TRY(e);
	f->fs[f->count].ours = false;
	f->fs[f->count++].mount = first;
	return NULL;
}

/*
 * Opened before processes are frozen: an automounter may have to answer. In
 * the reverse order of mounting, so that a filesystem comes before those that
 * it is on (by a mount point, or by an image file behind a loop device). One that
 * was mounted anew since, beneath a loop device in use, comes too early: what is on
 * that one then does not get frozen in time, and the session goes on.
 */
static err_t open_filesystems(struct freeze *f)
{
	TRY(mounts_read(&f->mounts));
	for (size_t i = f->mounts.count; i-- > 0;) {
		const struct mount *m = &f->mounts.m[i];
		dev_t dev;

		/* FUSE: its process will be frozen, and its filesystem with it. */
		if (m->again || !mounts_on_disk(m, &dev) || !strncmp(m->type, "fuse", 4))
			continue;
		if (f->count == FREEZE_MAX)
			return err_new(ERR_REFUSED, "more than %d filesystems are mounted",
				       FREEZE_MAX);
		TRY(open_filesystem(f, i));
	}
	return NULL;
}

err_t freeze_check(void)
{
	CLEANUP_FREE struct freeze *f = calloc(1, sizeof(*f));
	err_t e;

	if (!f)
		return err_new(ERR_NOMEM, "no memory");
	e = open_filesystems(f);
	close_filesystems(f);
	return e;
}

/* It was synced twice before, and what was written since is little. Long enough for a slow disk
 * all the same, and no longer than a watchdog of the host's waits, which nobody feeds now. */
#define FREEZE_LIMIT_MS 30000
/* With processes thawed, it takes as long as they do. */
#define THAWED_LIMIT_MS 60000

static err_t freeze_filesystem(struct freeze *f, size_t i)
{
	const struct mount *m = f->fs[i].mount;
	int error;
	enum freezer_state state = freezer_wait(&f->freezer, i, FREEZE_LIMIT_MS, &error);

	f->frozen = i + 1;
	f->fs[i].ours = state == FREEZER_OURS || state == FREEZER_LOST;
	if (state == FREEZER_LOST)
		return err_new(ERR_IO, "the process that freezes the filesystem on %s was killed",
			       m->path);
	if (state == FREEZER_GIVEN_UP)
		return err_new(
			ERR_IO,
			"the filesystem on %s cannot be frozen: after %d s somebody is "
			"still writing to it. Often that is a program that was stopped while it "
			"waited for another one, as for a virus scanner that is asked about "
			"each file which is opened; or its disk does not answer",
			m->path, FREEZE_LIMIT_MS / 1000);
	errno = error;
	return state == FREEZER_FAILED ? err_errno("freezing the filesystem on %s", m->path) : NULL;
}

static err_t freeze_filesystems(struct freeze *f)
{
	int fds[FREEZE_MAX];

	for (size_t i = 0; i < f->count; i++)
		fds[i] = f->fs[i].fd;
	TRY(freezer_start(&f->freezer, fds, f->count));
	for (size_t i = 0; i < f->count; i++)
		TRY(freeze_filesystem(f, i));
	/* The jump's own freezing would leave it out too, and warn. */
	if (!freezer_end(&f->freezer, FREEZE_LIMIT_MS))
		return err_new(ERR_IO, "the process that froze the filesystems does not end");
	return NULL;
}

/*
 * kernel_kexec() has thawed processes on its way back and taken this task's
 * PF_SUSPEND_TASK away, while /dev/snapshot still counts them as frozen: its
 * thaw_processes() then prints one warning with a stack trace (6.12,
 * kernel/power/process.c) and does its work. There is no way around it without a
 * patch: the flag is only set by freezing, which /dev/snapshot does just once.
 */
static err_t thaw_processes(struct freeze *f)
{
	struct warnings w;
	int r, no;

	if (!f->processes)
		return NULL;
	/* That warning would end the session where the kernel panics at one. */
	warnings_allow(SETTINGS, &w);
	r = snapshot_ioctl(f, SNAPSHOT_UNFREEZE);
	no = errno;
	warnings_restore(SETTINGS, &w);
	errno = no;
	if (r)
		return err_errno("thawing processes");
	f->processes = false;
	return NULL;
}

static err_t freeze_processes(struct freeze *f)
{
	if (!snapshot_ioctl(f, SNAPSHOT_FREEZE)) {
		f->processes = true;
		return NULL;
	}
	if (errno == EBUSY)
		return err_new(ERR_IO, "a process does not let itself be frozen (the kernel's log "
				       "names it), or a wake-up event came");
	return err_errno("freezing processes");
}

static err_t thaw_filesystem(struct freeze *f, size_t i)
{
	if (!f->fs[i].ours)
		return NULL;
	f->fs[i].ours = false;
	if (ioctl(f->fs[i].fd, FITHAW, 0) && errno != EINVAL) /* it is not frozen */
		return err_errno("thawing the filesystem on %s (try: fsfreeze -u %s)",
				 f->fs[i].mount->path, f->fs[i].mount->path);
	return NULL;
}

err_t freeze_thaw(struct freeze *f)
{
	err_t e = NULL;

	while (f->frozen)
		e = err_first(e, thaw_filesystem(f, --f->frozen));
	e = err_first(e, thaw_processes(f));
	/* Not before: what it waits for may be a frozen process. */
	if (!freezer_end(&f->freezer, THAWED_LIMIT_MS))
		e = err_first(e, err_new(ERR_IO,
					 "a filesystem is still being frozen after %d s; a "
					 "process of dormouse's waits for that, to thaw it",
					 THAWED_LIMIT_MS / 1000));
	close_filesystems(f);
	return e;
}

static void thaw_or_warn(struct freeze *f)
{
	err_t e = freeze_thaw(f);

	if (e)
		log_warn("%s", err_text(e));
	err_free(e);
}

err_t freeze_all(struct freeze *f)
{
	err_t e = open_filesystems(f);

	if (!e)
		e = freeze_processes(f);
	if (!e)
		e = freeze_filesystems(f);
	if (e)
		thaw_or_warn(f);
	return e;
}

void freeze_deinit(struct freeze *f)
{
	thaw_or_warn(f);
	if (f->snapshot >= 0)
		close(f->snapshot);
	f->snapshot = -1;
}
