/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of TLS files, fed with this very process: it maps small library files that the tests
 * write, replace and damage. The numbers at the tests are the invariants of target.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "sense/maps.h"
#include "sense/target.h"

#include "elf_image.h"

#if !defined(__x86_64__)
int main(void)
{
	puts("probe sites are planned for x86-64 only");
	return 77;
}
#else

/* push %rbp; pop %rbp; ret */
static const uint8_t reads[] = {0x55, 0x5d, 0xc3};
/* push %rbp; nop; pop %rbp; ret */
static const uint8_t reads_longer[] = {0x55, 0x90, 0x5d, 0xc3};
/* jmp *8(%rdi) */
static const uint8_t refused[] = {0xff, 0x67, 0x08};

struct heard {
	unsigned files, opaques, uses, evictions;
	uint32_t last_index, last_used, last_evicted;
	uint64_t inode, inode_of_fd;
	unsigned sites;
	char path[WW_PATH_BYTES_MAX];
	char reason[32];
	bool live[WW_TLS_FILES_MAX + 1];
};

static void on_file(void *ctx, const struct ww_target_file *f)
{
	struct heard *h = ctx;
	struct stat st;

	assert_true(f->index >= 1 && f->index <= WW_TLS_FILES_MAX);
	assert_false(h->live[f->index]); /* 1 */
	h->live[f->index] = true;
	assert_int_equal(fstat(f->fd, &st), 0);
	h->files++;
	h->last_index = f->index;
	h->inode = f->inode;
	h->inode_of_fd = st.st_ino;
	h->sites = f->plan->site_count;
	memcpy(h->path, f->path, sizeof(h->path));
}

static void on_opaque(void *ctx, const struct ww_target_opaque *o)
{
	struct heard *h = ctx;

	h->opaques++;
	snprintf(h->reason, sizeof(h->reason), "%s", o->reason);
	memcpy(h->path, o->path, sizeof(h->path));
	assert_int_equal(o->cgroup, 77);
}

static void on_use(void *ctx, const struct ww_target_use *u)
{
	struct heard *h = ctx;

	h->uses++;
	h->last_used = u->index;
	assert_int_equal(u->actor.pid, getpid());
	assert_int_equal(u->cgroup, 77);
}

static void on_evict(void *ctx, uint32_t index)
{
	struct heard *h = ctx;

	assert_true(h->live[index]); /* 1 */
	h->live[index] = false;
	h->evictions++;
	h->last_evicted = index;
}

static const struct ww_target_ops ops = {on_file, on_opaque, on_use, on_evict};

struct fixture {
	struct ww_targets *t;
	struct heard h;
	char folder[64];
	char path[96];
	void *map;
};

static void make_image(struct image *m, const uint8_t *code, size_t n)
{
	image_init(m);
	image_symbol(m, "SSL_read", image_code(m, code, code + n), n);
}

static void write_file(const char *path, const void *p, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, n), n);
	close(fd);
}

static void write_image(const char *path, const uint8_t *code, size_t n)
{
	struct image m;

	make_image(&m, code, n);
	/* Other code, other size: two writes may share a time stamp. */
	write_file(path, m.bytes, IMAGE_END + n);
}

static void map_file(struct fixture *f)
{
	int fd = open(f->path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	if (f->map)
		munmap(f->map, 4096);
	f->map = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	close(fd);
	if (f->map == MAP_FAILED) {
		f->map = NULL;
		print_message("no executable mappings of files in this folder\n");
		skip();
	}
}

static void scan(struct fixture *f)
{
	struct ww_actor_key self = {.pid = (uint32_t)getpid()};

	assert_int_equal(ww_targets_scan(f->t, self, 77, &ops, &f->h), 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	snprintf(f->folder, sizeof(f->folder), "/tmp/target-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof(f->path), "%s/lib", f->folder);
	assert_int_equal(ww_targets_new(&f->t), 0);
	/* What the test program itself maps is not the tests' business. */
	scan(f);
	f->h.files = f->h.opaques = f->h.uses = f->h.evictions = 0;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	ww_targets_free(f->t);
	if (f->map)
		munmap(f->map, 4096);
	unlink(f->path);
	rmdir(f->folder);
	free(f);
	return 0;
}

/* --- maps ----------------------------------------------------------------------------------- */

static int parse(const char *line, struct ww_map *m)
{
	return ww_map_parse(ww_slice_str(line), m);
}

static void test_lines(void **state)
{
	static const char *const bad[] = {
		"",
		"7f00",
		"7f00-",
		"7f00-7f10",
		"7f00-7f10 ",
		"7f00-7f10 r-xp",
		"7f00-7f10 r-x 0 08:01 5",
		"7f00-7f10 r-xp zz 08:01 5",
		"7f00-7f10 r-xp 0 0801 5",
		"7f00-7f10 r-xp 0 08:01 ",
		"7f00-7f10 r-xp 0 08:01 5x",
		"7f00-7f10 r-xp 0 08:01 99999999999999999999",
		"-7f10 r-xp 0 08:01 5",
		"12345678901234567-1 r-xp 0 08:01 5",
	};
	struct ww_map m = {.inode = 42};

	for (size_t i = 0; i < WW_ARRAY_SIZE(bad); i++)
		assert_int_equal(parse(bad[i], &m), -EINVAL);
	assert_int_equal(m.inode, 42);
	assert_int_equal(parse("7f00-7f10 r-xp 00001000 fe:1a 123  /a b/c (deleted)", &m), 0);
	assert_int_equal(m.start, 0x7f00);
	assert_int_equal(m.end, 0x7f10);
	assert_true(m.exec);
	assert_int_equal(m.dev, 0xfeu << 20 | 0x1au);
	assert_int_equal(m.inode, 123);
	assert_true(ww_slice_eq_str(m.path, "/a b/c (deleted)"));
	assert_int_equal(parse("0-1 rw-p 0 00:00 0", &m), 0);
	assert_false(m.exec);
	assert_int_equal(m.path.n, 0);
}

static void test_no_process(void **state)
{
	struct fixture *f = *state;
	struct ww_actor_key nobody = {.pid = 0x7fffffff};
	struct ww_actor_key other = {.pid = (uint32_t)getpid(), .start_ns = 1};

	assert_int_equal(ww_targets_scan(f->t, nobody, 77, &ops, &f->h), -ESRCH);
	/* The pid belongs to another process by now. */
	assert_int_equal(ww_targets_scan(f->t, other, 77, &ops, &f->h), -ESRCH);
	assert_int_equal(f->h.files + f->h.opaques + f->h.uses, 0);
}

/* --- files ---------------------------------------------------------------------------------- */

static void test_found_once(void **state)
{
	struct fixture *f = *state;
	struct ww_target_stats s;
	struct stat st;

	write_image(f->path, reads, sizeof(reads));
	assert_int_equal(stat(f->path, &st), 0);
	map_file(f);
	scan(f);
	assert_int_equal(f->h.files, 1);
	assert_int_equal(f->h.uses, 1);
	assert_int_equal(f->h.last_used, f->h.last_index);
	assert_int_equal(f->h.sites, 2);
	assert_int_equal(f->h.inode, st.st_ino);
	assert_int_equal(f->h.inode_of_fd, st.st_ino); /* 2 */
	assert_string_equal(f->h.path, f->path);
	scan(f);
	scan(f);
	assert_int_equal(f->h.files, 1);
	assert_int_equal(f->h.uses, 1); /* 3 */
	ww_targets_stats(f->t, &s);
	assert_true(s.files >= 1);
	assert_int_equal(s.evicted, 0);
}

/* 3: after an exec the process is another program: doctor must hear of its libraries again. */
static void test_told_again_after_exec(void **state)
{
	struct ww_actor_key self = {.pid = (uint32_t)getpid()};
	struct ww_actor_key nobody = {.pid = 0x7fffffff};
	struct fixture *f = *state;

	write_image(f->path, reads, sizeof(reads));
	map_file(f);
	scan(f);
	assert_int_equal(f->h.uses, 1);
	ww_targets_executed(f->t, self);
	ww_targets_executed(f->t, nobody);
	scan(f);
	scan(f);
	assert_int_equal(f->h.uses, 2);
	assert_int_equal(f->h.files, 1);
}

static void test_by_path_then_mapped(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ww_targets_add_path(f->t, f->path, &ops, &f->h), -ENOENT);
	assert_int_equal(ww_targets_add_path(f->t, f->folder, &ops, &f->h), -EINVAL);
	assert_int_equal(ww_targets_add_path(f->t, "/dev/null", &ops, &f->h), -EINVAL);
	write_image(f->path, reads, sizeof(reads));
	assert_int_equal(ww_targets_add_path(f->t, f->path, &ops, &f->h), 0);
	assert_int_equal(ww_targets_add_path(f->t, f->path, &ops, &f->h), 0);
	assert_int_equal(f->h.files, 1);
	assert_int_equal(f->h.uses, 0);
	map_file(f);
	scan(f);
	assert_int_equal(f->h.files, 1);
	assert_int_equal(f->h.uses, 1);
}

/* Another file under the same path: the process maps the old one, then the new one. */
static void test_replaced(void **state)
{
	struct fixture *f = *state;
	char other[112];

	write_image(f->path, reads, sizeof(reads));
	map_file(f);
	scan(f);
	snprintf(other, sizeof(other), "%s.new", f->path);
	write_image(other, reads_longer, sizeof(reads_longer));
	assert_int_equal(rename(other, f->path), 0);
	scan(f);
	assert_int_equal(f->h.files, 1); /* what the path holds now is not what is mapped */
	map_file(f);
	scan(f);
	assert_int_equal(f->h.files, 2);
	assert_int_equal(f->h.uses, 2);
	assert_int_equal(f->h.evictions, 0);
}

/* The content of the same inode changes: the old probes end before the new ones are set. */
static void test_rewritten(void **state)
{
	struct fixture *f = *state;
	uint32_t first;

	write_image(f->path, reads, sizeof(reads));
	assert_int_equal(ww_targets_add_path(f->t, f->path, &ops, &f->h), 0);
	first = f->h.last_index;
	write_image(f->path, reads_longer, sizeof(reads_longer));
	assert_int_equal(ww_targets_add_path(f->t, f->path, &ops, &f->h), 0);
	assert_int_equal(f->h.files, 2);
	assert_int_equal(f->h.evictions, 1);
	assert_int_equal(f->h.last_evicted, first);
	/* Touched, not changed: the same file. */
	assert_int_equal(chmod(f->path, 0755), 0);
	assert_int_equal(ww_targets_add_path(f->t, f->path, &ops, &f->h), 0);
	assert_int_equal(f->h.files, 2);
	assert_int_equal(f->h.evictions, 1);
	/* No library any more. */
	write_file(f->path, "#!/bin/sh\n", 10);
	assert_int_equal(ww_targets_add_path(f->t, f->path, &ops, &f->h), -EINVAL);
	assert_int_equal(f->h.evictions, 2);
	write_image(f->path, reads, sizeof(reads));
	assert_int_equal(ww_targets_add_path(f->t, f->path, &ops, &f->h), 0);
	assert_int_equal(f->h.files, 3);
}

static void test_ceiling(void **state)
{
	struct fixture *f = *state;
	struct ww_target_stats s;
	struct image m;
	char path[128];

	make_image(&m, reads, sizeof(reads));
	for (unsigned i = 0; i <= WW_TLS_FILES_MAX; i++) {
		snprintf(path, sizeof(path), "%s/%u", f->folder, i);
		write_file(path, m.bytes, IMAGE_END);
		assert_int_equal(ww_targets_add_path(f->t, path, &ops, &f->h), 0);
	}
	ww_targets_stats(f->t, &s);
	assert_int_equal(s.files, WW_TLS_FILES_MAX);
	assert_true(s.evicted >= 1);
	assert_int_equal(f->h.evictions, s.evicted);
	/* The first one was given up; met again, it gets probes again. */
	snprintf(path, sizeof(path), "%s/0", f->folder);
	f->h.files = 0;
	assert_int_equal(ww_targets_add_path(f->t, path, &ops, &f->h), 0);
	assert_int_equal(f->h.files, 1);
	for (unsigned i = 0; i <= WW_TLS_FILES_MAX; i++) {
		snprintf(path, sizeof(path), "%s/%u", f->folder, i);
		unlink(path);
	}
}

static void test_ceiling_of_others(void **state)
{
	struct fixture *f = *state;
	struct ww_target_stats s;
	char path[128];

	for (unsigned i = 0; i < WW_TARGET_FILES_MAX + 10; i++) {
		snprintf(path, sizeof(path), "%s/%u", f->folder, i);
		write_file(path, "x", 1);
		assert_int_equal(ww_targets_add_path(f->t, path, &ops, &f->h), -EINVAL);
	}
	ww_targets_stats(f->t, &s);
	assert_int_equal(s.others, WW_TARGET_FILES_MAX);
	for (unsigned i = 0; i < WW_TARGET_FILES_MAX + 10; i++) {
		snprintf(path, sizeof(path), "%s/%u", f->folder, i);
		unlink(path);
	}
}

/* --- what cannot be read -------------------------------------------------------------------- */

static void test_refused_code(void **state)
{
	struct fixture *f = *state;

	write_image(f->path, refused, sizeof(refused));
	assert_int_equal(ww_targets_add_path(f->t, f->path, &ops, &f->h), -ENOTSUP);
	assert_int_equal(ww_targets_add_path(f->t, f->path, &ops, &f->h), -ENOTSUP);
	map_file(f);
	scan(f);
	scan(f);
	assert_int_equal(f->h.files, 0);
	assert_int_equal(f->h.opaques, 1); /* 3 */
	assert_string_equal(f->h.reason, "openssl-code");
	assert_string_equal(f->h.path, f->path);
}

static void test_by_name(void **state)
{
	struct fixture *f = *state;
	struct image m;

	snprintf(f->path, sizeof(f->path), "%s/libgnutls.so.30", f->folder);
	image_init(&m);
	write_file(f->path, m.bytes, IMAGE_END);
	map_file(f);
	scan(f);
	assert_int_equal(f->h.opaques, 1);
	assert_string_equal(f->h.reason, "gnutls");
}

static void test_by_soname(void **state)
{
	struct fixture *f = *state;
	struct image m;

	image_init(&m);
	memcpy(m.bytes + IMAGE_STRINGS + 1, "libnss3.so", sizeof("libnss3.so"));
	write_file(f->path, m.bytes, IMAGE_END);
	map_file(f);
	scan(f);
	assert_string_equal(f->h.reason, "nss");
}

/* Gives a section another name, which lies behind all others. */
static void rename_section(struct image *m, unsigned section, const char *name)
{
	uint32_t at = (uint32_t)image_section(m, IMAGE_S_NAMES)->sh_size;

	memcpy(m->bytes + IMAGE_NAMES + at, name, strlen(name) + 1);
	image_section(m, IMAGE_S_NAMES)->sh_size += strlen(name) + 1;
	image_section(m, section)->sh_name = at;
}

/* Why a Go program is opaque; NULL: it is not. */
static const char *go_reason(struct fixture *f, const void *table, size_t n)
{
	struct image m;

	image_init(&m);
	rename_section(&m, IMAGE_S_NAMES, ".go.buildinfo");
	if (table) {
		rename_section(&m, IMAGE_S_RELA, ".gopclntab");
		memcpy(m.bytes + IMAGE_RELOCS, table, n);
		image_section(&m, IMAGE_S_RELA)->sh_size = n;
	}
	write_file(f->path, m.bytes, IMAGE_END);
	f->h.reason[0] = 0;
	map_file(f);
	scan(f);
	return f->h.reason[0] ? f->h.reason : NULL;
}

static void test_go(void **state)
{
	assert_string_equal(go_reason(*state, NULL, 0), "go");
}

static void test_go_table(void **state)
{
	static const uint8_t next[64] = {0xf2, 0xff, 0xff, 0xff, 0, 0, 1, 8};

	assert_string_equal(go_reason(*state, next, sizeof(next)), "go-pclntab");
}

static void test_go_table_cut(void **state)
{
	static const uint8_t head[32] = {0xf1, 0xff, 0xff, 0xff, 0, 0, 1, 8, 1};

	assert_string_equal(go_reason(*state, head, sizeof(head)), "go");
}

/* All of its functions are known, and crypto/tls is not among them. */
static void test_go_without_tls(void **state)
{
	static const uint8_t table[128] = {
		[0] = 0xf1, 0xff, 0xff, 0xff, 0, 0, 1, 8, [25] = 0x10, 0x40, [32] = 72, [64] = 80,
	};

	assert_null(go_reason(*state, table, sizeof(table)));
}

static void test_defaults(void **state)
{
	struct fixture *f = *state;
	unsigned files;

	assert_int_equal(ww_targets_add_defaults(f->t, &ops, &f->h), 0);
	files = f->h.files;
	assert_int_equal(ww_targets_add_defaults(f->t, &ops, &f->h), 0);
	assert_int_equal(f->h.files, files);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test_setup_teardown(test_no_process, setup, teardown),
		cmocka_unit_test_setup_teardown(test_found_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_told_again_after_exec, setup, teardown),
		cmocka_unit_test_setup_teardown(test_by_path_then_mapped, setup, teardown),
		cmocka_unit_test_setup_teardown(test_replaced, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rewritten, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ceiling, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ceiling_of_others, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused_code, setup, teardown),
		cmocka_unit_test_setup_teardown(test_by_name, setup, teardown),
		cmocka_unit_test_setup_teardown(test_by_soname, setup, teardown),
		cmocka_unit_test_setup_teardown(test_go, setup, teardown),
		cmocka_unit_test_setup_teardown(test_go_table, setup, teardown),
		cmocka_unit_test_setup_teardown(test_go_table_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(test_go_without_tls, setup, teardown),
		cmocka_unit_test_setup_teardown(test_defaults, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
#endif
