/* SPDX-License-Identifier: Apache-2.0 */
/* Attacks invariants 1-3 of ledger/merkle.c; the reference is a second, recursive-free way to the
 * same root. */
#include "ledger/merkle.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>

#include "base/encode.h"

#define LEAVES 3000u

/* All complete subtrees over the leaves: row h, place i covers [i << h, (i + 1) << h). */
static struct ww_sha256 row[12][LEAVES];
static struct ww_sha256 roots[LEAVES + 1];

static int read_row(void *ctx, uint32_t level, uint64_t index, struct ww_sha256 *ret)
{
	uint64_t *size = ctx;

	/* Invariant 1: nothing beyond the tree is asked for. */
	assert_true((index + 1) << level <= *size);
	*ret = row[level][index];
	return 0;
}

/* Appends leaf by leaf, merging equal neighbours: the way a binary counter carries. */
static int set_up(void **state)
{
	struct ww_sha256 stack[16];
	size_t n = 0;

	ww_merkle_empty(&roots[0]);
	for (uint32_t i = 0; i < LEAVES; i++) {
		struct ww_sha256 root;
		uint8_t entry[4] = {(uint8_t)i, (uint8_t)(i >> 8), 'x'};

		ww_merkle_leaf(ww_slice(entry, i % 5), &row[0][i]);
		if (i % 5 == 4)
			ww_merkle_leaf(ww_slice(entry, 4), &row[0][i]);
		stack[n++] = row[0][i];
		for (uint32_t h = 0; (i >> h) & 1; h++) {
			ww_merkle_node(&stack[n - 2], &stack[n - 1], &stack[n - 2]);
			n--;
			row[h + 1][i >> (h + 1)] = stack[n - 1];
		}
		root = stack[n - 1];
		for (size_t k = n - 1; k > 0; k--)
			ww_merkle_node(&stack[k - 1], &root, &root);
		roots[i + 1] = root;
	}
	return 0;
}

static void assert_hash(const struct ww_sha256 *h, const char *hex)
{
	char text[2 * WW_SHA256_LEN + 1];

	ww_hex_encode(ww_slice(h->b, sizeof(h->b)), text);
	assert_string_equal(text, hex);
}

/* Values of the certificate transparency reference vectors (RFC 6962 trees over its eight inputs).
 */
static void test_known_answers(void **state)
{
	static const char *const inputs[] = {"",
					     "00",
					     "10",
					     "2021",
					     "3031",
					     "40414243",
					     "5051525354555657",
					     "606162636465666768696a6b6c6d6e6f"};
	static const char *const want[] = {
		"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
		"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
		"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
		"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
		"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
		"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
		"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
		"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
	};
	struct ww_sha256 hash[8], root;

	ww_merkle_empty(&root);
	assert_hash(&root, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	for (size_t n = 1; n <= 8; n++) {
		uint8_t raw[16];
		size_t len = strlen(inputs[n - 1]) / 2;

		assert_int_equal(ww_hex_decode(ww_slice_str(inputs[n - 1]), raw, len), 0);
		ww_merkle_leaf(ww_slice(raw, len), &hash[n - 1]);
		root = hash[n - 1];
		/* Fold from the right: complete subtrees of the first n leaves, written out by
		 * hand. */
		if (n == 8) {
			ww_merkle_complete(hash, 8, &root);
		} else {
			size_t at = n;
			bool any = false;

			for (size_t w = 1; w <= 4; w *= 2) {
				struct ww_sha256 part;

				if (!(n & w))
					continue;
				at -= w;
				ww_merkle_complete(&hash[at], w, &part);
				if (any)
					ww_merkle_node(&part, &root, &root);
				else
					root = part;
				any = true;
			}
		}
		assert_hash(&root, want[n - 1]);
	}
}

static void test_roots(void **state)
{
	for (uint64_t size = 0; size <= LEAVES; size++) {
		struct ww_merkle_reader r = {read_row, &size};
		struct ww_sha256 root;

		assert_int_equal(ww_merkle_root(&r, size, &root), 0);
		assert_memory_equal(&root, &roots[size], sizeof(root));
	}
}

/* Every way to damage a proof by one step must be refused (invariant 3). */
static void refuse_damaged(const struct ww_sha256 *leaf, uint64_t index, uint64_t size,
			   const struct ww_merkle_proof *proof)
{
	struct ww_merkle_proof bad = *proof;
	struct ww_sha256 other = *leaf;

	other.b[31] ^= 1;
	assert_false(ww_merkle_inclusion_check(&other, index, size, proof, &roots[size]));
	assert_false(ww_merkle_inclusion_check(leaf, size, size, proof, &roots[size]));
	for (size_t i = 0; i < proof->n; i++) {
		bad = *proof;
		bad.path[i].b[i % 32] ^= 0x80;
		assert_false(ww_merkle_inclusion_check(leaf, index, size, &bad, &roots[size]));
	}
	bad = *proof;
	bad.path[bad.n++] = *leaf;
	assert_false(ww_merkle_inclusion_check(leaf, index, size, &bad, &roots[size]));
	if (proof->n > 0) {
		bad.n = proof->n - 1;
		assert_false(ww_merkle_inclusion_check(leaf, index, size, &bad, &roots[size]));
		assert_false(ww_merkle_inclusion_check(leaf, index ^ 1, size, proof, &roots[size]));
	}
}

static void test_inclusion(void **state)
{
	for (uint64_t size = 1; size <= LEAVES; size++) {
		struct ww_merkle_reader r = {read_row, &size};
		uint64_t step = size <= 70 ? 1 : 1 + size / 7;
		bool must_fail = size <= 70 || size % 61 == 0;

		for (uint64_t i = 0; i < size; i += step) {
			struct ww_merkle_proof p;

			assert_int_equal(ww_merkle_inclusion(&r, i, size, &p), 0);
			assert_true(
				ww_merkle_inclusion_check(&row[0][i], i, size, &p, &roots[size]));
			if (must_fail)
				refuse_damaged(&row[0][i], i, size, &p);
		}
	}
}

/* A run answers as the check of one leaf does: every leaf, in every order, and with every hash of
 * the proof bent, also where the way was met before. */
static void test_run(void **state)
{
	static const uint64_t sizes[] = {1, 2, 3, 7, 8, 9, 100, 255, 256, 257, LEAVES};

	for (size_t k = 0; k < WW_ARRAY_SIZE(sizes); k++) {
		uint64_t size = sizes[k];
		struct ww_merkle_reader r = {read_row, &size};
		struct ww_merkle_run run;

		ww_merkle_run_init(&run, size, &roots[size]);
		for (uint64_t step = 0; step < 3 * size; step++) {
			/* ascending, descending, scattered, each leaf twice at the turns */
			uint64_t i = step < size       ? step
				     : step < 2 * size ? 2 * size - 1 - step
						       : step * 7919 % size;
			struct ww_merkle_proof p;
			struct ww_sha256 other = row[0][i];

			assert_int_equal(ww_merkle_inclusion(&r, i, size, &p), 0);
			other.b[3] ^= 1;
			if (step % 3 == 0)
				assert_false(ww_merkle_run_check(&run, &other, i, &p));
			assert_true(ww_merkle_run_check(&run, &row[0][i], i, &p));
			assert_false(ww_merkle_run_check(&run, &row[0][i], size, &p));
			for (size_t bent = step % 5; bent < p.n; bent += 5) {
				p.path[bent].b[7] ^= 1;
				assert_false(ww_merkle_run_check(&run, &row[0][i], i, &p));
				p.path[bent].b[7] ^= 1;
				if (step % 2)
					assert_true(ww_merkle_run_check(&run, &row[0][i], i, &p));
			}
			p.n++;
			assert_false(ww_merkle_run_check(&run, &row[0][i], i, &p));
			p.n -= p.n > 1 ? 2 : 1;
			assert_int_equal(ww_merkle_run_check(&run, &row[0][i], i, &p), size == 1);
		}
	}
}

static void test_consistency(void **state)
{
	for (uint64_t size = 0; size <= LEAVES; size++) {
		struct ww_merkle_reader r = {read_row, &size};
		uint64_t step = size <= 70 ? 1 : 1 + size / 7;

		for (uint64_t old = 0; old <= size; old += step) {
			struct ww_merkle_proof p, bad;
			struct ww_sha256 other = roots[old];

			other.b[0] ^= 1;
			assert_int_equal(ww_merkle_consistency(&r, old, size, &p), 0);
			assert_true(ww_merkle_consistency_check(old, &roots[old], size,
								&roots[size], &p));
			assert_false(
				ww_merkle_consistency_check(old, &other, size, &roots[size], &p));
			if (size > 70 && size % 61 != 0)
				continue;
			other = roots[size];
			other.b[5] ^= 4;
			if (old > 0) /* every tree extends the empty one */
				assert_false(ww_merkle_consistency_check(old, &roots[old], size,
									 &other, &p));
			for (size_t i = 0; i < p.n; i++) {
				bad = p;
				bad.path[i].b[31 - i % 32] ^= 1;
				assert_false(ww_merkle_consistency_check(old, &roots[old], size,
									 &roots[size], &bad));
			}
			bad = p;
			bad.path[bad.n++] = roots[0];
			assert_false(ww_merkle_consistency_check(old, &roots[old], size,
								 &roots[size], &bad));
			if (p.n > 0) {
				bad.n = p.n - 1;
				assert_false(ww_merkle_consistency_check(old, &roots[old], size,
									 &roots[size], &bad));
			}
			if (old > 1 && old < size)
				assert_false(ww_merkle_consistency_check(old - 1, &roots[old], size,
									 &roots[size], &p));
		}
	}
}

static void test_limits(void **state)
{
	uint64_t size = UINT64_MAX;
	struct ww_merkle_reader r = {read_row, &size};
	struct ww_merkle_proof p = {0};
	struct ww_sha256 root;

	assert_int_equal(ww_merkle_root(&r, (uint64_t)INT64_MAX + 1, &root), -ERANGE);
	assert_int_equal(ww_merkle_inclusion(&r, 5, 5, &p), -ERANGE);
	assert_int_equal(ww_merkle_inclusion(&r, 0, (uint64_t)INT64_MAX + 1, &p), -ERANGE);
	assert_int_equal(ww_merkle_consistency(&r, 6, 5, &p), -ERANGE);
	assert_false(ww_merkle_inclusion_check(&row[0][0], 0, 0, &p, &roots[0]));
	assert_false(ww_merkle_inclusion_check(&row[0][0], 0, UINT64_MAX, &p, &roots[1]));
	assert_false(ww_merkle_consistency_check(2, &roots[2], 1, &roots[1], &p));
	p.n = 1;
	assert_false(ww_merkle_consistency_check(0, &roots[0], 4, &roots[4], &p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits), cmocka_unit_test(test_known_answers),
		cmocka_unit_test(test_roots),  cmocka_unit_test(test_inclusion),
		cmocka_unit_test(test_run),    cmocka_unit_test(test_consistency),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
