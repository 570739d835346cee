/* SPDX-License-Identifier: Apache-2.0 */
/* The policy file's text into its structs. */
#include "policy/policy_file.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>

#include "policy/attester_yaml.h"
#include "policy/tables.h"
#include "policy/yaml_reader.h"

#define DEGREE_PLACES 6 /* decimals: a millionth of a degree is a decimetre */
#define KM_PLACES     3
#define HALF_EARTH_KM 20038

struct place {
	unsigned line, column;
};

/* A region that an agent allows, by a name that may come later in the file. */
struct wanted {
	struct place at;
	unsigned agent;
	char name[WW_POLICY_NAME_MAX + 1];
};

/* The same of a region's area. */
struct ground {
	struct place at;
	char name[WW_POLICY_NAME_MAX + 1]; /* empty: none */
};

struct reading {
	struct ww_policy *policy;
	struct wanted *wanted;
	unsigned wanted_count;
	struct ground grounds[WW_POLICY_REGIONS_MAX];
};

static struct place here(const struct ww_yaml *r)
{
	return (struct place){ww_yaml_line(r), ww_yaml_column(r)};
}

static int fail(struct ww_yaml *r, struct place at, const char *expected, const char *found)
{
	return ww_yaml_fail_place(r, at.line, at.column, expected, found);
}

static struct ww_policy *policy_of(const struct ww_yaml *r)
{
	return ((struct reading *)r->ctx)->policy;
}

/* --- scalars ------------------------------------------------------------------------------------
 */

static int take_name(struct ww_yaml *r, void *into)
{
	struct ww_slice s = ww_yaml_is_text(r) ? ww_yaml_scalar(r) : WW_SLICE_NULL;

	if (!ww_attester_name_ok(s) || s.n > WW_POLICY_NAME_MAX)
		return ww_yaml_fail(r, "a name of letters, digits, '.', '_' and '-', at most 63");
	memcpy(into, s.p, s.n);
	((char *)into)[s.n] = '\0';
	return 0;
}

/* "-8.68" as a number of units of 1/10^places. */
static bool decimal(struct ww_slice s, unsigned places, int64_t *ret)
{
	bool minus = s.n && s.p[0] == '-';
	int64_t v = 0;
	size_t at = minus, dot = ww_slice_find(s, 0, '.');

	if (dot == at || s.n == at || dot + 1 == s.n || s.n > 20)
		return false;
	for (; at < s.n; at++) {
		if (at == dot)
			continue;
		if (s.p[at] < '0' || s.p[at] > '9' || (at > dot && at - dot > places) ||
		    v > INT32_MAX)
			return false;
		v = v * 10 + (s.p[at] - '0');
	}
	for (size_t n = dot < s.n ? s.n - dot - 1 : 0; n < places; n++)
		v *= 10;
	*ret = minus ? -v : v;
	return true;
}

static int take_decimal(struct ww_yaml *r, unsigned places, int64_t min, int64_t max,
			const char *expected, int64_t *ret)
{
	int64_t v;

	if (!ww_yaml_is_text(r) || !decimal(ww_yaml_scalar(r), places, &v) || v < min || v > max)
		return ww_yaml_fail(r, expected);
	*ret = v;
	return 0;
}

/* Kilometres, from 0, as metres. */
static int take_km(struct ww_yaml *r, int64_t min, uint32_t *ret_m)
{
	int64_t v = 0;

	if (take_decimal(r, KM_PLACES, min, HALF_EARTH_KM * 1000,
			 min ? "kilometres, more than 0, at most 20038, of at most three decimals"
			     : "kilometres, at most 20038, of at most three decimals",
			 &v) < 0)
		return r->err;
	*ret_m = (uint32_t)v;
	return 0;
}

/* --- places -------------------------------------------------------------------------------------
 */

/* [north, east], millionths of a degree. */
struct position {
	unsigned count;
	int32_t e6[2];
	int32_t east_max; /* in degrees */
};

static int take_coordinate(struct ww_yaml *r, void *into)
{
	struct position *p = r->ctx;
	int64_t most = p->count ? p->east_max : 90, v = 0;

	if (p->count == 2)
		return ww_yaml_fail(r, "a position: degrees north, degrees east, no more");
	if (take_decimal(r, DEGREE_PLACES, -most * 1000000, most * 1000000,
			 p->count ? "degrees east, of at most six decimals"
				  : "degrees north, -90 to 90, of at most six decimals",
			 &v) < 0)
		return r->err;
	p->e6[p->count++] = (int32_t)v;
	return 0;
}

static int take_position(struct ww_yaml *r, struct position *p)
{
	WW_AUTO_FREE void *none = NULL;
	struct place at = here(r);
	void *ctx = r->ctx;
	unsigned count = 0;

	p->count = 0;
	r->ctx = p;
	(void)ww_yaml_list(r, 1, 3, &none, &count, 1, take_coordinate);
	r->ctx = ctx;
	if (r->err == 0 && p->count != 2)
		return fail(r, at, "a position: degrees north, degrees east", "one number");
	return r->err;
}

static struct ww_position degrees(const struct position *p)
{
	return (struct ww_position){p->e6[0] / 1e6, p->e6[1] / 1e6};
}

static int take_host_position(struct ww_yaml *r, void *into)
{
	struct position p = {.east_max = 180};
	struct ww_policy_host *h = into;

	if (take_position(r, &p) < 0)
		return r->err;
	h->lat_e6 = p.e6[0];
	h->lon_e6 = p.e6[1];
	h->position = degrees(&p);
	return 0;
}

static int take_within(struct ww_yaml *r, void *into)
{
	struct ww_policy_host *h = into;

	if (take_km(r, 0, &h->within_m) < 0)
		return r->err;
	h->within_km = h->within_m / 1e3;
	return 0;
}

static int take_source(struct ww_yaml *r, void *into)
{
	return ww_yaml_text(r, "a text: who says where this host is", into);
}

static int take_host(struct ww_yaml *r, void *into)
{
	static const struct ww_yaml_field fields[] = {
		{"position", take_host_position, true, 0},
		{"within_km", take_within, true, 0},
		{"source", take_source, true, offsetof(struct ww_policy_host, source)},
	};

	((struct ww_policy_host *)into)->line = ww_yaml_line(r);
	return ww_yaml_mapping(r, fields, WW_ARRAY_SIZE(fields), into);
}

/* --- areas --------------------------------------------------------------------------------------
 */

struct shape {
	char name[WW_POLICY_NAME_MAX + 1];
	unsigned given; /* of countries, polygon and circle */
	char (*countries)[3];
	unsigned country_count;
	struct ww_position *points;
	unsigned point_count;
	struct ww_position center;
	uint32_t radius_m;
};

static int take_country(struct ww_yaml *r, void *into)
{
	struct ww_slice s = ww_yaml_is_text(r) ? ww_yaml_scalar(r) : WW_SLICE_NULL;
	WW_AUTO(ww_area_free_auto) struct ww_area *one = NULL;
	char error[WW_EARTH_ERROR_MAX] = "";
	int err = s.n == 2 ? ww_area_of_countries(&s, 1, &one, error) : -EINVAL;

	if (err == -EINVAL)
		return ww_yaml_fail(r, "a country of the outlines by its ISO 3166-1 alpha-2 code, "
				       "such as DE");
	if (err < 0)
		return r->err = err;
	memcpy(into, s.p, 2);
	return 0;
}

static int take_countries(struct ww_yaml *r, void *into)
{
	struct shape *s = into;

	s->given++;
	return ww_yaml_list(r, 1, WW_AREA_COUNTRIES_MAX, (void **)&s->countries, &s->country_count,
			    sizeof(*s->countries), take_country);
}

static int take_point(struct ww_yaml *r, void *into)
{
	struct position p = {.east_max = 360};

	if (take_position(r, &p) < 0)
		return r->err;
	*(struct ww_position *)into = degrees(&p);
	return 0;
}

static int take_polygon(struct ww_yaml *r, void *into)
{
	struct place at = here(r);
	struct shape *s = into;

	s->given++;
	if (ww_yaml_list(r, 1, WW_AREA_POINTS_MAX, (void **)&s->points, &s->point_count,
			 sizeof(*s->points), take_point) < 0)
		return r->err;
	return s->point_count < 3 ? fail(r, at, "at least three positions", "fewer") : 0;
}

static int take_center(struct ww_yaml *r, void *into)
{
	struct position p = {.east_max = 180};

	if (take_position(r, &p) < 0)
		return r->err;
	((struct shape *)into)->center = degrees(&p);
	return 0;
}

static int take_radius(struct ww_yaml *r, void *into)
{
	return take_km(r, 1, &((struct shape *)into)->radius_m);
}

static int take_circle(struct ww_yaml *r, void *into)
{
	static const struct ww_yaml_field fields[] = {
		{"center", take_center, true, 0},
		{"km", take_radius, true, 0},
	};

	((struct shape *)into)->given++;
	return ww_yaml_mapping(r, fields, WW_ARRAY_SIZE(fields), into);
}

static int area_of(const struct shape *s, struct ww_area **ret, char error[WW_EARTH_ERROR_MAX])
{
	WW_AUTO_FREE struct ww_slice *codes = NULL;

	if (s->point_count)
		return ww_area_of_polygon(s->points, s->point_count, ret, error);
	if (s->radius_m)
		return ww_area_of_circle(s->center, s->radius_m / 1e3, ret, error);
	codes = calloc(s->country_count, sizeof(*codes));
	if (!codes)
		return -ENOMEM;
	for (unsigned i = 0; i < s->country_count; i++)
		codes[i] = ww_slice(s->countries[i], 2);
	return ww_area_of_countries(codes, s->country_count, ret, error);
}

static int make_area(struct ww_yaml *r, struct place at, const struct shape *s,
		     struct ww_policy_area *a)
{
	char error[WW_EARTH_ERROR_MAX] = "";
	int err;

	if (s->given != 1)
		return fail(r, at, "countries, polygon or circle",
			    s->given ? "more than one of them" : "none of them");
	err = area_of(s, &a->area, error);
	if (err == -EINVAL)
		return fail(r, at, "a piece of the Earth", error);
	return err < 0 ? (r->err = err) : 0;
}

/* Names are said once: the one at `at` comes second. */
static int fail_twice(struct ww_yaml *r, struct place at, const char *what, const char *name)
{
	char expected[48], found[WW_POLICY_NAME_MAX + 16];

	snprintf(expected, sizeof(expected), "every %s once", what);
	snprintf(found, sizeof(found), "\"%s\" again", name);
	return fail(r, at, expected, found);
}

static int take_area(struct ww_yaml *r, void *into)
{
	static const struct ww_yaml_field fields[] = {
		{"name", take_name, true, offsetof(struct shape, name)},
		{"countries", take_countries, false, 0},
		{"polygon", take_polygon, false, 0},
		{"circle", take_circle, false, 0},
	};
	const struct ww_policy *p = policy_of(r);
	struct ww_policy_area *a = into;
	struct place at = here(r);
	struct shape s = {.given = 0};

	a->line = at.line;
	if (ww_yaml_mapping(r, fields, WW_ARRAY_SIZE(fields), &s) == 0)
		(void)make_area(r, at, &s, a);
	free(s.countries);
	free(s.points);
	for (const struct ww_policy_area *b = p->areas; r->err == 0 && b < a; b++) {
		if (strcmp(b->name, s.name) == 0)
			return fail_twice(r, at, "area", s.name);
	}
	memcpy(a->name, s.name, sizeof(a->name));
	return r->err;
}

static int take_areas(struct ww_yaml *r, void *into)
{
	struct ww_policy *p = into;

	return ww_yaml_list(r, 0, WW_POLICY_AREAS_MAX, (void **)&p->areas, &p->area_count,
			    sizeof(*p->areas), take_area);
}

/* --- regions ------------------------------------------------------------------------------------
 */

/* What people mean by these is not what they would get. */
static bool glob_ok(struct ww_slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (strchr("?[]{}", s.p[i]) || (i && s.p[i] == '*' && s.p[i - 1] == '*'))
			return false;
	}
	return s.n > 0;
}

static int take_label(struct ww_yaml *r, void *into)
{
	static const char expected[] =
		"a word of at most 96 bytes in which only * stands for others";
	struct ww_policy_label *l = into;

	l->line = ww_yaml_line(r);
	if (!ww_yaml_is_text(r) || !ww_tables_text_ok(ww_yaml_scalar(r)) ||
	    !glob_ok(ww_yaml_scalar(r)))
		return ww_yaml_fail(r, expected);
	return ww_yaml_text(r, expected, &l->glob);
}

static int take_labels(struct ww_yaml *r, void *into)
{
	struct ww_policy_region *region = into;

	return ww_yaml_list(r, 1, WW_POLICY_LABELS_MAX, (void **)&region->labels,
			    &region->label_count, sizeof(*region->labels), take_label);
}

static int take_ground(struct ww_yaml *r, void *into)
{
	struct reading *reading = r->ctx;
	struct ground *g = &reading->grounds[reading->policy->region_count - 1];

	g->at = here(r);
	return take_name(r, g->name);
}

static int take_region(struct ww_yaml *r, void *into)
{
	static const struct ww_yaml_field fields[] = {
		{"name", take_name, true, offsetof(struct ww_policy_region, name)},
		{"labels", take_labels, true, 0},
		{"area", take_ground, false, 0},
	};
	struct ww_policy_region *region = into;
	const struct ww_policy *p = policy_of(r);
	struct place at = here(r);

	region->line = at.line;
	if (ww_yaml_mapping(r, fields, WW_ARRAY_SIZE(fields), region) < 0)
		return r->err;
	for (const struct ww_policy_region *b = p->regions; b < region; b++) {
		if (strcmp(b->name, region->name) == 0)
			return fail_twice(r, at, "region", region->name);
	}
	return 0;
}

static int take_regions(struct ww_yaml *r, void *into)
{
	struct ww_policy *p = into;

	return ww_yaml_list(r, 0, WW_POLICY_REGIONS_MAX, (void **)&p->regions, &p->region_count,
			    sizeof(*p->regions), take_region);
}

/* --- agents -------------------------------------------------------------------------------------
 */

static int take_path_glob(struct ww_yaml *r, void *into)
{
	static const char expected[] =
		"a path that begins with / (or *), in which only * stands for others";
	struct ww_slice s = ww_yaml_is_text(r) ? ww_yaml_scalar(r) : WW_SLICE_NULL;

	if (!glob_ok(s) || (s.p[0] != '/' && s.p[0] != '*'))
		return ww_yaml_fail(r, expected);
	return ww_yaml_text(r, expected, into);
}

static int take_programs(struct ww_yaml *r, void *into)
{
	struct ww_policy_agent *a = into;

	return ww_yaml_list(r, 1, WW_POLICY_ITEMS_MAX, (void **)&a->programs, &a->program_count,
			    sizeof(*a->programs), take_path_glob);
}

static int take_wanted(struct ww_yaml *r, void *into)
{
	struct wanted *w = into;

	w->at = here(r);
	w->agent = policy_of(r)->agent_count - 1;
	return take_name(r, w->name);
}

static int take_allowed_regions(struct ww_yaml *r, void *into)
{
	struct reading *reading = r->ctx;
	unsigned before = reading->wanted_count;
	struct place at = here(r);

	((struct ww_policy_agent *)into)->asks_region = true;
	if (ww_yaml_list(r, 0, before + WW_POLICY_REGIONS_MAX, (void **)&reading->wanted,
			 &reading->wanted_count, sizeof(*reading->wanted), take_wanted) < 0)
		return r->err;
	return reading->wanted_count == before ? fail(r, at, "at least one region", "an empty list")
					       : 0;
}

static int take_home(struct ww_yaml *r, void *into)
{
	static const char expected[] = "a home as tables declare it, a text of 1 to 96 bytes";

	if (!ww_yaml_is_text(r) || !ww_tables_text_ok(ww_yaml_scalar(r)))
		return ww_yaml_fail(r, expected);
	return ww_yaml_text(r, expected, into);
}

static int take_allowed_homes(struct ww_yaml *r, void *into)
{
	struct ww_policy_agent *a = into;

	a->asks_home = true;
	return ww_yaml_list(r, 1, WW_POLICY_ITEMS_MAX, (void **)&a->homes, &a->home_count,
			    sizeof(*a->homes), take_home);
}

static int take_on_unlisted(struct ww_yaml *r, void *into)
{
	enum ww_policy_unlisted *u = into;

	for (unsigned i = 0; ww_yaml_is_text(r) && i <= WW_POLICY_UNLISTED_DENY; i++) {
		if (!ww_slice_eq_str(ww_yaml_scalar(r), ww_policy_unlisted_name(i)))
			continue;
		*u = i;
		return 0;
	}
	return ww_yaml_fail(r, "fail, warn or deny");
}

static int take_agent(struct ww_yaml *r, void *into)
{
	static const struct ww_yaml_field fields[] = {
		{"name", take_name, true, offsetof(struct ww_policy_agent, name)},
		{"cgroup", take_path_glob, false, offsetof(struct ww_policy_agent, cgroup)},
		{"program", take_programs, false, 0},
		{"allowed_regions", take_allowed_regions, false, 0},
		{"allowed_homes", take_allowed_homes, false, 0},
		{"on_unlisted", take_on_unlisted, false,
		 offsetof(struct ww_policy_agent, on_unlisted)},
	};
	const struct ww_policy *p = policy_of(r);
	struct ww_policy_agent *a = into;
	struct place at = here(r);

	a->line = at.line;
	if (ww_yaml_mapping(r, fields, WW_ARRAY_SIZE(fields), a) < 0)
		return r->err;
	if (!a->cgroup && !a->program_count)
		return fail(r, at, "cgroup or program: whom is it about?", "neither");
	for (const struct ww_policy_agent *b = p->agents; b < a; b++) {
		if (strcmp(b->name, a->name) == 0)
			return fail_twice(r, at, "agent", a->name);
	}
	return 0;
}

static int take_agents(struct ww_yaml *r, void *into)
{
	struct ww_policy *p = into;

	return ww_yaml_list(r, 0, WW_POLICY_AGENTS_MAX, (void **)&p->agents, &p->agent_count,
			    sizeof(*p->agents), take_agent);
}

/* --- guard --------------------------------------------------------------------------------------
 */

static int take_mode(struct ww_yaml *r, void *into)
{
	enum ww_policy_guard *g = &((struct ww_policy *)into)->guard;

	for (unsigned i = 0; ww_yaml_is_text(r) && i <= WW_POLICY_GUARD_ENFORCE; i++) {
		if (!ww_slice_eq_str(ww_yaml_scalar(r), ww_policy_guard_name(i)))
			continue;
		*g = i;
		return 0;
	}
	return ww_yaml_fail(r, "off, dry-run or enforce");
}

static int take_prefix(struct ww_yaml *r, void *into)
{
	if (!ww_yaml_is_text(r) || ww_cidr_parse(ww_yaml_scalar(r), into) < 0)
		return ww_yaml_fail(r, "a network such as 203.0.113.0/24 or 2001:db8::/32, or an "
				       "address");
	return 0;
}

static int take_deny(struct ww_yaml *r, void *into)
{
	struct ww_policy *p = into;

	return ww_yaml_list(r, 0, WW_POLICY_PREFIXES_MAX, (void **)&p->guard_deny,
			    &p->guard_deny_count, sizeof(*p->guard_deny), take_prefix);
}

static int take_allow(struct ww_yaml *r, void *into)
{
	struct ww_policy *p = into;

	return ww_yaml_list(r, 0, WW_POLICY_PREFIXES_MAX, (void **)&p->guard_allow,
			    &p->guard_allow_count, sizeof(*p->guard_allow), take_prefix);
}

static int take_guard(struct ww_yaml *r, void *into)
{
	static const struct ww_yaml_field fields[] = {
		{"mode", take_mode, true, 0},
		{"deny", take_deny, false, 0},
		{"allow", take_allow, false, 0},
	};

	return ww_yaml_mapping(r, fields, WW_ARRAY_SIZE(fields), into);
}

/* --- attesters ----------------------------------------------------------------------------------
 */

static int take_attesters(struct ww_yaml *r, void *into)
{
	struct ww_policy *p = into;

	return ww_attesters_take(r, "an attester that the policy has not yet", &p->attesters,
				 &p->attester_count);
}

/* --- the file -----------------------------------------------------------------------------------
 */

static int take_version(struct ww_yaml *r, void *into)
{
	uint64_t v = 0;

	return ww_yaml_number(r, 1, 1, "version 1", &v);
}

/* Names may be used before the file says what they mean: looked up when all is read. */
static int find_grounds(struct ww_yaml *r, struct reading *reading)
{
	struct ww_policy *p = reading->policy;

	for (unsigned i = 0; i < p->region_count; i++) {
		const struct ground *g = &reading->grounds[i];

		for (unsigned k = 0; g->name[0] && k < p->area_count; k++) {
			if (strcmp(p->areas[k].name, g->name) == 0)
				p->regions[i].area = &p->areas[k];
		}
		if (g->name[0] && !p->regions[i].area)
			return fail(r, g->at, "the name of an area of this file", g->name);
	}
	return 0;
}

static int find_wanted(struct ww_yaml *r, struct reading *reading)
{
	struct ww_policy *p = reading->policy;

	for (unsigned i = 0; i < reading->wanted_count; i++) {
		const struct wanted *w = &reading->wanted[i];
		uint64_t *allowed = &p->agents[w->agent].regions;
		unsigned k = 0;

		while (k < p->region_count && strcmp(p->regions[k].name, w->name) != 0)
			k++;
		if (k == p->region_count)
			return fail(r, w->at, "the name of a region of this file", w->name);
		if (*allowed & 1ull << k)
			return fail_twice(r, w->at, "region", w->name);
		*allowed |= 1ull << k;
	}
	return 0;
}

static int read_all(struct ww_yaml *r, struct reading *reading)
{
	static const struct ww_yaml_field fields[] = {
		{"version", take_version, true, 0},
		{"host", take_host, false, offsetof(struct ww_policy, host)},
		{"areas", take_areas, false, 0},
		{"regions", take_regions, false, 0},
		{"agents", take_agents, true, 0},
		{"guard", take_guard, false, 0},
		{"attesters", take_attesters, false, 0},
	};

	r->ctx = reading;
	if (ww_yaml_document(r, fields, WW_ARRAY_SIZE(fields), "a mapping with version and agents",
			     reading->policy) < 0 ||
	    find_grounds(r, reading) < 0)
		return r->err;
	return find_wanted(r, reading);
}

static int keep_text(struct ww_policy *p, struct ww_slice yaml)
{
	uint8_t *text = malloc(yaml.n);

	if (!text)
		return -ENOMEM;
	memcpy(text, yaml.p, yaml.n);
	p->text = ww_slice(text, yaml.n);
	ww_sha256(yaml, &p->digest);
	return 0;
}

int ww_policy_parse(struct ww_slice yaml, struct ww_policy **ret,
		    struct ww_contract_error *ret_error)
{
	WW_AUTO(ww_policy_free_auto) struct ww_policy *p = NULL;
	struct reading reading = {.wanted = NULL};
	struct ww_yaml r;

	if (yaml.n > WW_POLICY_FILE_BYTES) {
		*ret_error = (struct ww_contract_error){
			.text = "expected a file of at most 512 KiB, found a larger one"};
		return -EFBIG;
	}
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	reading.policy = p;
	ww_yaml_open(&r, yaml);
	(void)read_all(&r, &reading);
	ww_yaml_close(&r); /* r.err keeps the answer */
	free(reading.wanted);
	if (r.err == -EINVAL) {
		ret_error->line = r.error_line;
		ret_error->column = r.error_column;
		memcpy(ret_error->text, r.error_text, sizeof(ret_error->text));
	}
	if (r.err == 0)
		r.err = keep_text(p, yaml);
	if (r.err < 0)
		return r.err;
	*ret = WW_TAKE(p);
	return 0;
}
