/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config/pins.h"

#include "base/io.h"
#include "base/util.h"
#include "config/keyvalue.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX (16u << 10)

static const char *const kinds[] = {[PIN_HEAD] = "head", [PIN_LOCATOR] = "locator"};

const struct pin *pins_of(const struct pins *p, const char *target)
{
	for (uint32_t i = 0; i < p->count; i++)
		if (!strcmp(p->pins[i].target, target))
			return &p->pins[i];
	return NULL;
}

err_t pins_set(struct pins *p, const struct pin *pin)
{
	uint32_t i = 0;

	while (i < p->count && strcmp(p->pins[i].target, pin->target))
		i++;
	if (i == CONFIG_TARGETS_MAX)
		return err_new(ERR_INVALID, "more than %u pinned places", CONFIG_TARGETS_MAX);
	p->pins[i] = *pin;
	if (i == p->count)
		p->count++;
	return NULL;
}

static err_t parse_public(const char *value, struct pins *p)
{
	unsigned int byte;

	if (strlen(value) != 2 * PINS_PUBLIC_BYTES ||
	    strspn(value, "0123456789abcdef") != 2 * PINS_PUBLIC_BYTES)
		return err_new(ERR_INVALID, "not %u hexadecimal digits", 2 * PINS_PUBLIC_BYTES);
	for (size_t i = 0; i < PINS_PUBLIC_BYTES; i++) {
		sscanf(value + 2 * i, "%2x", &byte);
		p->public_key[i] = (uint8_t)byte;
	}
	p->has_public = true;
	return NULL;
}

static err_t parse_place(const char *value, struct pins *p)
{
	struct pin pin = {.kind = PIN_HEAD};
	unsigned long long byte, bytes;
	char kind[16], identity[PINS_IDENTITY_MAX];
	int at = 0;

	if (sscanf(value, "%15s %llu %llu %55s %n", kind, &byte, &bytes, identity, &at) != 4 ||
	    !value[at] || strlen(value + at) >= sizeof(pin.target))
		return err_new(ERR_INVALID, "\"%s\" is no place", value);
	while (pin.kind < ARRAY_LEN(kinds) && strcmp(kind, kinds[pin.kind]))
		pin.kind++;
	if (pin.kind == ARRAY_LEN(kinds) || byte % 512 || byte >= bytes)
		return err_new(ERR_INVALID, "\"%s\" is no place", value);
	pin.byte = byte;
	pin.disk_bytes = bytes;
	if (strcmp(identity, "-"))
		strcpy(pin.identity, identity);
	strcpy(pin.target, value + at);
	return pins_set(p, &pin);
}

/* Of the place before it. */
static err_t parse_ext(const char *value, struct pins *p)
{
	struct pin *pin = p->count ? &p->pins[p->count - 1] : NULL;
	char uuid[PINS_UUID_MAX];
	int at = 0;

	if (!pin || pin->kind != PIN_HEAD || sscanf(value, "%36s %n", uuid, &at) != 1 ||
	    strlen(uuid) != PINS_UUID_MAX - 1 || value[at] != '/' ||
	    strlen(value + at) >= sizeof(pin->ext_path))
		return err_new(ERR_INVALID, "\"%s\" is no file of a place", value);
	strcpy(pin->ext_uuid, uuid);
	strcpy(pin->ext_path, value + at);
	return NULL;
}

static err_t take(void *ctx, const char *key, const char *value)
{
	struct pins *p = ctx;

	if (!strcmp(key, "public"))
		return parse_public(value, p);
	if (!strcmp(key, "place"))
		return parse_place(value, p);
	if (!strcmp(key, "ext"))
		return parse_ext(value, p);
	if (strcmp(key, "authenticated"))
		return err_new(ERR_INVALID, "unknown key");
	p->authenticated = !strcmp(value, "yes");
	if (!p->authenticated && strcmp(value, "no"))
		return err_new(ERR_INVALID, "\"%s\" is neither yes nor no", value);
	return NULL;
}

err_t pins_parse(const char *text, size_t n, const char *name, struct pins *out)
{
	struct pins p = {.count = 0};

	TRY(keyvalue_each(text, n, name, take, &p));
	*out = p;
	return NULL;
}

err_t pins_load(const char *path, struct pins *out)
{
	CLEANUP_FREE char *text = NULL;
	size_t n;

	if (access(path, F_OK) && errno == ENOENT) {
		*out = (struct pins){.count = 0};
		return NULL;
	}
	TRY(io_read_file(path, FILE_MAX, &text, &n));
	return pins_parse(text, n, path, out);
}

void pins_identity(const char *identity, char out[PINS_IDENTITY_MAX])
{
	size_t n = 0;

	for (const char *p = identity; *p && n + 1 < PINS_IDENTITY_MAX; p++)
		out[n++] = *p == ' ' || *p == '\t' || *p == '#' ? '_' : *p;
	out[n] = '\0';
}

bool pins_same_place(const struct pin *a, const struct pin *b)
{
	return a->kind == b->kind && a->byte == b->byte && a->disk_bytes == b->disk_bytes &&
	       !strcmp(a->identity, b->identity);
}

bool pins_on_disk(const struct pin *pin, const char *identity, uint64_t bytes)
{
	char as_pinned[PINS_IDENTITY_MAX];

	pins_identity(identity, as_pinned);
	return bytes == pin->disk_bytes && !strcmp(as_pinned, pin->identity);
}

bool pins_same_file(const struct pin *a, const struct pin *b)
{
	return !strcmp(a->ext_uuid, b->ext_uuid) && !strcmp(a->ext_path, b->ext_path);
}

err_t pins_add_targets(const struct pins *p, struct config *config)
{
	if (config->target_count)
		return NULL;
	for (uint32_t i = 0; i < p->count; i++)
		TRY(config_add_target(config, p->pins[i].target));
	return NULL;
}

void pins_print(const struct pins *p, FILE *out)
{
	fprintf(out, "# made by dormouse setup: what a boot must know to find an image and believe "
		     "it\n");
	if (p->has_public) {
		fprintf(out, "public = ");
		for (size_t i = 0; i < PINS_PUBLIC_BYTES; i++)
			fprintf(out, "%02x", p->public_key[i]);
		putc('\n', out);
	}
	fprintf(out, "authenticated = %s\n", p->authenticated ? "yes" : "no");
	for (uint32_t i = 0; i < p->count; i++) {
		const struct pin *pin = &p->pins[i];
		char identity[PINS_IDENTITY_MAX];

		pins_identity(pin->identity, identity);
		fprintf(out, "place = %s %llu %llu %s %s\n", kinds[pin->kind],
			(unsigned long long)pin->byte, (unsigned long long)pin->disk_bytes,
			*identity ? identity : "-", pin->target);
		if (*pin->ext_uuid)
			fprintf(out, "ext = %s %s\n", pin->ext_uuid, pin->ext_path);
	}
}
