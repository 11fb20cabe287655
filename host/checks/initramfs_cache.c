/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/checks/initramfs.h"

#include "base/io.h"
#include "base/util.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define LINE_MAX_BYTES 8192
#define CACHE_NAME     "initramfs-check"

/* One line tells which file it was, the next what was found in it; then its targets, a line each.
 */
static err_t make_key(const char *path, char *key, size_t n)
{
	struct stat st;

	if (stat(path, &st))
		return err_errno("%s", path);
	snprintf(key, n, "%ju %ju %jd %jd.%09ld %jd.%09ld %s\n", (uintmax_t)st.st_dev,
		 (uintmax_t)st.st_ino, (intmax_t)st.st_size, (intmax_t)st.st_mtim.tv_sec,
		 st.st_mtim.tv_nsec, (intmax_t)st.st_ctim.tv_sec, st.st_ctim.tv_nsec, path);
	return NULL;
}

static bool parse_hash(const char *text, uint8_t sha256[32])
{
	for (size_t i = 0; i < 32; i++)
		if (sscanf(text + 2 * i, "%2" SCNx8, &sha256[i]) != 1)
			return false;
	return true;
}

static bool parse_targets(const char *text, struct initramfs *out)
{
	for (uint32_t i = 0; i < out->target_count; i++) {
		size_t n = strcspn(text, "\n");

		if (!text[n] || n >= sizeof(out->targets[i]))
			return false;
		memcpy(out->targets[i], text, n);
		text += n + 1;
	}
	return !*text;
}

static bool parse_found(const char *text, struct initramfs *out)
{
	unsigned int resume, writer, unlock, config, encrypt, libraries, pins, targets;
	struct initramfs found;
	int n;

	if (sscanf(text, "%u %u %u %u %u %u %u %u %n", &resume, &writer, &unlock, &config, &encrypt,
		   &libraries, &pins, &targets, &n) != 8 ||
	    strcspn(text + n, "\n") != 128 || !text[n + 128] || targets > CONFIG_TARGETS_MAX)
		return false;
	found = (struct initramfs){.resume = resume,
				   .writer = writer,
				   .unlock = unlock,
				   .config = config,
				   .encrypt = encrypt,
				   .libraries = libraries,
				   .pins = pins,
				   .target_count = targets};
	if (!parse_hash(text + n, found.sha256) || !parse_hash(text + n + 64, found.pins_sha256) ||
	    !parse_targets(text + n + 129, &found))
		return false;
	*out = found;
	return true;
}

static bool cache_get(const char *file, const char *key, struct initramfs *out)
{
	CLEANUP_FREE char *text = NULL;
	size_t n;
	err_t e = io_read_file(file, LINE_MAX_BYTES, &text, &n);

	if (e) {
		err_free(e);
		return false;
	}
	return !strncmp(text, key, strlen(key)) && parse_found(text + strlen(key), out);
}

static void print_hash(FILE *f, const uint8_t sha256[32])
{
	for (size_t i = 0; i < 32; i++)
		fprintf(f, "%02x", sha256[i]);
}

static void cache_put(const char *dir, const char *file, const char *key,
		      const struct initramfs *found)
{
	char fresh[512];
	FILE *f;

	mkdir(dir, 0700);
	snprintf(fresh, sizeof(fresh), "%s.new", file);
	f = fopen(fresh, "we");
	if (!f)
		return;
	fprintf(f, "%s%u %u %u %u %u %u %u %u ", key, found->resume, found->writer, found->unlock,
		found->config, found->encrypt, found->libraries, found->pins, found->target_count);
	print_hash(f, found->sha256);
	print_hash(f, found->pins_sha256);
	fputc('\n', f);
	for (uint32_t i = 0; i < found->target_count; i++)
		fprintf(f, "%s\n", found->targets[i]);
	if (fclose(f) || rename(fresh, file))
		unlink(fresh);
}

err_t initramfs_scan_cached(const char *path, const char *dir, struct initramfs *out)
{
	char key[LINE_MAX_BYTES / 2], file[480];

	TRY(make_key(path, key, sizeof(key)));
	snprintf(file, sizeof(file), "%s/" CACHE_NAME, dir);
	if (cache_get(file, key, out))
		return NULL;
	TRY(initramfs_scan(path, out));
	cache_put(dir, file, key, out);
	return NULL;
}
