/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * /etc/dormouse/pins: what a boot must know, and believes, before it can read any
 * filesystem: where images begin on bare disks, and for whom they are sealed. Made by
 * `dormouse setup`, never by hand, and copied into the initramfs. Lines of
 * "key = value":
 *
 *   public = 64 hexadecimal digits
 *   authenticated = yes
 *   auth = 64 hexadecimal digits    (of the host's auth.key, secret_auth_digest())
 *   place = KIND BYTE DISK_BYTES IDENTITY TARGET     (IDENTITY "-": not known)
 *   ext = UUID PATH     the place before it begins this file of an ext2, ext3 or ext4
 *                       that lies on a bare disk or partition
 */
#ifndef CONFIG_PINS_H
#define CONFIG_PINS_H

#include "base/err.h"
#include "config/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define PINS_PATH	  "/etc/dormouse/pins"
#define PINS_PUBLIC_BYTES 32u
#define PINS_AUTH_BYTES	  32u
#define PINS_IDENTITY_MAX 56u
#define PINS_UUID_MAX	  37u

/* What lies at the pinned place. */
enum pin_kind {
	PIN_HEAD = 1, /* the first 16 KiB of the image's address space */
	PIN_LOCATOR =
		2, /* the sector of a swap header that holds a locator while an image counts */
};

struct pin {
	enum pin_kind kind;
	uint64_t byte;			  /* of the disk */
	uint64_t disk_bytes;		  /* its size */
	char identity[PINS_IDENTITY_MAX]; /* its serial number or the like; empty: not known */
	char target[CONFIG_TEXT_MAX];	  /* as the configuration names it */
	char ext_uuid[PINS_UUID_MAX];	  /* of its filesystem; empty: it has no such file */
	char ext_path[CONFIG_TEXT_MAX];	  /* from the filesystem's own root */
};

struct pins {
	bool has_public;
	uint8_t public_key[PINS_PUBLIC_BYTES]; /* X25519: images are sealed for it */
	bool authenticated; /* only images that were made with the authentication key are believed
			     */
	bool has_auth;	    /* not in pins of older versions */
	uint8_t auth[PINS_AUTH_BYTES];
	uint32_t count;
	struct pin pins[CONFIG_TARGETS_MAX];
};

/* The pin of a target, or NULL. */
const struct pin *pins_of(const struct pins *p, const char *target);

/* A disk's identity as pins have it: without the white space that would divide the line. */
void pins_identity(const char *identity, char out[PINS_IDENTITY_MAX]);

/* Can a line hold this name? Not with a #, control characters, or white space at its ends. */
bool pins_can_hold(const char *name);

/* Add, or replace that of the same target. ERR_INVALID: too many, or a name that no line can
 * hold. */
err_t pins_set(struct pins *p, const struct pin *pin) ERR_CHECK;

/* ERR_INVALID: not such a file. On an error *out is unchanged. */
err_t pins_parse(const char *text, size_t n, const char *name, struct pins *out) ERR_CHECK;

/* A file that is not there has no pins. */
err_t pins_load(const char *path, struct pins *out) ERR_CHECK;

/* Is it where it was pinned? By kind, place, and the disk's size and identity. */
bool pins_same_place(const struct pin *a, const struct pin *b);

/* Is a disk the pin's? Kernels differ in what they show of one. */
enum pins_disk {
	PINS_DISK_OTHER,   /* of another size */
	PINS_DISK_RENAMED, /* of that size; it says that it is another one */
	PINS_DISK_UNNAMED, /* of that size; it, or the pin, does not say which one it is */
	PINS_DISK_SAME,	   /* size and identity, or neither has one */
};

enum pins_disk pins_disk(const struct pin *pin, const char *identity, uint64_t bytes);

/* PINS_DISK_SAME */
bool pins_on_disk(const struct pin *pin, const char *identity, uint64_t bytes);

/* Would a boot ask an ext filesystem for the same file? */
bool pins_same_file(const struct pin *a, const struct pin *b);

/* Where the configuration names no target, those that setup chose are its targets. */
err_t pins_add_targets(const struct pins *p, struct config *config) ERR_CHECK;

/* What pins_parse reads. Errors are the stream's. */
void pins_print(const struct pins *p, FILE *out);

#endif
