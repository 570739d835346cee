/* SPDX-License-Identifier: Apache-2.0 */
/* NAME.yaml: rows of networks and of names, and home jurisdictions, as the monitor's owner declares
 * them. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>

#include "policy/host_glob.h"
#include "policy/tables_read.h"
#include "policy/yaml_reader.h"

/* An entry of either list. */
struct entry {
	char operator_name[WW_TABLES_TEXT_MAX + 1];
	char service[WW_TABLES_TEXT_MAX + 1];
	char region[WW_TABLES_TEXT_MAX + 1];
	char home[WW_TABLES_TEXT_MAX + 1];
	enum ww_tables_basis basis;
	struct ww_tables_time valid;
	struct {
		struct ww_cidr *items;
		unsigned count;
	} prefixes;
	struct {
		char **items;
		unsigned count;
	} hosts;
};

static int take_text(struct ww_yaml *r, void *into)
{
	struct ww_slice s;

	if (!ww_yaml_is_text(r) || !ww_tables_text_ok(ww_yaml_scalar(r)))
		return ww_yaml_fail(r, "a text of 1 to 96 bytes");
	s = ww_yaml_scalar(r);
	memcpy(into, s.p, s.n);
	((char *)into)[s.n] = '\0';
	return 0;
}

static int take_basis(struct ww_yaml *r, void *into)
{
	enum ww_tables_basis *basis = into;

	if (ww_yaml_is_text(r) && ww_slice_eq_str(ww_yaml_scalar(r), "contract"))
		*basis = WW_TABLES_CONTRACT;
	else if (ww_yaml_is_text(r) && ww_slice_eq_str(ww_yaml_scalar(r), "provider-doc"))
		*basis = WW_TABLES_PROVIDER_DOC;
	else
		return ww_yaml_fail(r, "contract or provider-doc");
	return 0;
}

static int take_day(struct ww_yaml *r, void *into)
{
	if (!ww_yaml_is_text(r) || ww_tables_day_parse(ww_yaml_scalar(r), into) < 0)
		return ww_yaml_fail(r, "a date like 2026-12-31");
	return 0;
}

static int take_prefix(struct ww_yaml *r, void *into)
{
	if (!ww_yaml_is_text(r))
		return ww_yaml_fail(r, "a network like 203.0.113.0/24");
	if (ww_cidr_parse_network(ww_yaml_scalar(r), into) < 0)
		return ww_yaml_fail(r, "a network like 203.0.113.0/24, without host bits");
	return 0;
}

static int take_prefixes(struct ww_yaml *r, void *into)
{
	struct entry *e = into;

	return ww_yaml_list(r, 1, WW_TABLES_YAML_PREFIXES, (void **)&e->prefixes.items,
			    &e->prefixes.count, sizeof(*e->prefixes.items), take_prefix);
}

static int take_host(struct ww_yaml *r, void *into)
{
	static const char expected[] =
		"a name like api.example.com or *.example.com, in its ASCII form";

	if (!ww_yaml_is_text(r) || !ww_host_glob_ok(ww_yaml_scalar(r)))
		return ww_yaml_fail(r, expected);
	return ww_yaml_text(r, expected, into);
}

static int take_hosts(struct ww_yaml *r, void *into)
{
	struct entry *e = into;

	return ww_yaml_list(r, 1, WW_TABLES_YAML_HOSTS, (void **)&e->hosts.items, &e->hosts.count,
			    sizeof(*e->hosts.items), take_host);
}

static int check_days(struct ww_yaml *r, unsigned line, const struct entry *e)
{
	if (e->valid.from > e->valid.until)
		return ww_yaml_fail_at(r, line, "valid_from not after valid_until",
				       "dates the other way round");
	return 0;
}

/* An entry says of what it speaks. */
static int check_matched(struct ww_yaml *r, unsigned line, const struct entry *e)
{
	if (!e->prefixes.count && !e->hosts.count)
		return ww_yaml_fail_at(r, line, "cidr or hosts", "an entry with neither");
	return 0;
}

/* What adding said: a limit is an error at that line. */
static int added(struct ww_yaml *r, unsigned line, int err)
{
	struct ww_tables_error limit = {0};

	if (err == -EEXIST)
		return ww_yaml_fail_at(r, line, "every operator once", "one a second time");
	err = ww_tables_fail_add(&limit, false, line, err);
	if (err == -EINVAL)
		return ww_yaml_fail_at(r, line, "fewer rows", limit.text);
	return err < 0 ? (r->err = err) : 0;
}

static int take_operator(struct ww_yaml *r, void *into)
{
	static const struct ww_yaml_field fields[] = {
		{"name", take_text, true, offsetof(struct entry, operator_name)},
		{"home", take_text, true, offsetof(struct entry, home)},
		{"basis", take_basis, true, offsetof(struct entry, basis)},
		{"valid_from", take_day, false, offsetof(struct entry, valid.from)},
		{"valid_until", take_day, false, offsetof(struct entry, valid.until)},
	};
	struct entry e = {.valid = WW_TABLES_ALWAYS};
	struct ww_tables_operator o = {0};
	unsigned line = ww_yaml_line(r);

	if (ww_yaml_mapping(r, fields, WW_ARRAY_SIZE(fields), &e) < 0 ||
	    check_days(r, line, &e) < 0)
		return r->err;
	memcpy(o.name, e.operator_name, sizeof(o.name));
	memcpy(o.home, e.home, sizeof(o.home));
	o.basis = e.basis;
	o.valid = e.valid;
	return added(r, line, ww_tables_add_operator(r->ctx, &o));
}

static int add_rows(struct ww_yaml *r, unsigned line, const struct entry *e)
{
	struct ww_tables_words w = {
		.operator_name = ww_slice_str(e->operator_name),
		.service = ww_slice_str(e->service),
		.region = ww_slice_str(e->region),
		.basis = e->basis,
		.valid = e->valid,
	};

	for (unsigned i = 0; r->err == 0 && i < e->prefixes.count; i++)
		(void)added(r, line, ww_tables_add_row(r->ctx, &e->prefixes.items[i], &w, line));
	for (unsigned i = 0; r->err == 0 && i < e->hosts.count; i++)
		(void)added(r, line, ww_tables_add_host(r->ctx, e->hosts.items[i], &w, line));
	return r->err;
}

static int take_entry(struct ww_yaml *r, void *into)
{
	static const struct ww_yaml_field fields[] = {
		{"cidr", take_prefixes, false, 0},
		{"hosts", take_hosts, false, 0},
		{"operator", take_text, true, offsetof(struct entry, operator_name)},
		{"service", take_text, false, offsetof(struct entry, service)},
		{"region", take_text, false, offsetof(struct entry, region)},
		{"basis", take_basis, true, offsetof(struct entry, basis)},
		{"valid_from", take_day, false, offsetof(struct entry, valid.from)},
		{"valid_until", take_day, false, offsetof(struct entry, valid.until)},
	};
	struct entry e = {.valid = WW_TABLES_ALWAYS};
	unsigned line = ww_yaml_line(r);

	if (ww_yaml_mapping(r, fields, WW_ARRAY_SIZE(fields), &e) == 0 &&
	    check_days(r, line, &e) == 0 && check_matched(r, line, &e) == 0)
		(void)add_rows(r, line, &e);
	free(e.prefixes.items);
	for (unsigned i = 0; i < e.hosts.count; i++)
		free(e.hosts.items[i]);
	free(e.hosts.items);
	return r->err;
}

/* Entries leave nothing in the list: they go into the set. */
static int take_list(struct ww_yaml *r, ww_yaml_fn take)
{
	WW_AUTO_FREE void *none = NULL;
	unsigned count = 0;

	return ww_yaml_list(r, 0, WW_TABLES_YAML_ENTRIES, &none, &count, 1, take);
}

static int take_operators(struct ww_yaml *r, void *into)
{
	return take_list(r, take_operator);
}

static int take_entries(struct ww_yaml *r, void *into)
{
	return take_list(r, take_entry);
}

static int take_version(struct ww_yaml *r, void *into)
{
	uint64_t v = 0;

	return ww_yaml_number(r, 1, 1, "version 1", &v);
}

static int take_as_of(struct ww_yaml *r, void *into)
{
	struct ww_tables_file *table = into;

	if (!ww_yaml_is_text(r) || ww_tables_as_of_parse(ww_yaml_scalar(r), table->as_of) < 0)
		return ww_yaml_fail(r, "a date like 2026-11-01, or a time in UTC");
	return 0;
}

int ww_tables_yaml_read(struct ww_tables *t, struct ww_slice file,
			struct ww_tables_error *ret_error)
{
	static const struct ww_yaml_field fields[] = {
		{"version", take_version, true, 0},
		{"as_of", take_as_of, true, 0},
		{"operators", take_operators, false, 0},
		{"prefixes", take_entries, false, 0},
	};
	struct ww_yaml r;
	int err;

	if (file.n > WW_TABLES_YAML_BYTES)
		return ww_tables_fail(ret_error, false, 0, "expected a file of at most 4 MiB");
	ww_tables_last(t)->shape = "yaml";
	ww_yaml_open(&r, file);
	r.ctx = t;
	err = ww_yaml_document(&r, fields, WW_ARRAY_SIZE(fields),
			       "a mapping with version, as_of and operators or prefixes",
			       ww_tables_last(t));
	if (err == -EINVAL)
		(void)ww_tables_fail(ret_error, false, r.error_line, "%s", r.error_text);
	ww_yaml_close(&r);
	return err;
}
