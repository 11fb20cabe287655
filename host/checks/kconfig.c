/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/checks/kconfig.h"

#include "base/io.h"
#include "base/util.h"
#include "host/checks/unpack.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CONFIG_MAX (4u << 20)

err_t kconfig_from_text(const char *text, size_t n, struct kconfig *out)
{
	char *copy = strndup(text, n);

	if (!copy)
		return err_new(ERR_NOMEM, "no memory for the kernel's configuration");
	out->text = copy;
	return NULL;
}

void kconfig_free(struct kconfig *kc)
{
	free(kc->text);
	kc->text = NULL;
}

static err_t read_packed(struct unpack *u, struct kconfig *out)
{
	CLEANUP_FREE char *text = calloc(1, CONFIG_MAX);
	size_t n = 0, got = 1;

	if (!text)
		return err_new(ERR_NOMEM, "reading %s", u->path);
	TRY(unpack_begin_packed(u));
	while (got && n + UNPACK_BUFFER < CONFIG_MAX) {
		const uint8_t *p;

		TRY(unpack_peek(u, UNPACK_BUFFER, &p, &got));
		TRY(unpack_read(u, text + n, got));
		n += got;
	}
	return kconfig_from_text(text, n, out);
}

static err_t load_packed(const char *path, struct kconfig *out)
{
	CLEANUP_FREE struct unpack *u = malloc(sizeof(*u));
	err_t e;

	if (!u)
		return err_new(ERR_NOMEM, "reading %s", path);
	TRY(unpack_open(u, path));
	e = read_packed(u, out);
	unpack_close(u);
	return e;
}

err_t kconfig_load(const char *release, struct kconfig *out)
{
	char path[256];

	if (!access("/proc/config.gz", R_OK))
		return load_packed("/proc/config.gz", out);
	snprintf(path, sizeof(path), "/boot/config-%s", release);
	if (!access(path, R_OK)) {
		CLEANUP_FREE char *text = NULL;
		size_t n;

		TRY(io_read_file(path, CONFIG_MAX, &text, &n));
		return kconfig_from_text(text, n, out);
	}
	return err_new(ERR_FORMAT, "neither /proc/config.gz nor %s is there", path);
}

bool kconfig_enabled(const struct kconfig *kc, const char *option)
{
	size_t n = strlen(option);
	const char *line = kc->text;

	while (line) {
		if (!strncmp(line, option, n) && line[n] == '=')
			return line[n + 1] == 'y' || line[n + 1] == 'm';
		line = strchr(line, '\n');
		if (line)
			line++;
	}
	return false;
}
