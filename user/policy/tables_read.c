/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/tables_read.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/json.h"

#define MMDB_MARK      "\xab\xcd\xefMaxMind.com"
#define MMDB_MARK_TAIL (128u << 10) /* where the format wants it */

int ww_tables_fail(struct ww_tables_error *ret, bool offset, uint64_t at, const char *fmt, ...)
{
	va_list ap;

	ret->offset = offset;
	ret->at = at;
	va_start(ap, fmt);
	vsnprintf(ret->text, sizeof(ret->text), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

int ww_tables_fail_add(struct ww_tables_error *ret, bool offset, uint64_t at, int r)
{
	if (r == -E2BIG)
		return ww_tables_fail(ret, offset, at,
				      "a set holds at most %u rows of networks and %u of names, "
				      "with %u distinct descriptions",
				      WW_TABLES_ROWS_MAX, WW_TABLES_HOSTS_MAX,
				      WW_TABLES_LABELS_MAX);
	return r;
}

bool ww_tables_name_ok(struct ww_slice name)
{
	if (name.n == 0 || name.n > WW_TABLES_NAME_MAX - 5)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		uint8_t c = name.p[i];
		bool plain =
			(c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

		if (!plain && (i == 0 || !strchr("._-", c) || !c))
			return false;
	}
	return true;
}

static bool ends(const char *name, const char *ending, struct ww_slice *ret_stem)
{
	struct ww_slice all = ww_slice_str(name), end = ww_slice_str(ending);

	if (all.n == end.n || !ww_slice_ends(all, end))
		return false;
	*ret_stem = ww_slice(name, all.n - end.n);
	return true;
}

bool ww_tables_file_name_ok(const char *name)
{
	struct ww_slice stem;

	return (ends(name, ".rows", &stem) || ends(name, ".yaml", &stem) ||
		ends(name, ".mmdb", &stem)) &&
	       ww_tables_name_ok(stem);
}

static bool word_ok(struct ww_slice word)
{
	return ww_tables_text_ok(word);
}

static int read_database(struct ww_tables_file *table, struct ww_slice file,
			 struct ww_tables_error *ret_error)
{
	char why[WW_MMDB_WHY_MAX] = "", built[WW_RFC3339_MAX];
	uint64_t s;
	int r = ww_mmdb_open(file, word_ok, &table->db, why);

	if (r == -EINVAL)
		return ww_tables_fail(ret_error, false, 0, "%s", why);
	if (r < 0)
		return r;
	s = ww_mmdb_built_s(table->db);
	if (s == 0 || s >= UINT64_MAX / 1000000000u)
		return ww_tables_fail(ret_error, false, 0,
				      "the database does not say when it was "
				      "built");
	ww_wall_rfc3339((struct ww_wall){s * 1000000000u}, built);
	table->shape = "mmdb";
	table->rows = ww_mmdb_nodes(table->db);
	return ww_tables_as_of_parse(ww_slice_str(built), table->as_of);
}

int ww_tables_read(struct ww_tables *t, const char *name, struct ww_slice file,
		   struct ww_tables_error *ret_error)
{
	struct ww_tables_file meta = {.shape = ""};
	struct ww_slice stem;
	int r;

	if (!ww_tables_file_name_ok(name))
		return ww_tables_fail(ret_error, false, 0,
				      "expected a file called NAME.rows, NAME.yaml or NAME.mmdb");
	snprintf(meta.name, sizeof(meta.name), "%s", name);
	ww_sha256(file, &meta.digest);
	r = ww_tables_add(t, &meta);
	if (r == -E2BIG)
		return ww_tables_fail(ret_error, false, 0, "a set holds at most %u tables",
				      WW_TABLES_MAX);
	if (r < 0)
		return r;
	if (ends(name, ".mmdb", &stem))
		return read_database(ww_tables_last(t), file, ret_error);
	return ends(name, ".yaml", &stem) ? ww_tables_yaml_read(t, file, ret_error)
					  : ww_tables_rows_read(t, file, ret_error);
}

/* --- shapes -------------------------------------------------------------------------------------
 */

static bool is_database(struct ww_slice file)
{
	size_t from = file.n > MMDB_MARK_TAIL ? file.n - MMDB_MARK_TAIL : 0;

	return memmem(file.p + from, file.n - from, MMDB_MARK, sizeof(MMDB_MARK) - 1) != NULL;
}

/* Which of the members that tell the clouds apart comes first at the top. Broken JSON is said to
 * be of nobody here; whoever reads it says where it breaks. */
static const char *cloud_of(struct ww_slice file)
{
	static const struct {
		const char *key, *shape;
	} marks[] = {{"createDate", "aws"}, {"creationTime", "gcp"}, {"changeNumber", "azure"}};
	struct ww_json_token t;
	struct ww_json j;

	ww_json_init(&j, file);
	if (ww_json_next(&j, &t) != WW_PARSE_DONE || t.type != WW_JSON_OBJECT)
		return NULL;
	while (ww_json_next(&j, &t) == WW_PARSE_DONE && t.type == WW_JSON_KEY) {
		for (size_t i = 0; i < WW_ARRAY_SIZE(marks); i++) {
			if (ww_json_is(&t, marks[i].key))
				return marks[i].shape;
		}
		if (ww_json_skip(&j, &t) != WW_PARSE_DONE)
			return NULL;
	}
	return NULL;
}

const char *ww_tables_shape(struct ww_slice file)
{
	struct ww_slice rest = file, line;
	struct ww_cidr first;

	if (file.n == 0)
		return NULL;
	if (is_database(file))
		return "mmdb";
	if (file.p[0] == '{')
		return cloud_of(file);
	if (ww_slice_starts(file, WW_SLICE_LIT("wirewitness-rows ")))
		return "rows";
	if (!ww_slice_line(&rest, &line))
		line = file;
	return ww_cidr_parse_network(line, &first) == 0 ? "list" : NULL;
}
