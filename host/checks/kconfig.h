/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The configuration that the running kernel was built with. */
#ifndef HOST_KCONFIG_H
#define HOST_KCONFIG_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct kconfig {
	char *text; /* lines; NULL when it is not known */
};

/* Takes a copy of n bytes of text. */
err_t kconfig_from_text(const char *text, size_t n, struct kconfig *out) ERR_CHECK;

/*
 * /proc/config.gz, or else /boot/config-RELEASE. ERR_FORMAT when there is
 * neither. On error *out is unchanged.
 */
err_t kconfig_load(const char *release, struct kconfig *out) ERR_CHECK;
void kconfig_free(struct kconfig *kc);

/* Is the option ("CONFIG_KEXEC") y or m? False also when nothing is known. */
bool kconfig_enabled(const struct kconfig *kc, const char *option);

#endif
