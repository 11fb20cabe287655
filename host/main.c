/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dormouse: the program on the running system. A new subcommand is a function
 * here and a line in the table. */
#include "base/err.h"
#include "base/log.h"
#include "base/util.h"
#include "config/config.h"
#include "host/doctor.h"
#include "host/exitcode.h"
#include "host/hibernate.h"
#include "host/status.h"
#include "jump/writer_files.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#ifndef DORMOUSE_VERSION
#define DORMOUSE_VERSION "0.1"
#endif

struct command {
	const char *name;
	const char *summary;
	const char *options; /* letters of those it takes besides --help and --config */
	err_t (*run)(const struct config *config, int *exit_code);
};

static err_t run_hibernate(const struct config *config, int *exit_code)
{
	return hibernate_run(config, exit_code);
}

static err_t run_status(const struct config *config, int *exit_code)
{
	err_t e = status_print(config);

	*exit_code = e ? EXITCODE_FAILED : EXITCODE_DONE;
	return e;
}

static err_t run_doctor(const struct config *config, int *exit_code)
{
	err_t e = doctor_print(config);

	*exit_code = !e				  ? EXITCODE_DONE
		     : err_kind(e) == ERR_REFUSED ? EXITCODE_REFUSED
						  : EXITCODE_FAILED;
	return e;
}

static const struct command commands[] = {
	{"hibernate", "write this machine's memory to the target, then power off", "tn",
	 run_hibernate},
	{"status", "what the last hibernation did, and what the target holds", "t", run_status},
	{"doctor", "can this machine hibernate? Every check, in plain words", "t", run_doctor},
};

static const struct option long_options[] = {
	{"help", no_argument, NULL, 'h'},
	{"config", required_argument, NULL, 'c'},
	{"target", required_argument, NULL, 't'},
	{"then", required_argument, NULL, 'n'},
	{NULL, 0, NULL, 0},
};

static const char *option_help(char letter)
{
	switch (letter) {
	case 't':
		return "  --target DEVICE   instead of the configuration's target\n";
	case 'n':
		return "  --then WHAT       poweroff (default), reboot, or return: write the "
		       "image, then\n"
		       "                    retire it and go on\n";
	default:
		return "";
	}
}

static void print_exit_codes(void)
{
	printf("\nexit codes:\n"
	       "  %d  done: resumed, or returned as asked\n"
	       "  %d  failed; the session goes on\n"
	       "  %d  wrong arguments or configuration\n"
	       "  %d  refused before anything was changed; the message says why\n"
	       "  %d  the writer gave up and jumped back; nothing is lost\n"
	       "  %d  aborted by a key (Esc or Backspace) while the image was written\n",
	       EXITCODE_DONE, EXITCODE_FAILED, EXITCODE_USAGE, EXITCODE_REFUSED, EXITCODE_GAVE_UP,
	       EXITCODE_ABORTED);
}

static void print_help(void)
{
	printf("usage: dormouse COMMAND [OPTION...]\n"
	       "Hibernation through a writer kernel.\n\ncommands:\n");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		printf("  %-10s %s\n", commands[i].name, commands[i].summary);
	printf("\n\"dormouse COMMAND --help\" tells a command's options; --version prints the "
	       "version.\n");
	print_exit_codes();
}

static void print_command_help(const struct command *c)
{
	printf("usage: dormouse %s [OPTION...]\n%s\n\noptions:\n", c->name, c->summary);
	for (const char *o = c->options; *o; o++)
		printf("%s", option_help(*o));
	printf("  --config FILE     instead of " CONFIG_PATH "\n"
	       "  --help            this text\n");
	print_exit_codes();
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (!strcmp(name, commands[i].name))
			return &commands[i];
	}
	return NULL;
}

struct arguments {
	const char *config, *target, *then; /* NULL: not given */
	bool help;
};

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
		if (o == '?' || (strchr("tn", o) && !strchr(c->options, o)))
			return err_new(ERR_INVALID, "%s: unknown option; see dormouse %s --help",
				       word, c->name);
		if (o == 'h')
			a->help = true;
		else if (o == 'c')
			a->config = optarg;
		else if (o == 't')
			a->target = optarg;
		else if (o == 'n')
			a->then = optarg;
	}
	if (optind < argc)
		return err_new(ERR_INVALID, "%s: unexpected argument", argv[optind]);
	return NULL;
}

/* Configuration file, then what the command line says instead. */
static err_t make_config(const struct arguments *a, struct config *config)
{
	config_init(config);
	TRY(config_load(a->config ? a->config : CONFIG_PATH, a->config != NULL, config));
	if (!config->writer_dir[0])
		strcpy(config->writer_dir, WRITER_DIR);
	if (a->target && strlen(a->target) >= sizeof(config->target))
		return err_new(ERR_INVALID, "--target: too long");
	if (a->target)
		strcpy(config->target, a->target);
	if (a->then)
		TRY(err_context(config_parse_then(a->then, &config->then), "--then"));
	return NULL;
}

static err_t run_command(const struct command *c, int argc, char **argv, int *exit_code)
{
	struct arguments a = {0};
	struct config config;

	*exit_code = EXITCODE_USAGE;
	TRY(parse_arguments(c, argc, argv, &a));
	if (a.help) {
		print_command_help(c);
		*exit_code = EXITCODE_DONE;
		return NULL;
	}
	TRY(make_config(&a, &config));
	return c->run(&config, exit_code);
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

	log_init("dormouse");
	e = run(argc, argv, &exit_code);
	if (e) {
		fflush(stdout);
		fprintf(stderr, "dormouse: %s\n", err_text(e));
	}
	err_free(e);
	return exit_code;
}
