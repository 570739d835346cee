/* SPDX-License-Identifier: Apache-2.0 */
/* The sections of a report around its verdicts: which members are shown, under which words. */
#include <errno.h>

#include "ledger/fields.h"
#include "out/report_html_view.h"

#define CELLS_MAX 16u

struct cell {
	const char *title;
	struct ww_slice path;
	enum ww_report_how how;
};

#define CELL(title, path, how)                             \
	{                                                  \
		title, WW_SLICE_LIT(path), WW_REPORT_##how \
	}

/* A table over an array of a section. */
struct table {
	const char *caption;
	const char *array;                /* path */
	const char *none;                 /* instead of a table without rows */
	struct cell cells[CELLS_MAX + 1]; /* up to the first without title */
	struct ww_slice
		bar; /* path of a number in each row, drawn as its share of the total; or empty */
};

static const struct cell completeness_facts[] = {
	CELL("All seen, nothing lost", "complete", YES),
	CELL("Over", "basis", TEXT),
	CELL("Monitor started", "monitorStarts", TEXT),
	CELL("Monitor stopped", "monitorStops", TEXT),
	CELL("Gaps in capture", "captureGaps", TEXT),
	CELL("Files with probes", "probesAttached", TEXT),
	CELL("Probes failed", "probesFailed", TEXT),
	CELL("Library files known by digest", "librariesIdentified", TEXT),
	CELL("Library files without digest", "librariesUnidentified", TEXT),
	CELL("Sockets not covered", "socketsUncovered", TEXT),
};

static const struct cell population_facts[] = {
	CELL("Records in the period", "population.records", TEXT),
	CELL("Verdicts in the period", "population.verdicts", TEXT),
	CELL("Verdicts shown", "selected.verdicts", TEXT),
	CELL("Records listed", "selected.records", TEXT),
	CELL("Records withheld", "withheld", TEXT),
	CELL("Erased records", "population.erasedRecords", TEXT),
	CELL("Erased verdicts", "population.erasedVerdicts", TEXT),
};

static const struct cell flow_facts[] = {
	CELL("Flows", "flows.count", TEXT),
	CELL("TLS flows", "flows.tls", TEXT),
	CELL("TLS not bound to content", "flows.unbound", TEXT),
	CELL("Payload bytes", "flows.payloadBytes", TEXT),
	CELL("accounted for", "flows.accountedBytes", TEXT),
	CELL("unexplained", "flows.unexplainedBytes", TEXT),
	CELL("not checked", "flows.uncheckedBytes", TEXT),
	CELL("Decoded bytes", "flows.decodedBytes", TEXT),
	CELL("Share decoded", "flows.decodedShare", TEXT),
	CELL("Plaintext bytes lost", "flows.lostBytes", TEXT),
};

static const struct table scopes = {
	.caption = "Watched scopes",
	.array = "$.scopes",
	.none = "No scope has a coverage record in this period: nothing follows from what was not "
		"seen.",
	.cells =
		{
			CELL("Scope", "path", TEXT),
			CELL("All seen", "complete", YES),
			CELL("All sockets and processes", "allSocketsAndProcesses", YES),
			CELL("Lost events", "lostEvents", TEXT),
			CELL("Lost bytes", "lostBytes", TEXT),
			CELL("Beyond the capture cap", "beyondCapBytes", TEXT),
			CELL("Gaps", "gaps", TEXT),
			CELL("Processes with unreadable TLS", "opaqueProcesses", TEXT),
			CELL("Unix peers outside", "unixPeers", TEXT),
			CELL("Loopback peers outside", "loopbackPeers", TEXT),
			CELL("Raw sockets", "rawSockets", TEXT),
			CELL("All marks listed", "allMarksListed", YES),
		},
};

static const struct table losses = {
	.caption = "Losses",
	.array = "$.losses",
	.none = "No loss record.",
	.cells = {CELL("Cause", "cause", TEXT), CELL("Events", "events", TEXT),
		  CELL("Bytes", "bytes", TEXT)},
};

static const struct cell unverifiable_facts[] = {
	CELL("Verdicts", "verdicts", TEXT),
	CELL("UNVERIFIABLE", "unverifiable.count", TEXT),
	CELL("Share", "unverifiable.share", TEXT),
	CELL("Superseded by later ones", "superseded", TEXT),
	CELL("Judged again under other contracts", "reevaluated", TEXT),
};

static const struct table reasons = {
	.caption = "Why they are UNVERIFIABLE",
	.array = "$.unverifiable.reasons",
	.cells = {CELL("Reason", "reason", TEXT), CELL("Verdicts", "count", TEXT),
		  CELL("Meaning", "meaning", TEXT)},
};

static const struct table by_verdict = {
	.caption = "Verdicts by what they say",
	.array = "$.byVerdict",
	.none = "No verdicts.",
	.cells = {CELL("Verdict", "verdict", TEXT), CELL("Verdicts", "count", TEXT),
		  CELL("Meaning", "meaning", TEXT)},
	.bar = WW_SLICE_LIT("count"),
};

static const struct table contracts = {
	.caption = "Contract files in force",
	.array = "$.contracts",
	.none = "No contract file.",
	.cells = {CELL("SHA-256", "digest", TEXT), CELL("Verdicts", "count", TEXT)},
};

static const struct table findings = {
	.caption = "Findings",
	.array = "$.findings",
	.none = "No findings.",
	.cells = {CELL("Finding", "finding", TEXT), CELL("Records", "count", TEXT)},
};

static const struct cell path_facts[] = {
	CELL("Paths", "paths", TEXT),
	CELL("UNVERIFIABLE", "unverifiable.count", TEXT),
	CELL("Share", "unverifiable.share", TEXT),
	CELL("Earlier revisions of them", "superseded", TEXT),
	CELL("Legs", "legs.count", TEXT),
	CELL("with a listed region", "legs.listedRegion", TEXT),
	CELL("with a claimed place of processing", "legs.processingClaimed", TEXT),
	CELL("with a declared home", "legs.homeDeclared", TEXT),
	CELL("with a bounded distance", "legs.distanceBounded", TEXT),
	CELL("with areas excluded under the hard bound", "legs.areasExcluded", TEXT),
	CELL("Crossings", "crossings", TEXT),
	CELL("Decisions of the guard", "guardDecisions", TEXT),
};

static const struct table path_reasons = {
	.caption = "Why paths are UNVERIFIABLE",
	.array = "$.unverifiable.reasons",
	.cells = {CELL("Reason", "reason", TEXT), CELL("Paths", "count", TEXT),
		  CELL("Meaning", "meaning", TEXT)},
};

static const struct table path_verdicts = {
	.caption = "Paths by what is said of them",
	.array = "$.byVerdict",
	.none = "No path is recorded: nothing is said of where prompts went.",
	.cells = {CELL("Verdict", "verdict", TEXT), CELL("Paths", "count", TEXT),
		  CELL("Meaning", "meaning", TEXT)},
	.bar = WW_SLICE_LIT("count"),
};

static const struct table path_findings = {
	.caption = "Findings on paths",
	.array = "$.findings",
	.cells = {CELL("Finding", "finding", TEXT), CELL("Paths", "count", TEXT),
		  CELL("Meaning", "meaning", TEXT)},
};

static const struct table path_policies = {
	.caption = "Policy files in force",
	.array = "$.policies",
	.cells = {CELL("SHA-256", "digest", TEXT), CELL("Paths", "count", TEXT)},
};

static const struct cell scope_facts[] = {
	CELL("Host", "host", TEXT),
	CELL("Kernel", "kernel", TEXT),
	CELL("Machine", "machine", TEXT),
	CELL("Boot", "bootId", TEXT),
	CELL("Policy", "policy", TEXT),
	CELL("Monitor", "monitorVersion", TEXT),
	CELL("Events from the tape, SHA-256", "tape", TEXT),
	CELL("The tape ended", "tapeEnd", TEXT),
	CELL("Host facts from", "hostFactsFrom", TEXT),
	CELL("Made by", "reportVersion", TEXT),
	CELL("Asked for by", "requestedBy", TEXT),
	CELL("Listed", "listed", TEXT),
	CELL("Filter", "filter", TEXT),
};

static const struct cell period_facts[] = {
	CELL("First record", "from", TEXT),
	CELL("Last record", "to", TEXT),
	CELL("Watched from, ns since boot", "fromBootNs", TEXT),
	CELL("Watched to, ns since boot", "toBootNs", TEXT),
	CELL("Asked from", "askedFrom", TEXT),
	CELL("Asked to", "askedTo", TEXT),
	CELL("Records", "records", TEXT),
};

static const struct cell selection_facts[] = {
	CELL("Day asked for", "quoted.day", TEXT),
	CELL("Trace asked for", "quoted.trace", TEXT),
	CELL("Agent asked for", "quoted.agent", TEXT),
	CELL("Verdicts asked for", "quoted.verdict", TEXT),
	CELL("Tool asked for", "quoted.tool", TEXT),
	CELL("Record asked for", "quoted.id", TEXT),
	CELL("Filter asked for", "quoted.filter", TEXT),
};

static const struct cell instrument_facts[] = {
	CELL("Instrument, from", "basis", TEXT),
	CELL("Records beyond the list", "recordsBeyondList", TEXT),
};

static const struct table runs = {
	.caption = "Runs of the monitor",
	.array = "$.runs",
	.none = "No run began in the period.",
	.cells =
		{
			CELL("Record", "index", LINK),
			CELL("Began (UTC)", "t", TIME),
			CELL("Version", "version", TEXT),
			CELL("Host", "host", TEXT),
			CELL("Machine", "machine", TEXT),
			CELL("Kernel", "kernel", TEXT),
			CELL("Boot", "bootId", TEXT),
			CELL("Contracts", "contracts", TEXT),
			CELL("Capture cap, bytes", "captureCapBytes", TEXT),
			CELL("Program, SHA-256", "programSha256", TEXT),
			CELL("BPF object, SHA-256", "bpfSha256", TEXT),
			CELL("BPF programs", "bpfPrograms", TEXT),
		},
};

static const struct table libraries = {
	.caption = "TLS libraries",
	.array = "$.tlsLibraries",
	.none = "No TLS library was found.",
	.cells = {CELL("Record", "index", LINK), CELL("Path", "path", TEXT),
		  CELL("Probes attached", "attached", YES), CELL("File, SHA-256", "sha256", TEXT),
		  CELL("Build id", "buildId", TEXT),
		  CELL("Record of the digest", "digestIndex", LINK)},
};

static const struct table changes = {
	.caption = "What happened to the probes",
	.array = "$.changes",
	.none = "Nothing happened to the probes.",
	.cells = {CELL("Record", "index", LINK), CELL("Time (UTC)", "t", TIME),
		  CELL("Event", "event", TEXT), CELL("Text", "quoted.text", TEXT),
		  CELL("Scope", "quoted.cgroup", TEXT)},
};

static const struct cell destination_facts[] = {
	CELL("Over", "basis", TEXT),
	CELL("Certificates", "certificates", TEXT),
	CELL("Flows beyond the list", "flowsBeyondList", TEXT),
};

static const struct table destinations = {
	.caption = "Where bytes went",
	.array = "$.list",
	.none = "No destinations.",
	.cells =
		{
			CELL("Address", "address", TEXT),
			CELL("Port", "port", TEXT),
			CELL("Protocol", "proto", TEXT),
			CELL("TLS name", "quoted.sni", TEXT),
			CELL("Listed", "quoted.listed", TEXT),
			CELL("Flows", "flows", TEXT),
			CELL("Bytes sent", "bytesSent", TEXT),
			CELL("Bytes received", "bytesReceived", TEXT),
			CELL("First opened (UTC)", "firstOpened", TIME),
			CELL("Last opened (UTC)", "lastOpened", TIME),
		},
};

/* The three axes are never merged; each word stands beside what backs it. */
static const struct cell axis_cells[] = {
	CELL("Word", "word", TEXT),         CELL("Why", "why", TEXT),
	CELL("Bound", "bound", TEXT),       CELL("Basis", "basis", TEXT),
	CELL("By whom", "claimedBy", TEXT), CELL("Proof", "proof", TEXT),
};

static const struct {
	const char *member, *title;
} axes[] = {
	{"$.whereTlsEnded", "Where TLS ended"},
	{"$.whereDataWasProcessed", "Where data was processed"},
	{"$.whoseLawReachesIt", "Whose law reaches it"},
};

static const struct cell sampling_facts[] = {
	CELL("Sampled", "used", YES),
	CELL("Rule", "rule", TEXT),
	CELL("Share", "probability", TEXT),
	CELL("Threshold", "threshold", TEXT),
	CELL("Actions in all", "population", TEXT),
};

static const struct table sampling_tables[] = {
	{
		.caption = "Seeds",
		.array = "$.epochs",
		.cells = {CELL("Record", "index", LINK), CELL("Epoch", "epoch", TEXT),
			  CELL("Commitment", "commitment", TEXT), CELL("Seed", "seed", TEXT)},
	},
	{
		.caption = "Estimates",
		.array = "$.estimates",
		.cells = {CELL("Outcome", "outcome", TEXT), CELL("Bound", "bound", TEXT),
			  CELL("Shown", "shown", TEXT), CELL("Estimate", "estimate", TEXT),
			  CELL("Standard error", "standardError", TEXT)},
	},
	{
		.caption = "Actions that were not chosen",
		.array = "$.notChosen",
		.cells = {CELL("Index of the verdict", "index", LINK),
			  CELL("Action", "action", TEXT)},
	},
};

static const struct cell ledger_facts[] = {
	CELL("Origin", "origin", TEXT),          CELL("Key it names", "vkey", TEXT),
	CELL("Tree size", "treeSize", TEXT),     CELL("Root hash", "rootHash", TEXT),
	CELL("Selection", "selection", TEXT),    CELL("First index", "firstIndex", TEXT),
	CELL("Last index", "lastIndex", TEXT),   CELL("Records", "recordCount", TEXT),
	CELL("Withheld", "withheldCount", TEXT),
};

/* --- building blocks ----------------------------------------------------------------------------
 */

static unsigned count_cells(const struct table *t)
{
	unsigned n = 0;

	while (t->cells[n].title)
		n++;
	return n;
}

static void pick(struct ww_slice object, const struct cell *cells, unsigned count,
		 struct ww_json_token *ret)
{
	struct ww_slice paths[CELLS_MAX];

	for (unsigned i = 0; i < count; i++)
		paths[i] = cells[i].path;
	ww_member_pick(object, paths, count, ret);
}

/* Facts that the section does not have are left out. */
static void put_facts(struct ww_report_view *v, struct ww_slice section, const struct cell *cells,
		      unsigned count)
{
	struct ww_json_token m[CELLS_MAX];

	pick(section, cells, count, m);
	ww_html_open(&v->h, "dl");
	for (unsigned i = 0; i < count; i++) {
		if (!m[i].raw.p)
			continue;
		ww_html_open(&v->h, "div");
		ww_html_put(&v->h, "dt", NULL, cells[i].title);
		ww_report_value(v, "dd", &m[i], cells[i].how);
		ww_html_close(&v->h);
	}
	ww_html_close(&v->h);
}

#define FACTS(v, section, cells) put_facts(v, section, cells, WW_ARRAY_SIZE(cells))

static void begin_table(struct ww_report_view *v, const char *caption, const struct cell *cells,
			unsigned count)
{
	const char *titles[CELLS_MAX];

	for (unsigned i = 0; i < count; i++)
		titles[i] = cells[i].title;
	ww_report_begin_table(v, "region", caption, titles, count);
}

static void put_bar(struct ww_report_view *v, const char *title, const char *name, uint64_t value,
		    uint64_t total)
{
	const struct ww_svg_bar bar = {
		.title = title, .count = 1, .part = {{name, value}}, .total = total};

	ww_svg_bar(&v->h, &bar);
}

static void put_row(struct ww_report_view *v, const struct table *t, struct ww_slice element,
		    unsigned count, uint64_t total)
{
	struct ww_json_token m[CELLS_MAX];

	pick(element, t->cells, count, m);
	ww_html_open(&v->h, "tr");
	for (unsigned i = 0; i < count; i++) {
		bool drawn = t->bar.n && ww_slice_eq(t->cells[i].path, t->bar);

		if (i == 0) {
			ww_html_open(&v->h, "th");
			ww_html_attr_str(&v->h, "scope", "row");
			ww_report_value(v, "span", &m[i], t->cells[i].how);
			ww_html_close(&v->h);
		} else if (drawn) {
			ww_html_open(&v->h, "td");
			ww_report_value(v, "span", &m[i], t->cells[i].how);
			put_bar(v, "Share of the verdicts", "these", ww_member_u64(&m[i], 0),
				total);
			ww_html_close(&v->h);
		} else {
			ww_report_value(v, "td", &m[i], t->cells[i].how);
		}
	}
	ww_html_close(&v->h);
}

/* total: what the bars of the rows are shares of. */
static void put_table(struct ww_report_view *v, struct ww_slice section, const struct table *t,
		      uint64_t total)
{
	struct ww_json_token token;
	struct ww_slice element;
	struct ww_json j;
	unsigned rows = 0, count = count_cells(t);

	if (ww_report_array(section, t->array, &j)) {
		while (v->h.err == 0 && ww_fields_next(&j, &token, &element) == 1) {
			if (rows++ == 0)
				begin_table(v, t->caption, t->cells, count);
			put_row(v, t, element, count, total);
		}
	}
	if (rows)
		ww_report_end_table(v);
	else if (t->none)
		ww_html_put(&v->h, "p", "note", t->none);
}

void ww_report_section(struct ww_report_view *v, const char *mark, const char *title)
{
	ww_html_raw(&v->h, "\n");
	ww_html_open(&v->h, "section");
	ww_html_attr_str(&v->h, "id", mark);
	ww_html_put(&v->h, "h2", NULL, title);
}

/* --- before the verdicts ------------------------------------------------------------------------
 */

static void put_bytes(struct ww_report_view *v, struct ww_slice coverage)
{
	const struct ww_json_token total = ww_member_get(coverage, "flows.payloadBytes"),
				   accounted = ww_member_get(coverage, "flows.accountedBytes"),
				   unexplained = ww_member_get(coverage, "flows.unexplainedBytes"),
				   unchecked = ww_member_get(coverage, "flows.uncheckedBytes");
	const struct ww_svg_bar bar = {.title = "Payload bytes by what explains them",
				       .count = 3,
				       .part = {{"accounted for", ww_member_u64(&accounted, 0)},
						{"unexplained", ww_member_u64(&unexplained, 0)},
						{"not checked", ww_member_u64(&unchecked, 0)}},
				       .total = ww_member_u64(&total, 0)};

	ww_html_put(&v->h, "h3", NULL, "Bytes on the sockets");
	ww_svg_bar(&v->h, &bar);
	if (bar.total)
		ww_svg_bar_legend(&v->h, &bar);
	FACTS(v, coverage, flow_facts);
}

void ww_report_html_before(struct ww_report_view *v)
{
	const union ww_statement_sections *s = &v->s->sections;
	struct ww_json_token complete = ww_member_get(s->coverage, "complete");

	ww_report_section(v, "completeness", "Completeness");
	ww_html_open(&v->h, "div");
	ww_html_attr_str(&v->h, "class", complete.type == WW_JSON_TRUE ? "box whole" : "box");
	FACTS(v, s->coverage, completeness_facts);
	ww_html_close(&v->h);
	ww_html_put(&v->h, "h3", NULL, "What is listed");
	if (s->selection.n)
		FACTS(v, s->selection, population_facts);
	put_table(v, s->coverage, &losses, 0);
	put_table(v, s->coverage, &scopes, 0);
	put_bytes(v, s->coverage);
	ww_html_close(&v->h);
}

/* --- after the verdicts -------------------------------------------------------------------------
 */

/* The strings of an array, each as an item, or one per line of a block. */
static void put_strings(struct ww_report_view *v, struct ww_json *array, bool lines)
{
	struct ww_json_token t;
	struct ww_slice text;

	ww_html_open(&v->h, lines ? "pre" : "ul");
	while (v->h.err == 0 && ww_fields_next(array, &t, &text) == 1)
		ww_report_value(v, lines ? "code" : "li", &t, WW_REPORT_WHOLE);
	ww_html_close(&v->h);
}

static void put_whole(struct ww_report_view *v, struct ww_slice section, const char *path,
		      const char *element)
{
	const struct ww_json_token t = ww_member_get(section, path);

	if (!ww_member_has(&t))
		return;
	if (strcmp(element, "pre") == 0) {
		ww_html_open(&v->h, "pre");
		ww_report_value(v, "code", &t, WW_REPORT_WHOLE);
		ww_html_close(&v->h);
	} else {
		ww_report_value(v, element, &t, WW_REPORT_WHOLE);
	}
}

static void verify(struct ww_report_view *v)
{
	const struct ww_slice s = v->s->sections.verification;
	struct ww_json commands;

	ww_report_section(v, "verify", "How to check this report");
	ww_html_put(&v->h, "p", NULL, "Take the report out of this page:");
	ww_html_open(&v->h, "pre");
	ww_html_put(&v->h, "code", NULL,
		    "sed -n '/^<template id=\"report\">$/,/^<\\/template>/{//!p}' PAGE > REPORT");
	ww_html_close(&v->h);
	put_whole(v, s, "key", "p");
	put_whole(v, s, "all", "pre");
	if (ww_report_array(s, "$.signatureWithOpenssl", &commands)) {
		ww_html_put(&v->h, "p", NULL, "The signature, with jq and openssl:");
		put_strings(v, &commands, true);
	}
	put_whole(v, s, "treeWithOthers", "p");
	put_whole(v, s, "bundleWithOthers", "p");
	put_whole(v, s, "schema", "p");
	ww_html_put(&v->h, "h3", NULL, "Ledger and digests");
	FACTS(v, v->ledger, ledger_facts);
	ww_html_put(&v->h, "p", NULL, "The signed head of the ledger, a C2SP checkpoint:");
	ww_html_open(&v->h, "pre");
	ww_html_open(&v->h, "code");
	ww_html_attr_str(&v->h, "class", "v");
	ww_html_lines(&v->h, v->s->note);
	ww_html_close(&v->h);
	ww_html_close(&v->h);
	ww_html_close(&v->h);
}

/* word and meaning */
static void wording(struct ww_report_view *v)
{
	struct ww_json_token key, value;
	struct ww_json j;

	ww_html_put(&v->h, "h3", NULL, "What words mean");
	ww_html_open(&v->h, "dl");
	ww_json_init(&j, v->wording);
	if (ww_json_next(&j, &key) != WW_PARSE_DONE)
		v->h.err = -EINVAL;
	while (v->h.err == 0 && ww_json_next(&j, &key) == WW_PARSE_DONE &&
	       key.type == WW_JSON_KEY && ww_json_next(&j, &value) == WW_PARSE_DONE) {
		if (value.type != WW_JSON_STRING) {
			(void)ww_json_skip(&j, &value); /* the document was read before */
			continue;
		}
		key.type = WW_JSON_STRING;
		ww_html_open(&v->h, "div");
		ww_report_value(v, "dt", &key, WW_REPORT_TEXT);
		ww_report_value(v, "dd", &value, WW_REPORT_WHOLE);
		ww_html_close(&v->h);
	}
	ww_html_close(&v->h);
}

static void scope(struct ww_report_view *v)
{
	const union ww_statement_sections *s = &v->s->sections;

	ww_report_section(v, "scope", "Scope and instrument");
	FACTS(v, s->scope, scope_facts);
	FACTS(v, s->period, period_facts);
	if (s->selection.n)
		FACTS(v, s->selection, selection_facts);
	put_table(v, s->summary, &contracts, 0);
	if (s->instrument.n) {
		FACTS(v, s->instrument, instrument_facts);
		put_table(v, s->instrument, &runs, 0);
		put_table(v, s->instrument, &libraries, 0);
		put_table(v, s->instrument, &changes, 0);
	}
	ww_html_close(&v->h);
}

static void jurisdiction(struct ww_report_view *v)
{
	const struct ww_slice s = v->s->sections.jurisdiction;

	if (s.n == 0)
		return;
	ww_report_section(v, "jurisdiction", "Place and law");
	for (size_t i = 0; i < WW_ARRAY_SIZE(axes); i++) {
		struct ww_json_token t;
		struct ww_slice axis;

		if (ww_json_path(s, axes[i].member, &t, &axis) != WW_PARSE_DONE ||
		    t.type != WW_JSON_OBJECT)
			continue;
		ww_html_put(&v->h, "h3", NULL, axes[i].title);
		FACTS(v, axis, axis_cells);
	}
	ww_html_close(&v->h);
}

void ww_report_html_after(struct ww_report_view *v)
{
	const union ww_statement_sections *s = &v->s->sections;
	struct ww_json limits;

	verify(v);
	ww_report_section(v, "limits", "Limits");
	if (ww_fields_array(v->limits, &limits) == 0)
		put_strings(v, &limits, false);
	wording(v);
	ww_html_close(&v->h);
	scope(v);
	if (s->destinations.n) {
		ww_report_section(v, "destinations", "Destinations");
		FACTS(v, s->destinations, destination_facts);
		put_table(v, s->destinations, &destinations, 0);
		ww_html_close(&v->h);
	}
	jurisdiction(v);
	if (s->sampling.n) {
		ww_report_section(v, "sampling", "Sampling");
		FACTS(v, s->sampling, sampling_facts);
		for (size_t i = 0; i < WW_ARRAY_SIZE(sampling_tables); i++)
			put_table(v, s->sampling, &sampling_tables[i], 0);
		ww_html_close(&v->h);
	}
}

void ww_report_html_summary(struct ww_report_view *v)
{
	const struct ww_slice s = v->s->sections.summary;
	const struct ww_json_token total = ww_member_get(s, "verdicts");

	FACTS(v, s, unverifiable_facts);
	put_table(v, s, &reasons, 0);
	put_table(v, s, &by_verdict, ww_member_u64(&total, 0));
	put_table(v, s, &findings, 0);
}

void ww_report_html_path_summary(struct ww_report_view *v)
{
	const struct ww_slice s = v->s->sections.paths;
	const struct ww_json_token total = ww_member_get(s, "paths");

	FACTS(v, s, path_facts);
	put_table(v, s, &path_reasons, 0);
	put_table(v, s, &path_verdicts, ww_member_u64(&total, 0));
	put_table(v, s, &path_findings, 0);
	put_table(v, s, &path_policies, 0);
}
