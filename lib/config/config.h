/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * /etc/dormouse.conf, read on the running system and, as a copy, in the boot
 * kernel's initramfs: lines of "key = value", comments from # to the end of the
 * line. host/dormouse.conf.example explains every key.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONFIG_PATH	   "/etc/dormouse.conf"
#define CONFIG_TEXT_MAX	   256
#define CONFIG_TARGETS_MAX 8u

enum config_then {
	CONFIG_POWEROFF = 1,
	CONFIG_REBOOT = 2,
	CONFIG_RETURN = 3,
};

/* What is read back from the medium before an image is VALID. */
enum config_verify {
	CONFIG_VERIFY_INDEX = 1, /* all but the chunks */
	CONFIG_VERIFY_FULL = 2,
};

/* What becomes of an image that a boot cannot resume when nobody answers the question. */
enum config_resume {
	CONFIG_RESUME_REBOOT = 1, /* and try again, some times */
	CONFIG_RESUME_DISCARD = 2,
	CONFIG_RESUME_POWEROFF = 3,
};

/* Strings may be empty: not set. What they mean is checked by who uses them. */
struct config {
	char target[CONFIG_TEXT_MAX];			   /* that images go to: the first of all */
	char targets[CONFIG_TARGETS_MAX][CONFIG_TEXT_MAX]; /* all, each once */
	uint32_t target_count;
	bool one_target;       /* by config_use_target: no other is tried when it does not fit */
	bool unlisted;	       /* and it is not among the file's */
	enum config_then then; /* default: poweroff */
	enum config_verify verify;	  /* default: index */
	uint32_t time_limit;		  /* seconds for writing; 0: none; default: 30 minutes */
	char initramfs[CONFIG_TEXT_MAX];  /* empty: /boot/initrd.img-RELEASE */
	char codec[16];			  /* default: lz4 */
	bool encrypt;			  /* default: yes */
	char cipher[24];		  /* a name, or auto; default: auto */
	char key_file[CONFIG_TEXT_MAX];	  /* at boot: the passphrase is in it */
	uint64_t window;		  /* physical address; 0: chosen */
	char writer_dir[CONFIG_TEXT_MAX]; /* empty: where it is installed */
	char writer_cmdline[CONFIG_TEXT_MAX];
	uint32_t resume_wait;		   /* seconds for the question; 0: do not ask */
	enum config_resume resume_default; /* default: reboot */
};

void config_init(struct config *config);

/* One more target, unless it is among them. ERR_INVALID: too many, too long, empty. */
err_t config_add_target(struct config *config, const char *device) ERR_CHECK;

/* Of a target "luks:DEVICE", a LUKS partition that the writer opens itself, the device; of
 * any other NULL. */
const char *config_luks_device(const char *target);

/* Images go to this one; the others are still known. Errors as above. */
err_t config_use_target(struct config *config, const char *device) ERR_CHECK;

/* The targets that images go to, in the order they are tried; NULL behind the last. */
const char *config_candidate(const struct config *config, uint32_t i);

/* "poweroff", "reboot", "return"; anything else is ERR_INVALID. */
err_t config_parse_then(const char *text, enum config_then *out) ERR_CHECK;

/*
 * Put the settings of text (n bytes, name for messages) over those in config.
 * ERR_INVALID with the line's number: unknown key, bad or too long value, no
 * "=". On error config is unchanged.
 */
err_t config_parse(const char *text, size_t n, const char *name, struct config *config) ERR_CHECK;

/* The same from a file. A file that is not there is no error unless must_exist. */
err_t config_load(const char *path, int must_exist, struct config *config) ERR_CHECK;

#endif
