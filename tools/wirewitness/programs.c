/* SPDX-License-Identifier: Apache-2.0 */
#include "programs.h"

#define ENTRIES 1024u /* agents of a listing; a place for each hash of an id */
#define ID_MAX  64u

struct ww_programs_entry {
	char id[ID_MAX]; /* empty: free */
	char name[256];  /* as it stands in the record; empty: not known */
	size_t n;
};

void ww_programs_done(struct ww_programs *p)
{
	free(p->entries);
	p->entries = NULL;
}

static void look_up(struct ww_programs_entry *e, struct ww_records *records, struct ww_slice id)
{
	const struct ww_slice path = WW_SLICE_LIT("comm");
	struct ww_json_token comm;
	struct ww_slice json;
	WW_AUTO_BUF struct ww_buf text = {0};
	uint64_t index;

	memset(e, 0, sizeof(*e));
	memcpy(e->id, id.p, id.n);
	ww_buf_init(&text, sizeof(e->name));
	if (ww_record_index_get(records->index, id, &index) < 0 ||
	    ww_records_get(records, index, &json) < 0 || !ww_member_pick(json, &path, 1, &comm) ||
	    comm.type != WW_JSON_STRING || ww_json_unescape(&comm, &text) < 0 || text.n == 0)
		return;
	memcpy(e->name, text.p, text.n);
	e->n = text.n;
}

struct ww_slice ww_programs_of(struct ww_programs *p, struct ww_records *records,
			       struct ww_slice verdict)
{
	const struct ww_slice path = WW_SLICE_LIT("actor");
	struct ww_programs_entry *e;
	struct ww_json_token id;
	uint32_t hash = 2166136261u;

	if (!p->entries)
		p->entries = calloc(ENTRIES, sizeof(*p->entries));
	if (!p->entries || !ww_member_pick(verdict, &path, 1, &id) || !ww_member_has(&id) ||
	    id.raw.n == 0 || id.raw.n >= ID_MAX)
		return WW_SLICE_NULL;
	for (size_t i = 0; i < id.raw.n; i++)
		hash = (hash ^ id.raw.p[i]) * 16777619u;
	e = &p->entries[hash % ENTRIES];
	if (!ww_slice_eq_str(id.raw, e->id))
		look_up(e, records, id.raw);
	return ww_slice(e->name, e->n);
}
