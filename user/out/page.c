/* SPDX-License-Identifier: Apache-2.0 */
#include "out/page.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include <wirewitness/limits.h>

#include "base/json_write.h"
#include "ledger/fields.h"
#include "ledger/wording.h"
#include "out/line.h"
#include "out/table.h"
#include "out/template.h"

#define SECTION_BYTES_MAX (1u << 16) /* of what wording.h writes */

enum source {
	SCOPE,
	PERIOD,
	COVERAGE,
	SUMMARY,
	PATHS,
	DESTINATIONS,
	REPORT,
	WORDING,
	VERDICT_TABLE,
	PATH_TABLE,
	FINDING_TABLE
};

/* A step is a pattern over a section, or over each element of an array in it. */
static const struct step {
	enum source from;
	const char *each; /* NULL: the section itself */
	const char *pattern;
	const char *none; /* for an empty array */
} steps[] = {
	{REPORT, NULL,
	 "WIREWITNESS REPORT   {&createdAt} UTC\n"
	 "A view of {file}; the signed file is the record.\n",
	 NULL},

	{REPORT, NULL,
	 "\n1. SCOPE\n"
	 "   Ledger     {origin}: {treeSize} records, root {rootHash}\n"
	 "   Key        {vkey}\n"
	 "   Listed     {recordCount} records, {selection}, indexes {firstIndex} to {lastIndex}\n",
	 NULL},
	{SCOPE, NULL,
	 "              {listed}\n[   Filter     {filter}\n]"
	 "[   Tape       {tape}, which ended {tapeEnd}: its events were replayed, nobody watched "
	 "for "
	 "this ledger\n]"
	 "   Host       {host}, kernel {kernel}, {machine}, boot {bootId} (as the monitor "
	 "recorded)\n"
	 "   Made by    {reportVersion}, asked for by {requestedBy}\n",
	 NULL},
	{PERIOD, NULL, "   Period     {&from} to {&to} UTC, by the times of the records\n", NULL},
	{SUMMARY, "contracts", "   Contracts  {digest} ({count} verdicts)\n",
	 "   Contracts  none: no verdict in the report\n"},

	{COVERAGE, NULL,
	 "\n2. COVERAGE AND LOSS (over {basis})\n"
	 "   All seen, nothing lost: {?complete}\n"
	 "   A scope's gaps, losses, bytes beyond the capture cap, processes with unreadable TLS, "
	 "local\n"
	 "   peers outside and raw sockets are named where there are any.\n",
	 NULL},
	{COVERAGE, "scopes",
	 "   Scope {path}\n"
	 "      all seen: {?complete} · all kinds of sockets and all processes: "
	 "{?allSocketsAndProcesses}[ · gaps {gaps}][ · lost events {lostEvents}]"
	 "[ · lost bytes {lostBytes}][ · bytes beyond the cap {beyondCapBytes}]"
	 "[ · processes with unreadable TLS {opaqueProcesses}][ · unix peers {unixPeers}]"
	 "[ · loopback peers {loopbackPeers}][ · raw sockets {rawSockets}]\n",
	 "   No scope has a coverage record in this period: nothing follows from what was not "
	 "seen\n"},
	{COVERAGE, "losses", "   Lost       {cause}: {events} events, {bytes} bytes\n",
	 "   Lost       no loss record\n"},
	{COVERAGE, NULL,
	 "   Bytes      {flows.count} flows ({flows.tls} TLS, {flows.unbound} of them not bound to "
	 "content): {flows.payloadBytes} payload bytes,\n"
	 "              {flows.accountedBytes} accounted for, {flows.unexplainedBytes} "
	 "unexplained, "
	 "{flows.uncheckedBytes} not checked; {flows.lostBytes} plaintext bytes lost\n"
	 "   Monitor    starts in the period: {monitorStarts}, stops: {monitorStops}\n"
	 "   Libraries  probes set in {probesAttached} files, {librariesIdentified} known by "
	 "digest, "
	 "{librariesUnidentified} not\n",
	 NULL},

	{SUMMARY, NULL,
	 "\n3. VERDICTS\n"
	 "   {verdicts} verdicts[, {superseded} more superseded by later ones]\n"
	 "[   {reevaluated} of them judged again under other contracts: these are not the first "
	 "verdicts\n]"
	 "   UNVERIFIABLE: {unverifiable.count} of {verdicts}[ ({unverifiable.share})]\n",
	 NULL},
	{REPORT, NULL,
	 "[   {verdictsErased} more have no content any more: what they said is not known here\n]",
	 NULL},
	{SUMMARY, "unverifiable.reasons", "      {count:6} {reason:22} {meaning}\n", NULL},
	{SUMMARY, "byVerdict", "   {verdict:26} {count:6} {meaning}\n", NULL},
	{VERDICT_TABLE, NULL, NULL, NULL},
	{REPORT, NULL, "[   and {verdictsNotShown} more in the signed file\n]", NULL},

	{PATHS, NULL,
	 "\n4. PATHS: where prompts went, up to the horizon of this host\n"
	 "   {paths} paths[, {superseded} earlier revisions of them]\n"
	 "   UNVERIFIABLE: {unverifiable.count} of {paths}[ ({unverifiable.share})]\n",
	 NULL},
	{PATHS, "unverifiable.reasons", "      {count:6} {reason:22} [{meaning}]\n", NULL},
	{PATHS, "byVerdict", "   {verdict:26} {count:6} [{meaning}]\n", NULL},
	{PATHS, NULL,
	 "   Legs       {legs.count}: for {legs.listedRegion} of them a table listed a region, for "
	 "{legs.processingClaimed} somebody\n"
	 "              claimed where data was processed, for {legs.homeDeclared} the operator's "
	 "home is declared; for "
	 "{legs.distanceBounded} a round trip was\n"
	 "              measured that bounds the distance, for {legs.areasExcluded} areas are "
	 "excluded under the hard bound\n"
	 "[   Crossings  {crossings} connections on which a peer that the policy does not allow "
	 "acknowledged payload\n]"
	 "[   Guard      {guardDecisions} decisions\n]",
	 NULL},
	{PATHS, "policies", "   Policy     {digest} ({count} paths)\n", NULL},
	{PATHS, "findings", "   {finding:26} {count:6} {meaning}\n", NULL},
	{PATH_TABLE, NULL, NULL, NULL},
	{REPORT, NULL, "[   and {pathsNotShown} more in the signed file\n]", NULL},
	{DESTINATIONS, "list", "[   Listed     {address}: {quoted.listed}\n]", NULL},

	{REPORT, NULL, "\n5. FINDINGS (on input; those of paths are in 4)\n", NULL},
	{SUMMARY, "findings", "   {finding}: {count}\n", "   none\n"},
	{FINDING_TABLE, NULL, NULL, NULL},
	{REPORT, NULL, "[   and {findingsNotShown} more in the signed file\n]", NULL},

	{REPORT, NULL, "\n6. LIMITS\n", NULL},
	{WORDING, "limits", "   - {text}\n", NULL},

	{REPORT, NULL,
	 "\n7. HOW TO VERIFY\n"
	 "   Take the key from a source you trust, not from this page:\n"
	 "      wirewitness-verify --key-file vkey {file}\n"
	 "   The signature, with tools of others:\n"
	 "      jq -r .payload {file} | base64 -d > payload.json\n"
	 "      jq -r '.signatures | first | .sig' {file} | base64 -d > sig.bin\n"
	 "      (printf 'DSSEv1 28 application/vnd.in-toto+json %s ' $(wc -c < payload.json)\n"
	 "       cat payload.json) > signed.bin\n"
	 "      (printf '\\060\\052\\060\\005\\006\\003\\053\\145\\160\\003\\041\\000'\n"
	 "       cut -d+ -f3- vkey | base64 -d | tail -c 32) > key.der\n"
	 "      openssl pkeyutl -verify -rawin -pubin -keyform DER -inkey key.der \\\n"
	 "         -in signed.bin -sigfile sig.bin\n"
	 "   The tree: .predicate.checkpoint is a C2SP signed note, the leaves and proofs are "
	 "those of\n"
	 "   RFC 6962; Go's x/mod (sumdb/note, sumdb/tlog) reads both. A record's leaf holds the\n"
	 "   SHA-256 of its salt and its text.\n",
	 NULL},
};

const char *ww_page_pattern(unsigned i)
{
	if (i < WW_ARRAY_SIZE(steps))
		return steps[i].pattern ? steps[i].pattern : "";
	i -= WW_ARRAY_SIZE(steps);
	if (i < WW_ARRAY_SIZE(steps))
		return steps[i].none ? steps[i].none : "";
	return NULL;
}

/* --- sections -----------------------------------------------------------------------------------
 */

/* Renders each element; strings become {"text": ...} so that patterns can name them. */
static int render_each(const struct step *s, struct ww_slice array, struct ww_buf *out)
{
	WW_AUTO_BUF struct ww_buf element;
	struct ww_json_token t;
	struct ww_slice text;
	struct ww_json j;
	unsigned count = 0;
	int r;

	ww_buf_init(&element, WW_RECORD_BYTES_MAX);
	r = ww_fields_array(array, &j);
	if (r < 0)
		return r;
	while ((r = ww_fields_next(&j, &t, &text)) == 1) {
		if (t.type == WW_JSON_STRING) {
			struct ww_jsonw w;

			ww_buf_clear(&element);
			ww_jsonw_init(&w, &element);
			ww_jsonw_object(&w, NULL);
			ww_jsonw_raw(&w, "text", text);
			ww_jsonw_end_object(&w);
			text = ww_buf_slice(&element);
		}
		r = ww_template_render(s->pattern, text, false, out);
		if (r < 0)
			return r;
		count++;
	}
	if (r == 0 && count == 0 && s->none)
		r = ww_buf_add(out, s->none, strlen(s->none));
	return r;
}

static int render_section(const struct step *s, struct ww_slice section, struct ww_buf *out)
{
	char path[64];
	struct ww_json_token t;
	struct ww_slice array;

	if (!s->each)
		return ww_template_render(s->pattern, section, false, out);
	snprintf(path, sizeof(path), "$.%s", s->each);
	if (ww_json_path(section, path, &t, &array) != WW_PARSE_DONE || t.type != WW_JSON_ARRAY)
		return -EINVAL;
	return render_each(s, array, out);
}

static int render_wording(const struct step *s, struct ww_buf *out)
{
	WW_AUTO_BUF struct ww_buf section;
	struct ww_jsonw w;

	ww_buf_init(&section, SECTION_BYTES_MAX);
	ww_jsonw_init(&w, &section);
	ww_jsonw_object(&w, NULL);
	ww_wording_write(&w);
	ww_jsonw_end_object(&w);
	return ww_jsonw_ok(&w) ? render_section(s, ww_buf_slice(&section), out) : w.err;
}

/* --- tables -------------------------------------------------------------------------------------
 */

static const struct ww_table_column verdict_columns[] = {
	{"   INDEX", 0, true},      {"VERDICT", 0, false}, {"TOOL", 28, false},
	{"SAID", 22, false},        {"SPAN", 0, false},    {"WIRE", 40, false},
	{"DESTINATION", 32, false}, {"JOIN", 0, false},    {"ID", 0, false},
};
static const char *const verdict_cells[] = {
	"{verdict}[ ({reason})]",
	"{tool}",
	WW_LINE_SAID,
	WW_LINE_SPAN,
	WW_LINE_WIRE,
	"{wire.destination|wire.peer|wire.undecoded.destination|wire.undecoded.peer}",
	"{join}[ n={n}]",
	"{id}",
};

static const struct ww_table_column finding_columns[] = {{"   INDEX", 0, true},
							 {"FINDING", 0, false},
							 {"ABOUT", 0, false},
							 {"TIME (UTC)", 0, false}};
static const char *const finding_cells[] = {"{finding}", "{id}", "{&t}"};

struct sink {
	struct ww_buf *out;
	int error;
};

static void write_lines(void *ctx, struct ww_slice lines)
{
	struct sink *s = ctx;

	if (s->error == 0)
		s->error = ww_buf_add(s->out, lines.p, lines.n);
}

static int add_row(struct ww_table *t, uint64_t index, struct ww_slice record,
		   const char *const *cells, unsigned count)
{
	WW_AUTO_BUF struct ww_buf cell;
	char number[32];
	int r;

	ww_buf_init(&cell, WW_RECORD_BYTES_MAX);
	snprintf(number, sizeof(number), "   %" PRIu64, index);
	r = ww_table_cell(t, ww_slice_str(number), "");
	for (unsigned i = 0; r == 0 && i < count; i++) {
		ww_buf_clear(&cell);
		r = ww_template_render(cells[i], record, false, &cell);
		if (r == 0)
			r = ww_table_cell(t, ww_buf_slice(&cell), "");
	}
	return r;
}

static const struct ww_table_column path_columns[] = {
	{"   INDEX", 0, true}, {"TIME (UTC)", 0, false}, {"VERDICT", 0, false},
	{"AGENT", 20, false},  {"LEGS", 0, true},        {"TO", 40, false},
	{"LISTED", 32, false}, {"CLAIMED", 24, false},   {"JOIN", 0, false},
	{"ID", 0, false},
};
static const char *const path_cells[] = {
	"{&t}",           "{verdict}[ ({reason})]",        "{agent|program}",       "{legsTotal}",
	"[{legs.peer+}]", "[{legs.place.labels.region+}]", "[{legs.claims.says+}]", "{join}",
	"{id}",
};

struct rows {
	const uint64_t *indexes;
	size_t count, max;
	const struct ww_table_column *columns;
	unsigned column_count;
	const char *const *cells;
};

static struct rows rows_of(const struct ww_page_input *in, enum source from)
{
	switch (from) {
	case VERDICT_TABLE:
		return (struct rows){in->verdicts,
				     in->verdict_count,
				     WW_PAGE_VERDICTS_MAX,
				     verdict_columns,
				     WW_ARRAY_SIZE(verdict_columns),
				     verdict_cells};
	case PATH_TABLE:
		return (struct rows){in->path_rows,
				     in->path_count,
				     WW_PAGE_PATHS_MAX,
				     path_columns,
				     WW_ARRAY_SIZE(path_columns),
				     path_cells};
	default:
		return (struct rows){in->findings,
				     in->finding_count,
				     WW_PAGE_FINDINGS_MAX,
				     finding_columns,
				     WW_ARRAY_SIZE(finding_columns),
				     finding_cells};
	}
}

static int render_table(const struct ww_page_input *in, enum source from, struct ww_buf *out)
{
	const struct rows rows = rows_of(in, from);
	WW_AUTO(ww_table_free_auto) struct ww_table *t = NULL;
	struct sink sink = {.out = out};
	int r;

	if (rows.count == 0)
		return 0;
	r = ww_buf_add(out, "\n", 1);
	if (r == 0)
		r = ww_table_new(rows.columns, rows.column_count, 0, write_lines, &sink, &t);
	for (size_t i = 0; r == 0 && i < rows.count && i < rows.max; i++) {
		struct ww_slice json;

		r = in->record(in->ctx, rows.indexes[i], &json);
		if (r == 0)
			r = add_row(t, rows.indexes[i], json, rows.cells, rows.column_count - 1);
	}
	if (r == 0)
		r = ww_table_end(t);
	return r < 0 ? r : sink.error;
}

int ww_page_add(const struct ww_page_input *in, struct ww_buf *out)
{
	const struct ww_slice sections[] = {
		[SCOPE] = in->scope,     [PERIOD] = in->period, [COVERAGE] = in->coverage,
		[SUMMARY] = in->summary, [PATHS] = in->paths,   [DESTINATIONS] = in->destinations,
		[REPORT] = in->report,
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < WW_ARRAY_SIZE(steps); i++) {
		switch (steps[i].from) {
		case WORDING:
			r = render_wording(&steps[i], out);
			break;
		case VERDICT_TABLE:
		case PATH_TABLE:
		case FINDING_TABLE:
			r = render_table(in, steps[i].from, out);
			break;
		default:
			r = render_section(&steps[i], sections[steps[i].from], out);
		}
	}
	return r;
}
