/* SPDX-License-Identifier: Apache-2.0 */
/* why: what was done on this host: programs that were run, files that changed. */
#include "out/why_node.h"

/* A deed as the verdict lists it, with what its own record says besides. */
static void add_deed(struct ww_why_job *b, struct ww_slice deed,
		     const struct ww_json_token *decides)
{
	static const struct ww_why_pick listed[] = {{"program", "program"},
						    {"file", "file"},
						    {"end", "end"},
						    {"exitCode", "exitCode"},
						    {"signal", "signal"}};
	static const struct ww_why_pick recorded[] = {{"actor", "actor"},
						      {"exe", "exe"},
						      {"beganBootNs", "beganBootNs"},
						      {"endedBootNs", "endedBootNs"},
						      {"sinceBootNs", "sinceBootNs"},
						      {"byBootNs", "byBootNs"}};
	struct ww_json_token v = ww_member_get(deed, "id"), t = ww_member_get(deed, "t");
	char id[WW_WHY_ID_MAX];
	struct ww_slice json;

	if (!ww_why_copy_id(&v, id))
		return;
	ww_why_open(b, WW_WHY_DEED);
	json = ww_why_cite(b, "deed", ww_slice_str(id));
	WW_WHY_PUT(b, json, recorded);
	WW_WHY_PUT(b, deed, listed);
	ww_why_put_array(b, deed, "changes", "$.what");
	ww_why_put_time(b, "t", &t);
	ww_jsonw_bool(&b->w, "decides", ww_member_has(decides) && ww_json_is(decides, id));
	ww_why_close(b);
}

bool ww_why_local(struct ww_why_job *b)
{
	static const struct ww_why_pick group[] = {{"sought", "local.sought"},
						   {"count", "local.total"},
						   {"contested", "local.contested"}};
	struct ww_json_token total = ww_member_get(b->verdict, "local.total");
	struct ww_json_token decides = ww_member_get(b->verdict, "local.decides");
	struct ww_slice deed;
	struct ww_json j;

	if (!ww_member_has(&total))
		return false;
	ww_why_open(b, WW_WHY_DEEDS);
	WW_WHY_PUT(b, b->verdict, group);
	ww_why_close(b);
	b->depth++;
	ww_why_elements(&j, ww_why_range(b->verdict, "$.local.deeds"));
	while (ww_why_element(&j, &deed))
		add_deed(b, deed, &decides);
	b->depth--;
	return true;
}
