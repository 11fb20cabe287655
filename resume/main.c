/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dormouse-resume: runs in the boot kernel's initramfs, before anything is
 * mounted. Finds the image, checks all that can be checked before memory is
 * given up, loads the writer and goes there.
 *
 * When it comes back the boot goes on and will write to the disks that an image has
 * mounted: so no image is left then that a later boot would resume by itself.
 */
#include "base/err.h"
#include "base/log.h"
#include "base/process.h"
#include "jump/writer_files.h"
#include "resume/choice.h"
#include "resume/images.h"
#include "resume/options.h"

#include <stdio.h>
#include <stdlib.h>

enum exit_code {
	EXIT_NO_IMAGE = 0, /* nothing to resume: boot on */
	EXIT_ERROR = 1,	   /* something failed */
	EXIT_USAGE = 2,
	EXIT_REFUSED = 3, /* there was an image, and it is given up */
};

static void print_help(void)
{
	printf("usage: dormouse-resume [OPTION...]\n"
	       "Resume the image on one of the targets, if there is one. Does not come back then.\n"
	       "Asks on the console when an image is there and cannot be resumed.\n\n"
	       "  --target TARGET   where the image is; may stand several times; default:\n"
	       "                    dormouse.target= on the kernel's command line, or else the\n"
	       "                    configuration's targets, or else those that setup chose\n"
	       "  --config FILE     instead of " CONFIG_PATH "\n"
	       "  --pins FILE       instead of " PINS_PATH "\n"
	       "  --writer-dir DIR  where the writer is, default " WRITER_DIR "\n"
	       "  --wait SECONDS    for the devices to appear, default 30, or what\n"
	       "                    rootdelay= on the kernel's command line says, if that is more\n"
	       "  --discard         give images up instead; before their disks are used "
	       "otherwise\n"
	       "  --help            this text\n\n"
	       "An encrypted image is opened by a token, the key file, or a passphrase, which is\n"
	       "asked for on the console.\n\n"
	       "kernel command line: dormouse.target=DEVICE[,DEVICE...]; dormouse.keyfile=FILE: "
	       "the\n"
	       "passphrase is in it, instead of the configuration's; dormouse.noresume or\n"
	       "noresume: do not resume, later boots ask; dormouse.retry: try an image again that\n"
	       "failed before, without asking\n\n"
	       "exit codes:\n"
	       "  %d  no image\n"
	       "  %d  an error\n"
	       "  %d  wrong arguments or configuration\n"
	       "  %d  there was an image, and it is given up; the message says why\n",
	       EXIT_NO_IMAGE, EXIT_ERROR, EXIT_USAGE, EXIT_REFUSED);
}

static err_t discard_all(struct images *all, const struct options *o)
{
	err_t first = NULL;

	for (size_t i = 0; i < all->count; i++) {
		struct image *image = &all->list[i];
		err_t e = NULL;

		image_open(image, o); /* or its header tells */
		if (image->closed || image->commit.holds_image || image->commit.unreadable) {
			e = image_give_up(image, "discarded at boot");
			if (!e)
				log_info("the image on %s is discarded", image->target.name);
		}
		first = err_first(first, e);
	}
	return first;
}

static void mark_all(struct images *all)
{
	for (size_t i = 0; i < all->count; i++) {
		log_info("noresume: an image on %s is not resumed", all->list[i].target.name);
		image_mark(&all->list[i]);
	}
}

/* Each target is open in here, so what has to be finished on one comes first. */
static err_t decide(struct images *all, const struct options *o, bool *found)
{
	*found = false;
	if (o->discard)
		return discard_all(all, o);
	if (o->skip) {
		mark_all(all);
		return NULL;
	}
	return choice_make(all, o, found);
}

static bool any_unknown(const struct images *all)
{
	for (size_t i = 0; i < all->count; i++)
		if (image_is_unknown(&all->list[i]))
			return true;
	return false;
}

static enum exit_code run(const struct options *o)
{
	struct images *all = malloc(sizeof(*all));
	enum exit_code code;
	bool found;
	err_t e;

	if (!all) {
		log_warn("no memory");
		return EXIT_ERROR;
	}
	images_open(all, o);
	e = decide(all, o, &found);
	if (e)
		log_warn("%s", err_text(e));
	code = EXIT_NO_IMAGE;
	if (found || all->refused)
		code = EXIT_REFUSED;
	else if (e || all->failed || any_unknown(all))
		code = EXIT_ERROR;
	err_free(e);
	images_close(all);
	free(all);
	return code;
}

int main(int argc, char **argv)
{
	struct options o;
	err_t e;

	log_init("dormouse-resume");
	process_hide();
	e = options_read(argc, argv, &o);
	if (e) {
		fprintf(stderr, "dormouse-resume: %s\n", err_text(e));
		err_free(e);
		return EXIT_USAGE;
	}
	if (o.help) {
		print_help();
		return EXIT_NO_IMAGE;
	}
	return (int)run(&o);
}
