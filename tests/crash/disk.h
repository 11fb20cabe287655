/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A simulated disk with a volatile cache, as the device of a target: reads give
 * what was written last, and the log of writes and flushes tells what a power cut
 * may leave of it (cut.h). Faults can be planted in it, for one step at a time.
 */
#ifndef CRASH_DISK_H
#define CRASH_DISK_H

#include "target/target.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DISK_BYTES   (256u << 10)
#define SECTOR_BYTES 512u
#define DISK_SECTORS (DISK_BYTES / SECTOR_BYTES)
/* A larger write is several ones, as the kernel splits them for a device; they
 * land independently of each other. */
#define DISK_WRITE_MAX (16u << 10)

struct disk_op {
	bool flush;
	bool lost; /* a flush that failed: what was to be flushed is gone */
	uint32_t n;
	uint64_t at;
	uint8_t *data;
};

enum disk_fault_kind {
	FAULT_NONE,
	FAULT_ERROR,	     /* the nth write or flush fails; some of the write may land */
	FAULT_FLUSH_IGNORED, /* the nth flush does nothing, and says it did */
	FAULT_WRITE_LOST,    /* the nth write does nothing, and says it did */
	FAULT_HEADER_EARLY,  /* before the first slot, the swap header is restored */
	FAULT_HEADER_LATE,   /* a write of the swap header comes after the slot that follows */
	FAULT_SLOTS_SWAPPED, /* from the first write of a slot on, each is the other one */
};

struct disk_fault {
	enum disk_fault_kind kind;
	unsigned int nth;    /* from 0 */
	bool lasting;	     /* FAULT_ERROR: all that follow fail too */
	unsigned int landed; /* FAULT_ERROR: sectors of the failing write that land */
	bool cache_lost;     /* FAULT_ERROR: a failed flush loses what was not flushed */
	bool lies;	     /* FAULT_WRITE_LOST: reading gives what was to be written */
};

struct disk {
	struct target target;
	pthread_mutex_t lock;	       /* of all below */
	uint8_t start[DISK_BYTES];     /* what was there before the log */
	uint8_t view[DISK_BYTES];      /* what reading gives */
	bool unreadable[DISK_SECTORS]; /* until they are written */
	struct disk_op *log;
	size_t ops, room;
	struct disk_fault fault;
	unsigned int seen; /* operations that the fault counts, so far */
	bool swapping;
	bool holding; /* the header that is to come late: as the view has it */
	bool blind;   /* reading page 0 always finds an image's signature */
	bool located; /* the target is slots of a swap area, view.h */
};

struct disk *disk_create(bool located);
void disk_destroy(struct disk *d);

/* Content as given, all of it on the medium; an empty log, and no fault. */
void disk_reset(struct disk *d, const uint8_t content[DISK_BYTES]);

/* The fault from here on; NULL: none. */
void disk_plant(struct disk *d, const struct disk_fault *fault);

#endif
