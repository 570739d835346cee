/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariants:
 *  1. Entry i of the table, counted from the newest, is the i-th last one that the encoder added,
 *     whatever was lost before. The table evicts from the old end only, and an entry that does not
 *     fit empties it (RFC 7541 section 4.4): a reference never skips one. So what was added since
 *     the last loss is known by its place alone, and what is older is not.
 *  2. whole: there is no entry in the encoder's table besides those held here. A reference beyond
 *     them is then an error, else it is unknown. It comes back only when the size that the encoder
 *     declared after the loss leaves no room for an entry that is not held.
 *  3. Held sizes are never above the true ones (of an entry whose name is unknown, the name counts
 *     nothing): eviction is never early, save by the own ceiling, which ends `whole`.
 *  4. bytes [from, to) of the arena are the texts of the held entries, oldest first; positions only
 *     grow, base is the one at the arena's begin.
 */
#include "proto/hpack.h"

#include <errno.h>

#include <wirewitness/limits.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "proto/caller.h"
#include "proto/hpack_huffman.h"

#define ENTRY_OVERHEAD 32u /* RFC 7541 section 4.1 */
#define STATIC_COUNT   61u
#define ENTRIES_MIN    16u
#define ARENA_MIN      1024u
#define SCRATCH_KEEP   4096u
#define SCRATCH_MAX    (WW_HPACK_HUFFMAN_MAX(WW_HEAD_BYTES_MAX) + WW_HPACK_HUFFMAN_MAX(0))

struct entry {
	uint64_t at; /* of the name; the value is behind it */
	uint32_t name_n;
	uint32_t value_n; /* kept bytes */
	uint64_t size;    /* by RFC 7541 section 4.1, at least */
	uint64_t digest;
	bool named;
	bool kept;
	bool digested;
};

struct ww_hpack {
	ww_hpack_want_fn want;
	const struct ww_digest_key *key;
	struct entry *entries; /* ring of `slots`, a power of two */
	uint32_t slots;
	uint32_t count;
	uint64_t added; /* the newest is entries[(added - 1) % slots] */
	uint8_t *arena;
	size_t arena_bytes;
	uint64_t base, from, to;
	uint64_t size;     /* of the held entries */
	uint32_t unnamed;  /* of them, whose size is not exact */
	uint32_t allowed;  /* the most that the encoder may declare */
	uint32_t declared; /* what it did declare last */
	bool declared_known;
	bool whole;
	bool fields; /* the block has had one: no size update may follow */
	bool starved;
	struct ww_cursor in;
	struct ww_buf scratch; /* of one field */
};

#define F(n, v)                                             \
	{                                                   \
		{(const uint8_t *)(n), sizeof(n) - 1},      \
		{                                           \
			(const uint8_t *)(v), sizeof(v) - 1 \
		}                                           \
	}

/* RFC 7541 appendix A. */
static const struct {
	struct ww_slice name, value;
} static_table[STATIC_COUNT] = {
	F(":authority", ""),
	F(":method", "GET"),
	F(":method", "POST"),
	F(":path", "/"),
	F(":path", "/index.html"),
	F(":scheme", "http"),
	F(":scheme", "https"),
	F(":status", "200"),
	F(":status", "204"),
	F(":status", "206"),
	F(":status", "304"),
	F(":status", "400"),
	F(":status", "404"),
	F(":status", "500"),
	F("accept-charset", ""),
	F("accept-encoding", "gzip, deflate"),
	F("accept-language", ""),
	F("accept-ranges", ""),
	F("accept", ""),
	F("access-control-allow-origin", ""),
	F("age", ""),
	F("allow", ""),
	F("authorization", ""),
	F("cache-control", ""),
	F("content-disposition", ""),
	F("content-encoding", ""),
	F("content-language", ""),
	F("content-length", ""),
	F("content-location", ""),
	F("content-range", ""),
	F("content-type", ""),
	F("cookie", ""),
	F("date", ""),
	F("etag", ""),
	F("expect", ""),
	F("expires", ""),
	F("from", ""),
	F("host", ""),
	F("if-match", ""),
	F("if-modified-since", ""),
	F("if-none-match", ""),
	F("if-range", ""),
	F("if-unmodified-since", ""),
	F("last-modified", ""),
	F("link", ""),
	F("location", ""),
	F("max-forwards", ""),
	F("proxy-authenticate", ""),
	F("proxy-authorization", ""),
	F("range", ""),
	F("referer", ""),
	F("refresh", ""),
	F("retry-after", ""),
	F("server", ""),
	F("set-cookie", ""),
	F("strict-transport-security", ""),
	F("transfer-encoding", ""),
	F("user-agent", ""),
	F("vary", ""),
	F("via", ""),
	F("www-authenticate", ""),
};

int ww_hpack_new(ww_hpack_want_fn want, const struct ww_digest_key *key,
		 struct ww_hpack **ret_hpack)
{
	struct ww_hpack *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	h->want = want;
	h->key = key;
	h->allowed = h->declared = WW_HPACK_TABLE_BYTES_DEFAULT;
	h->declared_known = h->whole = true;
	ww_buf_init(&h->scratch, SCRATCH_MAX);
	*ret_hpack = h;
	return 0;
}

void ww_hpack_free(struct ww_hpack *h)
{
	if (!h)
		return;
	if (h->arena)
		explicit_bzero(h->arena, h->arena_bytes);
	ww_buf_wipe(&h->scratch);
	free(h->arena);
	free(h->entries);
	free(h);
}

void ww_hpack_allow(struct ww_hpack *h, uint32_t table_bytes)
{
	if (table_bytes > h->allowed)
		h->allowed = table_bytes;
}

bool ww_hpack_starved(struct ww_hpack *h)
{
	bool starved = h->starved;

	h->starved = false;
	return starved;
}

bool ww_hpack_whole(const struct ww_hpack *h)
{
	return h->whole;
}

/* --- the table ----------------------------------------------------------------------------------
 */

static struct entry *entry(const struct ww_hpack *h, uint32_t i)
{
	return &h->entries[(h->added - 1 - i) & (h->slots - 1)];
}

static void clear(struct ww_hpack *h)
{
	h->count = h->unnamed = 0;
	h->size = 0;
	h->from = h->to;
}

void ww_hpack_lost(struct ww_hpack *h)
{
	clear(h);
	h->whole = h->declared_known = false;
}

static void evict(struct ww_hpack *h, uint64_t size_max)
{
	while (h->size > size_max) {
		struct entry *e = entry(h, --h->count);

		h->size -= e->size;
		h->unnamed -= !e->named;
		h->from = e->at + e->name_n + e->value_n;
	}
}

/* Invariant 2 and 3: down to what the encoder's table can hold, and no more than the ceiling. */
static void settle(struct ww_hpack *h)
{
	uint32_t most = h->declared_known ? h->declared : h->allowed;

	evict(h, most);
	if (h->size > WW_HPACK_TABLE_BYTES_MAX) {
		evict(h, WW_HPACK_TABLE_BYTES_MAX);
		h->whole = false;
	} else if (h->declared_known && !h->unnamed && h->size + ENTRY_OVERHEAD > h->declared) {
		h->whole = true;
	}
}

static int grow_entries(struct ww_hpack *h)
{
	uint32_t slots = h->slots ? 2 * h->slots : ENTRIES_MIN;
	struct entry *p;

	if (h->count < h->slots)
		return 0;
	p = calloc(slots, sizeof(*p));
	if (!p)
		return -ENOMEM;
	for (uint32_t i = 0; i < h->count; i++)
		p[(h->added - 1 - i) & (slots - 1)] = *entry(h, i);
	free(h->entries);
	h->entries = p;
	h->slots = slots;
	return 0;
}

/* Room for n more bytes of text behind those held; the held ones may move. */
static int grow_arena(struct ww_hpack *h, size_t n)
{
	size_t live = (size_t)(h->to - h->from), bytes = h->arena_bytes;
	uint8_t *p;

	if (n <= bytes - (size_t)(h->to - h->base))
		return 0;
	if (2 * (live + n) <= bytes) {
		memmove(h->arena, h->arena + (h->from - h->base), live);
		h->base = h->from;
		return 0;
	}
	if (bytes < ARENA_MIN)
		bytes = ARENA_MIN;
	while (bytes < 2 * (live + n))
		bytes *= 2;
	p = malloc(bytes);
	if (!p)
		return -ENOMEM;
	if (live > 0)
		memcpy(p, h->arena + (h->from - h->base), live);
	if (h->arena)
		explicit_bzero(h->arena, h->arena_bytes);
	free(h->arena);
	h->arena = p;
	h->arena_bytes = bytes;
	h->base = h->from;
	return 0;
}

/* Entry `index` as the standard counts, static ones first. END: beyond what is there. */
static enum ww_parse look_up(const struct ww_hpack *h, uint32_t index, struct ww_hpack_field *ret)
{
	const struct entry *e;
	struct ww_slice arena;

	*ret = (struct ww_hpack_field){0};
	if (index == 0)
		return WW_PARSE_END;
	if (index <= STATIC_COUNT) {
		ret->name = static_table[index - 1].name;
		ret->value = static_table[index - 1].value;
		ret->value_bytes = ret->value.n;
		ret->named = ret->kept = true;
		return WW_PARSE_DONE;
	}
	index -= STATIC_COUNT + 1;
	if (index >= h->count)
		return h->whole ? WW_PARSE_END : WW_PARSE_GAP;
	e = entry(h, index);
	arena = ww_slice(h->arena, h->arena_bytes);
	ret->name = ww_slice_sub(arena, (size_t)(e->at - h->base), e->name_n);
	ret->value = ww_slice_sub(arena, (size_t)(e->at - h->base) + e->name_n, e->value_n);
	ret->value_bytes = e->size - ENTRY_OVERHEAD - e->name_n;
	ret->named = e->named;
	ret->kept = e->kept;
	ret->digested = e->digested;
	ret->digest = e->digest;
	return e->named ? WW_PARSE_DONE : WW_PARSE_GAP;
}

/* What the encoder adds; value_bytes also where the value is not kept. The field's texts are then
 * those of the table. False: no memory. */
static bool add(struct ww_hpack *h, struct ww_hpack_field *f, uint32_t index, size_t value_bytes)
{
	uint64_t size = ENTRY_OVERHEAD + f->name.n + (uint64_t)value_bytes;
	size_t n = f->name.n + f->value.n;
	struct ww_hpack_field named;
	struct entry *e;

	/* RFC 7541 section 4.4: "an attempt to add an entry larger than the maximum size causes the
	 * table to be emptied". */
	if (size > (h->declared_known ? h->declared : h->allowed)) {
		clear(h);
		settle(h);
		return true;
	}
	if (size > WW_HPACK_TABLE_BYTES_MAX) {
		clear(h);
		h->whole = false;
		return true;
	}
	if (grow_entries(h) < 0 || grow_arena(h, n) < 0)
		return false;
	if (index > STATIC_COUNT) { /* its text may have moved */
		(void)look_up(h, index, &named);
		f->name = named.name;
	}
	e = &h->entries[h->added++ & (h->slots - 1)];
	*e = (struct entry){
		.at = h->to,
		.name_n = (uint32_t)f->name.n,
		.value_n = (uint32_t)f->value.n,
		.size = size,
		.named = f->named,
		.kept = f->kept,
		.digested = f->digested,
		.digest = f->digest,
	};
	if (f->name.n > 0)
		memcpy(h->arena + (h->to - h->base), f->name.p, f->name.n);
	if (f->value.n > 0)
		memcpy(h->arena + (h->to - h->base) + f->name.n, f->value.p, f->value.n);
	h->to += n;
	h->count++;
	h->size += size;
	h->unnamed += !e->named;
	(void)look_up(h, STATIC_COUNT + 1, f);
	settle(h);
	return true;
}

/* --- reading ------------------------------------------------------------------------------------
 */

static enum ww_parse bad(const struct ww_hpack *h, const char *reason,
			 struct ww_parse_error *ret_error)
{
	*ret_error = (struct ww_parse_error){h->in.at, reason};
	return WW_PARSE_BAD;
}

/* RFC 7541 section 5.1, the first byte already taken. False: more than 32 bits; short input is the
 * cursor's. */
static bool read_integer(struct ww_cursor *in, uint8_t first, unsigned prefix_bits, uint32_t *ret)
{
	uint32_t prefix = (1u << prefix_bits) - 1;
	uint64_t n = first & prefix;

	*ret = (uint32_t)n;
	if (n < prefix)
		return true;
	for (unsigned shift = 0; shift < 32; shift += 7) {
		uint8_t b = ww_cursor_u8(in);

		n += (uint64_t)(b & 0x7f) << shift;
		if (n > UINT32_MAX)
			return false;
		if (!(b & 0x80)) {
			*ret = (uint32_t)n;
			return true;
		}
	}
	return false;
}

/* A string as it stands in the block. */
struct text {
	struct ww_slice raw;
	bool coded;
};

static bool read_text(struct ww_cursor *in, struct text *ret)
{
	uint8_t first = ww_cursor_u8(in);
	uint32_t n;

	ret->coded = first & 0x80;
	if (!read_integer(in, first, 7, &n))
		return false;
	ret->raw = ww_cursor_take(in, n);
	return true;
}

static size_t room_for(const struct text *t)
{
	return t->coded ? WW_HPACK_HUFFMAN_MAX(t->raw.n) : 0;
}

/* Decoded at the scratch buffer's end, which has room. */
static bool decode(struct ww_hpack *h, const struct text *t, struct ww_slice *ret)
{
	uint8_t *to;
	size_t n;

	*ret = t->raw;
	if (!t->coded)
		return true;
	to = h->scratch.p + h->scratch.n;
	if (ww_hpack_huffman(t->raw, to, &n) < 0)
		return false;
	*ret = ww_slice(to, n);
	h->scratch.n += n;
	return true;
}

static void forget_scratch(struct ww_hpack *h)
{
	if (h->scratch.cap > SCRATCH_KEEP) {
		ww_buf_wipe(&h->scratch);
	} else if (h->scratch.n > 0) {
		explicit_bzero(h->scratch.p, h->scratch.n);
		ww_buf_clear(&h->scratch);
	}
}

static enum ww_parse next_indexed(struct ww_hpack *h, uint8_t first, struct ww_hpack_field *ret,
				  struct ww_parse_error *ret_error)
{
	uint32_t index;
	enum ww_parse r;

	if (!read_integer(&h->in, first, 7, &index))
		return bad(h, "integer too large", ret_error);
	if (!ww_cursor_ok(&h->in))
		return WW_PARSE_MORE;
	r = look_up(h, index, ret);
	return r == WW_PARSE_END ? bad(h, "no such entry", ret_error) : r;
}

/* No memory for a field that the encoder may have added: as if its block were lost. */
static enum ww_parse no_memory(struct ww_hpack *h, bool adds, struct ww_hpack_field *ret)
{
	h->starved = true;
	if (adds)
		ww_hpack_lost(h);
	*ret = (struct ww_hpack_field){0};
	return WW_PARSE_GAP;
}

/* *ret_bytes is its length, wanted or not. */
static bool take_value(struct ww_hpack *h, const struct text *t, struct ww_hpack_field *f,
		       size_t *ret_bytes)
{
	enum ww_hpack_want want = !f->named ? WW_HPACK_MEASURE
				  : h->want ? h->want(f->name)
					    : WW_HPACK_KEEP;
	struct ww_caller c = {0};
	struct ww_slice value;

	f->value = WW_SLICE_NULL;
	f->kept = want == WW_HPACK_KEEP;
	f->digested = want == WW_HPACK_DIGEST;
	if (want == WW_HPACK_MEASURE) {
		*ret_bytes = t->raw.n;
		return !t->coded || ww_hpack_huffman(t->raw, NULL, ret_bytes) == 0;
	}
	if (!decode(h, t, &value))
		return false;
	*ret_bytes = value.n;
	if (f->kept) {
		f->value = value;
		return true;
	}
	ww_caller_begin(&c, h->key, f->name);
	ww_caller_add(&c, value);
	ww_caller_end(&c);
	f->digest = c.sum;
	return true;
}

static enum ww_parse next_literal(struct ww_hpack *h, uint8_t first, struct ww_hpack_field *ret,
				  struct ww_parse_error *ret_error)
{
	bool adds = first & 0x40;
	struct text name = {0}, value = {0};
	enum ww_parse known = WW_PARSE_DONE;
	size_t value_bytes;
	uint32_t index;
	uint8_t *room;

	if (!read_integer(&h->in, first, adds ? 6 : 4, &index) ||
	    (index == 0 && !read_text(&h->in, &name)) || !read_text(&h->in, &value))
		return bad(h, "integer too large", ret_error);
	if (!ww_cursor_ok(&h->in))
		return WW_PARSE_MORE;
	if (ww_buf_reserve(&h->scratch, room_for(&name) + room_for(&value), &room) < 0)
		return no_memory(h, adds, ret);
	if (index) {
		known = look_up(h, index, ret);
		if (known == WW_PARSE_END)
			return bad(h, "no such entry", ret_error);
	} else {
		ret->named = true;
		if (!decode(h, &name, &ret->name))
			return bad(h, "broken string", ret_error);
	}
	if (!take_value(h, &value, ret, &value_bytes))
		return bad(h, "broken string", ret_error);
	ret->value_bytes = value_bytes;
	if (adds && !add(h, ret, index, value_bytes))
		return no_memory(h, adds, ret);
	return known;
}

static enum ww_parse resize(struct ww_hpack *h, uint8_t first, struct ww_parse_error *ret_error)
{
	uint32_t n;

	/* Section 4.2: "MUST occur at the beginning of the first header block following the
	 * change". */
	if (h->fields)
		return bad(h, "size update after a field", ret_error);
	if (!read_integer(&h->in, first, 5, &n))
		return bad(h, "integer too large", ret_error);
	if (!ww_cursor_ok(&h->in))
		return WW_PARSE_MORE;
	if (n > h->allowed)
		return bad(h, "table larger than allowed", ret_error);
	h->declared = n;
	h->declared_known = true;
	settle(h);
	return WW_PARSE_DONE;
}

void ww_hpack_begin(struct ww_hpack *h, struct ww_slice block)
{
	h->in = ww_cursor(block);
	h->fields = false;
}

enum ww_parse ww_hpack_next(struct ww_hpack *h, struct ww_hpack_field *ret_field,
			    struct ww_parse_error *ret_error)
{
	forget_scratch(h);
	*ret_field = (struct ww_hpack_field){0};
	while (ww_cursor_left(&h->in) > 0) {
		uint8_t first = ww_cursor_u8(&h->in);
		enum ww_parse r;

		if ((first & 0xe0) != 0x20) {
			h->fields = true;
			return first & 0x80 ? next_indexed(h, first, ret_field, ret_error)
					    : next_literal(h, first, ret_field, ret_error);
		}
		r = resize(h, first, ret_error);
		if (r != WW_PARSE_DONE)
			return r;
	}
	return WW_PARSE_END;
}
