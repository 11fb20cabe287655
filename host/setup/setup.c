/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/setup/setup.h"

#include "base/log.h"
#include "base/process.h"
#include "base/util.h"
#include "host/disks/keptsector.h"
#include "host/keys.h"
#include "host/setup/setup_target.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define UPDATE_INITRAMFS "/usr/sbin/update-initramfs"

extern char **environ;

/* For root alone, whoever made it. */
static err_t make_folder(void)
{
	if (mkdir(KEYS_DIR, 0700) && errno != EEXIST)
		return err_errno("making " KEYS_DIR);
	if (chmod(KEYS_DIR, 0700) || chown(KEYS_DIR, 0, 0))
		return err_errno(KEYS_DIR);
	return NULL;
}

static err_t spawn(char *const words[], pid_t *pid)
{
	posix_spawnattr_t attr;
	sigset_t some;

	sigemptyset(&some);
	sigaddset(&some, SIGINT);
	sigaddset(&some, SIGQUIT);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigdefault(&attr, &some);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
	errno = posix_spawn(pid, words[0], NULL, &attr, words, environ);
	posix_spawnattr_destroy(&attr);
	return errno ? err_errno("running %s", words[0]) : NULL;
}

static err_t wait_for(pid_t pid, const char *name)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_errno("waiting for %s", name);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGINT)
		return err_new(ERR_ABORTED, "%s was interrupted", name);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return err_new(ERR_IO, "%s failed", name);
	return NULL;
}

/* Ctrl-C ends the other program; this one lives to tell what that means. */
static err_t run(char *const words[])
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, interrupt, quit;
	pid_t pid;
	err_t e;

	sigaction(SIGINT, &ignore, &interrupt);
	sigaction(SIGQUIT, &ignore, &quit);
	e = spawn(words, &pid);
	if (!e)
		e = wait_for(pid, words[0]);
	sigaction(SIGINT, &interrupt, NULL);
	sigaction(SIGQUIT, &quit, NULL);
	return e;
}

/* Those of all kernels: the next boot's may be another than the newest, which is all that
 * update-initramfs takes by itself. */
static err_t update_initramfs(const struct setup_options *o, bool *updated)
{
	static char program[] = UPDATE_INITRAMFS, update[] = "-u", kernel[] = "-k", all[] = "all";
	char *const words[] = {program, update, kernel, all, NULL};

	*updated = !o->no_initramfs && !access(program, X_OK);
	if (*updated) {
		printf("initramfs: " UPDATE_INITRAMFS " -u -k all\n");
		fflush(stdout);
		return err_context(run(words),
				   "all is set up but the initramfs (run " UPDATE_INITRAMFS
				   " -u -k all again)");
	}
	printf("initramfs: make it anew before the next hibernation, so that " PINS_PATH " is in "
	       "it\n");
	return NULL;
}

static err_t set_up_boot(const struct config *config, const struct setup_options *o,
			 struct pins *pins, bool *updated)
{
	TRY(setup_target(config, o->size, pins));
	TRY(setup_put_pins(pins));
	return update_initramfs(o, updated);
}

/* It is the initramfs' pins by which a boot believes a header. */
static void say_replaced(bool updated)
{
	printf("keys: images, passphrases and copies of the header from before open nothing any "
	       "more%s\n",
	       updated ? "" : " once it is made");
}

/* What can be refused comes before the question for a passphrase. */
static err_t set_up(const struct config *given, const struct setup_options *o)
{
	CLEANUP_FREE struct config *config = malloc(sizeof(*config));
	bool replaced = false, updated = false;
	struct pins pins;
	err_t e;

	if (!config)
		return err_new(ERR_NOMEM, "no memory");
	*config = *given;
	keptsector_put_back(NULL);
	TRY(pins_load(PINS_PATH, &pins));
	setup_target_warn(config, o->size);
	TRY(setup_target_choose(&pins, config));
	TRY(make_folder());
	if (config->encrypt)
		TRY(setup_keys(o, &pins, &replaced));
	else
		printf("keys: none, since " CONFIG_PATH " says \"encrypt = no\"\n");
	e = set_up_boot(config, o, &pins, &updated);
	if (!replaced)
		return e;
	if (e)
		return err_context(e, "until setup ends well, boots take the keys from before");
	say_replaced(updated);
	return NULL;
}

err_t setup_run(const struct config *config, const struct setup_options *o)
{
	if (geteuid())
		return err_new(ERR_REFUSED, "only root can set up hibernation");
	process_hide();
	return set_up(config, o);
}
