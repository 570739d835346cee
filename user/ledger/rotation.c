/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/rotation.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/json_write.h"
#include "ledger/fields.h"

static const char FIRST_LINE[] = "wirewitness.dev/key-rotation/v1";

#define TEXT_MAX (2 * WW_NOTE_KEY_TEXT_MAX + 256u)

/* One name, two keys. */
static bool pair_ok(const struct ww_note_key *a, const struct ww_note_key *b)
{
	return strcmp(a->name, b->name) == 0 && a->id != b->id;
}

int ww_rotation_sign(uint64_t index, const char *time, const struct ww_note_signer *old,
		     const struct ww_note_signer *next, struct ww_buf *out)
{
	char a[WW_NOTE_KEY_TEXT_MAX], b[WW_NOTE_KEY_TEXT_MAX], text[TEXT_MAX];
	int n, r;

	if (!pair_ok(&old->key, &next->key))
		return -EINVAL;
	ww_note_key_text(&old->key, a);
	ww_note_key_text(&next->key, b);
	n = snprintf(text, sizeof(text), "%s\n%s\n%s\n%" PRIu64 "\n%s\n", FIRST_LINE, a, b, index,
		     time);
	r = ww_note_sign(old, ww_slice(text, (size_t)n), out);
	return r < 0 ? r : ww_note_cosign(next, ww_slice(text, (size_t)n), out);
}

static bool line(struct ww_slice *rest, struct ww_slice *ret)
{
	size_t end = ww_slice_find(*rest, 0, '\n');

	if (end == rest->n)
		return false;
	*ret = ww_slice_sub(*rest, 0, end);
	*rest = ww_slice_sub(*rest, end + 1, rest->n);
	return true;
}

/* Digits and the letters of RFC 3339: nothing that a terminal would take for more. */
static bool time_ok(struct ww_slice t)
{
	for (size_t i = 0; i < t.n; i++)
		if (!(t.p[i] >= '0' && t.p[i] <= '9') && !strchr("-:.TZ", t.p[i]))
			return false;
	return t.n >= 20 && t.n < WW_ROTATION_TIME_MAX && t.p[t.n - 1] == 'Z';
}

static int parse(struct ww_slice text, struct ww_rotation *ret)
{
	struct ww_slice first, a, b, index, time, rest = text;
	struct ww_rotation rot = {0};

	if (!line(&rest, &first) || !line(&rest, &a) || !line(&rest, &b) || !line(&rest, &index) ||
	    !line(&rest, &time) || !ww_slice_eq_str(first, FIRST_LINE) ||
	    ww_note_key_parse(a, &rot.old_key) < 0 || ww_note_key_parse(b, &rot.new_key) < 0 ||
	    !pair_ok(&rot.old_key, &rot.new_key) || ww_slice_u64(index, &rot.index) < 0 ||
	    (index.n > 1 && index.p[0] == '0') || rot.index >= INT64_MAX || !time_ok(time))
		return -EINVAL;
	memcpy(rot.time, time.p, time.n);
	*ret = rot;
	return 0;
}

int ww_rotation_open(struct ww_slice note, struct ww_rotation *ret_rotation)
{
	struct ww_slice text = note, again;
	struct ww_rotation rot;
	int r = parse(text, &rot);

	/* Who must have signed stands in the text: it is read before, and believed after. */
	if (r == 0)
		r = ww_note_open(note, &rot.old_key, &text);
	if (r == 0)
		r = ww_note_open(note, &rot.new_key, &again);
	if (r < 0)
		return r;
	/* The five lines are all of the text, and the text is what was signed. */
	for (size_t i = 0, lines = 0; i < text.n; i++)
		if (text.p[i] == '\n' && ++lines > 5)
			return -EINVAL;
	*ret_rotation = rot;
	return 0;
}

int ww_rotation_record(struct ww_slice note, struct ww_buf *out)
{
	char vkey[WW_NOTE_KEY_TEXT_MAX], id[16];
	struct ww_rotation rot;
	struct ww_jsonw w;
	int r = ww_rotation_open(note, &rot);

	if (r < 0)
		return r;
	snprintf(id, sizeof(id), "k-%08x", rot.new_key.id);
	ww_jsonw_init(&w, out);
	ww_jsonw_object(&w, NULL);
	ww_jsonw_cstr(&w, "kind", WW_ROTATION_KIND);
	ww_jsonw_cstr(&w, "id", id);
	ww_jsonw_cstr(&w, "t", rot.time);
	ww_note_key_text(&rot.old_key, vkey);
	ww_jsonw_cstr(&w, "oldKey", vkey);
	ww_note_key_text(&rot.new_key, vkey);
	ww_jsonw_cstr(&w, "newKey", vkey);
	ww_jsonw_u64(&w, "index", rot.index);
	ww_jsonw_str(&w, "note", note);
	ww_jsonw_end_object(&w);
	return w.err;
}

static bool says(const struct ww_field *f, struct ww_buf *scratch, const char *want)
{
	struct ww_slice text;

	return ww_fields_text(&f->token, scratch, &text) == 0 && ww_slice_eq_str(text, want);
}

int ww_rotation_record_open(struct ww_slice json, struct ww_rotation *ret_rotation,
			    struct ww_errtext *why)
{
	enum { OLD, NEW, INDEX, TIME, NOTE, N };
	struct ww_field f[N] = {{.name = "oldKey", .type = WW_JSON_STRING},
				{.name = "newKey", .type = WW_JSON_STRING},
				{.name = "index", .type = WW_JSON_NUMBER},
				{.name = "t", .type = WW_JSON_STRING},
				{.name = "note", .type = WW_JSON_STRING}};
	WW_AUTO_BUF struct ww_buf scratch = {0};
	char a[WW_NOTE_KEY_TEXT_MAX], b[WW_NOTE_KEY_TEXT_MAX];
	struct ww_rotation rot;
	struct ww_slice note;
	uint64_t index;
	int r = ww_fields_read(json, "the rotation", f, N, why);

	if (r < 0)
		return r;
	ww_buf_init(&scratch, WW_NOTE_BYTES_MAX);
	r = ww_fields_text(&f[NOTE].token, &scratch, &note);
	if (r == 0)
		r = ww_rotation_open(note, &rot);
	if (r < 0)
		return ww_errtext_set(why, r, "the rotation is not signed by both of its keys");
	ww_note_key_text(&rot.old_key, a);
	ww_note_key_text(&rot.new_key, b);
	if (ww_fields_u64(&f[INDEX], &index) < 0 || index != rot.index ||
	    !says(&f[OLD], &scratch, a) || !says(&f[NEW], &scratch, b) ||
	    !says(&f[TIME], &scratch, rot.time))
		return ww_errtext_set(why, -EINVAL,
				      "the rotation's members differ from its signed text");
	*ret_rotation = rot;
	return 0;
}
