/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The header, all in the program's byte order (Go's debug/gosym and runtime/symtab.go):
 *
 *   u32 magic · u8 0 · u8 0 · u8 instruction quantum · u8 pointer size
 *   then words: count of functions, count of files, [1.18: address of the text], offsets of names,
 *   compilation units, files, pc data, functions
 *
 * Functions: per function {entry, offset of its record}, then the text's end; words in 1.16, u32
 * since 1.18, where entries are distances from the text's start. A record begins with the entry
 * again (of the same width) and the offset of the name, i32.
 */
#include "sense/pclntab.h"

#include "base/cursor.h"

#define MAGIC_1_16 0xfffffffau
#define MAGIC_1_18 0xfffffff0u
#define MAGIC_1_20 0xfffffff1u

#define HEAD_BYTES     8u
#define NAME_BYTES_MAX 4096u
#define FUNCTIONS_MAX  (2u << 20) /* the largest programs have some hundred thousand */

static enum ww_parse bad(struct ww_parse_error *error, uint64_t at, const char *why)
{
	error->at = (size_t)at;
	error->reason = why;
	return WW_PARSE_BAD;
}

static struct ww_cursor at(const struct ww_pclntab *t, uint64_t offset)
{
	return ww_cursor(ww_slice_sub(t->in, offset < t->in.n ? (size_t)offset : t->in.n, t->in.n));
}

static uint64_t number(const struct ww_pclntab *t, struct ww_cursor *c)
{
	return t->wide ? ww_cursor_le64(c) : ww_cursor_le32(c);
}

static uint64_t entry_bytes(const struct ww_pclntab *t)
{
	return t->wide ? 16 : 8;
}

static enum ww_parse open_head(struct ww_cursor *c, struct ww_pclntab *t,
			       struct ww_parse_error *error)
{
	uint16_t zeros;
	uint8_t quantum, pointer;

	t->magic = ww_cursor_le32(c);
	zeros = ww_cursor_le16(c);
	quantum = ww_cursor_u8(c);
	pointer = ww_cursor_u8(c);
	if (!ww_cursor_ok(c))
		return WW_PARSE_MORE;
	if (t->magic != MAGIC_1_16 && t->magic != MAGIC_1_18 && t->magic != MAGIC_1_20)
		return bad(error, 0, "no version of the table that is known");
	if (zeros != 0 || (quantum != 1 && quantum != 2 && quantum != 4))
		return bad(error, 4, "not the head of such a table");
	if (pointer != 8)
		return bad(error, 7, "not of a 64-bit program");
	t->wide = t->magic == MAGIC_1_16;
	return WW_PARSE_DONE;
}

enum ww_parse ww_pclntab_open(struct ww_slice in, struct ww_pclntab *ret_table,
			      struct ww_parse_error *error)
{
	struct ww_pclntab t = {.in = in};
	struct ww_cursor c = ww_cursor(in);
	enum ww_parse r = open_head(&c, &t, error);

	if (r != WW_PARSE_DONE)
		return r;
	t.count = ww_cursor_le64(&c);
	(void)ww_cursor_le64(&c); /* files */
	t.text_start = t.wide ? 0 : ww_cursor_le64(&c);
	t.names = ww_cursor_le64(&c);
	(void)ww_cursor_le64(&c); /* compilation units */
	(void)ww_cursor_le64(&c); /* files */
	(void)ww_cursor_le64(&c); /* pc data */
	t.entries = ww_cursor_le64(&c);
	if (!ww_cursor_ok(&c))
		return WW_PARSE_MORE;
	if (t.count > FUNCTIONS_MAX || t.names > UINT32_MAX || t.entries > UINT32_MAX)
		return bad(error, HEAD_BYTES, "larger than such a table can be");
	if (t.names > in.n || t.entries > in.n ||
	    (t.count + 1) * entry_bytes(&t) > in.n - t.entries + entry_bytes(&t) / 2)
		return WW_PARSE_MORE;
	if (!t.wide && t.text_start == 0)
		return WW_PARSE_GAP;
	*ret_table = t;
	return WW_PARSE_DONE;
}

/* What an entry and its record say; *ret_name: offset of the name. */
static enum ww_parse read_entry(const struct ww_pclntab *t, uint64_t i,
				struct ww_pclntab_function *ret_fn, uint64_t *ret_name,
				struct ww_parse_error *error)
{
	struct ww_cursor c = at(t, t->entries + i * entry_bytes(t)), record;
	uint64_t entry = number(t, &c), offset = number(t, &c), next = number(t, &c);
	uint32_t name;

	record = at(t, offset <= UINT32_MAX ? t->entries + offset : UINT64_MAX);
	if (number(t, &record) != entry && ww_cursor_ok(&record) && ww_cursor_ok(&c))
		return bad(error, t->entries + offset, "not the function that the entry is of");
	name = ww_cursor_le32(&record);
	if (!ww_cursor_ok(&c) || !ww_cursor_ok(&record))
		return WW_PARSE_MORE;
	if (next < entry)
		return bad(error, t->entries + i * entry_bytes(t), "entries in disorder");
	if (name > INT32_MAX)
		return bad(error, t->entries + offset, "a name before the names");
	*ret_fn =
		(struct ww_pclntab_function){.vaddr = t->text_start + entry, .size = next - entry};
	*ret_name = t->names + name;
	return WW_PARSE_DONE;
}

enum ww_parse ww_pclntab_at(const struct ww_pclntab *t, uint64_t i,
			    struct ww_pclntab_function *ret_fn, struct ww_parse_error *error)
{
	struct ww_pclntab_function fn;
	struct ww_slice rest;
	uint64_t name;
	enum ww_parse r;
	size_t n;

	if (i >= t->count)
		return WW_PARSE_END;
	r = read_entry(t, i, &fn, &name, error);
	if (r != WW_PARSE_DONE)
		return r;
	rest = ww_slice_sub(at(t, name).in, 0, NAME_BYTES_MAX);
	n = ww_slice_find(rest, 0, 0);
	if (n == NAME_BYTES_MAX)
		return bad(error, name, "a name that does not end");
	if (n == rest.n)
		return WW_PARSE_MORE;
	fn.name = ww_slice_sub(rest, 0, n);
	*ret_fn = fn;
	return WW_PARSE_DONE;
}

enum ww_parse ww_pclntab_find(const struct ww_pclntab *t, const char *name,
			      struct ww_pclntab_function *ret_fn, struct ww_parse_error *error)
{
	struct ww_slice wanted = ww_slice(name, strlen(name) + 1);
	struct ww_pclntab_function fn;

	for (uint64_t i = 0; i < t->count; i++) {
		uint64_t offset = 0;
		enum ww_parse r = read_entry(t, i, &fn, &offset, error);

		if (r != WW_PARSE_DONE)
			return r;
		if (offset >= t->in.n)
			return WW_PARSE_MORE;
		/* Of names only as much is looked at as is asked for. */
		if (!ww_slice_starts(at(t, offset).in, wanted))
			continue;
		fn.name = ww_slice_sub(at(t, offset).in, 0, wanted.n - 1);
		*ret_fn = fn;
		return WW_PARSE_DONE;
	}
	return WW_PARSE_END;
}
