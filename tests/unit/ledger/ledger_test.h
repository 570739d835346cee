/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the ledger's tests: scratch directories, files read and written whole, records that
 * tell their index. */
#pragma once

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "ledger/durable.h"
#include "ledger/ledger.h"
#include "ledger/leaf.h"
#include "ledger/ledger_reader.h"
#include "ledger/tlog_check.h"
#include "wirewitness/limits.h"

#define ORIGIN   "wirewitness.test/unit"
#define PATH_LEN 256

struct scratch {
	char root[PATH_LEN / 2];
};

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static inline void remove_tree(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline int scratch_set_up(void **state)
{
	struct scratch *s = calloc(1, sizeof(*s));
	/* Thousands of small files and no need of a disk: memory, where there is such a place. */
	const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : P_tmpdir;

	if (!s)
		return -1;
	snprintf(s->root, sizeof(s->root), "%s/wwledger-XXXXXX", base);
	*state = s;
	return mkdtemp(s->root) ? 0 : -1;
}

static inline int scratch_tear_down(void **state)
{
	struct scratch *s = *state;

	remove_tree(s->root);
	free(s);
	return 0;
}

static inline const char *at(const struct scratch *s, const char *name, char out[PATH_LEN])
{
	snprintf(out, PATH_LEN, "%s/%s", s->root, name);
	return out;
}

static inline void slurp(const char *path, struct ww_buf *out)
{
	ww_buf_init(out, 64u << 20);
	assert_int_equal(ww_durable_read(AT_FDCWD, path, out), 0);
}

static inline void spill(const char *path, struct ww_slice s)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ww_durable_pwrite(fd, s, 0), 0);
	close(fd);
}

static inline void flip(const char *path, size_t bit)
{
	WW_AUTO_BUF struct ww_buf b = {0};

	slurp(path, &b);
	assert_true(bit / 8 < b.n);
	b.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
	spill(path, ww_buf_slice(&b));
}

/* cp -a, by hand: test directories are shallow. */
static inline void copy_tree(const char *from, const char *to)
{
	DIR *d = opendir(from);
	const struct dirent *e;

	assert_non_null(d);
	mkdir(to, 0700);
	while ((e = readdir(d))) {
		char a[2 * PATH_LEN], b[2 * PATH_LEN];
		struct stat st;

		if (e->d_name[0] == '.' && (!e->d_name[1] || e->d_name[1] == '.'))
			continue;
		snprintf(a, sizeof(a), "%s/%s", from, e->d_name);
		snprintf(b, sizeof(b), "%s/%s", to, e->d_name);
		assert_int_equal(lstat(a, &st), 0);
		if (S_ISDIR(st.st_mode)) {
			copy_tree(a, b);
		} else {
			WW_AUTO_BUF struct ww_buf content = {0};

			slurp(a, &content);
			spill(b, ww_buf_slice(&content));
		}
	}
	closedir(d);
}

static inline size_t record_text(uint64_t index, char out[64])
{
	return (size_t)snprintf(out, 64, "{\"kind\":\"flow\",\"id\":\"r%" PRIu64 "\"}", index);
}

static inline void append(struct ww_ledger *l, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		uint64_t want = ww_ledger_size(l) + ww_ledger_pending(l), index;
		char text[64];
		size_t n = record_text(want, text);

		assert_int_equal(ww_ledger_append(l, "flow", ww_slice(text, n), &index), 0);
		assert_true(index == want);
	}
}

static inline void commit(struct ww_ledger *l)
{
	uint64_t want = ww_ledger_size(l) + ww_ledger_pending(l), size;

	assert_int_equal(ww_ledger_commit(l, &size), 0);
	assert_true(size == want);
}

static inline int try_open(const char *dir, const char *guard, struct ww_ledger **ret,
			   struct ww_errtext *why)
{
	struct ww_tlog_options o = {.dir = dir, .guard_dir = guard, .origin = ORIGIN};

	return ww_ledger_open(&o, ret, why);
}

static inline struct ww_ledger *must_open(const char *dir)
{
	struct ww_ledger *l = NULL;
	struct ww_errtext why = {""};

	if (try_open(dir, NULL, &l, &why) < 0)
		fail_msg("%s", why.text);
	return l;
}

/* A ledger of `count` records in commits of `batch`, closed again. */
static inline void make_ledger(const char *dir, uint64_t count, uint64_t batch)
{
	struct ww_ledger *l = must_open(dir);

	for (uint64_t n = 0; n < count; n += batch) {
		append(l, count - n < batch ? count - n : batch);
		commit(l);
	}
	ww_ledger_close(l);
}

/* So many more records, in one commit. */
static inline void grow(const char *dir, uint64_t n)
{
	make_ledger(dir, n, n);
}

/* The log's leaf is the one that salt and record give. */
static inline void check_leaf(struct ww_ledger_reader *r, const struct ww_payload *p)
{
	WW_AUTO_BUF struct ww_buf b = {0};
	char text[WW_LEAF_BYTES_MAX];
	struct ww_slice leaf;
	size_t n;

	ww_buf_init(&b, 128u << 10);
	assert_int_equal(ww_buf_add(&b, p->salt.p, p->salt.n), 0);
	assert_int_equal(ww_buf_add(&b, p->json.p, p->json.n), 0);
	assert_int_equal(ww_leaf_record(p->kind, ww_buf_slice(&b), text, &n), 0);
	assert_int_equal(ww_ledger_reader_leaf(r, p->index, &leaf), 0);
	assert_true(ww_slice_eq(leaf, ww_slice(text, n)));
}

/*
 * Every record below `least` is there with its content ("flow": that of append()), and the whole
 * log holds together. Returns the size.
 */
static inline uint64_t check_ledger(const char *dir, uint64_t least)
{
	WW_AUTO_FD int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct ww_ledger_reader *r = NULL;
	struct ww_errtext why = {""};
	uint64_t size;

	if (ww_ledger_reader_open(dir, NULL, &r, &why) < 0)
		fail_msg("%s", why.text);
	size = ww_ledger_reader_head(r)->size;
	assert_true(size >= least);
	if (ww_tlog_check_tree(fd, ww_ledger_reader_head(r), &why) < 0)
		fail_msg("%s", why.text);
	for (uint64_t i = 0; i < size; i++) {
		struct ww_payload p;
		char text[64];
		size_t n = record_text(i, text);

		assert_int_equal(ww_ledger_reader_get(r, i, &p), 0);
		assert_true(p.index == i);
		if (ww_slice_eq_str(p.kind, "flow"))
			assert_true(ww_slice_eq(p.json, ww_slice(text, n)));
		check_leaf(r, &p);
	}
	ww_ledger_reader_close(r);
	return size;
}

#define SCRATCH_TEST(f) cmocka_unit_test_setup_teardown(f, scratch_set_up, scratch_tear_down)
