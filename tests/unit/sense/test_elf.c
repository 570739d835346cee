/* SPDX-License-Identifier: Apache-2.0 */
/* Damaged files first: whatever the file says, reading it ends with an answer. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "sense/elf.h"

#include "elf_image.h"

static const uint8_t code[32] = {0x55, 0x5d, 0xc3};

/* A stub that jumps through the slot at IMAGE_VADDR + IMAGE_CODE + 24. */
static void make(struct image *m)
{
	uint64_t at;

	image_init(m);
	at = image_code(m, code, code + sizeof(code));
	image_symbol(m, "first", at, 3);
	image_symbol(m, "second", at + 16, 16);
	image_import(m, at + 24, "imported");
}

/* Asks everything there is to ask. The file is fd's; returns what opening it returned. */
static int ask_all(int fd)
{
	WW_AUTO(ww_elf_free_auto) struct ww_elf *e = NULL;
	struct ww_elf_symbol s;
	uint8_t id[WW_ELF_BUILD_ID_MAX];
	uint8_t buf[64];
	uint64_t at;
	size_t n;
	int r = ww_elf_open(fd, &e);

	if (r < 0) {
		assert_null(e);
		return r;
	}
	if (ww_elf_function(e, "second", &s) == 0) {
		if (ww_elf_offset(e, s.vaddr, &at) == 0)
			assert_true(at < IMAGE_END);
		if (ww_elf_code(e, s.vaddr, buf, sizeof(buf), &n) == 0)
			assert_true(n > 0 && n <= sizeof(buf));
	}
	assert_int_equal(ww_elf_function(e, "nowhere", &s), -ENOENT);
	(void)ww_elf_name_at(e, IMAGE_VADDR + IMAGE_CODE);
	(void)ww_elf_import_at(e, IMAGE_VADDR + IMAGE_CODE + 24);
	(void)ww_elf_soname(e);
	(void)ww_elf_has_section(e, ".go.buildinfo");
	(void)ww_elf_has_interpreter(e);
	assert_true(ww_elf_build_id(e, id) <= sizeof(id));
	return 0;
}

static void test_every_truncation(void **state)
{
	struct image m;

	make(&m);
	for (size_t n = 0; n < IMAGE_END; n += n < 300 ? 1 : 7) {
		int fd = image_file_part(&m, n);
		int r = ask_all(fd);

		close(fd);
		if (n < sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr))
			assert_int_equal(r, -EINVAL);
		else
			assert_int_equal(r, 0); /* without the section headers: no symbols */
	}
}

/* Every byte of headers and tables set to 0x00, 0x7f and 0xff in turn. */
static void test_every_byte(void **state)
{
	static const uint8_t values[] = {0, 0x7f, 0xff};
	struct image m;
	int fd;

	make(&m);
	fd = image_file(&m);
	assert_true(fd >= 0);
	for (size_t i = 0; i < IMAGE_END; i++) {
		if (m.bytes[i] == 0 && i % 8 != 7)
			continue;
		for (size_t k = 0; k < sizeof(values); k++) {
			assert_int_equal(pwrite(fd, &values[k], 1, (off_t)i), 1);
			(void)ask_all(fd);
		}
		assert_int_equal(pwrite(fd, &m.bytes[i], 1, (off_t)i), 1);
	}
	assert_int_equal(ask_all(fd), 0);
	close(fd);
}

/* Sizes that would be allocated if they were believed: the tables count as absent. */
static void test_forged_sizes(void **state)
{
	static const uint64_t sizes[] = {UINT64_MAX, INT64_MAX, 1ull << 40, (64u << 20) + 1};

	for (unsigned s = IMAGE_S_SYM; s < IMAGE_S_COUNT; s++) {
		for (size_t i = 0; i < WW_ARRAY_SIZE(sizes); i++) {
			WW_AUTO(ww_elf_free_auto) struct ww_elf *e = NULL;
			struct ww_elf_symbol symbol = {7, 7};
			struct image m;
			int fd;

			make(&m);
			image_section(&m, s)->sh_size = sizes[i];
			fd = image_file(&m);
			/* Sparse, so that the size is no reason to refuse. */
			assert_int_equal(ftruncate(fd, (off_t)1 << 41), 0);
			assert_int_equal(ask_all(fd), 0);
			assert_int_equal(ww_elf_open(fd, &e), 0);
			if (s == IMAGE_S_SYM || s == IMAGE_S_STR) {
				assert_int_equal(ww_elf_function(e, "first", &symbol), -ENOENT);
				assert_int_equal(symbol.vaddr, 7);
			}
			close(fd);
		}
	}
}

/* The file becomes shorter after it was opened: an error, not a signal. */
static void test_shrinks(void **state)
{
	WW_AUTO(ww_elf_free_auto) struct ww_elf *e = NULL;
	struct ww_elf_symbol s;
	uint8_t buf[16];
	size_t n = 99;
	struct image m;
	int fd;

	make(&m);
	fd = image_file(&m);
	assert_int_equal(ww_elf_open(fd, &e), 0);
	assert_int_equal(ftruncate(fd, 64), 0);
	assert_int_equal(ww_elf_function(e, "first", &s), -ENOENT);
	assert_int_equal(ww_elf_code(e, IMAGE_VADDR + IMAGE_CODE, buf, sizeof(buf), &n), -EIO);
	assert_int_equal(n, 99);
	close(fd);
}

static void test_names_without_end(void **state)
{
	WW_AUTO(ww_elf_free_auto) struct ww_elf *e = NULL;
	struct image m;
	int fd;

	make(&m);
	/* The string table ends in the middle of the last name. */
	image_section(&m, IMAGE_S_STR)->sh_size -= 4;
	fd = image_file(&m);
	assert_int_equal(ww_elf_open(fd, &e), 0);
	assert_string_equal(ww_elf_import_at(e, IMAGE_VADDR + IMAGE_CODE + 24), "impor");
	close(fd);
}

static void test_answers(void **state)
{
	WW_AUTO(ww_elf_free_auto) struct ww_elf *e = NULL;
	struct ww_elf_symbol s;
	uint8_t id[WW_ELF_BUILD_ID_MAX], buf[64];
	uint64_t at = 0;
	size_t n = 0;
	struct image m;
	int fd;

	make(&m);
	fd = image_file(&m);
	assert_int_equal(ww_elf_open(fd, &e), 0);
	assert_int_equal(ww_elf_machine(e), EM_X86_64);
	assert_int_equal(ww_elf_function(e, "imported", &s), -ENOENT);
	assert_int_equal(ww_elf_function(e, "second", &s), 0);
	assert_int_equal(s.vaddr, IMAGE_VADDR + IMAGE_CODE + 16);
	assert_int_equal(s.size, 16);
	assert_string_equal(ww_elf_name_at(e, s.vaddr), "second");
	assert_null(ww_elf_name_at(e, s.vaddr + 1));
	assert_int_equal(ww_elf_offset(e, s.vaddr, &at), 0);
	assert_int_equal(at, IMAGE_CODE + 16);
	assert_int_equal(ww_elf_offset(e, IMAGE_VADDR + IMAGE_CODE + 32, &at), -ENOENT);
	assert_int_equal(ww_elf_offset(e, 0, &at), -ENOENT);
	assert_int_equal(ww_elf_code(e, IMAGE_VADDR + IMAGE_CODE, buf, sizeof(buf), &n), 0);
	assert_int_equal(n, 32); /* the segment ends there */
	assert_memory_equal(buf, code, sizeof(code));
	assert_string_equal(ww_elf_import_at(e, IMAGE_VADDR + IMAGE_CODE + 24), "imported");
	assert_null(ww_elf_import_at(e, IMAGE_VADDR + IMAGE_CODE));
	assert_string_equal(ww_elf_soname(e), "libimage.so.1");
	assert_true(ww_elf_has_section(e, ".dynamic"));
	assert_false(ww_elf_has_section(e, ".dyn"));
	assert_false(ww_elf_has_interpreter(e)); /* a library */
	assert_int_equal(ww_elf_build_id(e, id), 20);
	assert_int_equal(id[7], 8);
	close(fd);
}

static void test_interpreter(void **state)
{
	WW_AUTO(ww_elf_free_auto) struct ww_elf *e = NULL;
	WW_AUTO_FD int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ww_elf_open(fd, &e), 0);
	assert_true(ww_elf_has_interpreter(e));
}

static void test_data_and_sections(void **state)
{
	WW_AUTO(ww_elf_free_auto) struct ww_elf *e = NULL;
	WW_AUTO_FREE uint8_t *bytes = NULL;
	uint8_t buf[32];
	size_t n = 7;
	struct image m;
	int fd;

	make(&m);
	fd = image_file(&m);
	assert_int_equal(ww_elf_open(fd, &e), 0);
	assert_int_equal(ww_elf_data(e, IMAGE_VADDR + IMAGE_CODE, buf, 32), 0);
	assert_memory_equal(buf, code, sizeof(code));
	assert_int_equal(ww_elf_data(e, IMAGE_VADDR + IMAGE_CODE + 1, buf, 32), -ENOENT);
	assert_int_equal(ww_elf_data(e, UINT64_MAX - 3, buf, 8), -ENOENT);
	/* Up to the next named function, and to the segment's end. */
	assert_int_equal(ww_elf_room(e, IMAGE_VADDR + IMAGE_CODE), 16);
	assert_int_equal(ww_elf_room(e, IMAGE_VADDR + IMAGE_CODE + 4), 12);
	assert_int_equal(ww_elf_room(e, IMAGE_VADDR + IMAGE_CODE + 16), 16);
	assert_int_equal(ww_elf_room(e, 0), 0);
	assert_int_equal(ww_elf_section(e, ".none", &bytes, &n), -ENOENT);
	assert_null(bytes);
	assert_int_equal(ww_elf_section(e, ".dynstr", &bytes, &n), 0);
	assert_int_equal(n, m.strings);
	assert_memory_equal(bytes, m.bytes + IMAGE_STRINGS, n);
	close(fd);
}

/* A section that is not in the file, or larger than any that is read. */
static void test_forged_section(void **state)
{
	static const struct {
		uint64_t at, size;
		uint32_t type;
	} forged[] = {
		{0, UINT64_MAX, SHT_STRTAB},          {UINT64_MAX, 8, SHT_STRTAB},
		{1ull << 40, 1ull << 40, SHT_STRTAB}, {0, (64u << 20) + 1, SHT_STRTAB},
		{IMAGE_STRINGS, 8, SHT_NOBITS},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(forged); i++) {
		WW_AUTO(ww_elf_free_auto) struct ww_elf *e = NULL;
		uint8_t *bytes = NULL;
		struct image m;
		size_t n = 7;
		int fd;

		make(&m);
		image_section(&m, IMAGE_S_STR)->sh_offset = forged[i].at;
		image_section(&m, IMAGE_S_STR)->sh_size = forged[i].size;
		image_section(&m, IMAGE_S_STR)->sh_type = forged[i].type;
		fd = image_file(&m);
		assert_int_equal(ftruncate(fd, (off_t)1 << 40), 0); /* sparse */
		assert_int_equal(ww_elf_open(fd, &e), 0);
		assert_int_equal(ww_elf_section(e, ".dynstr", &bytes, &n), -ENOENT);
		assert_null(bytes);
		assert_int_equal(n, 7);
		close(fd);
	}
}

static void test_not_a_file(void **state)
{
	struct ww_elf *e = NULL;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(ww_elf_open(fds[0], &e), -EINVAL);
	assert_null(e);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(ww_elf_open(-1, &e), -EIO);
	ww_elf_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_truncation),  cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_forged_sizes),      cmocka_unit_test(test_shrinks),
		cmocka_unit_test(test_names_without_end), cmocka_unit_test(test_answers),
		cmocka_unit_test(test_interpreter),       cmocka_unit_test(test_data_and_sections),
		cmocka_unit_test(test_forged_section),    cmocka_unit_test(test_not_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
