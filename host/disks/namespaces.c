/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/disks/namespaces.h"

#include "base/io.h"
#include "base/util.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define MOUNTINFO_MAX  (8u << 20)
#define NAMESPACES_MAX 4096
#define TASK_MAX       64 /* "/proc/PID/task/TID" */

struct search {
	const struct mounts *ours;
	struct mounts theirs;
	size_t count;
	ino_t seen[NAMESPACES_MAX];
};

const struct mount *namespaces_alone(const struct mounts *theirs, const struct mounts *ours)
{
	for (size_t i = 0; i < theirs->count; i++) {
		const struct mount *m = &theirs->m[i];
		size_t k = 0;

		while (k < ours->count && ours->m[k].superblock != m->superblock)
			k++;
		if (k == ours->count && !m->again)
			return m;
	}
	return NULL;
}

static bool knows(const struct search *s, ino_t namespace)
{
	for (size_t i = 0; i < s->count; i++) {
		if (s->seen[i] == namespace)
			return true;
	}
	return false;
}

/* 0: there is no such task any more. */
static err_t namespace_of(const char *task, ino_t *out)
{
	char path[TASK_MAX + 16];
	struct stat st;

	*out = 0;
	snprintf(path, sizeof(path), "%s/ns/mnt", task);
	if (!stat(path, &st))
		*out = st.st_ino;
	else if (errno != ENOENT && errno != ESRCH)
		return err_errno("what is mounted for %s", task);
	return NULL;
}

static err_t refuse(const struct mount *m, const char *task)
{
	CLEANUP_FREE char *name = NULL;
	char path[TASK_MAX + 16];
	int pid = 0;
	size_t n;

	sscanf(task, "/proc/%d", &pid);
	snprintf(path, sizeof(path), "%s/comm", task);
	err_free(io_read_file(path, 64, &name, &n));
	return err_new(
		ERR_REFUSED,
		"%s is mounted (on %s) in the mount namespace of process %d (%.*s) alone, "
		"where it can be neither frozen nor watched: unmount it, or stop what uses it",
		m->source, m->path, pid, name ? (int)strcspn(name, "\n") : 1, name ? name : "?");
}

static err_t look_at_text(struct search *s, char *text, const char *task)
{
	const struct mount *m;
	err_t e = mounts_parse_take(text, false, &s->theirs);

	if (e) {
		free(text);
		return err_context(e, "%s", task);
	}
	m = namespaces_alone(&s->theirs, s->ours);
	e = m ? refuse(m, task) : NULL;
	mounts_free(&s->theirs);
	return e;
}

/* A task that ends meanwhile is none; others of its namespace, if there are any, come later. */
static err_t look_at_task(struct search *s, const char *task)
{
	char path[TASK_MAX + 16], *text = NULL;
	ino_t namespace, still;
	size_t n;
	err_t e;

	TRY(namespace_of(task, &namespace));
	if (!namespace || knows(s, namespace))
		return NULL;
	snprintf(path, sizeof(path), "%s/mountinfo", task);
	e = io_read_file(path, MOUNTINFO_MAX, &text, &n);
	if (e) {
		e = err_first(e, namespace_of(task, &still));
		if (still)
			return e;
		err_free(e);
		return NULL;
	}
	if (s->count == NAMESPACES_MAX) {
		free(text);
		return err_new(ERR_REFUSED, "more than %d mount namespaces", NAMESPACES_MAX);
	}
	s->seen[s->count++] = namespace;
	return look_at_text(s, text, task);
}

typedef err_t (*entry_fn)(struct search *s, const char *path);

/* Every entry that is a number. A folder that is gone has none. */
static err_t each_number(struct search *s, const char *folder, entry_fn fn)
{
	DIR *dir = opendir(folder);
	struct dirent *d;
	err_t e = NULL;

	while (dir && !e && (d = readdir(dir))) {
		char path[TASK_MAX];

		if (d->d_name[0] < '0' || d->d_name[0] > '9')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, d->d_name);
		e = fn(s, path);
	}
	if (dir)
		closedir(dir);
	return e;
}

/* A thread can have a namespace of its own. */
static err_t look_at_process(struct search *s, const char *process)
{
	char tasks[TASK_MAX];

	snprintf(tasks, sizeof(tasks), "%s/task", process);
	return each_number(s, tasks, look_at_task);
}

err_t namespaces_check(const struct mounts *ours)
{
	CLEANUP_FREE struct search *s = calloc(1, sizeof(*s));

	if (!s)
		return err_new(ERR_NOMEM, "no memory");
	s->ours = ours;
	TRY(namespace_of("/proc/self", &s->seen[0]));
	s->count = 1;
	return each_number(s, "/proc", look_at_process);
}
