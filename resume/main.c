/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dormouse-resume: runs in the boot kernel's initramfs, before anything is
 * mounted. Finds the image, checks all that can be checked before memory is
 * given up, loads the writer and goes there.
 *
 * When it refuses an image that could be resumed at another boot, this boot goes
 * on and will write to the disks that the image has mounted: so the image is
 * marked, and no later boot resumes it by itself. That mark is all that is ever
 * written here (but with --discard).
 */
#include "base/err.h"
#include "base/log.h"
#include "base/util.h"
#include "formats/hostinfo.h"
#include "image/commit.h"
#include "jump/loader.h"
#include "jump/writer_files.h"
#include "resume/fit.h"
#include "resume/launch.h"
#include "resume/options.h"
#include "resume/swapfinish.h"
#include "resume/verdict.h"
#include "target/target.h"

#include <stdio.h>
#include <string.h>

enum exit_code {
	EXIT_NO_IMAGE = 0, /* nothing to resume: boot on */
	EXIT_ERROR = 1,	   /* something failed */
	EXIT_USAGE = 2,
	EXIT_REFUSED = 3, /* there is an image, and it is kept */
};

static void print_help(void)
{
	printf("usage: dormouse-resume [OPTION...]\n"
	       "Resume the image on the target, if there is one. Does not come back then.\n\n"
	       "  --target DEVICE   where the image is; default: dormouse.target= on the kernel's\n"
	       "                    command line, or else the configuration's\n"
	       "  --config FILE     instead of " CONFIG_PATH "\n"
	       "  --writer-dir DIR  where the writer is, default " WRITER_DIR "\n"
	       "  --wait SECONDS    for the device to appear, default 10\n"
	       "  --discard         give the image up instead; before its disks are used "
	       "otherwise\n"
	       "  --help            this text\n\n"
	       "kernel command line: dormouse.target=DEVICE; dormouse.noresume or noresume: do\n"
	       "not resume; dormouse.retry: try an image again that an earlier boot refused\n\n"
	       "exit codes:\n"
	       "  %d  no image\n"
	       "  %d  an error\n"
	       "  %d  wrong arguments or configuration\n"
	       "  %d  refused; the image is kept, the message says why\n",
	       EXIT_NO_IMAGE, EXIT_ERROR, EXIT_USAGE, EXIT_REFUSED);
}

/* Disks appear a little after the kernel starts its first program. */
static void wait_for(const char *path, unsigned int seconds)
{
	for (unsigned int tenths = seconds * 10; tenths && access(path, F_OK); tenths--)
		usleep(100000);
}

static err_t resume_image(const struct target *t, const struct slot *slot, const struct options *o,
			  struct hostinfo *info)
{
	struct writer_files writer = {0};
	err_t e = fit_check(t, slot, o->writer_dir, info, &writer);

	if (!e) {
		log_info("resuming the image of %s (%s), %llu MiB", info->hostname, info->release,
			 (unsigned long long)(slot->image_end / MIB));
		e = launch_load(t, slot, info, &writer, o->writer_cmdline, &o->started);
	}
	writer_files_free(&writer);
	return e ? e : loader_jump();
}

static err_t discard(const struct target *t, struct commit *c)
{
	if (!c->holds_image)
		return NULL;
	TRY(commit_retire(t, c, "discarded at boot"));
	log_info("the image on %s is discarded", t->name);
	return NULL;
}

/* This boot goes on without the image: see that no later one takes it unasked. */
static void mark(const struct target *t, struct commit *c, const char *why)
{
	err_t e;

	if (!verdict_marks(c))
		return;
	e = commit_resume_failed(t, c, why);
	if (e)
		log_warn("%s: the image could not be marked as refused (%s): discard it before "
			 "its disks are used",
			 t->name, err_text(e));
	err_free(e);
}

static err_t decide(const struct target *t, struct commit *c, const struct options *o)
{
	CLEANUP_FREE struct hostinfo *info = malloc(sizeof(*info));
	const char *said;
	bool resume;
	err_t e;

	if (!info)
		return err_new(ERR_NOMEM, "no memory");
	e = verdict_decide(c, o->retry, &resume, &said);
	if (said)
		log_info("%s: %s", t->name, said);
	return resume ? resume_image(t, &c->slot, o, info) : e;
}

static err_t look(const struct target *t, const struct options *o)
{
	struct commit c;
	err_t e = commit_load(t, &c);

	if (e && err_kind(e) == ERR_FORMAT) {
		err_free(e);
		return NULL;
	}
	if (e)
		return e;
	swapfinish(t, &c);
	if (o->discard)
		return discard(t, &c);
	if (o->skip) {
		mark(t, &c, "this was not wanted at a boot since (noresume)");
		return NULL;
	}
	e = decide(t, &c, o);
	if (e)
		mark(t, &c, err_text(e));
	return err_context(e, "%s", t->name);
}

static err_t run(const struct options *o)
{
	struct target t;
	err_t e;

	if (!o->target[0])
		return NULL;
	if (o->skip)
		log_info("noresume: an image on %s is not resumed", o->target);
	wait_for(o->target, o->wait_seconds);
	TRY(target_open(&t, o->target, true, true));
	e = look(&t, o);
	target_close(&t);
	return e;
}

/* Was the image looked at and found unfit, or could something not be done? */
static enum exit_code exit_code_of(err_t e)
{
	switch (err_kind(e)) {
	case ERR_IO:
	case ERR_NOMEM:
	case ERR_NOSPACE:
	case ERR_INVALID:
	case ERR_ABORTED:
		return EXIT_ERROR;
	case ERR_FORMAT:
	case ERR_UNSUPPORTED:
	case ERR_CORRUPT:
	case ERR_AUTH:
	case ERR_REFUSED:
		break;
	}
	return EXIT_REFUSED;
}

static int print_error(err_t e, enum exit_code code)
{
	fprintf(stderr, "dormouse-resume: %s%s\n", err_text(e),
		code == EXIT_REFUSED ? ". The image is kept" : "");
	err_free(e);
	return code;
}

int main(int argc, char **argv)
{
	struct options o;
	err_t e;

	log_init("dormouse-resume");
	e = options_read(argc, argv, &o);
	if (e)
		return print_error(e, EXIT_USAGE);
	if (o.help) {
		print_help();
		return EXIT_NO_IMAGE;
	}
	e = run(&o);
	return e ? print_error(e, exit_code_of(e)) : EXIT_NO_IMAGE;
}
