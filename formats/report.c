/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "formats/report.h"

#include "base/bytes.h"
#include "base/crc32c.h"
#include "formats/kernellog.h"

#include <assert.h>

#define VERSION 2u

static const char magic[8] = {'D', 'O', 'R', 'M', '-', 'R', 'P', 'T'};

/* docs/image-format.md, "Report" */
struct report_disk {
	uint8_t magic[8];
	le32_t version;
	le32_t result;
	uint8_t nonce[REPORT_NONCE_BYTES];
	le64_t image_bytes;
	le64_t data_pages;
	le32_t milliseconds;
	le32_t why;
	uint8_t reserved[8];
	char text[REPORT_TEXT_MAX];
	char log[REPORT_LOG_MAX];
	uint8_t spare[1472];
	struct {
		uint8_t nonce[REPORT_NONCE_BYTES];
		uint8_t spare[4080];
	} middle[2];
	uint8_t last_nonce[REPORT_NONCE_BYTES];
	uint8_t kernel_log[REPORT_KERNEL_LOG_BYTES];
	uint8_t spare_too[4];
	le32_t crc32c; /* of all before kernel_log */
};

static_assert(sizeof(struct report_disk) == REPORT_BYTES, "Report");
static_assert(offsetof(struct report_disk, version) == 8, "Report: version");
static_assert(offsetof(struct report_disk, nonce) == 16, "Report: nonce");
static_assert(offsetof(struct report_disk, image_bytes) == 32, "Report: image_bytes");
static_assert(offsetof(struct report_disk, milliseconds) == 48, "Report: milliseconds");
static_assert(offsetof(struct report_disk, why) == 52, "Report: why");
static_assert(offsetof(struct report_disk, text) == 64, "Report: text");
static_assert(offsetof(struct report_disk, log) == 576, "Report: log");
static_assert(offsetof(struct report_disk, middle) == 4096, "Report: second page");
static_assert(offsetof(struct report_disk, kernel_log) == REPORT_KERNEL_LOG_AT,
	      "Report: kernel_log");
static_assert(offsetof(struct report_disk, crc32c) == 16380, "Report: checksum");

static uint32_t checksum(const struct report_disk *d)
{
	return crc32c(0, d, offsetof(struct report_disk, kernel_log));
}

void report_encode(const struct report *r, const uint8_t nonce[REPORT_NONCE_BYTES],
		   uint8_t buf[REPORT_BYTES])
{
	struct report_disk *d = (struct report_disk *)buf;

	memset(d, 0, sizeof(*d));
	memcpy(d->magic, magic, sizeof(magic));
	d->version = le32_of(VERSION);
	d->result = le32_of(r->result);
	memcpy(d->nonce, nonce, REPORT_NONCE_BYTES);
	d->image_bytes = le64_of(r->image_bytes);
	d->data_pages = le64_of(r->data_pages);
	d->milliseconds = le32_of(r->milliseconds);
	d->why = le32_of(r->why);
	memcpy(d->text, r->text, strnlen(r->text, REPORT_TEXT_MAX - 1));
	memcpy(d->log, r->log, strnlen(r->log, REPORT_LOG_MAX - 1));
	memcpy(d->middle[0].nonce, nonce, REPORT_NONCE_BYTES);
	memcpy(d->middle[1].nonce, nonce, REPORT_NONCE_BYTES);
	memcpy(d->last_nonce, nonce, REPORT_NONCE_BYTES);
	d->crc32c = le32_of(checksum(d));
}

void report_prepare(uint8_t buf[REPORT_BYTES], const uint8_t nonce[REPORT_NONCE_BYTES])
{
	static const struct report none = {.result = REPORT_NONE};

	report_encode(&none, nonce, buf);
}

/* Each page has the nonce: the writer is about to write to physical memory. */
bool report_matches(const uint8_t buf[REPORT_BYTES], const uint8_t nonce[REPORT_NONCE_BYTES])
{
	const struct report_disk *d = (const struct report_disk *)buf;

	return !memcmp(d->magic, magic, sizeof(magic)) &&
	       !memcmp(d->nonce, nonce, REPORT_NONCE_BYTES) &&
	       !memcmp(d->middle[0].nonce, nonce, REPORT_NONCE_BYTES) &&
	       !memcmp(d->middle[1].nonce, nonce, REPORT_NONCE_BYTES) &&
	       !memcmp(d->last_nonce, nonce, REPORT_NONCE_BYTES) &&
	       le32_get(d->crc32c) == checksum(d);
}

err_t report_decode(const uint8_t buf[REPORT_BYTES], const uint8_t nonce[REPORT_NONCE_BYTES],
		    struct report *out)
{
	const struct report_disk *d = (const struct report_disk *)buf;

	if (!report_matches(buf, nonce))
		return err_new(ERR_CORRUPT, "the writer's report is damaged");
	if (le32_get(d->version) != VERSION)
		return err_new(ERR_UNSUPPORTED, "the writer's report is of version %u, known is %u",
			       le32_get(d->version), VERSION);
	if (le32_get(d->result) > REPORT_CRASHED || le32_get(d->why) > REPORT_WHY_FULL ||
	    d->text[REPORT_TEXT_MAX - 1] || d->log[REPORT_LOG_MAX - 1])
		return err_new(ERR_CORRUPT, "the writer's report makes no sense");
	*out = (struct report){
		.result = (enum report_result)le32_get(d->result),
		.why = (enum report_why)le32_get(d->why),
		.image_bytes = le64_get(d->image_bytes),
		.data_pages = le64_get(d->data_pages),
		.milliseconds = le32_get(d->milliseconds),
	};
	memcpy(out->text, d->text, REPORT_TEXT_MAX);
	memcpy(out->log, d->log, REPORT_LOG_MAX);
	if (out->result == REPORT_CRASHED)
		kernellog_text(d->kernel_log, sizeof(d->kernel_log), out->kernel_log,
			       sizeof(out->kernel_log));
	return NULL;
}
