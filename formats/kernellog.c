/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "formats/kernellog.h"

#include "base/bytes.h"
#include "base/util.h"

#include <stdbool.h>
#include <string.h>

#define WORD 8u

/* May a word be a message's number? So far below 2^32 (printk_ringbuffer.h, DESC0_ID),
 * but so is the end of a short text. */
static bool number_at(const uint8_t *word, uint32_t *out)
{
	le32_t low, high;

	memcpy(&low, word, sizeof(low));
	memcpy(&high, word + sizeof(low), sizeof(high));
	*out = le32_get(low);
	return !le32_get(high);
}

static bool is_number(const uint8_t *word, uint32_t number)
{
	uint32_t found;

	return number_at(word, &found) && found == number;
}

/* The number of the last message, whose predecessor stands somewhere before it:
 * the end of a short text may look like a number, but not like two. */
static bool last_number(const uint8_t *ring, size_t n, uint32_t *out)
{
	for (size_t i = n; i >= WORD; i -= WORD) {
		if (!number_at(ring + i - WORD, out))
			continue;
		for (size_t k = i - WORD; k >= WORD; k -= WORD)
			if (is_number(ring + k - WORD, *out - 1))
				return true;
	}
	return false;
}

/*
 * The message at text, n bytes up to the next one, as a line. Its newline is still
 * there, though not part of it, and before it, where its level of two bytes was taken
 * off the front, its last two letters once more (kernel/printk/printk.c, printk_sprint).
 */
static size_t put_line(const uint8_t *text, size_t n, char *out)
{
	size_t length = 0;

	for (size_t i = 0; i < n && text[i] && text[i] != '\n'; i++)
		if (text[i] >= 0x20 && text[i] < 0x7f)
			out[length++] = (char)text[i];
	if (length > 4 && !memcmp(out + length - 2, out + length - 4, 2))
		length -= 2;
	if (length)
		out[length++] = '\n';
	return length;
}

/* From the end, so that the last ones are kept. */
void kernellog_text(const uint8_t *ring, size_t n, char *out, size_t room)
{
	uint32_t number;
	bool any = last_number(ring, n, &number);
	size_t at = room - 1, end = n;

	out[at] = '\0';
	for (size_t i = n; i >= WORD && any; i -= WORD) {
		char line[1024];
		size_t length;

		if (!is_number(ring + i - WORD, number))
			continue;
		number--;
		length = put_line(ring + i, min_u64(end - i, sizeof(line) - 1), line);
		end = i - WORD;
		if (length > at)
			break;
		at -= length;
		memcpy(out + at, line, length);
	}
	memmove(out, out + at, room - at);
}
