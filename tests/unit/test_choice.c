/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What becomes of several images, and of one that is closed, with answers as somebody would
 * give them; images are told here what they do. Faults planted, each found: an image that
 * cannot be retired keeps the others from being looked at; one that is discarded ends it
 * all, with another left VALID; a closed one unlocked without having been opened, or resumed
 * at once by dormouse.retry; one that turned out hopeless not retired; a year of more than 31
 * bits printed. The others discarded before the chosen one's writer is loaded; what is loaded
 * left behind when one of them cannot be; damage not asked about, or asked about beside one that
 * resumes; a target that nobody knows gone on beside unasked, in the way of one that resumes,
 * rebooted for without end when nobody answers, or not looked at again.
 */
#include "unit.h"

#include <fcntl.h>
#include <sys/reboot.h>
#include <unistd.h>

static int choice_open(const char *path, int flags);
static int choice_reboot(int how);

#define open   choice_open
#define reboot choice_reboot
#include "resume/ask.c"
#include "resume/choice.c"
#include "resume/verdict.c"

/* Of each image: what judging gives, the last of it again and again; what is done to it. */
struct script {
	enum outcome judged[4];
	bool closed[4]; /* after that */
	bool not_retired;
	bool unknown; /* until it is judged */
	bool not_loaded;
	unsigned int judgements, given_up, resumed, unlocked;
};

static struct script scripts[2];
static struct images all;
static const char *answers; /* keys, one a question; the last one stays */
static int rebooted;
static unsigned int counted, jumped, unloaded;
static bool loaded;

static struct script *script_of(const struct image *image)
{
	return &scripts[image - all.list];
}

void image_judge(struct image *image, const struct options *o)
{
	struct script *s = script_of(image);
	unsigned int n = s->judgements < 3 ? s->judgements : 3;

	(void)o;
	s->judgements++;
	s->unknown = s->judged[n] == OUTCOME_UNKNOWN;
	image->closed = s->closed[n];
	image->verdict = (struct verdict){.outcome = s->judged[n], .may_try = true};
	strcpy(image->verdict.text, "why");
}

err_t image_give_up(struct image *image, const char *reason)
{
	if (strstr(reason, "another image"))
		assert_true(loaded);
	script_of(image)->given_up++;
	return script_of(image)->not_retired ? err_new(ERR_IO, "a write error") : NULL;
}

bool image_is_unknown(const struct image *image)
{
	return script_of(image)->unknown;
}

bool image_count(struct image *image)
{
	(void)image;
	counted++;
	return true;
}

bool image_unlock(struct image *image, const struct options *o)
{
	(void)o;
	script_of(image)->unlocked++;
	return true;
}

err_t image_load(struct image *image, const struct options *o)
{
	(void)o;
	if (script_of(image)->not_loaded)
		return err_new(ERR_NOMEM, "it cannot be loaded");
	loaded = true;
	script_of(image)->resumed++;
	return NULL;
}

/* It does not come back; here it does, and the question that follows ends the boot. */
err_t image_jump(void)
{
	jumped++;
	return err_new(ERR_REFUSED, "it came back");
}

void image_unload(void)
{
	unloaded++;
}

/* There is no console here: a key of the list instead, or the machine is switched off. */
static int choice_open(const char *path, int flags)
{
	static int ends[2];
	char key = *answers;

	(void)flags;
	assert_int_not_equal(key, '\0');
	assert_string_equal(path, "/dev/console");
	if (answers[1])
		answers++;
	if (pipe(ends) || write(ends[1], &key, 1) != 1)
		return -1;
	close(ends[1]);
	return ends[0];
}

static int choice_reboot(int how)
{
	rebooted = how;
	return -1;
}

static enum config_resume unanswered = CONFIG_RESUME_REBOOT;

static err_t run(const char *keys, bool retry, bool *found)
{
	/* No keys: nobody is there, and that is waited for no longer than it must be. */
	struct options o = {
		.answer_seconds = *keys ? 5 : 0, .retry = retry, .unanswered = unanswered};

	answers = keys;
	rebooted = 0;
	counted = jumped = unloaded = 0;
	loaded = false;
	all.count = 2;
	for (size_t i = 0; i < 2; i++) /* of a time that no calendar has */
		all.list[i] = (struct image){.target = {.name = "target"},
					     .commit = {.slot = {.created = 1ull << 60}}};
	for (size_t i = 0; i < 2; i++) {
		all.list[i].closed = scripts[i].unknown;
		if (scripts[i].unknown)
			all.list[i].verdict.outcome = OUTCOME_UNKNOWN;
	}
	return choice_make(&all, &o, found);
}

static void expect(size_t i, unsigned int given_up, unsigned int unlocked, unsigned int resumed)
{
	assert_int_equal(scripts[i].given_up, given_up);
	assert_int_equal(scripts[i].unlocked, unlocked);
	assert_int_equal(scripts[i].resumed, resumed);
}

#define ALWAYS(x)                                                                                  \
	{                                                                                          \
		(x), (x), (x), (x)                                                                 \
	}

/* One that is hopeless and cannot be retired says nothing of the other. */
static void test_not_retired(void **state)
{
	bool found;

	(void)state;
	scripts[0] = (struct script){.judged = ALWAYS(OUTCOME_HOPELESS), .not_retired = true};
	scripts[1] = (struct script){.judged = ALWAYS(OUTCOME_RESUME)};
	assert_err(run("p", false, &found), ERR_IO);
	assert_true(found);
	expect(0, 1, 0, 0);
	expect(1, 0, 1, 1);
	assert_int_equal(rebooted, RB_POWER_OFF);
	/* And when that is all that there is, it is told. */
	scripts[0].given_up = 0;
	scripts[1] = (struct script){.judged = ALWAYS(OUTCOME_NOTHING)};
	assert_err(run("p", false, &found), ERR_IO);
	expect(0, 1, 0, 0);
	assert_int_equal(rebooted, 0);
}

/* The first is chosen, needs a question, and is discarded; the other one is there still. */
static void test_discard_one(void **state)
{
	bool found;

	(void)state;
	scripts[0] = (struct script){.judged = ALWAYS(OUTCOME_ASK)};
	scripts[1] = (struct script){.judged = ALWAYS(OUTCOME_ASK)};
	assert_ok(run("1dd", false, &found));
	expect(0, 1, 0, 0);
	expect(1, 1, 0, 0);
	/* The same, but the first cannot be retired. */
	scripts[0] = (struct script){.judged = ALWAYS(OUTCOME_ASK), .not_retired = true};
	scripts[1] = (struct script){.judged = ALWAYS(OUTCOME_ASK)};
	assert_err(run("1dd", false, &found), ERR_IO);
	expect(0, 1, 0, 0);
	expect(1, 1, 0, 0);
	/* All of them at once. */
	scripts[0].given_up = scripts[1].given_up = 0;
	assert_err(run("d", false, &found), ERR_IO);
	expect(0, 1, 0, 0);
	expect(1, 1, 0, 0);
}

/* Tried until it is open; what is found then is judged by itself. */
static void test_closed(void **state)
{
	bool found;

	(void)state;
	scripts[1] = (struct script){.judged = ALWAYS(OUTCOME_NOTHING)};
	scripts[0] = (struct script){
		.judged = {OUTCOME_ASK, OUTCOME_ASK, OUTCOME_RESUME, OUTCOME_RESUME},
		.closed = {true, true, false, false}};
	assert_err(run("ttp", true, &found), ERR_IO);
	expect(0, 0, 1, 1);
	assert_int_equal(scripts[0].judgements, 3);
	assert_int_equal(rebooted, RB_POWER_OFF);
	scripts[0] = (struct script){
		.judged = {OUTCOME_ASK, OUTCOME_HOPELESS, OUTCOME_HOPELESS, OUTCOME_HOPELESS},
		.closed = {true, false, false, false}};
	assert_ok(run("tp", false, &found));
	assert_true(found);
	expect(0, 1, 0, 0);
	/* Nothing is in it: nobody is asked again. */
	scripts[0] = (struct script){
		.judged = {OUTCOME_ASK, OUTCOME_NOTHING, OUTCOME_NOTHING, OUTCOME_NOTHING},
		.closed = {true, false, false, false}};
	assert_ok(run("tp", false, &found));
	expect(0, 0, 0, 0);
	assert_int_equal(rebooted, 0);
}

/* The chosen one's writer cannot be loaded: the other image is there as before. */
static void test_load_first(void **state)
{
	bool found;

	(void)state;
	scripts[0] = (struct script){.judged = ALWAYS(OUTCOME_RESUME), .not_loaded = true};
	scripts[1] = (struct script){.judged = ALWAYS(OUTCOME_RESUME)};
	assert_err(run("11p", false, &found), ERR_IO);
	expect(0, 0, 1, 0);
	expect(1, 0, 0, 0);
	assert_int_equal(rebooted, RB_POWER_OFF);
	/* Loaded, and the other one is in the way: no jump, and nothing stays loaded. */
	scripts[0] = (struct script){.judged = ALWAYS(OUTCOME_RESUME)};
	scripts[1] = (struct script){.judged = ALWAYS(OUTCOME_RESUME), .not_retired = true};
	assert_err(run("1p", false, &found), ERR_IO);
	expect(0, 0, 1, 1);
	expect(1, 1, 0, 0);
	assert_int_equal(jumped, 0);
	assert_int_equal(unloaded, 1);
	/* And when all goes well. */
	scripts[0] = (struct script){.judged = ALWAYS(OUTCOME_RESUME)};
	scripts[1] = (struct script){.judged = ALWAYS(OUTCOME_RESUME)};
	assert_err(run("2p", false, &found), ERR_IO);
	expect(0, 1, 0, 0);
	expect(1, 0, 1, 1);
	assert_int_equal(jumped, 1);
}

/* Asked about, unless another one is resumed; without an answer this boot goes on. */
static void test_damaged(void **state)
{
	bool found;

	(void)state;
	scripts[1] = (struct script){.judged = ALWAYS(OUTCOME_NOTHING)};
	scripts[0] = (struct script){.judged = ALWAYS(OUTCOME_DAMAGED)};
	assert_err(run("p", false, &found), ERR_IO);
	assert_int_equal(rebooted, RB_POWER_OFF);
	expect(0, 0, 0, 0);
	assert_ok(run("d", false, &found));
	assert_true(found);
	expect(0, 1, 0, 0);
	scripts[0].given_up = 0;
	assert_ok(run("", false, &found));
	expect(0, 1, 0, 0);
	assert_int_equal(rebooted, 0);
	scripts[0].given_up = 0;
	unanswered = CONFIG_RESUME_POWEROFF;
	assert_err(run("", false, &found), ERR_IO);
	unanswered = CONFIG_RESUME_REBOOT;
	expect(0, 0, 0, 0);
	assert_int_equal(rebooted, RB_POWER_OFF);
	/* Beside one that resumes: nobody is asked, before it comes back. */
	scripts[0] = (struct script){.judged = ALWAYS(OUTCOME_DAMAGED)};
	scripts[1] = (struct script){.judged = ALWAYS(OUTCOME_RESUME)};
	assert_err(run("p", false, &found), ERR_IO);
	expect(0, 1, 0, 0);
	expect(1, 0, 1, 1);
}

/* Nobody knows whether an image is on the first target. */
static void test_unknown(void **state)
{
	bool found;

	(void)state;
	scripts[1] = (struct script){.judged = ALWAYS(OUTCOME_NOTHING)};
	scripts[0] = (struct script){.unknown = true};
	assert_err(run("r", false, &found), ERR_IO);
	assert_int_equal(rebooted, RB_AUTOBOOT);
	assert_false(found);
	assert_ok(run("d", false, &found));
	assert_ok(run("", false, &found));
	assert_int_equal(rebooted, 0);
	assert_false(found);
	expect(0, 0, 0, 0);
	assert_int_equal(scripts[0].judgements, 0);
	/* Looked at again, in vain; then it can be read, and has an image. */
	scripts[0] = (struct script){
		.unknown = true,
		.judged = {OUTCOME_UNKNOWN, OUTCOME_RESUME, OUTCOME_RESUME, OUTCOME_RESUME},
		.closed = {true, false, false, false}};
	assert_err(run("ttp", false, &found), ERR_IO);
	expect(0, 0, 1, 1);
	assert_int_equal(scripts[0].judgements, 2);
	/* Not in the way of another image. */
	scripts[0] = (struct script){.unknown = true};
	scripts[1] = (struct script){.judged = ALWAYS(OUTCOME_RESUME)};
	assert_err(run("p", false, &found), ERR_IO);
	assert_int_equal(jumped, 1);
	expect(0, 0, 0, 0);
	expect(1, 0, 1, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_not_retired), cmocka_unit_test(test_discard_one),
		cmocka_unit_test(test_closed),	    cmocka_unit_test(test_load_first),
		cmocka_unit_test(test_damaged),	    cmocka_unit_test(test_unknown),
	};

	return cmocka_run_group_tests_name("choice", tests, NULL, NULL);
}
