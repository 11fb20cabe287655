/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config/config.h"

#include "base/io.h"
#include "base/util.h"
#include "config/keyvalue.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX	(64u << 10)
#define RESUME_WAIT	60u
#define TIME_LIMIT_MAX	86400u
#define RESUME_WAIT_MAX 86400u

void config_init(struct config *config)
{
	memset(config, 0, sizeof(*config));
	config->then = CONFIG_POWEROFF;
	config->verify = CONFIG_VERIFY_INDEX;
	config->time_limit = 30 * 60;
	strcpy(config->codec, "lz4");
	config->encrypt = true;
	strcpy(config->cipher, "auto");
	config->resume_wait = RESUME_WAIT;
	config->resume_default = CONFIG_RESUME_REBOOT;
}

err_t config_parse_then(const char *text, enum config_then *out)
{
	static const struct {
		const char *name;
		enum config_then then;
	} names[] = {
		{"poweroff", CONFIG_POWEROFF},
		{"reboot", CONFIG_REBOOT},
		{"return", CONFIG_RETURN},
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (!strcmp(text, names[i].name)) {
			*out = names[i].then;
			return NULL;
		}
	}
	return err_new(ERR_INVALID, "\"%s\" is not poweroff, reboot or return", text);
}

static err_t set_text(const char *value, char *out, size_t room)
{
	if (strlen(value) >= room)
		return err_new(ERR_INVALID, "longer than %zu characters", room - 1);
	strcpy(out, value);
	return NULL;
}

const char *config_luks_device(const char *target)
{
	static const char prefix[] = "luks:";
	size_t n = sizeof(prefix) - 1;

	return strncmp(target, prefix, n) ? NULL : target + n;
}

err_t config_add_target(struct config *c, const char *device)
{
	if (!*device)
		return err_new(ERR_INVALID, "no device is named");
	for (uint32_t i = 0; i < c->target_count; i++)
		if (!strcmp(c->targets[i], device))
			return NULL;
	if (c->target_count == CONFIG_TARGETS_MAX)
		return err_new(ERR_INVALID, "more than %u targets", CONFIG_TARGETS_MAX);
	TRY(set_text(device, c->targets[c->target_count], CONFIG_TEXT_MAX));
	if (!c->target_count++)
		strcpy(c->target, device);
	return NULL;
}

err_t config_use_target(struct config *c, const char *device)
{
	uint32_t before = c->target_count;

	TRY(config_add_target(c, device));
	c->unlisted = c->target_count > before;
	strcpy(c->target, device);
	c->one_target = true;
	return NULL;
}

const char *config_candidate(const struct config *c, uint32_t i)
{
	if (c->one_target)
		return i ? NULL : c->target;
	return i < c->target_count ? c->targets[i] : NULL;
}

static err_t set_address(const char *value, uint64_t *out)
{
	char *end;
	unsigned long long x;

	errno = 0;
	x = strtoull(value, &end, 0);
	if (!isdigit((unsigned char)*value) || *end || errno)
		return err_new(ERR_INVALID, "\"%s\" is not an address", value);
	*out = x;
	return NULL;
}

static err_t parse_verify(const char *value, enum config_verify *out)
{
	if (!strcmp(value, "index"))
		*out = CONFIG_VERIFY_INDEX;
	else if (!strcmp(value, "full"))
		*out = CONFIG_VERIFY_FULL;
	else
		return err_new(ERR_INVALID, "\"%s\" is none of index, full", value);
	return NULL;
}

static err_t set_seconds(const char *value, uint32_t max, uint32_t *out)
{
	char *end;
	unsigned long x;

	errno = 0;
	x = strtoul(value, &end, 10);
	if (!isdigit((unsigned char)*value) || *end || errno || x > max)
		return err_new(ERR_INVALID, "\"%s\" is not a number of seconds up to %u", value,
			       max);
	*out = (uint32_t)x;
	return NULL;
}

static err_t parse_resume(const char *value, enum config_resume *out)
{
	if (!strcmp(value, "reboot"))
		*out = CONFIG_RESUME_REBOOT;
	else if (!strcmp(value, "discard"))
		*out = CONFIG_RESUME_DISCARD;
	else if (!strcmp(value, "poweroff"))
		*out = CONFIG_RESUME_POWEROFF;
	else
		return err_new(ERR_INVALID, "\"%s\" is none of reboot, discard, poweroff", value);
	return NULL;
}

static err_t parse_bool(const char *value, bool *out)
{
	bool yes = !strcmp(value, "yes");

	if (!yes && strcmp(value, "no"))
		return err_new(ERR_INVALID, "\"%s\" is neither yes nor no", value);
	*out = yes;
	return NULL;
}

/* What is about the image's encryption; unknown keys are refused. */
static err_t set_encryption(struct config *c, const char *key, const char *value)
{
	if (!strcmp(key, "encrypt"))
		return parse_bool(value, &c->encrypt);
	if (!strcmp(key, "cipher"))
		return set_text(value, c->cipher, sizeof(c->cipher));
	if (!strcmp(key, "key_file"))
		return set_text(value, c->key_file, sizeof(c->key_file));
	return err_new(ERR_INVALID, "unknown key");
}

static err_t set_key(struct config *c, const char *key, const char *value)
{
	if (!strcmp(key, "target"))
		return config_add_target(c, value);
	if (!strcmp(key, "then"))
		return config_parse_then(value, &c->then);
	if (!strcmp(key, "verify"))
		return parse_verify(value, &c->verify);
	if (!strcmp(key, "time_limit"))
		return set_seconds(value, TIME_LIMIT_MAX, &c->time_limit);
	if (!strcmp(key, "initramfs"))
		return set_text(value, c->initramfs, sizeof(c->initramfs));
	if (!strcmp(key, "codec"))
		return set_text(value, c->codec, sizeof(c->codec));
	if (!strcmp(key, "window"))
		return set_address(value, &c->window);
	if (!strcmp(key, "writer_dir"))
		return set_text(value, c->writer_dir, sizeof(c->writer_dir));
	if (!strcmp(key, "writer_cmdline"))
		return set_text(value, c->writer_cmdline, sizeof(c->writer_cmdline));
	if (!strcmp(key, "resume_wait"))
		return set_seconds(value, RESUME_WAIT_MAX, &c->resume_wait);
	if (!strcmp(key, "resume_default"))
		return parse_resume(value, &c->resume_default);
	return set_encryption(c, key, value);
}

static err_t take_line(void *ctx, const char *key, const char *value)
{
	return set_key(ctx, key, value);
}

err_t config_parse(const char *text, size_t n, const char *name, struct config *config)
{
	struct config c = *config;

	TRY(keyvalue_each(text, n, name, take_line, &c));
	*config = c;
	return NULL;
}

err_t config_load(const char *path, int must_exist, struct config *config)
{
	CLEANUP_FREE char *text = NULL;
	size_t n;

	if (!must_exist && access(path, F_OK) && errno == ENOENT)
		return NULL;
	TRY(io_read_file(path, FILE_MAX, &text, &n));
	return config_parse(text, n, path, config);
}
