/* SPDX-License-Identifier: Apache-2.0 */
/* A path as one JSON object: the record as it stands, and what its words mean beside it. */
#include <errno.h>

#include "ledger/fields.h"
#include "out/member.h"
#include "out/path_more.h"
#include "out/path_text.h"
#include "out/path_words.h"
#include "out/printable.h"

static void write_meaning(struct ww_jsonw *w, const char *key, enum ww_path_set set,
			  struct ww_slice record, const char *path)
{
	const struct ww_json_token v = ww_member_get(record, path);
	const struct ww_path_word *word = ww_path_word(set, &v);

	ww_jsonw_cstr(w, key, word ? word->meaning : NULL);
}

/* The meanings of the words that the record uses, by word: each once. */
static void write_words(struct ww_jsonw *w, const char *key, enum ww_path_set set,
			struct ww_slice record, const char *const *paths, size_t count)
{
	ww_jsonw_object(w, key);
	for (unsigned i = 0; ww_path_word_at(set, i); i++) {
		const struct ww_path_word *word = ww_path_word_at(set, i);
		struct ww_member_walk walk;
		struct ww_member m;
		bool used = false;

		ww_member_begin(&walk, record);
		while (!used && ww_member_next(&walk, &m))
			for (size_t k = 0; k < count; k++)
				used |= ww_slice_eq_str(m.path, paths[k]) &&
					m.value.type == WW_JSON_STRING &&
					ww_json_is(&m.value, word->word);
		if (used)
			ww_jsonw_cstr(w, word->word, word->meaning);
	}
	ww_jsonw_end_object(w);
}

static void write_more(void *ctx, const char *text)
{
	ww_jsonw_cstr(ctx, NULL, text);
}

static void write_all(const struct ww_path_ask *ask, struct ww_jsonw *w)
{
	static const char *const findings[] = {"findings.finding", "legs.findings"};
	static const char *const ends[] = {"horizon.ends"};

	ww_jsonw_object(w, NULL);
	ww_jsonw_u64(w, "v", WW_PATH_VERSION);
	ww_jsonw_u64(w, "index", ask->index);
	write_meaning(w, "meaning", WW_PATH_VERDICT, ask->record, "verdict");
	write_meaning(w, "reasonMeaning", WW_PATH_REASON, ask->record, "reason");
	if (ask->superseded_by.n)
		ww_jsonw_str(w, "supersededBy", ask->superseded_by);
	else
		ww_jsonw_null(w, "supersededBy");
	ww_jsonw_array(w, "replaced");
	for (unsigned i = 0; i < ask->replaced_count; i++) {
		ww_jsonw_object(w, NULL);
		ww_jsonw_str(w, "id", ask->replaced[i].id);
		ww_jsonw_u64(w, "index", ask->replaced[i].index);
		ww_jsonw_end_object(w);
	}
	ww_jsonw_end_array(w);
	write_words(w, "findings", WW_PATH_FINDING, ask->record, findings, 2);
	write_words(w, "horizon", WW_PATH_ENDS, ask->record, ends, 1);
	ww_jsonw_array(w, "wouldTell");
	ww_path_more(ask->record, write_more, w);
	ww_jsonw_end_array(w);
	ww_jsonw_raw(w, "record", ask->record);
	ww_jsonw_end_object(w);
}

int ww_path_json(const struct ww_path_ask *ask, struct ww_buf *out)
{
	WW_AUTO_BUF struct ww_buf json = {0};
	struct ww_errtext why = {""};
	struct ww_jsonw w;

	if (ask->record.n == 0 || ask->record.p[0] != '{' ||
	    ww_fields_read(ask->record, "the record", NULL, 0, &why) < 0)
		return -EINVAL;
	ww_buf_init(&json, WW_PATH_TEXT_BYTES_MAX);
	ww_jsonw_init(&w, &json);
	write_all(ask, &w);
	return w.err ? w.err : ww_printable_json(out, ww_buf_slice(&json));
}
