/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Everything that can make a machine, its settings or its target unfit, found
 * out before anything is changed. A new check is a function in one of the
 * check_*.c files and a line in the table of preflight.c.
 */
#ifndef HOST_PREFLIGHT_H
#define HOST_PREFLIGHT_H

#include "base/err.h"
#include "config/cmdline.h"
#include "config/config.h"
#include "config/pins.h"
#include "formats/hostinfo.h"
#include "host/checks/finding.h"
#include "host/disks/location.h"
#include "jump/writer_files.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the checks look at, gathered once. An error text is empty where the
 * value beside it is good. */
struct preflight {
	const struct config *config;
	const struct writer_files *writer; /* NULL: see writer_error */
	char writer_error[512];
	bool root;
	char cmdline[CMDLINE_MAX];
	struct hostinfo host; /* by machine_describe; see host_error */
	char host_error[512];
	uint64_t mem_total, mem_free, mem_available; /* bytes */
	struct pins pins;
	uint32_t candidate;	  /* the target that is looked at: config_candidate() */
	struct location location; /* what that is; see target_error */
	char target_error[512];
};

struct preflight_check {
	const char *name;
	void (*run)(const struct preflight *p, struct finding *out);
};

extern const struct preflight_check preflight_checks[];
extern const size_t preflight_check_count;

/* writer may be NULL with the error that loading gave (borrowed). The target is to be chosen
 * next. deinit also after errors. */
err_t preflight_init(struct preflight *p, const struct config *config,
		     const struct writer_files *writer, err_t writer_error) ERR_CHECK;
void preflight_deinit(struct preflight *p);

/*
 * The first target from this candidate on to which nothing is an obstacle; why others are
 * not is logged. ERR_REFUSED, with the first reason: none, and p->candidate is from.
 */
err_t preflight_choose_target(struct preflight *p, uint32_t from) ERR_CHECK;

/* All checks in order: warnings are logged, the first refusal is ERR_REFUSED. */
err_t preflight_run(const struct preflight *p) ERR_CHECK;

/* The three of /proc/meminfo; done by preflight_init. */
err_t preflight_meminfo(struct preflight *p) ERR_CHECK;

/* The initramfs file to look into; n bytes for its name. */
void preflight_initramfs(const struct preflight *p, char *path, size_t n);

#endif
