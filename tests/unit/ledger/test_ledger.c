/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger_test.h"

#include "ledger/equivocation.h"
#include "ledger/leaf.h"
#include "ledger/tile.h"

static mode_t mode_of(const struct scratch *s, const char *name)
{
	char path[PATH_LEN];
	struct stat st;

	assert_int_equal(stat(at(s, name, path), &st), 0);
	return st.st_mode & 0777;
}

static void refuse(const char *dir, const char *guard, int want, const char *words)
{
	struct ww_ledger *l = NULL;
	struct ww_errtext why = {""};

	assert_int_equal(try_open(dir, guard, &l, &why), want);
	assert_null(l);
	if (!strstr(why.text, words))
		fail_msg("\"%s\" does not say \"%s\"", why.text, words);
}

/* --- opening -------------------------------------------------------------------------------------
 */

static void test_first_start(void **state)
{
	struct scratch *s = *state;
	char dir[PATH_LEN];
	struct ww_ledger *l = must_open(at(s, "log", dir));
	uint8_t digest_key[32];

	assert_int_equal(mode_of(s, "log"), 0700);
	assert_int_equal(mode_of(s, "log/key"), 0600);
	assert_int_equal(mode_of(s, "log/digest.key"), 0600);
	assert_int_equal(mode_of(s, "log/records"), 0700);
	memcpy(digest_key, ww_ledger_keys(l)->digest_key, 32);
	assert_true(ww_ledger_size(l) == 0);
	commit(l);
	ww_ledger_close(l);
	assert_true(check_ledger(dir, 0) == 0);
	l = must_open(dir);
	assert_memory_equal(digest_key, ww_ledger_keys(l)->digest_key, 32);
	ww_ledger_close(l);
}

/* Salts of a key: equal ledgers whoever makes them, in other commits too; of another key others. */
static void test_derived_salts(void **state)
{
	static const uint8_t keys[3] = {1, 1, 2};
	uint8_t salts[3][40][WW_LEAF_SALT_LEN];

	for (unsigned i = 0; i < 3; i++) {
		const uint8_t key[32] = {keys[i]};
		char name[8], dir[PATH_LEN];
		struct ww_ledger_reader *r = NULL;
		struct ww_errtext why = {""};
		struct ww_ledger *l;

		snprintf(name, sizeof(name), "log%u", i);
		l = must_open(at(*state, name, dir));
		ww_ledger_derive_salts(l, key);
		for (unsigned n = 0; n < 40; n += 10 + 10 * i % 20) {
			append(l, 40 - n < 10 + 10 * i % 20 ? 40 - n : 10 + 10 * i % 20);
			commit(l);
		}
		ww_ledger_close(l);
		assert_true(check_ledger(dir, 0) == 40);
		assert_int_equal(ww_ledger_reader_open(dir, NULL, &r, &why), 0);
		for (unsigned n = 0; n < 40; n++) {
			struct ww_payload p;

			assert_int_equal(ww_ledger_reader_get(r, n, &p), 0);
			memcpy(salts[i][n], p.salt.p, WW_LEAF_SALT_LEN);
			for (unsigned k = 0; k < n; k++)
				assert_memory_not_equal(salts[i][k], salts[i][n], WW_LEAF_SALT_LEN);
		}
		ww_ledger_reader_close(r);
	}
	assert_memory_equal(salts[0], salts[1], sizeof(salts[0]));
	for (unsigned n = 0; n < 40; n++)
		assert_memory_not_equal(salts[0][n], salts[2][n], WW_LEAF_SALT_LEN);
}

static void test_one_writer(void **state)
{
	char dir[PATH_LEN];
	struct ww_ledger *l = must_open(at(*state, "log", dir));

	refuse(dir, NULL, -EBUSY, "another process");
	ww_ledger_close(l);
	ww_ledger_close(must_open(dir));
}

static void test_secrets_in_the_open(void **state)
{
	char dir[PATH_LEN], key[PATH_LEN];

	make_ledger(at(*state, "log", dir), 3, 3);
	assert_int_equal(chmod(at(*state, "log/key", key), 0640), 0);
	refuse(dir, NULL, -EPERM, "0600");
	assert_int_equal(chmod(key, 0600), 0);
	assert_int_equal(chmod(dir, 0750), 0);
	refuse(dir, NULL, -EPERM, "0700");
}

static void test_keys_lost(void **state)
{
	char dir[PATH_LEN], path[PATH_LEN];
	struct ww_tlog_options o = {.dir = dir, .origin = "another.test/log"};
	struct ww_errtext why = {""};
	struct ww_ledger *l = NULL;

	make_ledger(at(*state, "log", dir), 3, 3);
	assert_int_equal(ww_ledger_open(&o, &l, &why), -EINVAL);
	assert_non_null(strstr(why.text, ORIGIN));
	assert_int_equal(unlink(at(*state, "log/vkey", path)), 0);
	ww_ledger_close(must_open(dir)); /* public: made again from the key */
	check_ledger(dir, 3);
	assert_int_equal(unlink(at(*state, "log/digest.key", path)), 0);
	refuse(dir, NULL, -ENOKEY, "digest.key");
	assert_int_equal(unlink(at(*state, "log/key", path)), 0);
	refuse(dir, NULL, -ENOKEY, "signing key");
	spill(path, WW_SLICE_LIT("PRIVATE+KEY+nonsense\n"));
	refuse(dir, NULL, -EINVAL, "signing key");
}

static void test_bad_origin(void **state)
{
	char dir[PATH_LEN];
	struct ww_tlog_options o = {.dir = at(*state, "log", dir), .origin = "two words"};
	struct ww_errtext why = {""};
	struct ww_ledger *l = NULL;

	assert_int_equal(ww_ledger_open(&o, &l, &why), -EINVAL);
	o.origin = NULL;
	assert_int_equal(ww_ledger_open(&o, &l, &why), -EINVAL);
}

/* --- contradicting files -------------------------------------------------------------------------
 */

/* Calls f for every file of the tree part of the log. */
static void each_tile(const char *dir, void (*f)(const char *dir, const char *path))
{
	static const char *const names[] = {
		"tile/0/000",       "tile/0/001",       "tile/0/002.p/88",      "tile/1/000.p/2",
		"tile/entries/000", "tile/entries/001", "tile/entries/002.p/88"};

	for (size_t i = 0; i < WW_ARRAY_SIZE(names); i++) {
		char path[2 * PATH_LEN];

		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		f(dir, path);
	}
}

static void damage_one(const char *dir, const char *path)
{
	WW_AUTO_BUF struct ww_buf b = {0};

	slurp(path, &b);
	for (size_t i = 0; i < 24; i++) {
		size_t bit = (i * 2654435761u) % (b.n * 8);

		flip(path, bit);
		refuse(dir, NULL, -EUCLEAN, "");
		flip(path, bit);
	}
	for (size_t cut = 1; cut <= b.n; cut += 1 + b.n / 5) {
		spill(path, ww_slice(b.p, b.n - cut));
		refuse(dir, NULL, -EUCLEAN, "");
	}
	assert_int_equal(unlink(path), 0);
	refuse(dir, NULL, -EUCLEAN, "");
	spill(path, ww_buf_slice(&b));
}

static void test_damaged_tiles(void **state)
{
	char dir[PATH_LEN];

	make_ledger(at(*state, "log", dir), 600, 100);
	each_tile(dir, damage_one);
	ww_ledger_close(must_open(dir));
	check_ledger(dir, 600);
}

static void test_forged_checkpoints(void **state)
{
	char dir[PATH_LEN], other[PATH_LEN], cp[PATH_LEN], other_cp[PATH_LEN];
	WW_AUTO_BUF struct ww_buf own = {0}, foreign = {0};
	struct ww_ledger_reader *r = NULL;
	struct ww_errtext why = {""};

	make_ledger(at(*state, "log", dir), 20, 7);
	make_ledger(at(*state, "other", other), 20, 7);
	slurp(at(*state, "log/checkpoint", cp), &own);
	slurp(at(*state, "other/checkpoint", other_cp), &foreign);
	for (size_t bit = 0; bit < own.n * 8; bit += 5) {
		flip(cp, bit);
		refuse(dir, NULL, -EUCLEAN, "");
		assert_int_equal(ww_ledger_reader_open(dir, NULL, &r, &why), -EUCLEAN);
		flip(cp, bit);
	}
	spill(cp, ww_buf_slice(&foreign)); /* same name, another key */
	refuse(dir, NULL, -EUCLEAN, "not a checkpoint signed by this log");
	spill(cp, WW_SLICE_LIT(""));
	refuse(dir, NULL, -EUCLEAN, "not a checkpoint");
	spill(cp, ww_buf_slice(&own));
	ww_ledger_close(must_open(dir));
}

static void test_lost_heads(void **state)
{
	char dir[PATH_LEN], cp[PATH_LEN], highest[PATH_LEN];

	make_ledger(at(*state, "log", dir), 20, 7);
	at(*state, "log/checkpoint", cp);
	at(*state, "log/highest", highest);
	assert_int_equal(unlink(cp), 0); /* the guard holds a signed copy */
	ww_ledger_close(must_open(dir));
	check_ledger(dir, 20);
	assert_int_equal(unlink(highest), 0);
	refuse(dir, NULL, -EUCLEAN, "highest is missing");
	assert_int_equal(unlink(cp), 0);
	refuse(dir, NULL, -EUCLEAN, "no signed checkpoint");
}

/* --- going back ----------------------------------------------------------------------------------
 */

static void test_rolled_back_beside_guard(void **state)
{
	char dir[PATH_LEN], old[PATH_LEN], guard[PATH_LEN];
	struct ww_errtext why = {""};
	struct ww_ledger *l = NULL;

	at(*state, "log", dir);
	assert_int_equal(mkdir(at(*state, "guard", guard), 0700), 0);
	assert_int_equal(try_open(dir, guard, &l, &why), 0);
	append(l, 300);
	commit(l);
	copy_tree(dir, at(*state, "old", old));
	append(l, 300);
	commit(l);
	ww_ledger_close(l);
	remove_tree(dir);
	copy_tree(old, dir);
	refuse(dir, guard, -EUCLEAN, "rolled back: 600 records were signed, the files hold 300");
	/* Nothing was changed by refusing. */
	refuse(dir, guard, -EUCLEAN, "rolled back");
	assert_true(check_ledger(dir, 300) == 300);
}

static void read_head(const char *dir, struct ww_checkpoint *ret)
{
	struct ww_ledger_reader *r = NULL;
	struct ww_errtext why = {""};

	assert_int_equal(ww_ledger_reader_open(dir, NULL, &r, &why), 0);
	*ret = *ww_ledger_reader_head(r);
	ww_ledger_reader_close(r);
}

static int extends(const char *dir, const struct ww_checkpoint *kept, struct ww_errtext *why)
{
	WW_AUTO_FD int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct ww_checkpoint head;

	read_head(dir, &head);
	return ww_tlog_check_extends(fd, &head, kept, why);
}

/* With the guard rolled back as well, only a checkpoint that left the host can tell. */
static void test_kept_checkpoint(void **state)
{
	char dir[PATH_LEN], old[PATH_LEN];
	struct ww_checkpoint kept, early;
	struct ww_errtext why = {""};
	struct ww_ledger *l;

	make_ledger(at(*state, "log", dir), 300, 50);
	copy_tree(dir, at(*state, "old", old));
	read_head(dir, &early);
	l = must_open(dir);
	append(l, 100);
	commit(l);
	ww_ledger_close(l);
	read_head(dir, &kept);
	assert_int_equal(extends(dir, &early, &why), 0);
	assert_int_equal(extends(dir, &kept, &why), 0);

	/* The old copy goes on with other records: rolled back, then rewritten, then equivocating.
	 */
	assert_int_equal(extends(old, &kept, &why), -EUCLEAN);
	assert_non_null(strstr(why.text, "rolled back"));
	l = must_open(old);
	assert_int_equal(ww_ledger_append(l, "flow", WW_SLICE_LIT("{}"), NULL), 0);
	append(l, 99);
	commit(l);
	assert_int_equal(extends(old, &kept, &why), -EUCLEAN);
	assert_non_null(strstr(why.text, "different roots"));
	append(l, 50);
	commit(l);
	ww_ledger_close(l);
	assert_int_equal(extends(old, &kept, &why), -EUCLEAN);
	assert_non_null(strstr(why.text, "rewritten"));
	assert_int_equal(extends(old, &early, &why), 0);
}

/* Path of the one file that a directory holds. */
static const char *only_file(const char *dir, char out[PATH_LEN])
{
	DIR *d = opendir(dir);
	const struct dirent *e;
	int n = 0;

	assert_non_null(d);
	while ((e = readdir(d))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		assert_true((size_t)snprintf(out, PATH_LEN, "%s/%s", dir, e->d_name) < PATH_LEN);
		n++;
	}
	closedir(d);
	assert_int_equal(n, 1);
	return out;
}

static void test_two_heads_of_one_size(void **state)
{
	char dir[PATH_LEN], fork_dir[PATH_LEN], a[PATH_LEN], b[PATH_LEN], proof[PATH_LEN];
	WW_AUTO_BUF struct ww_buf first = {0}, second = {0}, both = {0};
	struct ww_ledger *l;

	make_ledger(at(*state, "log", dir), 10, 5);
	copy_tree(dir, at(*state, "fork", fork_dir));
	l = must_open(dir);
	append(l, 5);
	commit(l);
	ww_ledger_close(l);
	l = must_open(fork_dir);
	append(l, 5); /* the same records, other salts */
	commit(l);
	ww_ledger_close(l);
	slurp(at(*state, "fork/checkpoint", a), &first);
	slurp(at(*state, "log/highest", b), &second);
	spill(at(*state, "log/checkpoint", a), ww_buf_slice(&first));
	refuse(dir, NULL, -EUCLEAN, "two signed checkpoints of size 15");
	slurp(only_file(at(*state, "log/equivocation", a), proof), &both);
	assert_int_equal(both.n, first.n + 1 + second.n);
	assert_non_null(memmem(both.p, both.n, first.p, first.n));
	assert_non_null(memmem(both.p, both.n, second.p, second.n));
	/* Repairing the files does not undo what was signed: only a person can. */
	spill(at(*state, "log/checkpoint", a), ww_buf_slice(&second));
	refuse(dir, NULL, -EUCLEAN, "nothing more is signed");
	assert_int_equal(unlink(proof), 0);
	ww_ledger_close(must_open(dir));
}

/* Whoever meets the second head while the log is written: the next signature is refused. */
static void test_forked_while_open(void **state)
{
	char dir[PATH_LEN];
	struct ww_ledger *l = must_open(at(*state, "log", dir));
	struct ww_errtext why = {""};
	uint64_t size;
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	append(l, 3);
	commit(l);
	assert_int_equal(
		ww_equivocation_keep(fd, WW_SLICE_LIT("a\n"), WW_SLICE_LIT("b\n"), 3, &why), 0);
	append(l, 1);
	assert_int_equal(ww_ledger_commit(l, &size), -EUCLEAN);
	assert_non_null(strstr(ww_ledger_stopped(l), "nothing more is signed"));
	assert_int_equal(ww_ledger_retry(l), -EUCLEAN);
	assert_int_equal(ww_ledger_size(l), 3);
	close(fd);
	ww_ledger_close(l);
}

/* --- growth --------------------------------------------------------------------------------------
 */

/* Odd commit sizes over two tile boundaries; every head extends all earlier ones. */
static void test_growth(void **state)
{
	char dir[PATH_LEN];
	struct ww_ledger *l = must_open(at(*state, "log", dir));
	struct ww_checkpoint heads[60];
	size_t n = 0;

	for (uint64_t step = 1; n < 60; step = (step * 7 + 3) % 61) {
		append(l, step);
		commit(l);
		heads[n++] = *ww_ledger_head(l);
	}
	for (size_t i = 0; i < n; i++) {
		struct ww_errtext why = {""};

		if (extends(dir, &heads[i], &why) < 0)
			fail_msg("%s", why.text);
	}
	ww_ledger_close(l);
	check_ledger(dir, heads[n - 1].size);
}

static size_t count_files(const char *dir, const char *sub)
{
	char path[2 * PATH_LEN];
	const struct dirent *e;
	size_t n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "%s/%s", dir, sub);
	d = opendir(path);
	assert_non_null(d);
	while ((e = readdir(d)))
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

/* The specification's example: 70,000 leaves. Outgrown partial tiles are gone. */
static void test_seventy_thousand(void **state)
{
	char dir[PATH_LEN];

	make_ledger(at(*state, "log", dir), 70000, 9000);
	assert_int_equal(count_files(dir, "tile/0"), 274);
	assert_int_equal(count_files(dir, "tile/entries"), 274);
	assert_int_equal(count_files(dir, "tile/0/273.p"), 1);
	assert_int_equal(count_files(dir, "tile/1"), 2);
	assert_int_equal(count_files(dir, "tile/1/001.p"), 1);
	assert_int_equal(count_files(dir, "tile/2/000.p"), 1);
	assert_int_equal(count_files(dir, "tile"), 4);
	check_ledger(dir, 70000);
	ww_ledger_close(must_open(dir));
}

static void test_ceilings(void **state)
{
	static char big[WW_RECORD_BYTES_MAX + 1];
	char dir[PATH_LEN], many[40];
	struct ww_ledger *l = must_open(at(*state, "log", dir));
	uint64_t count = 0;
	int r;

	memset(big, 'x', sizeof(big));
	memset(many, 'k', sizeof(many) - 1);
	many[sizeof(many) - 1] = '\0';
	assert_int_equal(ww_ledger_append(l, "flow", ww_slice(big, sizeof(big)), NULL), -EMSGSIZE);
	assert_int_equal(ww_ledger_append(l, "flow", WW_SLICE_NULL, NULL), -EINVAL);
	assert_int_equal(ww_ledger_append(l, "flow", WW_SLICE_LIT("\"\xff\""), NULL), -EINVAL);
	assert_int_equal(ww_ledger_append(l, "", WW_SLICE_LIT("{}"), NULL), -EINVAL);
	assert_int_equal(ww_ledger_append(l, "a\"b", WW_SLICE_LIT("{}"), NULL), -EINVAL);
	assert_int_equal(ww_ledger_append(l, many, WW_SLICE_LIT("{}"), NULL), -EINVAL);
	while ((r = ww_ledger_append(l, "flow", ww_slice(big, WW_RECORD_BYTES_MAX), NULL)) == 0)
		count++;
	assert_int_equal(r, -ENOBUFS);
	assert_true(count > 200 && count < 256);
	assert_int_equal(ww_ledger_commit(l, NULL), 0);
	assert_true(ww_ledger_size(l) == count);
	for (uint64_t i = 0; i < WW_LEDGER_PENDING_MAX; i++)
		assert_int_equal(ww_ledger_append(l, "flow", WW_SLICE_LIT("{}"), NULL), 0);
	assert_int_equal(ww_ledger_append(l, "flow", WW_SLICE_LIT("{}"), NULL), -ENOBUFS);
	assert_int_equal(ww_ledger_commit(l, NULL), 0);
	assert_true(ww_ledger_size(l) == count + WW_LEDGER_PENDING_MAX);
	ww_ledger_close(l);
	assert_int_equal(count_files(dir, "records"), 2);
}

/* --- records -------------------------------------------------------------------------------------
 */

static void test_only_committed_is_visible(void **state)
{
	char dir[PATH_LEN];
	struct ww_ledger *l = must_open(at(*state, "log", dir));
	struct ww_ledger_reader *r = NULL;
	struct ww_errtext why = {""};
	struct ww_payload p;
	uint64_t size;

	append(l, 10);
	commit(l);
	append(l, 5);
	assert_int_equal(ww_ledger_reader_open(dir, NULL, &r, &why), 0);
	assert_int_equal(ww_ledger_reader_get(r, 9, &p), 0);
	assert_int_equal(ww_ledger_reader_get(r, 10, &p), -ERANGE);
	commit(l);
	assert_int_equal(ww_ledger_reader_get(r, 10, &p), -ERANGE);
	assert_int_equal(ww_ledger_reader_refresh(r, &size, &why), 0);
	assert_true(size == 15);
	assert_int_equal(ww_ledger_reader_get(r, 10, &p), 0);
	assert_true(ww_slice_eq_str(p.json, "{\"kind\":\"flow\",\"id\":\"r10\"}"));
	ww_ledger_reader_close(r);
	ww_ledger_close(l);
}

static void test_read_in_any_order(void **state)
{
	static char text[40000];
	char dir[PATH_LEN];
	struct ww_ledger *l = must_open(at(*state, "log", dir));
	struct ww_ledger_reader *r = NULL;
	struct ww_errtext why = {""};
	uint64_t state_x = 1;

	memset(text, 'x', sizeof(text));
	for (int i = 0; i < 700; i++) {
		snprintf(text, 16, "%d", i);
		assert_int_equal(
			ww_ledger_append(l, "flow", ww_slice(text, 16 + (size_t)(i * 57)), NULL),
			0);
		if (i % 100 == 99)
			commit(l);
	}
	ww_ledger_close(l);
	assert_true(count_files(dir, "records") > 1);
	assert_int_equal(ww_ledger_reader_open(dir, NULL, &r, &why), 0);
	for (int i = 0; i < 400; i++) {
		struct ww_payload p;
		uint64_t index;

		state_x = state_x * 6364136223846793005u + 1442695040888963407u;
		index = i % 3 ? (state_x >> 33) % 700 : (uint64_t)i;
		assert_int_equal(ww_ledger_reader_get(r, index, &p), 0);
		assert_true(p.index == index && p.json.n == 16 + index * 57);
	}
	ww_ledger_reader_close(r);
}

static void assert_provable(struct ww_ledger_reader *r, uint64_t index)
{
	struct ww_merkle_proof proof;
	struct ww_slice leaf;

	assert_int_equal(ww_ledger_reader_leaf(r, index, &leaf), 0);
	assert_int_equal(ww_ledger_reader_prove(r, index, leaf, &proof), 0);
}

static void test_erase(void **state)
{
	static const char secret[] = "{\"id\":\"the-secret-value\"}";
	char dir[PATH_LEN], path[PATH_LEN];
	struct ww_ledger *l = must_open(at(*state, "log", dir));
	WW_AUTO_BUF struct ww_buf b = {0};
	struct ww_ledger_reader *r = NULL;
	struct ww_errtext why = {""};
	struct ww_payload p;

	append(l, 5);
	assert_int_equal(ww_ledger_append(l, "span", WW_SLICE_LIT(secret), NULL), 0);
	assert_int_equal(ww_ledger_erase(l, 5), -ERANGE); /* not committed yet */
	assert_int_equal(ww_ledger_commit(l, NULL), 0);
	append(l, 5);
	commit(l);
	assert_int_equal(ww_ledger_erase(l, 5), 0);
	assert_int_equal(ww_ledger_erase(l, 5), 0);
	assert_int_equal(ww_ledger_reader_open(dir, NULL, &r, &why), 0);
	for (uint64_t i = 0; i < 11; i++) {
		assert_int_equal(ww_ledger_reader_get(r, i, &p), 0);
		assert_int_equal(p.erased, i == 5);
		assert_provable(r, i);
	}
	ww_ledger_reader_close(r);
	ww_ledger_close(l);
	slurp(at(*state, "log/records/00000000000000000000", path), &b);
	assert_null(memmem(b.p, b.n, "the-secret", 10));
	ww_ledger_close(must_open(dir));
}

static void test_damaged_record(void **state)
{
	char dir[PATH_LEN], path[PATH_LEN];
	WW_AUTO_BUF struct ww_buf b = {0};
	struct ww_ledger_reader *r = NULL;
	struct ww_errtext why = {""};
	const uint8_t *hit;
	struct ww_payload p;

	make_ledger(at(*state, "log", dir), 20, 20);
	slurp(at(*state, "log/records/00000000000000000000", path), &b);
	hit = memmem(b.p, b.n, "\"r7\"", 4);
	assert_non_null(hit);
	flip(path, (size_t)(hit - b.p) * 8);
	ww_ledger_close(must_open(dir)); /* one damaged record does not stop the ledger */
	assert_int_equal(ww_ledger_reader_open(dir, NULL, &r, &why), 0);
	for (uint64_t i = 0; i < 20; i++) {
		assert_int_equal(ww_ledger_reader_get(r, i, &p), i == 7 ? -EUCLEAN : 0);
		assert_provable(r, i);
	}
	ww_ledger_reader_close(r);
}

static void test_lost_records(void **state)
{
	char dir[PATH_LEN], path[PATH_LEN], records[PATH_LEN];
	WW_AUTO_BUF struct ww_buf b = {0};

	make_ledger(at(*state, "log", dir), 20, 5);
	slurp(at(*state, "log/records/00000000000000000000", path), &b);
	for (size_t cut = 1; cut < b.n; cut += 97) {
		spill(path, ww_slice(b.p, b.n - cut));
		refuse(dir, NULL, -EUCLEAN, "20 records are committed");
	}
	spill(path, ww_buf_slice(&b));
	ww_ledger_close(must_open(dir));
	remove_tree(at(*state, "log/records", records));
	refuse(dir, NULL, -EUCLEAN, "20 records are committed");
}

static void test_torn_tail_is_cut(void **state)
{
	char dir[PATH_LEN], path[PATH_LEN];
	WW_AUTO_BUF struct ww_buf b = {0}, again = {0};
	struct ww_ledger *l;

	make_ledger(at(*state, "log", dir), 20, 5);
	slurp(at(*state, "log/records/00000000000000000000", path), &b);
	assert_int_equal(ww_buf_add(&b, "half a frame", 12), 0);
	spill(path, ww_buf_slice(&b));
	l = must_open(dir);
	slurp(path, &again);
	assert_int_equal(again.n, b.n - 12);
	append(l, 3);
	commit(l);
	ww_ledger_close(l);
	assert_true(check_ledger(dir, 23) == 23);
}

/* --- files that go while the writer lives ------------------------------------------------------
 */

static void check_noticed(const char *dir, struct ww_ledger *l, const char *words)
{
	uint64_t size;

	append(l, 3);
	assert_int_equal(ww_ledger_commit(l, &size), -EUCLEAN);
	if (!strstr(ww_ledger_stopped(l), words))
		fail_msg("%s: said \"%s\"", words, ww_ledger_stopped(l));
}

/* Each file that the next commit stands on. What cannot be made again stays a stop. */
static void test_removed_behind_the_writer(void **state)
{
	static const struct {
		const char *path;
		bool goes_on; /* retry mends it */
	} files[] = {
		{"checkpoint", true},      {"lock", true},
		{"highest", false},        {"tile/0/001.p/44", false},
		{"tile/1/000.p/1", false}, {"tile/entries/001.p/44", false},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(files); i++) {
		char dir[PATH_LEN], path[2 * PATH_LEN];
		struct ww_ledger *l;

		make_ledger(at(*state, "log", dir), 300, 100);
		l = must_open(dir);
		snprintf(path, sizeof(path), "%s/%s", dir, files[i].path);
		assert_int_equal(unlink(path), 0);
		check_noticed(dir, l, files[i].path);
		assert_int_equal(ww_ledger_retry(l), files[i].goes_on ? 0 : -EUCLEAN);
		if (files[i].goes_on)
			commit(l);
		ww_ledger_close(l);
		if (files[i].goes_on)
			check_ledger(dir, 303);
		remove_tree(dir);
	}
}

static void test_records_removed_behind_the_writer(void **state)
{
	char dir[PATH_LEN], path[PATH_LEN];
	struct ww_errtext why = {""};
	struct ww_ledger *l;
	uint64_t size;

	make_ledger(at(*state, "log", dir), 300, 100);
	l = must_open(dir);
	remove_tree(at(*state, "log/records", path));
	check_noticed(dir, l, "records were removed");
	assert_int_equal(ww_ledger_retry(l), 0);
	assert_int_equal(ww_ledger_commit(l, &size), -EUCLEAN); /* still so */
	ww_ledger_close(l);
	assert_int_equal(try_open(dir, NULL, &l, &why), -EUCLEAN);
}

static void test_all_removed_behind_the_writer(void **state)
{
	char dir[PATH_LEN];
	struct ww_ledger *l;

	make_ledger(at(*state, "log", dir), 300, 100);
	l = must_open(dir);
	remove_tree(dir);
	check_noticed(dir, l, "lock was removed");
	assert_true(ww_ledger_retry(l) < 0);
	ww_ledger_close(l);
}

/* The lock's name went, and somebody else began to write. */
static void test_two_writers_after_the_lock_went(void **state)
{
	char dir[PATH_LEN], path[PATH_LEN];
	struct ww_ledger *l, *other;

	make_ledger(at(*state, "log", dir), 300, 100);
	l = must_open(dir);
	assert_int_equal(unlink(at(*state, "log/lock", path)), 0);
	other = must_open(dir);
	append(other, 10);
	commit(other);
	check_noticed(dir, l, "lock was removed");
	assert_int_equal(ww_ledger_retry(l), -EBUSY);
	append(l, 50);
	append(other, 10);
	commit(other);
	ww_ledger_close(other);
	/* The ledger grew: not by this writer, also if as much waits here. */
	assert_int_equal(ww_ledger_retry(l), -EUCLEAN);
	assert_int_equal(ww_ledger_retry(l), -EUCLEAN);
	ww_ledger_close(l);
	check_ledger(dir, 320);
}

/* An older head put back under a running writer. */
static void test_rolled_back_behind_the_writer(void **state)
{
	char dir[PATH_LEN], path[PATH_LEN];
	WW_AUTO_BUF struct ww_buf old = {0};
	struct ww_ledger *l;

	make_ledger(at(*state, "log", dir), 300, 100);
	ww_buf_init(&old, WW_NOTE_BYTES_MAX);
	assert_int_equal(ww_durable_read(AT_FDCWD, at(*state, "log/highest", path), &old), 0);
	l = must_open(dir);
	append(l, 5);
	commit(l);
	spill(path, ww_buf_slice(&old));
	check_noticed(dir, l, "highest was changed");
	assert_int_equal(ww_ledger_retry(l), -EUCLEAN);
	ww_ledger_close(l);
}

/* A report is read whole: room that turned out too small at its end would be copied with all in it.
 */
static void test_large_file_is_read_once(void **state)
{
	WW_AUTO_BUF struct ww_buf content = {0}, got = {0};
	const size_t n = 3u << 20;
	char path[PATH_LEN];
	uint8_t *p;

	ww_buf_init(&content, n);
	assert_int_equal(ww_buf_reserve(&content, n, &p), 0);
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(i * 31 >> 3);
	content.n = n;
	spill(at(*state, "large", path), ww_buf_slice(&content));
	for (size_t max = n - 1; max < n + 40000; max += 20000) {
		ww_buf_init(&got, max);
		assert_int_equal(ww_durable_read(AT_FDCWD, path, &got), max < n ? -EMSGSIZE : 0);
		assert_true(max < n || ww_slice_eq(ww_buf_slice(&got), ww_buf_slice(&content)));
		ww_buf_done(&got);
	}
	ww_buf_init(&got, 2 * n);
	assert_int_equal(ww_durable_read(AT_FDCWD, path, &got), 0);
	assert_true(got.cap < n + (64u << 10));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(test_rolled_back_behind_the_writer),
		SCRATCH_TEST(test_two_writers_after_the_lock_went),
		SCRATCH_TEST(test_all_removed_behind_the_writer),
		SCRATCH_TEST(test_records_removed_behind_the_writer),
		SCRATCH_TEST(test_removed_behind_the_writer),
		SCRATCH_TEST(test_damaged_tiles),
		SCRATCH_TEST(test_forged_checkpoints),
		SCRATCH_TEST(test_lost_heads),
		SCRATCH_TEST(test_rolled_back_beside_guard),
		SCRATCH_TEST(test_kept_checkpoint),
		SCRATCH_TEST(test_two_heads_of_one_size),
		SCRATCH_TEST(test_forked_while_open),
		SCRATCH_TEST(test_secrets_in_the_open),
		SCRATCH_TEST(test_keys_lost),
		SCRATCH_TEST(test_bad_origin),
		SCRATCH_TEST(test_one_writer),
		SCRATCH_TEST(test_first_start),
		SCRATCH_TEST(test_derived_salts),
		SCRATCH_TEST(test_growth),
		SCRATCH_TEST(test_seventy_thousand),
		SCRATCH_TEST(test_ceilings),
		SCRATCH_TEST(test_only_committed_is_visible),
		SCRATCH_TEST(test_read_in_any_order),
		SCRATCH_TEST(test_erase),
		SCRATCH_TEST(test_damaged_record),
		SCRATCH_TEST(test_lost_records),
		SCRATCH_TEST(test_torn_tail_is_cut),
		SCRATCH_TEST(test_large_file_is_read_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
