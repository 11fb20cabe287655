/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config/pins.h"

#include "base/io.h"
#include "base/util.h"
#include "config/keyvalue.h"

#include <ctype.h>
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

bool pins_can_hold(const char *name)
{
	size_t n = strlen(name);

	for (const char *c = name; *c; c++)
		if (*c == '#' || iscntrl((unsigned char)*c))
			return false;
	return !n || !(isspace((unsigned char)name[0]) || isspace((unsigned char)name[n - 1]));
}

err_t pins_set(struct pins *p, const struct pin *pin)
{
	uint32_t i = 0;

	if (!pins_can_hold(pin->target))
		return err_new(ERR_INVALID,
			       "\"%s\" can be no target: its name has a #, a control character, or "
			       "white space at an end",
			       pin->target);

	while (i < p->count && strcmp(p->pins[i].target, pin->target))
		i++;
	if (i == CONFIG_TARGETS_MAX)
		return err_new(ERR_INVALID, "more than %u pinned places", CONFIG_TARGETS_MAX);
	p->pins[i] = *pin;
	if (i == p->count)
		p->count++;
	return NULL;
}

static err_t parse_hex(const char *value, uint8_t *out, size_t bytes, bool *there)
{
	unsigned int byte;

	if (strlen(value) != 2 * bytes || strspn(value, "0123456789abcdef") != 2 * bytes)
		return err_new(ERR_INVALID, "not %zu hexadecimal digits", 2 * bytes);
	for (size_t i = 0; i < bytes; i++) {
		sscanf(value + 2 * i, "%2x", &byte);
		out[i] = (uint8_t)byte;
	}
	*there = true;
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
		return parse_hex(value, p->public_key, PINS_PUBLIC_BYTES, &p->has_public);
	if (!strcmp(key, "auth"))
		return parse_hex(value, p->auth, PINS_AUTH_BYTES, &p->has_auth);
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

enum pins_disk pins_disk(const struct pin *pin, const char *identity, uint64_t bytes)
{
	char as_pinned[PINS_IDENTITY_MAX];

	pins_identity(identity, as_pinned);
	if (bytes != pin->disk_bytes)
		return PINS_DISK_OTHER;
	if (!strcmp(as_pinned, pin->identity))
		return PINS_DISK_SAME;
	return *as_pinned && *pin->identity ? PINS_DISK_RENAMED : PINS_DISK_UNNAMED;
}

bool pins_on_disk(const struct pin *pin, const char *identity, uint64_t bytes)
{
	return pins_disk(pin, identity, bytes) == PINS_DISK_SAME;
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

static void print_hex(const char *key, const uint8_t *bytes, size_t n, FILE *out)
{
	fprintf(out, "%s = ", key);
	for (size_t i = 0; i < n; i++)
		fprintf(out, "%02x", bytes[i]);
	putc('\n', out);
}

void pins_print(const struct pins *p, FILE *out)
{
	fprintf(out, "# made by dormouse setup: what a boot must know to find an image and believe "
		     "it\n");
	if (p->has_public)
		print_hex("public", p->public_key, PINS_PUBLIC_BYTES, out);
	fprintf(out, "authenticated = %s\n", p->authenticated ? "yes" : "no");
	if (p->has_auth)
		print_hex("auth", p->auth, PINS_AUTH_BYTES, out);
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
