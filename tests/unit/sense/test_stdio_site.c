/* SPDX-License-Identifier: Apache-2.0 */
/* Sites behind system calls: in code as glibc has it, in code that is not understood, in the real
 * library. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>

#include "elf_image.h"
#include "sense/elf.h"
#include "sense/stdio_site.h"

static const char *const needed[] = {"read",     "write", "readv",  "writev",  "recv",
				     "recvfrom", "send",  "sendto", "recvmsg", "sendmsg"};

/* xor %eax,%eax; syscall; cmp $-4096,%rax; ja +1; ret; ret */
static const uint8_t plain[] = {0x31, 0xc0, 0x0f, 0x05, 0x48, 0x3d, 0x00,
				0xf0, 0xff, 0xff, 0x77, 0x01, 0xc3, 0xc3};
/* The same with cmp $-4095,%rax; jae, and a long jump. */
static const uint8_t longer[] = {0x31, 0xc0, 0x0f, 0x05, 0x48, 0x3d, 0x01, 0xf0, 0xff,
				 0xff, 0x0f, 0x83, 0x01, 0x00, 0x00, 0x00, 0xc3, 0xc3};
/* cmp $-4096,%rax; jb: jumps when it is none. */
static const uint8_t other_way[] = {0x31, 0xc0, 0x0f, 0x05, 0x48, 0x3d, 0x00,
				    0xf0, 0xff, 0xff, 0x72, 0x01, 0xc3, 0xc3};
/* syscall; ret: who called looks at the result. */
static const uint8_t bare[] = {0x31, 0xc0, 0x0f, 0x05, 0xc3};
/* Two calls, the second without its test. */
static const uint8_t twice[] = {0x31, 0xc0, 0x0f, 0x05, 0x48, 0x3d, 0x00, 0xf0,
				0xff, 0xff, 0x77, 0x01, 0xc3, 0x0f, 0x05, 0xc3};
/* jmp to the test from elsewhere: cmp is reached without the call. */
static const uint8_t joined[] = {0x85, 0xff, 0x74, 0x04, 0x31, 0xc0, 0x0f, 0x05, 0x48,
				 0x3d, 0x00, 0xf0, 0xff, 0xff, 0x77, 0x01, 0xc3, 0xc3};
/* No system call: a jump to another place. */
static const uint8_t wrapper[] = {0x31, 0xc0, 0xc3};

struct file {
	struct image m;
	uint64_t at[WW_ARRAY_SIZE(needed)];
};

/* All functions as `plain`, but the first as `code`; `count` of them. */
static void build(struct file *f, const uint8_t *code, size_t n, unsigned count)
{
	image_init(&f->m);
	for (unsigned i = 0; i < count; i++) {
		const uint8_t *from = i ? plain : code;
		size_t bytes = i ? sizeof(plain) : n;

		f->at[i] = image_code(&f->m, from, from + bytes);
		image_symbol(&f->m, needed[i], f->at[i], bytes);
	}
}

static int plan_of(struct file *f, struct ww_stdio_plan *ret_plan)
{
	int fd = image_file(&f->m);
	int r = ww_stdio_plan(fd, ret_plan);

	close(fd);
	return r;
}

static void test_understood(void **state)
{
	static struct file f;
	struct ww_stdio_plan p;

	build(&f, plain, sizeof(plain), WW_ARRAY_SIZE(needed));
	assert_int_equal(plan_of(&f, &p), 0);
	assert_int_equal(p.count, WW_ARRAY_SIZE(needed));
	assert_int_equal(p.sites[0].offset, f.at[0] - IMAGE_VADDR + 10);
	assert_int_equal(p.sites[0].call, WW_STDIO_READS);
	assert_int_equal(p.sites[9].call, WW_STDIO_SENDS_M);
	build(&f, longer, sizeof(longer), WW_ARRAY_SIZE(needed));
	assert_int_equal(plan_of(&f, &p), 0);
	assert_int_equal(p.sites[0].offset, f.at[0] - IMAGE_VADDR + 10);
}

static void test_refused(void **state)
{
	static const struct {
		const uint8_t *code;
		size_t n;
	} cases[] = {{other_way, sizeof(other_way)},
		     {bare, sizeof(bare)},
		     {twice, sizeof(twice)},
		     {joined, sizeof(joined)},
		     {wrapper, sizeof(wrapper)}};
	static struct file f;
	struct ww_stdio_plan p;

	for (unsigned i = 0; i < WW_ARRAY_SIZE(cases); i++) {
		build(&f, cases[i].code, cases[i].n, WW_ARRAY_SIZE(needed));
		assert_int_equal(plan_of(&f, &p), -ENOTSUP);
	}
	build(&f, plain, sizeof(plain), WW_ARRAY_SIZE(needed) - 1); /* no sendmsg */
	assert_int_equal(plan_of(&f, &p), -ENOENT);
}

/* Every cut of the file: no crash, and no site outside of it. */
static void test_damaged(void **state)
{
	static struct file f;
	struct ww_stdio_plan p;

	for (size_t n = 0; n < IMAGE_END; n += 61) {
		int fd, r;

		build(&f, plain, sizeof(plain), WW_ARRAY_SIZE(needed));
		fd = image_file(&f.m);
		assert_int_equal(ftruncate(fd, (off_t)n), 0);
		r = ww_stdio_plan(fd, &p);
		for (unsigned i = 0; r == 0 && i < p.count; i++)
			assert_true(p.sites[i].offset < n);
		close(fd);
	}
}

static bool has_site_in(const struct ww_stdio_plan *p, int fd, const char *name)
{
	struct ww_elf_symbol s;
	struct ww_elf *e;
	uint64_t from;
	bool found = false;

	assert_int_equal(ww_elf_open(fd, &e), 0);
	assert_int_equal(ww_elf_function(e, name, &s), 0);
	assert_int_equal(ww_elf_offset(e, s.vaddr, &from), 0);
	for (unsigned i = 0; i < p->count; i++)
		found |= p->sites[i].offset >= from && p->sites[i].offset < from + s.size;
	ww_elf_free(e);
	return found;
}

/* The library that this program runs on: each call that must be there has a site. */
static void test_the_real_one(void **state)
{
	static const char *const also[] = {"preadv64v2", "pwritev64v2", "__read_nocancel",
					   "__write_nocancel"};
	int fd = open("/lib/x86_64-linux-gnu/libc.so.6", O_RDONLY | O_CLOEXEC);
	bool seen[WW_STDIO_CALL_MAX] = {false};
	struct ww_stdio_plan p;

	assert_true(fd >= 0);
	assert_int_equal(ww_stdio_plan(fd, &p), 0);
	for (unsigned i = 0; i < WW_ARRAY_SIZE(also); i++)
		assert_true(has_site_in(&p, fd, also[i]));
	close(fd);
	for (unsigned i = 0; i < p.count; i++)
		seen[p.sites[i].call] = true;
	for (unsigned call = WW_STDIO_READS; call < WW_STDIO_CALL_MAX; call++)
		assert_true(seen[call]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_understood),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_the_real_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
