/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy_file.h"

#include <stdio.h>

#define NAME_OF(n, v, t, d) [v] = t,
static const char *const unlisted_names[] = {WW_POLICY_UNLISTEDS(NAME_OF)};
static const char *const guard_names[] = {WW_POLICY_GUARDS(NAME_OF)};

const char *ww_policy_unlisted_name(enum ww_policy_unlisted u)
{
	return (unsigned)u < WW_ARRAY_SIZE(unlisted_names) ? unlisted_names[u] : "unknown";
}

const char *ww_policy_guard_name(enum ww_policy_guard g)
{
	return (unsigned)g < WW_ARRAY_SIZE(guard_names) ? guard_names[g] : "unknown";
}

static void free_list(char **items, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		free(items[i]);
	free(items);
}

static void region_done(struct ww_policy_region *r)
{
	for (unsigned i = 0; i < r->label_count; i++)
		free(r->labels[i].glob);
	free(r->labels);
}

void ww_policy_free(struct ww_policy *p)
{
	if (!p)
		return;
	free(p->host.source);
	for (unsigned i = 0; i < p->area_count; i++)
		ww_area_free(p->areas[i].area);
	free(p->areas);
	for (unsigned i = 0; i < p->region_count; i++)
		region_done(&p->regions[i]);
	free(p->regions);
	for (unsigned i = 0; i < p->agent_count; i++) {
		free(p->agents[i].cgroup);
		free_list(p->agents[i].programs, p->agents[i].program_count);
		free_list(p->agents[i].homes, p->agents[i].home_count);
	}
	free(p->agents);
	free(p->guard_deny);
	free(p->guard_allow);
	free(p->attesters);
	free((void *)p->text.p);
	free(p);
}

struct ww_sha256 ww_policy_digest(const struct ww_policy *p)
{
	return p->digest;
}

/* --- matching -----------------------------------------------------------------------------------
 */

static uint8_t folded(uint8_t c, bool fold)
{
	return fold && c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

/* On a mismatch only the last '*' can take more: what those before it took is never too little. */
bool ww_policy_glob(struct ww_slice glob, struct ww_slice text, bool fold)
{
	size_t g = 0, t = 0, star = SIZE_MAX, from = 0;

	while (t < text.n) {
		if (g < glob.n && glob.p[g] == '*') {
			star = g++;
			from = t;
		} else if (g < glob.n && folded(glob.p[g], fold) == folded(text.p[t], fold)) {
			g++;
			t++;
		} else if (star != SIZE_MAX) {
			g = star + 1;
			t = ++from;
		} else {
			return false;
		}
	}
	while (g < glob.n && glob.p[g] == '*')
		g++;
	return g == glob.n;
}

static bool program_matches(const struct ww_policy_agent *a, const char *exe)
{
	if (!exe || !exe[0])
		return false;
	for (unsigned i = 0; i < a->program_count; i++) {
		if (ww_policy_glob(ww_slice_str(a->programs[i]), ww_slice_str(exe), false))
			return true;
	}
	return false;
}

const struct ww_policy_agent *ww_policy_agent(const struct ww_policy *p,
					      struct ww_slice cgroup_path, const char *exe,
					      const char *root_exe)
{
	for (unsigned i = 0; p && i < p->agent_count; i++) {
		const struct ww_policy_agent *a = &p->agents[i];

		if (a->cgroup && !ww_policy_glob(ww_slice_str(a->cgroup), cgroup_path, false))
			continue;
		if (a->program_count && !program_matches(a, exe) && !program_matches(a, root_exe))
			continue;
		return a;
	}
	return NULL;
}

const struct ww_policy_agent *ww_policy_agent_named(const struct ww_policy *p, struct ww_slice name)
{
	for (unsigned i = 0; i < p->agent_count; i++) {
		if (ww_slice_eq_str(name, p->agents[i].name))
			return &p->agents[i];
	}
	return NULL;
}

static bool region_has(const struct ww_policy_region *r, struct ww_slice word)
{
	if (ww_slice_ieq_str(word, r->name))
		return true;
	for (unsigned i = 0; i < r->label_count; i++) {
		if (ww_policy_glob(ww_slice_str(r->labels[i].glob), word, true))
			return true;
	}
	return false;
}

uint64_t ww_policy_regions_of(const struct ww_policy *p, struct ww_slice word)
{
	uint64_t all = 0;

	for (unsigned i = 0; p && word.n && i < p->region_count; i++)
		all |= (uint64_t)region_has(&p->regions[i], word) << i;
	return all;
}

unsigned ww_policy_region_of(const struct ww_policy *p, struct ww_slice word)
{
	uint64_t all = ww_policy_regions_of(p, word);

	return all ? (unsigned)__builtin_ctzll(all) : WW_POLICY_NONE;
}

bool ww_policy_home_allowed(const struct ww_policy_agent *a, struct ww_slice home)
{
	for (unsigned i = 0; i < a->home_count; i++) {
		if (ww_slice_ieq_str(home, a->homes[i]))
			return true;
	}
	return false;
}

/* --- the host -----------------------------------------------------------------------------------
 */

/* v / 10^places as a JSON number, as short as it is exact. */
static const char *number(int64_t v, unsigned places, char out[32])
{
	uint64_t u = v < 0 ? (uint64_t)-v : (uint64_t)v, unit = 1;
	int n;

	for (unsigned i = 0; i < places; i++)
		unit *= 10;
	n = snprintf(out, 32, "%s%llu", v < 0 ? "-" : "", (unsigned long long)(u / unit));
	if (u % unit == 0)
		return out;
	n += snprintf(out + n, 32 - (size_t)n, ".%0*llu", (int)places,
		      (unsigned long long)(u % unit));
	while (out[n - 1] == '0')
		out[--n] = '\0';
	return out;
}

void ww_policy_host_text(const struct ww_policy *p, char out[WW_POLICY_HOST_TEXT_MAX])
{
	char lat[32], lon[32], within[32];

	snprintf(out, WW_POLICY_HOST_TEXT_MAX, "unknown");
	if (p->host.line)
		snprintf(out, WW_POLICY_HOST_TEXT_MAX, "%.16s, %.16s within %.16s km",
			 number(p->host.lat_e6, 6, lat), number(p->host.lon_e6, 6, lon),
			 number(p->host.within_m, 3, within));
}

void ww_policy_write_host(const struct ww_policy *p, struct ww_jsonw *w)
{
	char text[32];

	if (!p->host.line)
		return;
	ww_jsonw_object(w, "host");
	ww_jsonw_array(w, "position");
	ww_jsonw_raw(w, NULL, ww_slice_str(number(p->host.lat_e6, 6, text)));
	ww_jsonw_raw(w, NULL, ww_slice_str(number(p->host.lon_e6, 6, text)));
	ww_jsonw_end_array(w);
	ww_jsonw_raw(w, "withinKm", ww_slice_str(number(p->host.within_m, 3, text)));
	ww_jsonw_cstr(w, "source", p->host.source);
	ww_jsonw_end_object(w);
}
