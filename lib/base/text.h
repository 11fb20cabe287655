/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text that comes from elsewhere, an image or a dump, made fit for a terminal or
 * for JSON. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define TEXT_UUID_BYTES 37

/*
 * A copy that a terminal may get: valid UTF-8 without control characters (C0,
 * DEL, C1); each byte that is none of it becomes '?'. Cut off to n - 1 bytes, not
 * within a character. out may not be text.
 */
char *text_printable(char *out, size_t n, const char *text);

/* Seconds since 1970 as strftime prints them, by UTC or the local time; out then is "a time
 * that cannot be" where no calendar has it. */
char *text_time(char *out, size_t n, const char *format, uint64_t seconds, bool utc);

/* Undo, in place, what the kernel makes of white space and backslashes in files of
 * /proc: \ooo. */
void text_unescape(char *text);

/* The text as a JSON string (RFC 8259), quotes included; bytes that are no UTF-8
 * become U+FFFD. */
void text_json(FILE *out, const char *text);

/* A UUID as tools and the kernel write it: lower case, with dashes. */
void text_uuid(const uint8_t uuid[16], char out[TEXT_UUID_BYTES]);

#endif
