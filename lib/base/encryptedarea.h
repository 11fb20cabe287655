/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bytes of a disk that the kernel's dm-crypt makes a device of. */
#ifndef BASE_ENCRYPTEDAREA_H
#define BASE_ENCRYPTEDAREA_H

#include "base/util.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define ENCRYPTEDAREA_KEY_MAX	 128u
#define ENCRYPTEDAREA_CIPHER_MAX 64u

/* Documentation/admin-guide/device-mapper/dm-crypt.rst. Holds a key: in locked
 * memory, and wiped. */
struct encrypted_area {
	uint64_t start, bytes;		       /* on the disk; multiples of sector_bytes */
	uint64_t iv_offset;		       /* sectors of 512 bytes, added to each number */
	uint32_t sector_bytes;		       /* that are encrypted as one: 512 to 4096 */
	uint32_t key_bytes;		       /* 1 to ENCRYPTEDAREA_KEY_MAX */
	char cipher[ENCRYPTEDAREA_CIPHER_MAX]; /* "aes-xts-plain64" */
	uint8_t key[ENCRYPTEDAREA_KEY_MAX];
};

/* Could there be such a one? The cipher's name has an end then, and is one word to the kernel. */
static inline bool encrypted_area_sane(const struct encrypted_area *a)
{
	uint32_t sector = a->sector_bytes;

	return sector >= 512 && sector <= PAGE_BYTES && !(sector & (sector - 1)) && a->bytes &&
	       !(a->start % sector) && !(a->bytes % sector) && a->key_bytes &&
	       a->key_bytes <= ENCRYPTEDAREA_KEY_MAX && *a->cipher &&
	       memchr(a->cipher, '\0', sizeof(a->cipher)) && !strpbrk(a->cipher, " \t\n\v\f\r");
}

#endif
