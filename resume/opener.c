/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "resume/opener.h"

#include "base/log.h"
#include "base/text.h"
#include "base/util.h"
#include "keys/locked.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define HEADER_FD 3
#define TEXT_MAX  512

/* Our ends of its standard streams. */
struct child {
	pid_t pid;
	int in, out, error;
};

static err_t make_pipes(int pipes[3][2])
{
	for (int i = 0; i < 3; i++)
		if (pipe2(pipes[i], O_CLOEXEC))
			return err_errno("making a pipe");
	return NULL;
}

static void close_pipes(int pipes[3][2])
{
	for (int i = 0; i < 3; i++)
		for (int end = 0; end < 2; end++)
			if (pipes[i][end] >= 0)
				close(pipes[i][end]);
}

static err_t spawn(const char *program, char *const words[], int header, int pipes[3][2],
		   pid_t *pid)
{
	char *const environment[] = {NULL};
	posix_spawn_file_actions_t actions;

	posix_spawn_file_actions_init(&actions);
	/* In this order nothing is covered that is still wanted; equal numbers do no harm. */
	posix_spawn_file_actions_adddup2(&actions, pipes[0][0], STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, pipes[1][1], STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, pipes[2][1], STDERR_FILENO);
	posix_spawn_file_actions_adddup2(&actions, header, HEADER_FD);
	errno = posix_spawn(pid, program, &actions, NULL, words, environment);
	posix_spawn_file_actions_destroy(&actions);
	if (errno)
		return err_errno("the image cannot be opened: running %s", program);
	return NULL;
}

static err_t start(const struct opener *o, struct child *c)
{
	char name[] = "unlock", file[] = "/proc/self/fd/3", option[16] = "";
	char *const words[] = {name, file, o->option ? option : NULL, NULL};
	int pipes[3][2] = {{-1, -1}, {-1, -1}, {-1, -1}};
	err_t e = make_pipes(pipes);

	if (o->option)
		snprintf(option, sizeof(option), "%s", o->option);
	if (!e)
		e = spawn(o->program, words, o->header, pipes, &c->pid);
	if (!e) {
		c->in = pipes[0][1];
		c->out = pipes[1][0];
		c->error = pipes[2][0];
		pipes[0][1] = pipes[1][0] = pipes[2][0] = -1;
	}
	close_pipes(pipes);
	return e;
}

/* Up to n bytes, to the end; more are read and dropped. */
static size_t read_all(int fd, void *p, size_t n)
{
	uint8_t more[256];
	size_t got = 0;

	for (;;) {
		bool full = got == n;
		ssize_t r =
			read(fd, full ? more : (uint8_t *)p + got, full ? sizeof(more) : n - got);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return got;
		got += full ? 0 : (size_t)r;
	}
}

/* That it has ended already shows in how it ended. */
static void give(int fd, const struct passphrase *p)
{
	size_t done = 0;

	while (p && done < p->n) {
		ssize_t r = write(fd, p->text + done, p->n - done);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return;
		done += (size_t)r;
	}
}

/* Less than zero: by which signal it was ended. */
static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return OPENER_FAILED;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static enum err_kind kind_of(int code)
{
	switch (code) {
	case OPENER_WRONG:
		return ERR_AUTH;
	case OPENER_DAMAGED:
		return ERR_CORRUPT;
	case OPENER_TOO_LARGE:
		return ERR_NOMEM;
	case OPENER_NOTHING:
		return ERR_REFUSED;
	default:
		return ERR_IO;
	}
}

static err_t explain_signal(const char *program, int number)
{
	return err_new(ERR_IO, "the image cannot be opened: %s was ended by signal %d (%s)%s",
		       program, number, strsignal(number),
		       number == SIGKILL ? ": for want of memory, perhaps" : "");
}

static bool is_token(const struct opener *o)
{
	return o->option && !strcmp(o->option, OPENER_TOKEN);
}

/*
 * Its own message, without control characters; or the last line, the dynamic loader's
 * perhaps. The plugins of tokens talk, too: that somebody should touch one, or what is wrong
 * with it. That is said at once.
 */
static void listen_to(const struct opener *o, int fd, char text[TEXT_MAX])
{
	FILE *f = fdopen(fd, "r");
	char line[TEXT_MAX], clean[TEXT_MAX];

	text[0] = '\0';
	while (f && fgets(line, sizeof(line), f)) {
		bool own = !strncmp(line, OPENER_MESSAGE, strlen(OPENER_MESSAGE));

		line[strcspn(line, "\n")] = '\0';
		text_printable(clean, sizeof(clean), line + (own ? strlen(OPENER_MESSAGE) : 0));
		strcpy(text, clean);
		if (is_token(o) && !own && *clean)
			log_info("%s", clean);
	}
	if (f)
		fclose(f);
	else
		close(fd);
}

/* Its message, or what became of it when it left none. */
static err_t explain(const struct opener *o, int code, const char *text)
{
	if (code >= OPENER_FAILED && code <= OPENER_TOO_LARGE && *text)
		return err_new(kind_of(code), "%s", text);
	/* A plugin that crashes must not be in the way of the passphrase. */
	if (code < 0 && is_token(o))
		return err_new(ERR_AUTH, "%s crashed", o->program);
	if (code < 0)
		return explain_signal(o->program, -code);
	return err_new(ERR_IO, "the image cannot be opened: %s ended with %d: %s", o->program, code,
		       text);
}

static err_t talk(const struct opener *o, struct child *c, const struct passphrase *passphrase,
		  void *found)
{
	char text[TEXT_MAX];
	size_t got;
	int code;

	give(c->in, passphrase);
	close(c->in);
	listen_to(o, c->error, text);
	got = read_all(c->out, found, o->bytes);
	close(c->out);
	code = wait_for(c->pid);
	if (code != OPENER_OPENED)
		return explain(o, code, text);
	if (got != o->bytes)
		return err_new(ERR_IO, "%s gave %zu bytes", o->program, got);
	return NULL;
}

err_t opener_run(const struct opener *o, const struct passphrase *passphrase, void *out)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
	struct child c;
	void *found;
	err_t e;

	TRY(locked_create(o->bytes + 1, &found));
	sigaction(SIGPIPE, &ignore, &before);
	e = start(o, &c);
	if (!e)
		e = talk(o, &c, passphrase, found);
	sigaction(SIGPIPE, &before, NULL);
	if (!e && o->bytes)
		memcpy(out, found, o->bytes);
	locked_destroy(found, o->bytes + 1);
	return e;
}
