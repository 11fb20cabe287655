/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dormouse: the program on the running system. A new subcommand is a function
 * here and a line in the table. */
#include "base/err.h"
#include "base/log.h"
#include "base/process.h"
#include "base/util.h"
#include "config/config.h"
#include "config/pins.h"
#include "host/doctor.h"
#include "host/exitcode.h"
#include "host/help.h"
#include "host/hibernate.h"
#include "host/setup/setup.h"
#include "host/sizetext.h"
#include "host/status.h"
#include "host/tools/imagefile.h"
#include "host/tools/tools.h"
#include "image/threads.h"
#include "jump/writer_files.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef DORMOUSE_VERSION
#define DORMOUSE_VERSION "0.1"
#endif

/* What the command line says. Options that a command does not take are not set. */
struct arguments {
	const char *config, *target, *then; /* NULL: not given */
	bool help;
	struct setup_options setup;
	struct tool_options tool;
};

struct command {
	const char *name;
	const char *operands; /* "DUMP IMAGE", for --help; "" */
	const char *summary;
	const char *options; /* letters of those it takes besides --help */
	err_t (*run)(const struct arguments *a, int *exit_code); /* or: */
	err_t (*tool)(const struct tool_options *o);
};

/* Configuration file, then what the command line says instead. */
static err_t make_config(const struct arguments *a, struct config *config)
{
	config_init(config);
	TRY(config_load(a->config ? a->config : CONFIG_PATH, a->config != NULL, config));
	if (!config->writer_dir[0])
		strcpy(config->writer_dir, WRITER_DIR);
	if (a->target)
		TRY(err_context(config_use_target(config, a->target), "--target"));
	if (a->then)
		TRY(err_context(config_parse_then(a->then, &config->then), "--then"));
	return NULL;
}

/* The same, with the targets that setup chose where the file names none. */
static err_t make_config_with_pins(const struct arguments *a, struct config *config, int *exit_code)
{
	struct pins pins;

	TRY(make_config(a, config));
	if (access(PINS_PATH, R_OK) && errno == EACCES) {
		*exit_code = EXITCODE_REFUSED;
		return err_new(ERR_REFUSED, "only root can read " PINS_PATH ": run this as root");
	}
	TRY(pins_load(PINS_PATH, &pins));
	return pins_add_targets(&pins, config);
}

static err_t run_hibernate(const struct arguments *a, int *exit_code)
{
	struct config config;

	TRY(make_config_with_pins(a, &config, exit_code));
	return hibernate_run(&config, exit_code);
}

static err_t run_status(const struct arguments *a, int *exit_code)
{
	struct config config;
	err_t e;

	TRY(make_config_with_pins(a, &config, exit_code));
	e = status_print(&config);
	*exit_code = e ? EXITCODE_FAILED : EXITCODE_DONE;
	return e;
}

static err_t run_doctor(const struct arguments *a, int *exit_code)
{
	struct config config;
	err_t e;

	TRY(make_config_with_pins(a, &config, exit_code));
	e = doctor_print(&config);
	*exit_code = !e				  ? EXITCODE_DONE
		     : err_kind(e) == ERR_REFUSED ? EXITCODE_REFUSED
						  : EXITCODE_FAILED;
	return e;
}

static err_t run_setup(const struct arguments *a, int *exit_code)
{
	struct config config;
	err_t e;

	TRY(make_config(a, &config));
	e = setup_run(&config, &a->setup);
	*exit_code = !e				  ? EXITCODE_DONE
		     : err_kind(e) == ERR_REFUSED ? EXITCODE_REFUSED
		     : err_kind(e) == ERR_ABORTED ? EXITCODE_ABORTED
						  : EXITCODE_FAILED;
	return e;
}

static const struct command commands[] = {
	{"setup", "", "make the keys and the target, once; again after changes", "ctsRKI",
	 run_setup, NULL},
	{"hibernate", "", "write this machine's memory to the target, then power off", "ctn",
	 run_hibernate, NULL},
	{"status", "", "what the last hibernation did, and what the target holds", "ct", run_status,
	 NULL},
	{"doctor", "", "can this machine hibernate? Every check, in plain words", "ct", run_doctor,
	 NULL},
	{"inspect", "IMAGE", "what an image is, and of what machine", "jAKS", NULL, inspect_run},
	{"verify", "IMAGE", "check every byte of an image", "TAKS", NULL, verify_run},
	{"pack", "DUMP IMAGE", "make an image of an ELF memory dump", "CTafze", NULL, pack_run},
	{"unpack", "IMAGE DUMP", "make an ELF memory dump of an image", "TkfAKS", NULL, unpack_run},
};

static const struct option long_options[] = {
	{"help", no_argument, NULL, 'h'},
	{"config", required_argument, NULL, 'c'},
	{"target", required_argument, NULL, 't'},
	{"then", required_argument, NULL, 'n'},
	{"codec", required_argument, NULL, 'C'},
	{"threads", required_argument, NULL, 'T'},
	{"all-pages", no_argument, NULL, 'a'},
	{"force", no_argument, NULL, 'f'},
	{"keep-going", no_argument, NULL, 'k'},
	{"json", no_argument, NULL, 'j'},
	{"size", required_argument, NULL, 's'},
	{"rekey", no_argument, NULL, 'R'},
	{"key-file", required_argument, NULL, 'K'},
	{"no-initramfs", no_argument, NULL, 'I'},
	{"at", required_argument, NULL, 'A'},
	{"seal", required_argument, NULL, 'z'},
	{"cipher", required_argument, NULL, 'e'},
	{"secret", required_argument, NULL, 'S'},
	{NULL, 0, NULL, 0},
};

static void print_help(void)
{
	printf("usage: dormouse COMMAND [OPTION...] [FILE...]\n"
	       "Hibernation through a writer kernel, and its images.\n\ncommands:\n");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		printf("  %-10s %s\n", commands[i].name, commands[i].summary);
	printf("\n\"dormouse COMMAND --help\" tells a command's options; --version prints the "
	       "version.\n");
	help_exit_codes();
}

static void print_command_help(const struct command *c)
{
	printf("usage: dormouse %s [OPTION...]%s%s\n%s\n\noptions:\n", c->name,
	       *c->operands ? " " : "", c->operands, c->summary);
	help_options(c->options);
	help_exit_codes();
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (!strcmp(name, commands[i].name))
			return &commands[i];
	}
	return NULL;
}

static err_t parse_threads(const char *text, unsigned int *out)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || n < 1 || n > IMAGE_THREADS_MAX)
		return err_new(ERR_INVALID, "--threads: \"%s\" is no number from 1 to %u", text,
			       IMAGE_THREADS_MAX);
	*out = (unsigned int)n;
	return NULL;
}

/* In the notations of C. */
static err_t parse_place(const char *text, uint64_t *out)
{
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 0);
	if (*text < '0' || *text > '9' || *end || errno || n > INT64_MAX)
		return err_new(ERR_INVALID, "--at: \"%s\" is no byte of a disk", text);
	*out = n;
	return NULL;
}

static err_t take_option(struct arguments *a, int letter, const char *value)
{
	switch (letter) {
	case 'h':
		a->help = true;
		return NULL;
	case 'c':
		a->config = value;
		return NULL;
	case 't':
		a->target = value;
		return NULL;
	case 'n':
		a->then = value;
		return NULL;
	case 'C':
		return err_context(codec_choice_parse(value, &a->tool.codec), "--codec");
	case 'T':
		return parse_threads(value, &a->tool.threads);
	case 'A':
		return parse_place(value, &a->tool.at);
	case 'a':
		a->tool.all_pages = true;
		return NULL;
	case 'f':
		a->tool.force = true;
		return NULL;
	case 'k':
		a->tool.keep_going = true;
		return NULL;
	case 's':
		return err_context(sizetext_parse(value, &a->setup.size), "--size");
	case 'R':
		a->setup.rekey = true;
		return NULL;
	case 'K':
		a->setup.key_file = a->tool.key_file = value;
		return NULL;
	case 'I':
		a->setup.no_initramfs = true;
		return NULL;
	case 'z':
		a->tool.seal = value;
		return NULL;
	case 'e':
		a->tool.cipher = cipher_by_name(value);
		return a->tool.cipher ? NULL
				      : err_new(ERR_INVALID, "--cipher: there is no \"%s\"", value);
	case 'S':
		a->tool.secret = value;
		return NULL;
	default:
		a->tool.json = true;
		return NULL;
	}
}

/* Exactly the files that the command wants, and one way to open them. */
static err_t take_operands(const struct command *c, int count, char **words, struct arguments *a)
{
	int wanted = !*c->operands ? 0 : strchr(c->operands, ' ') ? 2 : 1;

	if (count > wanted)
		return err_new(ERR_INVALID, "%s: unexpected argument", words[wanted]);
	if (count < wanted)
		return err_new(ERR_INVALID, "usage: dormouse %s [OPTION...] %s", c->name,
			       c->operands);
	if (a->tool.secret && a->tool.key_file)
		return err_new(ERR_INVALID, "--secret and --key-file: one of them");
	a->tool.from = wanted > 0 ? words[0] : NULL;
	a->tool.to = wanted > 1 ? words[1] : NULL;
	return NULL;
}

static err_t parse_arguments(const struct command *c, int argc, char **argv, struct arguments *a)
{
	int o;

	opterr = 0;
	for (;;) {
		const char *word = optind < argc ? argv[optind] : "";

		o = getopt_long(argc, argv, ":", long_options, NULL);
		if (o == -1)
			break;
		if (o == ':')
			return err_new(ERR_INVALID, "%s needs a value", word);
		if (o == '?' || (o != 'h' && !strchr(c->options, o)))
			return err_new(ERR_INVALID, "%s: unknown option; see dormouse %s --help",
				       word, c->name);
		TRY(take_option(a, o, optarg));
	}
	return a->help ? NULL : take_operands(c, argc - optind, argv + optind, a);
}

static err_t run_command(const struct command *c, int argc, char **argv, int *exit_code)
{
	struct arguments a = {.tool.threads = threads_for_cpus(IMAGE_THREADS_MAX),
			      .tool.at = IMAGEFILE_WHOLE};
	err_t e;

	*exit_code = EXITCODE_USAGE;
	TRY(codec_choice_parse("lz4", &a.tool.codec));
	TRY(parse_arguments(c, argc, argv, &a));
	if (a.help) {
		print_command_help(c);
		*exit_code = EXITCODE_DONE;
		return NULL;
	}
	if (c->run)
		return c->run(&a, exit_code);
	e = c->tool(&a.tool);
	*exit_code = tools_exit_code(e);
	return e;
}

static err_t run(int argc, char **argv, int *exit_code)
{
	const char *name = argc > 1 ? argv[1] : "";
	const struct command *c = find_command(name);

	*exit_code = EXITCODE_DONE;
	if (c)
		return run_command(c, argc - 1, argv + 1, exit_code);
	if (!strcmp(name, "--version")) {
		printf("dormouse " DORMOUSE_VERSION "\n");
		return NULL;
	}
	if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help")) {
		print_help();
		return NULL;
	}
	*exit_code = EXITCODE_USAGE;
	if (!*name)
		return err_new(ERR_INVALID, "which command? See dormouse --help");
	return err_new(ERR_INVALID, "there is no command \"%s\"; see dormouse --help", name);
}

int main(int argc, char **argv)
{
	int exit_code;
	err_t e;

	process_fill_standard();
	log_init("dormouse");
	e = run(argc, argv, &exit_code);
	if (e) {
		fflush(stdout);
		fprintf(stderr, "dormouse: %s\n", err_text(e));
	}
	err_free(e);
	return exit_code;
}
