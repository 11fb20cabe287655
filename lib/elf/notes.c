/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "elf/notes.h"

#include "base/util.h"
#include "elf/disk.h"
#include "elf/dump.h"

#include <string.h>

static bool all_zero(const uint8_t *p, size_t n)
{
	while (n && !*p)
		p++, n--;
	return !n;
}

err_t notes_next(const uint8_t *notes, size_t n, size_t *at, struct note *out, bool *more)
{
	size_t left = n - *at;
	struct elf_note_disk h;
	uint64_t name, content;

	*more = left >= sizeof(h);
	if (!left)
		return NULL; /* there may be no notes at all: not even an address of them */
	if (!*more)
		return all_zero(notes + *at, left)
			       ? NULL
			       : err_new(ERR_CORRUPT, "the notes end inside of a note's header");
	memcpy(&h, notes + *at, sizeof(h));
	/* In 64 bits: the sum of both, padded, does not fit in 32. */
	name = align_up(le32_get(h.namesz), 4);
	content = le32_get(h.descsz);
	if (name + content > left - sizeof(h))
		return err_new(ERR_CORRUPT, "the note at byte %zu is longer than the notes", *at);
	*out = (struct note){
		.bytes = notes + *at,
		.n = sizeof(h) + name + content,
		.name = notes + *at + sizeof(h),
		.namesz = le32_get(h.namesz),
		.type = le32_get(h.type),
	};
	/* Of the last one, the padding may be missing. */
	*at += min_u64(sizeof(h) + name + align_up(content, 4), left);
	return NULL;
}

bool notes_is_named(const struct note *note, const char *name)
{
	size_t n = strlen(name) + 1;

	return note->namesz == n && !memcmp(note->name, name, n);
}

err_t notes_check(const uint8_t *notes, size_t n, uint32_t *cpus)
{
	struct note note;
	size_t at = 0;
	bool more;

	*cpus = 0;
	for (;;) {
		TRY(notes_next(notes, n, &at, &note, &more));
		if (!more)
			return NULL;
		*cpus += note.type == NT_PRSTATUS && notes_is_named(&note, "CORE");
	}
}

err_t elfdump_find_vmcoreinfo(const uint8_t *notes, size_t n, struct vmcoreinfo *out)
{
	struct note note;
	size_t at = 0;
	bool more;

	for (;;) {
		TRY(notes_next(notes, n, &at, &note, &more));
		if (!more)
			return err_new(ERR_FORMAT, "the dump has no VMCOREINFO note");
		if (notes_is_named(&note, "VMCOREINFO"))
			return vmcoreinfo_parse(note.bytes, note.n, out);
	}
}
