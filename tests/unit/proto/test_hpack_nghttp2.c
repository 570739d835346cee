/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hpack.c against nghttp2's decoder, over blocks of nghttp2's encoder: whole ones, and the same
 * with bytes changed, cut and inserted. Both say the same fields, or both refuse the block. A
 * second decoder that misses the first blocks of a connection says the same or nothing, never
 * something else. Deterministic: one generator, one seed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <nghttp2/nghttp2.h>

#include "base/buf.h"
#include "proto/hpack.h"

#define CONNECTIONS 4000
#define BLOCKS      12
#define FIELDS      14
#define TEXT_MAX    300

static uint64_t seed = 0x9e3779b97f4a7c15;

static uint32_t draw(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 33) % below;
}

static const char *const names[] = {
	":method",      ":path",     ":status",     ":authority",    "accept",     "cookie",
	"content-type", "x-request", "traceparent", "authorization", "user-agent", "x",
};
static const char *const values[] = {"GET", "POST", "/",  "200", "application/json",
				     "",    "gzip", "*/*"};

struct fields {
	nghttp2_nv nv[FIELDS];
	uint8_t text[FIELDS][2][TEXT_MAX];
	size_t count;
};

static size_t draw_text(uint8_t *out, const char *const *known, size_t count, bool any)
{
	size_t n = draw(10) ? 0 : draw(TEXT_MAX);

	if (!n && draw(3)) {
		const char *s = known[draw((uint32_t)count)];

		memcpy(out, s, strlen(s));
		return strlen(s);
	}
	n = n ? n : draw(24);
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(any && !draw(4) ? draw(256) : ' ' + draw(95));
	return n;
}

static void draw_fields(struct fields *f)
{
	f->count = draw(FIELDS);
	for (size_t i = 0; i < f->count; i++) {
		nghttp2_nv *nv = &f->nv[i];

		nv->name = f->text[i][0];
		nv->value = f->text[i][1];
		nv->namelen = draw_text(nv->name, names, WW_ARRAY_SIZE(names), false);
		nv->valuelen = draw_text(nv->value, values, WW_ARRAY_SIZE(values), true);
		nv->flags = draw(8) ? NGHTTP2_NV_FLAG_NONE : NGHTTP2_NV_FLAG_NO_INDEX;
	}
}

static void add(struct ww_buf *out, const void *p, size_t n)
{
	uint32_t length = (uint32_t)n;

	assert_int_equal(ww_buf_add(out, &length, sizeof(length)), 0);
	assert_int_equal(ww_buf_add(out, p, n), 0);
}

/* False: refused. */
static bool theirs(nghttp2_hd_inflater *d, struct ww_slice block, struct ww_buf *out)
{
	ww_buf_clear(out);
	for (;;) {
		int flags = 0;
		nghttp2_nv nv;
		ssize_t n = nghttp2_hd_inflate_hd2(d, &nv, &flags, block.p, block.n, 1);

		if (n < 0)
			return false;
		block = ww_slice_sub(block, (size_t)n, block.n);
		if (flags & NGHTTP2_HD_INFLATE_EMIT) {
			add(out, nv.name, nv.namelen);
			add(out, nv.value, nv.valuelen);
		}
		if (flags & NGHTTP2_HD_INFLATE_FINAL)
			break;
		if (!(flags & NGHTTP2_HD_INFLATE_EMIT) && block.n == 0)
			return true;
	}
	return nghttp2_hd_inflate_end_headers(d) == 0;
}

static bool ours(struct ww_hpack *h, struct ww_slice block, struct ww_buf *out)
{
	struct ww_parse_error error;
	struct ww_hpack_field f;
	enum ww_parse r;

	ww_buf_clear(out);
	ww_hpack_begin(h, block);
	while ((r = ww_hpack_next(h, &f, &error)) == WW_PARSE_DONE) {
		assert_true(f.named && f.kept);
		add(out, f.name.p, f.name.n);
		add(out, f.value.p, f.value.n);
	}
	assert_int_not_equal(r, WW_PARSE_GAP);
	return r == WW_PARSE_END;
}

/* What the late decoder knows is what the other one said. Fields known by it. */
static unsigned late(struct ww_hpack *h, struct ww_slice block, struct ww_slice said)
{
	struct ww_parse_error error;
	struct ww_hpack_field f;
	unsigned known = 0;
	enum ww_parse r;

	ww_hpack_begin(h, block);
	while ((r = ww_hpack_next(h, &f, &error)) == WW_PARSE_DONE || r == WW_PARSE_GAP) {
		struct ww_slice want[2];

		for (int i = 0; i < 2; i++) {
			uint32_t n;

			assert_true(said.n >= sizeof(n));
			memcpy(&n, said.p, sizeof(n));
			want[i] = ww_slice_sub(said, sizeof(n), n);
			said = ww_slice_sub(said, sizeof(n) + n, said.n);
		}
		assert_true(!f.named || ww_slice_eq(f.name, want[0]));
		assert_true(!f.kept || ww_slice_eq(f.value, want[1]));
		known += f.named;
	}
	assert_int_equal(r, WW_PARSE_END);
	assert_int_equal(said.n, 0);
	return known;
}

/* A few bytes of the block are others, more or fewer. */
static void mutate(struct ww_buf *b)
{
	for (uint32_t i = 1 + draw(3); i > 0 && b->n > 0; i--) {
		size_t at = draw((uint32_t)b->n);

		switch (draw(4)) {
		case 0:
			b->p[at] ^= (uint8_t)(1u << draw(8));
			break;
		case 1:
			b->p[at] = (uint8_t)draw(256);
			break;
		case 2:
			b->n = at;
			break;
		default:
			memmove(b->p + at, b->p + at + 1, --b->n - at);
			break;
		}
	}
}

struct pair {
	nghttp2_hd_deflater *encoder;
	nghttp2_hd_inflater *decoder;
	struct ww_hpack *whole, *late;
};

static void begin(struct pair *p)
{
	static const uint32_t sizes[] = {0, 64, 256, 4096, 16384};
	uint32_t size = sizes[draw(WW_ARRAY_SIZE(sizes))];

	p->late = p->whole = NULL;
	assert_int_equal(nghttp2_hd_deflate_new(&p->encoder, size), 0);
	assert_int_equal(nghttp2_hd_inflate_new(&p->decoder), 0);
	assert_int_equal(ww_hpack_new(NULL, NULL, &p->whole), 0);
	assert_int_equal(ww_hpack_new(NULL, NULL, &p->late), 0);
	if (size > WW_HPACK_TABLE_BYTES_DEFAULT) {
		assert_int_equal(nghttp2_hd_inflate_change_table_size(p->decoder, size), 0);
		assert_int_equal(nghttp2_hd_deflate_change_table_size(p->encoder, size), 0);
		ww_hpack_allow(p->whole, size);
	}
	ww_hpack_allow(p->late, UINT32_MAX);
	ww_hpack_lost(p->late);
}

static void end(struct pair *p)
{
	nghttp2_hd_deflate_del(p->encoder);
	nghttp2_hd_inflate_del(p->decoder);
	ww_hpack_free(p->whole);
	ww_hpack_free(p->late);
}

static void encode(struct pair *p, struct ww_buf *block)
{
	struct fields f;
	uint8_t *to;
	ssize_t n;

	draw_fields(&f);
	if (!draw(12))
		assert_int_equal(nghttp2_hd_deflate_change_table_size(p->encoder, draw(5000)), 0);
	ww_buf_clear(block);
	assert_int_equal(ww_buf_reserve(block, 16384, &to), 0);
	n = nghttp2_hd_deflate_hd(p->encoder, to, 16384, f.nv, f.count);
	assert_true(n >= 0);
	block->n = (size_t)n;
}

static void run(bool broken)
{
	struct ww_buf block = {.max = 1 << 20}, a = {.max = 1 << 20}, b = {.max = 1 << 20};
	unsigned refused = 0, agreed = 0, known = 0;

	for (int c = 0; c < CONNECTIONS; c++) {
		uint32_t misses = draw(BLOCKS);
		struct pair p;
		bool ok = true;

		begin(&p);
		for (uint32_t i = 0; i < BLOCKS && ok; i++) {
			uint8_t *exact;

			encode(&p, &block);
			if (broken && !draw(3))
				mutate(&block);
			exact = malloc(block.n ? block.n : 1);
			assert_non_null(exact);
			memcpy(exact, block.p, block.n);
			ok = theirs(p.decoder, ww_slice(exact, block.n), &a);
			assert_int_equal(ours(p.whole, ww_slice(exact, block.n), &b), ok);
			if (ok) {
				assert_true(ww_slice_eq(ww_buf_slice(&a), ww_buf_slice(&b)));
				agreed++;
				if (i >= misses)
					known += late(p.late, ww_slice(exact, block.n),
						      ww_buf_slice(&b));
			}
			free(exact);
		}
		refused += !ok;
		end(&p);
	}
	assert_true(broken ? refused > CONNECTIONS / 4 && agreed > CONNECTIONS
			   : refused == 0 && agreed == CONNECTIONS * BLOCKS);
	assert_true(known > CONNECTIONS);
	ww_buf_done(&block);
	ww_buf_done(&a);
	ww_buf_done(&b);
}

static void test_whole_blocks(void **state)
{
	run(false);
}

static void test_broken_blocks(void **state)
{
	run(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_blocks),
		cmocka_unit_test(test_broken_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
