/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/witness_set.h"

#include <errno.h>

static bool url_ok(struct ww_slice url)
{
	for (size_t i = 0; i < url.n; i++)
		if (url.p[i] <= ' ' || url.p[i] >= 0x7f)
			return false;
	return url.n < WW_WITNESS_URL_MAX && (ww_slice_starts(url, WW_SLICE_LIT("https://")) ||
					      ww_slice_starts(url, WW_SLICE_LIT("http://")));
}

static int parse_quorum(struct ww_slice value, size_t *quorum, unsigned at, struct ww_errtext *why)
{
	uint64_t n;

	if (ww_slice_u64(value, &n) < 0 || n == 0 || n > WW_WITNESS_SET_MAX || *quorum != 0)
		return ww_errtext_set(why, -EINVAL,
				      "line %u: expected one \"quorum N\" with N from 1 to the "
				      "number of witnesses",
				      at);
	*quorum = (size_t)n;
	return 0;
}

static int parse_peer(struct ww_slice line, struct ww_witness_set *set, unsigned at,
		      struct ww_errtext *why)
{
	size_t space = ww_slice_find(line, 0, ' ');
	struct ww_slice url = ww_slice_trim(ww_slice_sub(line, space, line.n));
	struct ww_witness_peer *p = &set->peer[set->n];

	if (set->n == WW_WITNESS_SET_MAX)
		return ww_errtext_set(why, -EINVAL, "line %u: more than %u witnesses", at,
				      WW_WITNESS_SET_MAX);
	if (ww_cosign_key_parse(ww_slice_sub(line, 0, space), &p->key) < 0)
		return ww_errtext_set(why, -EINVAL,
				      "line %u: expected a witness's verifier key, "
				      "NAME+ID+BASE64 of type 0x04",
				      at);
	if (url.n > 0 && !url_ok(url))
		return ww_errtext_set(why, -EINVAL, "line %u: expected an http or https URL", at);
	for (size_t i = 0; i < set->n; i++)
		if (memcmp(p->key.pub, set->peer[i].key.pub, sizeof(p->key.pub)) == 0 ||
		    strcmp(p->key.name, set->peer[i].key.name) == 0)
			return ww_errtext_set(why, -EINVAL,
					      "line %u: this name or key is there already", at);
	while (url.n > 0 && url.p[url.n - 1] == '/')
		url.n--;
	if (url.n > 0)
		memcpy(p->url, url.p, url.n);
	p->url[url.n] = '\0';
	set->n++;
	return 0;
}

int ww_witness_set_parse(struct ww_slice text, struct ww_witness_set *ret_set,
			 struct ww_errtext *why)
{
	struct ww_slice quorum = WW_SLICE_LIT("quorum ");
	struct ww_witness_set set = {0};
	unsigned at = 0;
	int r = 0;

	while (text.n > 0 && r == 0) {
		size_t end = ww_slice_find(text, 0, '\n');
		struct ww_slice line = ww_slice_trim(ww_slice_sub(text, 0, end));

		text = ww_slice_sub(text, end + 1, text.n);
		at++;
		if (line.n == 0 || line.p[0] == '#')
			continue;
		if (ww_slice_starts(line, quorum))
			r = parse_quorum(ww_slice_trim(ww_slice_sub(line, quorum.n, line.n)),
					 &set.quorum, at, why);
		else
			r = parse_peer(line, &set, at, why);
	}
	if (r < 0)
		return r;
	if (set.n == 0)
		return ww_errtext_set(why, -EINVAL, "no witness is named");
	if (set.quorum > set.n)
		return ww_errtext_set(why, -EINVAL,
				      "the quorum is %zu, but there are %zu witnesses", set.quorum,
				      set.n);
	if (set.quorum == 0)
		set.quorum = set.n;
	*ret_set = set;
	return 0;
}

int ww_witness_set_count(const struct ww_witness_set *set, struct ww_slice note, size_t *ret_count,
			 uint64_t *ret_times)
{
	struct ww_slice text, lines;
	uint64_t times[WW_WITNESS_SET_MAX] = {0};
	size_t count = 0;
	int r = ww_note_split(note, &text, &lines);

	for (size_t i = 0; i < set->n && r == 0; i++) {
		r = ww_cosign_check(text, lines, &set->peer[i].key, &times[i], NULL);
		count += r == 0;
		if (r == -ENOKEY)
			r = 0;
	}
	if (r < 0)
		return r;
	*ret_count = count;
	if (ret_times)
		memcpy(ret_times, times, set->n * sizeof(*times));
	return 0;
}
