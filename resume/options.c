/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "resume/options.h"

#include "base/log.h"
#include "base/util.h"
#include "config/cmdline.h"
#include "jump/writer_files.h"
#include "resume/opener.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define WAIT_SECONDS 30 /* as initramfs-tools for the root */
#define WAIT_UNSET   UINT_MAX

struct arguments {
	const char *config, *pins, *writer_dir; /* NULL: not given */
	struct config targets;			/* of --target */
};

static err_t parse_seconds(const char *text, unsigned int *out)
{
	char *end;
	unsigned long x;

	errno = 0;
	x = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || x > 86400)
		return err_new(ERR_INVALID, "--wait: \"%s\" is not a number of seconds", text);
	*out = (unsigned int)x;
	return NULL;
}

static err_t parse_arguments(int argc, char **argv, struct arguments *a, struct options *o)
{
	static const struct option names[] = {
		{"target", required_argument, NULL, 't'},
		{"config", required_argument, NULL, 'c'},
		{"pins", required_argument, NULL, 'p'},
		{"writer-dir", required_argument, NULL, 'w'},
		{"wait", required_argument, NULL, 's'},
		{"discard", no_argument, NULL, 'd'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c;

	opterr = 0;
	for (;;) {
		const char *word = optind < argc ? argv[optind] : "";

		c = getopt_long(argc, argv, ":", names, NULL);
		if (c == -1)
			break;
		if (c == ':' || c == '?')
			return err_new(ERR_INVALID, "%s: %s; see --help", word,
				       c == ':' ? "needs a value" : "unknown option");
		if (c == 't')
			TRY(err_context(config_add_target(&a->targets, optarg), "--target"));
		else if (c == 'c')
			a->config = optarg;
		else if (c == 'p')
			a->pins = optarg;
		else if (c == 'w')
			a->writer_dir = optarg;
		else if (c == 's')
			TRY(parse_seconds(optarg, &o->wait_seconds));
		else if (c == 'd')
			o->discard = true;
		else
			o->help = true;
	}
	return optind < argc ? err_new(ERR_INVALID, "%s: unexpected argument", argv[optind]) : NULL;
}

/* The first that is set. */
static err_t choose(const char *first, const char *second, const char *third, char *out)
{
	const char *s = first && *first ? first : second && *second ? second : third;

	if (strlen(s) >= CONFIG_TEXT_MAX)
		return err_new(ERR_INVALID, "too long: %s", s);
	strcpy(out, s);
	return NULL;
}

/* Names with commas between them; changes text. */
static err_t split_targets(char *text, struct config *c)
{
	char *rest = NULL;

	for (char *name = strtok_r(text, ",", &rest); name; name = strtok_r(NULL, ",", &rest))
		TRY(config_add_target(c, name));
	return NULL;
}

/* The list that counts: the kernel's, the arguments', the configuration's. */
static err_t choose_targets(char *kernel, const struct config *arguments,
			    const struct config *config, struct options *out)
{
	struct config from_kernel = {.target_count = 0};
	const struct config *c = arguments->target_count ? arguments : config;

	TRY(err_context(split_targets(kernel, &from_kernel), "dormouse.target"));
	if (from_kernel.target_count)
		c = &from_kernel;
	memcpy(out->targets, c->targets, sizeof(out->targets));
	out->target_count = c->target_count;
	return NULL;
}

/* As initramfs-tools takes it for the root: it makes the wait longer only. */
static void add_rootdelay(const char *cmdline, unsigned int *seconds)
{
	char text[32];
	unsigned int delay;
	err_t e;

	if (!cmdline_find(cmdline, "rootdelay", text, sizeof(text)))
		return;
	e = parse_seconds(text, &delay);
	if (!e && delay > *seconds)
		*seconds = delay;
	err_free(e);
}

/* The kernel's command line says more than the configuration. */
static err_t choose_key_file(const char *cmdline, const struct config *config, struct options *o)
{
	char from_kernel[CMDLINE_MAX] = "";

	cmdline_find(cmdline, "dormouse.keyfile", from_kernel, sizeof(from_kernel));
	return choose(from_kernel, config->key_file, "", o->key_file);
}

static err_t read_kernel(const struct config *config, char *target, struct options *o)
{
	const char *more = config->writer_cmdline;
	char cmdline[CMDLINE_MAX], consoles[512];

	TRY(cmdline_read(cmdline, sizeof(cmdline)));
	if (!cmdline_find(cmdline, "dormouse.target", target, CMDLINE_MAX))
		*target = '\0';
	o->skip = cmdline_find(cmdline, "dormouse.noresume", NULL, 0) ||
		  cmdline_find(cmdline, "noresume", NULL, 0);
	o->retry = cmdline_find(cmdline, "dormouse.retry", NULL, 0);
	if (o->wait_seconds == WAIT_UNSET) {
		o->wait_seconds = WAIT_SECONDS;
		add_rootdelay(cmdline, &o->wait_seconds);
	}
	cmdline_consoles(cmdline, consoles, sizeof(consoles));
	snprintf(o->writer_cmdline, sizeof(o->writer_cmdline), "%s%s%s", consoles,
		 *consoles && *more ? " " : "", more);
	return choose_key_file(cmdline, config, o);
}

/*
 * Bad ones are none: then an encrypted image on a device is asked about. One in a file, or in
 * swap in use, is not found, and the boot goes on beside it: no more can be done here than say
 * so, since these targets are nowhere else.
 */
static void read_pins(const char *path, struct options *o)
{
	err_t e = pins_load(path, &o->pins);

	if (e)
		log_warn(
			"%s: AN IMAGE IN A FILE, OR IN SWAP IN USE, IS NOT FOUND; if there is one, "
			"switch off, and boot the initramfs that the machine had then",
			err_text(e));
	err_free(e);
}

err_t options_read(int argc, char **argv, struct options *out)
{
	struct arguments a = {0};
	struct config config;
	char target[CMDLINE_MAX];

	memset(out, 0, sizeof(*out));
	out->started = tsc_now();
	out->wait_seconds = WAIT_UNSET;
	TRY(parse_arguments(argc, argv, &a, out));
	if (out->help)
		return NULL;
	config_init(&config);
	TRY(config_load(a.config ? a.config : CONFIG_PATH, a.config != NULL, &config));
	read_pins(a.pins ? a.pins : PINS_PATH, out);
	TRY(pins_add_targets(&out->pins, &config));
	TRY(read_kernel(&config, target, out));
	TRY(choose(a.writer_dir, config.writer_dir, WRITER_DIR, out->writer_dir));
	out->opener = OPENER_PROGRAM;
	out->encrypt = config.encrypt;
	out->answer_seconds = config.resume_wait;
	out->unanswered = config.resume_default;
	return choose_targets(target, &a.targets, &config, out);
}
