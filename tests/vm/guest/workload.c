// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What runs in the test guest while it hibernates: programs that keep state in
 * memory, sockets and files, and can tell whether it is still right.
 *
 * counter, tcp, hog and files run until they are killed. tcp and hog write
 * "ready" to FILE when set up, and after each SIGUSR1 "ok" or what is wrong.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	PAGE_BYTES = 4096,
	PAGE_WORDS = PAGE_BYTES / 8,
	UNREAD_BYTES = 32 * 1024,
	FILES = 4,
	FILE_RECORDS = 2000,
	RECORD_WORDS = 125, /* 1000 bytes: records straddle blocks and pages */
};

static uint64_t now_ns(clockid_t clock)
{
	struct timespec t;

	if (clock_gettime(clock, &t))
		err(1, "clock_gettime");
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void nap_ms(long ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	while (nanosleep(&t, &t) && errno == EINTR)
		;
}

/* splitmix64: one multiplication chain per word, good enough not to compress. */
static uint64_t random_word(uint64_t n)
{
	n += 0x9e3779b97f4a7c15;
	n = (n ^ (n >> 30)) * 0xbf58476d1ce4e5b9;
	n = (n ^ (n >> 27)) * 0x94d049bb133111eb;
	return n ^ (n >> 31);
}

/* Page number n of the pattern: every second page random, the others text. */
static void fill_page(uint64_t *page, uint64_t n)
{
	static const char words[16][9] = {
		"dormouse", " sleeps ", "through ", "the long",	  " winter\n", "in a den",
		" of moss", ", while ", "beneath ", "the snow",	  "hazel & ",  "beechnut",
		"s wait. ", "And then", " spring!", "\n\nSo the",
	};
	uint64_t bits = 0;

	for (unsigned i = 0; i < PAGE_WORDS; i++) {
		if (n % 2) {
			page[i] = random_word(n * PAGE_WORDS + i);
			continue;
		}
		if (i % 16 == 0)
			bits = random_word(n * PAGE_WORDS + i);
		memcpy(page + i, words[bits % 16], 8);
		bits /= 16;
	}
}

static void put_file(const char *path, const char *text)
{
	char temporary[200];
	FILE *f;

	snprintf(temporary, sizeof(temporary), "%s.new", path);
	f = fopen(temporary, "w");
	if (!f || fprintf(f, "%s\n", text) < 0 || fclose(f) || rename(temporary, path))
		err(1, "%s", path);
}

/* Reports to the harness, and sleeps until it asks for the next check. */
static void report(const char *path, const char *result)
{
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	put_file(path, result);
	sigwait(&set, &sig);
}

/* FILE holds "pid count CLOCK_REALTIME CLOCK_MONOTONIC" (ns), always whole. */
static _Noreturn void counter(const char *path)
{
	char text[100];

	for (uint64_t count = 1;; count++) {
		snprintf(text, sizeof(text), "%d %" PRIu64 " %" PRIu64 " %" PRIu64, getpid(), count,
			 now_ns(CLOCK_REALTIME), now_ns(CLOCK_MONOTONIC));
		put_file(path, text);
		nap_ms(50);
	}
}

static void send_all(int fd, const void *data, size_t bytes)
{
	if (send(fd, data, bytes, 0) != (ssize_t)bytes)
		err(1, "send");
}

static bool receive_same(int fd, const void *data, size_t bytes)
{
	uint8_t got[UNREAD_BYTES];

	return recv(fd, got, bytes, MSG_WAITALL) == (ssize_t)bytes && !memcmp(got, data, bytes);
}

/* Both ends of a loopback connection; at each report 32 KiB are sent and not yet read. */
static _Noreturn void tcp(const char *path)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	uint64_t data[UNREAD_BYTES / 8];
	const char *result = "ready";
	int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0),
	    server;

	if (bind(listener, (struct sockaddr *)&address, len) || listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&address, &len) ||
	    connect(client, (struct sockaddr *)&address, len))
		err(1, "connect");
	server = accept(listener, NULL, NULL);
	if (server < 0)
		err(1, "accept");
	for (unsigned i = 0; i < UNREAD_BYTES / 8; i++)
		data[i] = random_word(i);

	for (;;) {
		send_all(client, data, sizeof(data));
		report(path, result);
		result = "ok";
		if (!receive_same(server, data, sizeof(data)))
			result = "the unread data is lost or changed";
		send_all(client, "request", 7);
		send_all(server, "answer", 6);
		if (!receive_same(server, "request", 7) || !receive_same(client, "answer", 6))
			result = "the connection is broken";
	}
}

static _Noreturn void hog(const char *path, const char *mib)
{
	uint64_t pages = strtoull(mib, NULL, 0) * (1024 * 1024 / PAGE_BYTES), bad;
	uint64_t *memory = mmap(NULL, pages * PAGE_BYTES, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t expected[PAGE_WORDS];
	char result[100] = "ready";

	if (memory == MAP_FAILED)
		err(1, "mmap");
	for (uint64_t n = 0; n < pages; n++)
		fill_page(memory + n * PAGE_WORDS, n);

	for (;;) {
		report(path, result);
		bad = 0;
		for (uint64_t n = 0; n < pages; n++) {
			fill_page(expected, n);
			bad += memcmp(memory + n * PAGE_WORDS, expected, PAGE_BYTES) != 0;
		}
		snprintf(result, sizeof(result),
			 bad ? "%" PRIu64 " of %" PRIu64 " pages differ" : "ok", bad, pages);
	}
}

/* Into swap; a copy in memory stays until something else needs the room. */
static void page_out(uint64_t *memory, uint64_t pages)
{
	if (madvise(memory, pages * PAGE_BYTES, MADV_PAGEOUT))
		err(1, "madvise");
}

/*
 * Pages in swap, every third of them given back, so that what is free there is scattered;
 * the rest is looked at when asked, and goes there again. Filled in pieces: there may be
 * less memory than that.
 */
static _Noreturn void swapped(const char *path, const char *mib)
{
	uint64_t pages = strtoull(mib, NULL, 0) * (1024 * 1024 / PAGE_BYTES), piece = 1024, bad;
	uint64_t *memory = mmap(NULL, pages * PAGE_BYTES, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t expected[PAGE_WORDS];
	char result[100] = "ready";

	if (memory == MAP_FAILED)
		err(1, "mmap");
	for (uint64_t n = 0; n < pages; n++) {
		fill_page(memory + n * PAGE_WORDS, n + 7);
		if ((n + 1) % piece == 0)
			page_out(memory + (n + 1 - piece) * PAGE_WORDS, piece);
	}
	for (uint64_t n = 0; n < pages; n += 3)
		if (madvise(memory + n * PAGE_WORDS, PAGE_BYTES, MADV_DONTNEED))
			err(1, "madvise");
	for (;;) {
		report(path, result);
		bad = 0;
		for (uint64_t n = 0; n < pages; n++) {
			fill_page(expected, n + 7);
			if (n % 3)
				bad += memcmp(memory + n * PAGE_WORDS, expected, PAGE_BYTES) != 0;
		}
		page_out(memory, pages);
		snprintf(result, sizeof(result),
			 bad ? "%" PRIu64 " of %" PRIu64 " pages differ" : "ok", bad, pages);
	}
}

/* Memory that the kernel hands out anew must be zero, also when it trusts free pages to be so. */
static int zeros(const char *mib)
{
	uint64_t words = strtoull(mib, NULL, 0) * (1024 * 1024 / 8);
	uint64_t *memory =
		mmap(NULL, words * 8, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		err(1, "mmap");
	for (uint64_t i = 0; i < words; i += PAGE_WORDS) {
		memory[i]++; /* or it would be the shared zero page */
		if (memory[i] != 1 || memcmp(memory + i + 1, memory + i + 2, PAGE_BYTES - 16) ||
		    memory[i + 1])
			errx(1, "the page at %" PRIu64 " MiB is not zero", i / (1024 * 1024 / 8));
	}
	return 0;
}

static int fill(const char *path, const char *mib)
{
	uint64_t pages = strtoull(mib, NULL, 0) * (1024 * 1024 / PAGE_BYTES), page[PAGE_WORDS];
	FILE *f = fopen(path, "w");

	if (!f)
		err(1, "%s", path);
	for (uint64_t n = 0; n < pages; n++) {
		fill_page(page, n);
		if (fwrite(page, PAGE_BYTES, 1, f) != 1)
			err(1, "%s", path);
	}
	if (fclose(f))
		err(1, "%s", path);
	return 0;
}

/* B shares its blocks with A from now on. */
static int clone_file(const char *a, const char *b)
{
	int from = open(a, O_RDONLY), to = open(b, O_WRONLY | O_CREAT, 0600);

	if (from < 0 || to < 0 || ioctl(to, FICLONE, from))
		err(1, "%s to %s", a, b);
	return close(from) || close(to);
}

/* A checksum of whole pages that is fast even in an emulated CPU. */
static int sum(const char *path)
{
	uint64_t page[PAGE_WORDS], hash = 0;
	FILE *f = fopen(path, "r");

	if (!f)
		err(1, "%s", path);
	while (fread(page, PAGE_BYTES, 1, f) == 1)
		for (unsigned i = 0; i < PAGE_WORDS; i++)
			hash = ((hash ^ page[i]) * 0x9e3779b97f4a7c15) ^ (hash >> 29);
	if (ferror(f))
		err(1, "%s", path);
	fclose(f);
	printf("%016" PRIx64 "\n", hash);
	return 0;
}

static void make_record(uint64_t *record, uint64_t sequence)
{
	record[0] = sequence;
	for (unsigned i = 1; i < RECORD_WORDS; i++)
		record[i] = random_word(sequence * RECORD_WORDS + i);
}

static void file_name(char name[100], const char *dir, unsigned n)
{
	snprintf(name, 100, "%s/records%u", dir, n);
}

/*
 * Appends records to FILES files in turn and starts a file anew when it is
 * full, until SIGTERM. The file progress holds the number of records so far.
 */
static int files(const char *dir, const char *progress)
{
	uint64_t record[RECORD_WORDS];
	char name[100], text[30];
	struct timespec nap = {.tv_nsec = 5000000};
	sigset_t set;
	int fd[FILES];

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (unsigned i = 0; i < FILES; i++) {
		file_name(name, dir, i);
		fd[i] = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644);
		if (fd[i] < 0)
			err(1, "%s", name);
	}
	for (uint64_t n = 0; sigtimedwait(&set, NULL, &nap) < 0; n++) {
		if (n / FILES % FILE_RECORDS == 0 && ftruncate(fd[n % FILES], 0))
			err(1, "ftruncate");
		make_record(record, n);
		if (write(fd[n % FILES], record, sizeof(record)) != sizeof(record))
			err(1, "write");
		if (n % 50 == 0 && fsync(fd[n % FILES]))
			err(1, "fsync");
		snprintf(text, sizeof(text), "%" PRIu64, n + 1);
		put_file(progress, text);
	}
	return 0;
}

/* Every record is the one expected after the one before it, none is cut. */
static int check_files(const char *dir)
{
	uint64_t record[RECORD_WORDS], expected[RECORD_WORDS], next, records = 0;
	char name[100];
	size_t bytes;
	FILE *f;

	for (unsigned i = 0; i < FILES; i++) {
		file_name(name, dir, i);
		f = fopen(name, "r");
		if (!f)
			err(1, "%s", name);
		next = UINT64_MAX;
		while ((bytes = fread(record, 1, sizeof(record), f)) == sizeof(record)) {
			make_record(expected, next == UINT64_MAX ? record[0] : next);
			if (memcmp(record, expected, sizeof(record)))
				errx(1, "%s: record %" PRIu64 " is damaged", name, expected[0]);
			next = expected[0] + FILES;
			records++;
		}
		if (bytes)
			errx(1, "%s: the last record is cut", name);
		fclose(f);
	}
	printf("%" PRIu64 " records\n", records);
	return 0;
}

static int now(void)
{
	printf("%" PRIu64 "\n", now_ns(CLOCK_REALTIME));
	return 0;
}

static int set_clock(const char *ns)
{
	uint64_t n = strtoull(ns, NULL, 0);
	struct timespec t = {.tv_sec = (time_t)(n / 1000000000), .tv_nsec = (long)(n % 1000000000)};

	if (clock_settime(CLOCK_REALTIME, &t))
		err(1, "clock_settime");
	return 0;
}

/*
 * The worst index: memory of which each second page is free, and each other one
 * is filled with a word of its own.
 */
static _Noreturn void sieve(const char *file, const char *mib)
{
	size_t pages = strtoul(mib, NULL, 10) << 8;
	uint64_t *p = mmap(NULL, pages * PAGE_BYTES, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		err(1, "mmap");
	madvise(p, pages * PAGE_BYTES, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < pages; i++)
		for (size_t w = 0; w < PAGE_WORDS; w++)
			p[i * PAGE_WORDS + w] = i | 1ull << 40;
	for (size_t i = 0; i < pages; i += 2)
		if (madvise(p + i * PAGE_WORDS, PAGE_BYTES, MADV_DONTNEED))
			err(1, "madvise");
	for (;;)
		report(file, "ready");
}

struct apart {
	const char *file, *device;
};

/* With the device mounted where nobody else sees it: a thread can have a mount namespace of its
 * own. */
static void *apart_thread(void *arg)
{
	const struct apart *a = arg;

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		err(1, "unshare");
	if (mount(a->device, "/tmp", "ext4", 0, NULL))
		err(1, "mount");
	for (;;)
		report(a->file, "ready");
}

static _Noreturn void apart(const char *file, const char *device)
{
	struct apart a = {file, device};
	pthread_t thread;

	if (pthread_create(&thread, NULL, apart_thread, &a))
		errx(1, "pthread_create");
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "", *a = argc > 2 ? argv[2] : NULL,
		   *b = argc > 3 ? argv[3] : NULL;

	if (!strcmp(command, "now"))
		return now();
	if (a && !strcmp(command, "setclock"))
		return set_clock(a);
	if (a && !strcmp(command, "counter"))
		counter(a);
	if (a && !strcmp(command, "tcp"))
		tcp(a);
	if (a && !strcmp(command, "checkfiles"))
		return check_files(a);
	if (a && !strcmp(command, "zeros"))
		return zeros(a);
	if (a && !strcmp(command, "sum"))
		return sum(a);
	if (a && b && !strcmp(command, "files"))
		return files(a, b);
	if (a && b && !strcmp(command, "fill"))
		return fill(a, b);
	if (a && b && !strcmp(command, "clone"))
		return clone_file(a, b);
	if (a && b && !strcmp(command, "hog"))
		hog(a, b);
	if (a && b && !strcmp(command, "swapped"))
		swapped(a, b);
	if (a && b && !strcmp(command, "sieve"))
		sieve(a, b);
	if (a && b && !strcmp(command, "apart"))
		apart(a, b);
	fprintf(stderr, "usage: workload now | setclock NS | counter FILE | tcp FILE | hog FILE "
			"MIB | sieve FILE MIB |\n"
			"       swapped FILE MIB | clone FILE FILE | apart FILE DEVICE |\n"
			"       zeros MIB | fill FILE MIB | sum FILE | files DIR PROGRESS | "
			"checkfiles DIR\n");
	return 2;
}
