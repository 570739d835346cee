/* SPDX-License-Identifier: Apache-2.0 */
#include "replay_attest.h"

#include <errno.h>

#include "base/log.h"
#include "daemon/path_attested.h"
#include "rt/file.h"

struct found {
	char action[WW_ACTION_ID_MAX]; /* or a path */
	struct ww_buf text;            /* its newest verdict, or record */
};

struct item {
	const char *path;
	struct ww_buf envelope;
	struct ww_attestation at;
	unsigned count;
	struct found found[WW_ATTEST_FOUND_MAX];
};

struct ww_replay_attest {
	struct ww_digest_key key;
	unsigned count;
	struct item items[WW_REPLAY_ATTEST_MAX];
};

static int read_item(struct item *it)
{
	struct ww_errtext why = {""};
	int r;

	ww_buf_init(&it->envelope, WW_ATTESTATION_BYTES_MAX);
	r = ww_file_read(it->path, &it->envelope);
	if (r < 0)
		return ww_log_err_r(r, "cannot read %s", it->path);
	r = ww_attestation_parse(ww_buf_slice(&it->envelope), &it->at, &why);
	if (r < 0)
		ww_log(WW_LOG_ERR, "%s: not taken: %s", it->path, why.text);
	return r;
}

int ww_replay_attest_new(const char *const *files, unsigned count, const uint8_t digest_key[32],
			 struct ww_replay_attest **ret)
{
	struct ww_replay_attest *a = calloc(1, sizeof(*a));
	int r = 0;

	if (!a)
		return -ENOMEM;
	ww_digest_key_init(&a->key, digest_key);
	for (unsigned i = 0; i < count && r == 0; i++) {
		a->items[a->count].path = files[i];
		r = read_item(&a->items[a->count++]);
	}
	if (r < 0)
		ww_replay_attest_free(a);
	else
		*ret = a;
	return r;
}

void ww_replay_attest_free(struct ww_replay_attest *a)
{
	if (!a)
		return;
	for (unsigned i = 0; i < a->count; i++) {
		struct item *it = &a->items[i];

		for (unsigned k = 0; k < it->count; k++)
			ww_buf_done(&it->found[k].text);
		ww_attestation_done(&it->at);
		ww_buf_done(&it->envelope);
	}
	explicit_bzero(&a->key, sizeof(a->key));
	free(a);
}

/* The newest one counts, also where only one before it fits. */
static int keep(struct item *it, struct ww_slice action, bool fits, struct ww_slice json)
{
	unsigned i = 0;

	while (i < it->count && !ww_slice_eq_str(action, it->found[i].action))
		i++;
	if (i == it->count) {
		if (i == WW_ATTEST_FOUND_MAX || action.n >= WW_ACTION_ID_MAX || !fits)
			return 0; /* more than one is too many already */
		memcpy(it->found[i].action, action.p, action.n);
		it->found[i].action[action.n] = '\0';
		ww_buf_init(&it->found[i].text, WW_RECORD_BYTES_MAX);
		it->count++;
	}
	ww_buf_clear(&it->found[i].text);
	return ww_buf_add(&it->found[i].text, json.p, json.n);
}

int ww_replay_attest_see(struct ww_replay_attest *a, enum ww_record_kind kind, struct ww_slice json)
{
	struct ww_attested_verdict v;
	struct ww_path_record p;
	bool verdict = a && kind == WW_RECORD_VERDICT && ww_attested_read(json, &v, NULL) == 0;
	bool path = a && kind == WW_RECORD_PATH && ww_path_record_read(json, &p, NULL) == 0;
	int r = 0;

	for (unsigned i = 0; a && i < a->count && r == 0; i++) {
		struct item *it = &a->items[i];

		if (verdict && !it->at.of_path)
			r = keep(it, v.action, ww_attested_fits(&v, &it->at, &a->key), json);
		if (path && it->at.of_path)
			r = keep(it, p.path, ww_path_record_fits(&p, &it->at), json);
	}
	return r;
}

static int import(struct item *it, struct ww_pipeline *pipeline)
{
	struct ww_attest_ask ask = {.envelope = ww_buf_slice(&it->envelope),
				    .now = it->at.attested_at,
				    .verdict_count = it->count};
	struct ww_attest_answer answer;
	struct ww_errtext why = {""};
	WW_AUTO_BUF struct ww_buf text = {0};
	size_t at = 0;
	int r = 0;

	/* What is taken in is seen, too, and takes their place. */
	ww_buf_init(&text, WW_ATTEST_FOUND_MAX * WW_RECORD_BYTES_MAX);
	for (unsigned i = 0; i < it->count && r == 0; i++)
		r = ww_buf_add(&text, it->found[i].text.p, it->found[i].text.n);
	for (unsigned i = 0; i < it->count; at += it->found[i++].text.n)
		ask.verdicts[i] = ww_slice_sub(ww_buf_slice(&text), at, it->found[i].text.n);
	if (r == 0)
		r = ww_pipeline_attest(pipeline, &ask, &answer, &why);
	if (r < 0 && r != -ENOMEM) {
		ww_log(WW_LOG_ERR, "%s: not taken: %s", it->path, why.text);
		return -EINVAL;
	}
	return r;
}

int ww_replay_attest_import(struct ww_replay_attest *a, struct ww_pipeline *pipeline)
{
	int r = 0;

	for (unsigned i = 0; a && i < a->count; i++) {
		int one = import(&a->items[i], pipeline);

		if (one < 0)
			r = one;
	}
	return r;
}
