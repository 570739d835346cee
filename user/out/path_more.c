/* SPDX-License-Identifier: Apache-2.0 */
#include "out/path_more.h"

#include "base/own.h"
#include "out/member.h"
#include "out/path_words.h"

#define TOLD_MAX 24u

struct more {
	unsigned count;
	const char *told[TOLD_MAX];
	void (*fn)(void *ctx, const char *text);
	void *ctx;
};

static void tell(struct more *m, const char *text)
{
	for (unsigned i = 0; i < m->count; i++)
		if (strcmp(m->told[i], text) == 0)
			return;
	if (m->count == TOLD_MAX)
		return;
	m->told[m->count++] = text;
	m->fn(m->ctx, text);
}

unsigned ww_path_more(struct ww_slice record, void (*fn)(void *ctx, const char *text), void *ctx)
{
	static const struct {
		const char *path;
		enum ww_path_set set;
	} words[] = {
		{"verdict", WW_PATH_VERDICT},       {"reason", WW_PATH_REASON},
		{"open", WW_PATH_REASON},           {"findings.finding", WW_PATH_FINDING},
		{"legs.findings", WW_PATH_FINDING}, {"horizon.ends", WW_PATH_ENDS},
	};
	struct more m = {.fn = fn, .ctx = ctx};
	struct ww_member_walk w;
	struct ww_member member;

	ww_member_begin(&w, record);
	while (ww_member_next(&w, &member)) {
		for (size_t i = 0; i < WW_ARRAY_SIZE(words); i++) {
			const struct ww_path_word *word;

			if (!ww_slice_eq_str(member.path, words[i].path))
				continue;
			word = ww_path_word(words[i].set, &member.value);
			if (word && word->more)
				tell(&m, word->more);
		}
	}
	return m.count;
}
