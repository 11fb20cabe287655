/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Requests over many small extents, several of them in flight, with and without io_uring.
 * Planted faults that made it fail: a part's bytes at another place of the buffer; a request
 * handed back with parts of it in flight; what came back short taken for whole; an error
 * dropped.
 */
#include "unit.h"

#include "base/util.h"
#include "image/aio.h"
#include "tempfile.h"

#define REQUESTS 6u
#define PAGES	 200u /* of a request: more parts than are in flight at once */

struct fixture {
	struct tempfile file;
	struct target t;
	struct aio *aio;
	struct aio_request req[REQUESTS];
};

/* Each page of the target is an extent, the last one on the disk first. */
static void setup(struct fixture *f, bool sync)
{
	struct extent list[REQUESTS * PAGES];

	tempfile_open(&f->file, 2 * REQUESTS * PAGES * (uint64_t)PAGE_BYTES);
	for (uint32_t i = 0; i < ARRAY_LEN(list); i++)
		list[i] = (struct extent){2 * (ARRAY_LEN(list) - 1 - i) * (uint64_t)PAGE_BYTES,
					  PAGE_BYTES};
	assert_ok(target_open_extents(&f->t, f->file.path, true, list, ARRAY_LEN(list)));
	assert_ok(aio_create(&f->t, sync, &f->aio));
	for (uint32_t i = 0; i < REQUESTS; i++) {
		f->req[i] = (struct aio_request){.n = PAGES * PAGE_BYTES,
						 .offset = (uint64_t)i * PAGES * PAGE_BYTES};
		f->req[i].buf = target_buffer(f->req[i].n);
		assert_non_null(f->req[i].buf);
	}
}

static void teardown(struct fixture *f)
{
	aio_destroy(f->aio);
	for (uint32_t i = 0; i < REQUESTS; i++)
		free(f->req[i].buf);
	target_close(&f->t);
	tempfile_close(&f->file);
}

static void fill(struct aio_request *req, unsigned int number)
{
	for (uint32_t page = 0; page < PAGES; page++)
		memset((uint8_t *)req->buf + page * PAGE_BYTES, (int)(number * 37 + page % 200),
		       PAGE_BYTES);
}

/* All of them at once; how many failed, all with ERR_IO. */
static unsigned int run(struct fixture *f, bool write)
{
	unsigned int failed = 0;

	for (uint32_t i = 0; i < REQUESTS; i++) {
		f->req[i].write = write;
		aio_submit(f->aio, &f->req[i]);
	}
	for (uint32_t n = 0; n < REQUESTS;) {
		struct aio_request *req = aio_wait(f->aio, 1000);

		if (!req)
			continue;
		n++;
		if (!req->result)
			continue;
		assert_err(req->result, ERR_IO);
		failed++;
	}
	assert_null(aio_wait(f->aio, 0));
	return failed;
}

static void test_there_and_back(void **state)
{
	(void)state;
	for (int sync = 0; sync < 2; sync++) {
		uint8_t *want = malloc(PAGES * PAGE_BYTES);
		struct fixture f;

		setup(&f, sync);
		for (uint32_t i = 0; i < REQUESTS; i++)
			fill(&f.req[i], i);
		assert_int_equal(run(&f, true), 0);
		for (uint32_t i = 0; i < REQUESTS; i++)
			memset(f.req[i].buf, 0xee, f.req[i].n);
		assert_int_equal(run(&f, false), 0);
		for (uint32_t i = 0; i < REQUESTS; i++) {
			struct aio_request expected = {.buf = want};

			fill(&expected, i);
			assert_memory_equal(f.req[i].buf, want, f.req[i].n);
		}
		teardown(&f);
		free(want);
	}
}

/* The file ends within a part of the first request; then within a later one, and before
 * those parts that are behind it. */
static void test_ends_early(void **state)
{
	(void)state;
	for (int sync = 0; sync < 2; sync++) {
		struct fixture f;

		setup(&f, sync);
		assert_int_equal(run(&f, true), 0);
		assert_int_equal(ftruncate(f.file.fd, (off_t)(f.t.extents[0].start + 2048)), 0);
		assert_int_equal(run(&f, false), 1);
		assert_int_equal(ftruncate(f.file.fd, (off_t)(f.t.extents[450].start + 2048)), 0);
		assert_int_equal(run(&f, false), 3);
		teardown(&f);
	}
}

/* With requests in flight and others not begun. */
static void test_destroy(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f, false);
	for (uint32_t i = 0; i < REQUESTS; i++)
		aio_submit(f.aio, &f.req[i]);
	teardown(&f);
	setup(&f, false);
	for (uint32_t i = 0; i < REQUESTS; i++)
		aio_submit(f.aio, &f.req[i]);
	aio_wait(f.aio, 0);
	teardown(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_ends_early),
		cmocka_unit_test(test_destroy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
