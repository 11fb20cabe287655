/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The way back, run as it is loaded: in this process, whose addresses are its physical
 * ones. What a process may not do raises a signal, and is done here on a model.
 *
 * Planted faults that made it fail: the step that stops functions left out; one written to
 * that is no bus master, or does not answer; more than its bit changed; another register;
 * the wait over at once; a range not wiped, the trampoline wiped.
 */
#include "unit.h"

#include "base/util.h"
#include "jump/control.h"
#include "jump/kexec.h"
#include "jump/trampoline.h"

#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <x86intrin.h>

#define ENTRY	0x10 /* not mapped */
#define OUT_MAX 64

static struct {
	greg_t before[NGREG]; /* of the test, when it went there */
	uint64_t start, returns_to;
	bool done;
	/* PCI: the command registers of devices 0 to 3 of bus 0, and the last address */
	uint16_t command[4];
	uint32_t address;
	struct {
		uint16_t port;
		unsigned int bytes;
		uint32_t value;
	} out[OUT_MAX];
	size_t count;
} machine;

/* Instead of the kernel's: to its place at once. */
err_t kexec_load_segments(uint64_t entry, const struct kexec_segment *segments, size_t count,
			  unsigned long flags)
{
	(void)flags;
	assert_int_equal(count, 1);
	assert_int_equal(entry, (uint64_t)segments->mem);
	memcpy((void *)segments->mem, segments->buf, segments->bufsz);
	return NULL;
}

static uint16_t *command(void)
{
	uint32_t device = (machine.address & ~PCI_CONFIG_ENABLE) >> 11;

	return (machine.address & 0x7ff) == PCI_COMMAND_AT && device < 4 ? &machine.command[device]
									 : NULL;
}

static void out(uint16_t port, unsigned int bytes, uint32_t value)
{
	machine.out[machine.count].port = port;
	machine.out[machine.count].bytes = bytes;
	machine.out[machine.count].value = value;
	machine.count = machine.count + 1 < OUT_MAX ? machine.count + 1 : machine.count;
	if (port == PCI_CONFIG_ADDRESS && bytes == 4)
		machine.address = value;
	if (port == PCI_CONFIG_DATA && bytes == 2 && command())
		*command() = (uint16_t)value;
}

static uint16_t in(uint16_t port)
{
	return port == PCI_CONFIG_DATA && command() ? *command() : 0xffff;
}

/* What is not allowed: done, and stepped over. false: unknown. */
static bool instruction(greg_t *r)
{
	const uint8_t *code = (const uint8_t *)r[REG_RIP];
	uint16_t port = (uint16_t)r[REG_RDX];
	uint32_t value = (uint32_t)r[REG_RAX];
	int n = 1;

	if (!memcmp(code, "\x0f\x20\xe0", 3) || !memcmp(code, "\x0f\x22\xdf", 3)) {
		n = 3; /* cr4 to rax: 4 levels; rdi to cr3 */
		r[REG_RAX] = code[1] == 0x20 ? 0 : r[REG_RAX];
	} else if (!memcmp(code, "\x66\xed", 2)) {
		n = 2;
		r[REG_RAX] = (r[REG_RAX] & ~0xffff) | in(port);
	} else if (!memcmp(code, "\x66\xef", 2)) {
		n = 2;
		out(port, 2, (uint16_t)value);
	} else if (*code == 0xef) {
		out(port, 4, value);
	} else if (*code == 0xee) {
		out(port, 1, (uint8_t)value);
	} else if (*code != 0xfa) { /* cli */
		return false;
	}
	r[REG_RIP] += n;
	return true;
}

static void on_signal(int signal, siginfo_t *info, void *context)
{
	greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)info;
	if (signal == SIGILL) { /* there */
		memcpy(machine.before, r, sizeof(machine.before));
		r[REG_RIP] = (greg_t)machine.start;
	} else if (r[REG_RIP] == ENTRY) { /* and back */
		machine.returns_to = *(uint64_t *)r[REG_RSP];
		machine.done = true;
		memcpy(r, machine.before, sizeof(machine.before));
		r[REG_RIP] += 2;
	} else if (!instruction(r)) {
		abort();
	}
}

static void run(const struct trampoline *t)
{
	static uint8_t stack[65536];
	stack_t other = {.ss_sp = stack, .ss_size = sizeof(stack)};
	struct sigaction a = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};

	assert_ok(trampoline_load(t));
	assert_int_equal(sigaltstack(&other, NULL), 0);
	assert_int_equal(sigaction(SIGSEGV, &a, NULL), 0);
	assert_int_equal(sigaction(SIGILL, &a, NULL), 0);
	machine.start = t->at;
	__asm__ volatile("ud2" ::: "memory");
	assert_true(machine.done);
	assert_in_range(machine.returns_to, t->at, t->at + PAGE_BYTES - 1);
	signal(SIGSEGV, SIG_DFL);
	signal(SIGILL, SIG_DFL);
}

static void begin(struct trampoline *t)
{
	void *at = mmap(NULL, TRAMPOLINE_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(at, MAP_FAILED);
	memset(&machine, 0, sizeof(machine));
	trampoline_init(t, (uint64_t)at, ENTRY);
}

static void end(const struct trampoline *t)
{
	munmap((void *)t->at, TRAMPOLINE_BYTES);
}

static uint32_t function(unsigned int device)
{
	return PCI_CONFIG_ENABLE | device << 11;
}

/* A bus master, one that is none, and one that is not there any more. */
static void test_stop(void **state)
{
	const uint32_t functions[] = {function(3), function(1), function(0)};
	struct trampoline t;

	(void)state;
	begin(&t);
	machine.command[0] = 0x0507;
	machine.command[1] = 0x0103;
	machine.command[2] = 0x0007;
	machine.command[3] = 0xffff;
	trampoline_stop(&t, functions, ARRAY_LEN(functions));
	trampoline_out(&t, 0x80, 1, 9);
	run(&t);
	assert_int_equal(machine.command[0], 0x0503);
	assert_int_equal(machine.command[1], 0x0103);
	assert_int_equal(machine.command[2], 0x0007); /* not on the list */
	assert_int_equal(machine.command[3], 0xffff);
	assert_int_equal(machine.count, 5); /* three addresses, one command, and what follows */
	assert_int_equal(machine.out[0].value, functions[0] | PCI_COMMAND_AT);
	assert_int_equal(machine.out[3].port, PCI_CONFIG_DATA);
	assert_int_equal(machine.out[4].port, 0x80);
	end(&t);
}

/* As many as there may be: none is left out, and no step behind them is hit. */
static void test_stop_many(void **state)
{
	static uint32_t functions[TRAMPOLINE_FUNCTIONS_MAX];
	struct trampoline t;

	(void)state;
	begin(&t);
	for (size_t i = 0; i < ARRAY_LEN(functions); i++)
		functions[i] = function(i + 1 == ARRAY_LEN(functions) ? 2 : 31);
	machine.command[2] = 4;
	trampoline_stop(&t, functions, ARRAY_LEN(functions));
	run(&t);
	assert_int_equal(machine.command[2], 0);
	end(&t);
}

static void test_out(void **state)
{
	struct trampoline t;

	(void)state;
	begin(&t);
	trampoline_out(&t, 0x1234, 1, 0xabcdef12);
	trampoline_out(&t, 0x1236, 2, 0xabcdef12);
	trampoline_config(&t, function(5), 0x69, 1, 0x42);
	run(&t);
	assert_int_equal(machine.count, 4);
	assert_int_equal(machine.out[0].port, 0x1234);
	assert_int_equal(machine.out[0].value, 0x12);
	assert_int_equal(machine.out[1].value, 0xef12);
	assert_int_equal(machine.out[2].value, function(5) | 0x68);
	assert_int_equal(machine.out[3].port, PCI_CONFIG_DATA + 1);
	assert_int_equal(machine.out[3].bytes, 1);
	assert_int_equal(machine.out[3].value, 0x42);
	end(&t);
}

static void test_wait(void **state)
{
	struct trampoline t;
	uint64_t before;

	(void)state;
	begin(&t);
	trampoline_wait(&t, 50000000);
	before = __rdtsc();
	run(&t);
	assert_true(__rdtsc() - before >= 50000000);
	end(&t);
}

static void test_ring(void **state)
{
	static const char ring[] = "abcdefgh"; /* 8 bytes of it */
	const uint64_t head = 8 + 3;
	struct trampoline t;
	char text[6] = "";

	(void)state;
	begin(&t);
	trampoline_copy_ring(&t, (uint64_t)ring, 8, (uint64_t)&head, (uint64_t)text, 5);
	run(&t);
	assert_string_equal(text, "ghabc");
	end(&t);
}

/* All of the ranges, but not the trampoline itself, which lies in one. */
static void test_wipe(void **state)
{
	const size_t room = 2 * PAGE_BYTES, bytes = TRAMPOLINE_BYTES + 2 * room;
	uint8_t *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE | PROT_EXEC,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct range_list ranges = {.count = 0};
	struct trampoline t;

	(void)state;
	assert_ptr_not_equal(at, MAP_FAILED);
	memset(at, 0xee, bytes);
	memset(&machine, 0, sizeof(machine));
	trampoline_init(&t, (uint64_t)at + room, ENTRY);
	range_add(&ranges, (uint64_t)at + PAGE_BYTES, (uint64_t)at + bytes - PAGE_BYTES, RANGE_RAM);
	trampoline_wipe(&t, &ranges);
	run(&t);
	for (size_t i = 0; i < PAGE_BYTES; i++) {
		assert_int_equal(at[i], 0xee);
		assert_int_equal(at[PAGE_BYTES + i], 0);
		assert_int_equal(at[bytes - 2 * PAGE_BYTES + i], 0);
		assert_int_equal(at[bytes - PAGE_BYTES + i], 0xee);
	}
	munmap(at, bytes);
}

/* Nothing is done by half: with too many steps it is not loaded. */
static void test_full(void **state)
{
	struct trampoline t;

	(void)state;
	begin(&t);
	for (int i = 0; i < TRAMPOLINE_STEPS_MAX; i++)
		trampoline_out(&t, 0x80, 1, 0);
	run(&t);
	trampoline_out(&t, 0x80, 1, 0);
	assert_err(trampoline_load(&t), ERR_INVALID);
	end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stop), cmocka_unit_test(test_stop_many),
		cmocka_unit_test(test_out),  cmocka_unit_test(test_wait),
		cmocka_unit_test(test_ring), cmocka_unit_test(test_wipe),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
