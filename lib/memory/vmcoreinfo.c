/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "memory/vmcoreinfo.h"

#include "base/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOTE_NAME "VMCOREINFO"

/* Elf64_Nhdr: sizes of name and text, type; both padded to 4 bytes. */
struct note_header {
	le32_t name_bytes;
	le32_t text_bytes;
	le32_t type;
};

err_t vmcoreinfo_parse(const uint8_t *note, size_t n, struct vmcoreinfo *out)
{
	struct note_header h;
	size_t name, text, at;

	if (n < sizeof(h))
		return err_new(ERR_FORMAT, "vmcoreinfo: the note is too short");
	memcpy(&h, note, sizeof(h));
	name = le32_get(h.name_bytes);
	text = le32_get(h.text_bytes);
	if (name != sizeof(NOTE_NAME) || n < sizeof(h) + sizeof(NOTE_NAME) ||
	    memcmp(note + sizeof(h), NOTE_NAME, sizeof(NOTE_NAME)))
		return err_new(ERR_FORMAT, "vmcoreinfo: this is no VMCOREINFO note");
	at = sizeof(h) + ((name + 3) & ~(size_t)3);
	if (text > VMCOREINFO_MAX || at > n || text > n - at)
		return err_new(ERR_FORMAT, "vmcoreinfo: its text has an impossible length");
	memcpy(out->text, note + at, text);
	out->text[text] = '\0';
	return NULL;
}

/* What follows "NAME=" at a line's start, or NULL. */
static const char *line_of(const struct vmcoreinfo *v, const char *name)
{
	size_t len = strlen(name);
	const char *p = v->text;

	while (p) {
		if (!strncmp(p, name, len) && p[len] == '=')
			return p + len + 1;
		p = strchr(p, '\n');
		if (p)
			p++;
	}
	return NULL;
}

bool vmcoreinfo_get(const struct vmcoreinfo *v, const char *name, int64_t *out)
{
	bool hex = !strncmp(name, "SYMBOL(", 7) || !strcmp(name, "KERNELOFFSET");
	const char *p = line_of(v, name);
	char *end;

	if (!p)
		return false;
	/* Addresses use all 64 bits, so they are read unsigned. */
	*out = hex ? (int64_t)strtoull(p, &end, 16) : strtoll(p, &end, 10);
	return end != p && (*end == '\n' || *end == '\0');
}

bool vmcoreinfo_text(const struct vmcoreinfo *v, const char *name, char *out, size_t room)
{
	const char *p = line_of(v, name);
	size_t n = p ? strcspn(p, "\n") : 0;

	if (!p || n >= room)
		return false;
	memcpy(out, p, n);
	out[n] = '\0';
	return true;
}
