/* SPDX-License-Identifier: Apache-2.0 */
#include "out/instrument.h"

#include <errno.h>

#include "out/member.h"

struct kept {
	uint64_t index;
	struct ww_slice record; /* owned */
};

struct list {
	size_t count, max;
	uint64_t beyond;
	struct kept *items;
};

struct ww_instrument {
	struct list runs, changes;
};

int ww_instrument_new(struct ww_instrument **ret)
{
	struct ww_instrument *i = calloc(1, sizeof(*i));

	if (!i)
		return -ENOMEM;
	i->runs.max = WW_INSTRUMENT_RUNS_MAX;
	i->changes.max = WW_INSTRUMENT_CHANGES_MAX;
	*ret = i;
	return 0;
}

static void list_done(struct list *l)
{
	for (size_t i = 0; i < l->count; i++)
		free((void *)l->items[i].record.p);
	free(l->items);
}

void ww_instrument_free(struct ww_instrument *i)
{
	if (!i)
		return;
	list_done(&i->runs);
	list_done(&i->changes);
	free(i);
}

static int keep(struct list *l, uint64_t index, struct ww_slice record)
{
	uint8_t *copy;

	if (l->count == l->max) {
		l->beyond++;
		return 0;
	}
	if ((l->count & (l->count - 1)) == 0) {
		size_t cap = l->count ? 2 * l->count : 1;
		void *more = realloc(l->items, cap * sizeof(*l->items));

		if (!more)
			return -ENOMEM;
		l->items = more;
	}
	copy = malloc(record.n + 1);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, record.p, record.n);
	l->items[l->count++] = (struct kept){index, ww_slice(copy, record.n)};
	return 0;
}

int ww_instrument_add(struct ww_instrument *i, uint64_t index, struct ww_slice record)
{
	const struct ww_json_token event = ww_member_get(record, "event");

	if (!ww_member_has(&event))
		return 0;
	return keep(ww_json_is(&event, "start") ? &i->runs : &i->changes, index, record);
}

static void pick(const struct kept *k, const char *const *names, struct ww_json_token *values)
{
	struct ww_slice paths[16];
	size_t n = 0;

	for (; names[n]; n++)
		paths[n] = ww_slice_str(names[n]);
	ww_member_pick(k->record, paths, n, values);
}

/* Each member under the same name; absent ones are null. */
static void write_members(struct ww_jsonw *w, const struct kept *k, const char *const *names)
{
	struct ww_json_token v[16];

	pick(k, names, v);
	for (size_t i = 0; names[i]; i++)
		ww_member_write(w, names[i], &v[i]);
}

static void write_value(struct ww_jsonw *w, const struct kept *k, const char *key, const char *path)
{
	const char *const names[] = {path, NULL};
	struct ww_json_token v;

	pick(k, names, &v);
	ww_member_write(w, key, &v);
}

static void write_run(struct ww_jsonw *w, const struct kept *k)
{
	static const char *const names[] = {
		"t",      "version", "host",      "machine",         "kernel",
		"bootId", "bootNs",  "contracts", "captureCapBytes", NULL};
	struct ww_member_walk walk;
	struct ww_member m;
	uint64_t programs = 0;

	ww_jsonw_object(w, NULL);
	ww_jsonw_u64(w, "index", k->index);
	write_members(w, k, names);
	write_value(w, k, "programSha256", "program.sha256");
	write_value(w, k, "bpfSha256", "bpf.sha256");
	ww_member_begin(&walk, k->record);
	while (ww_member_next(&walk, &m))
		programs += ww_slice_eq_str(m.path, "bpf.programs.tag");
	ww_jsonw_u64(w, "bpfPrograms", programs);
	ww_jsonw_end_object(w);
}

static void write_change(struct ww_jsonw *w, const struct kept *k)
{
	static const char *const names[] = {"t", "event", NULL};
	static const char *const quoted[] = {"text", "cgroup", NULL};

	ww_jsonw_object(w, NULL);
	ww_jsonw_u64(w, "index", k->index);
	write_members(w, k, names);
	ww_jsonw_object(w, "quoted");
	write_members(w, k, quoted);
	ww_jsonw_end_object(w);
	ww_jsonw_end_object(w);
}

/* What a record says of a library file: about its probes, or what it is made of. */
enum said { NOTHING, PROBES, DIGEST };

static enum said said_of(const struct kept *k, struct ww_json_token v[2])
{
	static const char *const names[] = {"event", "text", NULL};

	pick(k, names, v);
	if (!ww_member_has(&v[1]))
		return NOTHING;
	if (ww_json_is(&v[0], "probes-attached") || ww_json_is(&v[0], "probes-failed"))
		return PROBES;
	return ww_json_is(&v[0], "tls-library") ? DIGEST : NOTHING;
}

/* The last record from `from` on that says this of the file; NULL: none. */
static const struct kept *last_said(const struct list *l, size_t from, enum said what,
				    struct ww_slice path)
{
	struct ww_json_token v[2];

	for (size_t i = l->count; i-- > from;) {
		if (said_of(&l->items[i], v) == what && ww_slice_eq(v[1].raw, path))
			return &l->items[i];
	}
	return NULL;
}

static void write_library(struct ww_jsonw *w, const struct kept *k, const struct kept *digest,
			  const struct ww_json_token v[2])
{
	ww_jsonw_object(w, NULL);
	ww_member_write(w, "path", &v[1]);
	ww_jsonw_bool(w, "attached", ww_json_is(&v[0], "probes-attached"));
	ww_jsonw_u64(w, "index", k->index);
	if (digest) {
		write_value(w, digest, "sha256", "library.sha256");
		write_value(w, digest, "buildId", "library.buildId");
		ww_jsonw_u64(w, "digestIndex", digest->index);
	}
	ww_jsonw_end_object(w);
}

/* The last word on each file. */
static void write_libraries(struct ww_jsonw *w, const struct list *l)
{
	ww_jsonw_array(w, "tlsLibraries");
	for (size_t i = 0; i < l->count; i++) {
		const struct kept *k = &l->items[i];
		struct ww_json_token v[2];

		/* A digest from before these probes were set is of another file, maybe. */
		if (said_of(k, v) == PROBES && last_said(l, i, PROBES, v[1].raw) == k)
			write_library(w, k, last_said(l, i, DIGEST, v[1].raw), v);
	}
	ww_jsonw_end_array(w);
}

void ww_instrument_write(const struct ww_instrument *i, struct ww_jsonw *w)
{
	ww_jsonw_object(w, NULL);
	ww_jsonw_cstr(w, "basis", "the monitor's own life records");
	ww_jsonw_u64(w, "recordsBeyondList", i->runs.beyond + i->changes.beyond);
	ww_jsonw_array(w, "runs");
	for (size_t k = 0; k < i->runs.count; k++)
		write_run(w, &i->runs.items[k]);
	ww_jsonw_end_array(w);
	write_libraries(w, &i->changes);
	ww_jsonw_array(w, "changes");
	for (size_t k = 0; k < i->changes.count; k++)
		write_change(w, &i->changes.items[k]);
	ww_jsonw_end_array(w);
	ww_jsonw_end_object(w);
}

/* The record that a tape was replayed, first in the ledger of one; NULL: the ledger is a host's. */
static const struct kept *replay_of(const struct ww_instrument *i)
{
	static const char *const names[] = {"event", NULL};
	struct ww_json_token v;

	if (i->runs.count || !i->changes.count)
		return NULL;
	pick(&i->changes.items[0], names, &v);
	return ww_json_is(&v, "replay") ? &i->changes.items[0] : NULL;
}

void ww_instrument_host(const struct ww_instrument *i, struct ww_jsonw *w)
{
	static const struct kept nothing = {0, {(const uint8_t *)"{}", 2}};
	const struct kept *tape = replay_of(i);
	const struct kept *last = tape            ? tape
				  : i->runs.count ? &i->runs.items[i->runs.count - 1]
						  : &nothing;

	write_value(w, last, "host", "host");
	write_value(w, last, "kernel", tape ? "tape.kernel" : "kernel");
	write_value(w, last, "machine", "machine");
	write_value(w, last, "bootId", tape ? "tape.bootId" : "bootId");
	write_value(w, last, "policy", "contracts");
	write_value(w, last, "monitorVersion", "version");
	if (tape) {
		write_value(w, tape, "tape", "tape.sha256");
		write_value(w, tape, "tapeEnd", "tape.end");
	}
	ww_jsonw_cstr(w, "hostFactsFrom",
		      tape ? "the tape whose events were replayed"
			   : "the monitor's record of its last start in the period");
}
