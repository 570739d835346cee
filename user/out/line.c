/* SPDX-License-Identifier: Apache-2.0 */
#include "out/line.h"

#include <errno.h>

#include <wirewitness/record.h>

#include "out/member.h"
#include "out/template.h"

/* One row per kind: X(enum suffix, quiet, pattern). Every record ends with its id, for `show`. */
#define LINES(X)                                                                                   \
	X(LIFE, false, "{event:16}[  {text}][  version {version}]  {id}")                          \
	X(ACTOR, true, "{comm:16}  {exe}  uid {uid}[  exit code {exitCode}]  {id}")                \
	X(FLOW, true,                                                                              \
	  "{proto:5} {local} → {peer}[  {tls.sni}][  {carries.protocol}]"                        \
	  "[  quic {quic.version}][ {quic.sni}]"                                                   \
	  "[  named {dns.names.name+}][  binding {tls.bind}]  "                                    \
	  "out {account.out.payload} in {account.in.payload} bytes[  "                             \
	  "unexplained out {account.out.remainder}][  unexplained in {account.in.remainder}]  "    \
	  "{close}[  listed: {where.summary}]  {id}")                                              \
	X(EXCHANGE, false,                                                                         \
	  "{method|webSocket.type:6} {path|webSocket.from}  {status|outcome}"                      \
	  "[ Retry-After {retryAfterS}]  "                                                         \
	  "[{authority|sni} ]{peer}[  {request.firstBootNs~response.lastBootNs}]"                  \
	  "[  {findings+}]  {id}")                                                                 \
	X(MODEL_CALL, false,                                                                       \
	  "{provider}  {modelServed|modelAsked}[  {status}][  error {errorType}][  stop "          \
	  "{stopReason}][  tokens in {usage.input}][ out {usage.output}][  calls "                 \
	  "{toolCalls.name+}][  shown results of {toolResults.id+}][  {findings+}]  {id}")         \
	X(MCP_CALL, false,                                                                         \
	  "{tool}  {answer}[ {errorCode}][  arguments {arguments.bytes}][  result "                \
	  "{result.bytes}]  {id}")                                                                 \
	X(RUN, false,                                                                              \
	  "{exe}  {end}[ with {exitCode}][ by signal {signal}][  {beganBootNs~endedBootNs}]  "     \
	  "by {actor}  {id}")                                                                      \
	X(CHANGE, false, "{files+}  {what+}  by {actor}  {id}")                                    \
	X(ATTESTATION, false,                                                                      \
	  "[{outcome}  {tool}  ][{path}  ]attested by {attester} at {attestedAt}[  of {action}]"   \
	  "[  claimed region {says.region}][  claimed operator {says.operator}]  {id}")            \
	X(LOOKUP, true,                                                                            \
	  "{name} {type}  {rcode|end}[  {answers.address+}]  from {server}"                        \
	  "[  {askedBootNs~answeredBootNs}]  by {actor}  {id}")                                    \
	X(PATH, false,                                                                             \
	  "{!verdict:12}[ ({reason})]  legs {legsTotal}[  agent {agent}][  to {legs.peer+}]"       \
	  "[  listed {legs.place.labels.region+}][  claimed {legs.claims.says+}]"                  \
	  "[  {findings.finding+}]  evidence {evidence}  join {join}  {id}")                       \
	X(CROSSING, false,                                                                         \
	  "{findings+}  {peer}[  {names+}][  listed {place.labels.region+}]"                       \
	  "[  declared law {place.labels.home+}]  {payloadBytesAcked} payload bytes "              \
	  "({requestAcked})[  agent {agent}]  by {actor}  evidence {evidence}  {flow}  {id}")      \
	X(GUARD, false,                                                                            \
	  "{mode}  {proto} {peer} at {hook}[  {attempts} times]  by {why}[ {rule}][  in {prefix}]" \
	  "[  agent {agent}][  {actor}][  {program}]  {id}")                                       \
	X(SPAN, true,                                                                              \
	  "{name}  {role} {!status}[  tool {tool}][  call {toolCallId}][  service {service}]  "    \
	  "{id}")                                                                                  \
	X(ACTION, true,                                                                            \
	  "{tool}[  call {toolCallId}][  effect {effect}]  said " WW_LINE_SAID                     \
	  " · span " WW_LINE_SPAN " · wire " WW_LINE_WIRE "  {id}")                                \
	X(VERDICT, false,                                                                          \
	  "{!verdict:12}[ ({reason})]  {tool}  said " WW_LINE_SAID " · span " WW_LINE_SPAN         \
	  " · wire " WW_LINE_WIRE "[ · attested " WW_LINE_ATTESTED "]"                             \
	  "[  {wire.destination|wire.undecoded.destination}]"                                      \
	  "[  {wire.peer|wire.undecoded.peer}]  join {join}[ n={n}]  {id}")                        \
	X(COVERAGE, true,                                                                          \
	  "{path}  lost {lostEvents} events, {lostBytes} bytes[  marks {marksTotal}]"              \
	  "[, first: {marks.detail}]  {id}")                                                       \
	X(LOSS, false, "{cause}: {events} events, {bytes} bytes  {id}")                            \
	X(FINDING, false, "{finding}  on {id}")                                                    \
	X(KEY_ROTATION, false, "new key {newKey}  instead of {oldKey}  {id}")                      \
	X(PRUNE, false,                                                                            \
	  "{records} records of before {cutoff}, of {first} to {last}: {kinds+}  by {by}  {id}")   \
	X(REPORT, false, "signed over {entry.spec.dsseV002.payloadHash.digest}  {id}")

#define TEXT_OF(n, v, t, d) [WW_RECORD_##n] = t,
static const char *const kinds[WW_RECORD_MAX] = {WW_RECORD_KINDS(TEXT_OF)};

#define LINE_OF(n, quiet_, pattern_) [WW_RECORD_##n] = {quiet_, pattern_},
static const struct {
	bool quiet;
	const char *pattern;
} lines[WW_RECORD_MAX] = {LINES(LINE_OF)};

static enum ww_record_kind kind_of(struct ww_slice text)
{
	for (unsigned k = 1; k < WW_RECORD_MAX; k++) {
		if (kinds[k] && ww_slice_eq_str(text, kinds[k]))
			return k;
	}
	return WW_RECORD_MAX;
}

const char *ww_line_template(struct ww_slice kind)
{
	enum ww_record_kind k = kind_of(kind);

	return k < WW_RECORD_MAX ? lines[k].pattern : NULL;
}

bool ww_line_quiet(struct ww_slice kind)
{
	enum ww_record_kind k = kind_of(kind);

	return k < WW_RECORD_MAX && lines[k].quiet;
}

static int add_text(struct ww_buf *out, const char *s)
{
	return ww_buf_add(out, s, strlen(s));
}

/* "VERDICT   ", in the colour of the kind. */
static int add_kind(const char *kind, bool colour, struct ww_buf *out)
{
	const char *tone = colour ? ww_template_tone(ww_slice_str(kind)) : "";
	int r = add_text(out, tone);
	size_t n = 0;

	for (; r == 0 && kind[n]; n++) {
		char c = kind[n] == '_' ? ' ' : (char)(kind[n] - (kind[n] >= 'a' ? 32 : 0));

		r = ww_buf_add(out, &c, 1);
	}
	if (r == 0 && *tone)
		r = add_text(out, WW_TEMPLATE_TONE_END);
	for (; r == 0 && n < 10; n++)
		r = ww_buf_add(out, " ", 1);
	return r == 0 ? add_text(out, "  ") : r;
}

int ww_line_add(struct ww_slice record, unsigned flags, struct ww_buf *out)
{
	static const char cut[] = WW_TEMPLATE_TONE_END "…";
	const char *time = flags & WW_LINE_DATED ? "{&t:23}  " : "{@t:12}  ";
	const struct ww_slice key = WW_SLICE_LIT("kind");
	bool colour = flags & WW_LINE_COLOUR;
	struct ww_json_token kind;
	WW_AUTO_BUF struct ww_buf line;
	enum ww_record_kind k;
	int r;

	ww_buf_init(&line, WW_LINE_BYTES_MAX - sizeof(cut));
	if (!ww_member_pick(record, &key, 1, &kind)) {
		r = add_text(&line, "unreadable record");
	} else {
		k = kind_of(kind.raw);
		r = ww_template_render(time, record, colour, &line);
		if (r == 0 && k < WW_RECORD_MAX)
			r = add_kind(kinds[k], colour, &line);
		if (r == 0)
			r = ww_template_render(k < WW_RECORD_MAX ? lines[k].pattern
								 : "{kind}  {id}",
					       record, colour, &line);
	}
	while (line.n > 0 && line.p[line.n - 1] == ' ')
		line.n--;
	if (r == -EMSGSIZE) {
		line.max = WW_LINE_BYTES_MAX;
		r = add_text(&line, colour ? cut : cut + sizeof(WW_TEMPLATE_TONE_END) - 1);
	}
	return r == 0 ? ww_buf_add(out, line.p, line.n) : r;
}

#define PENDING                                                                            \
	"{@t:12}  PENDING     {tool}[  call {toolCallId}]  said " WW_LINE_SAID             \
	" · span {span.status}[  until {@deadline}][ ({waitsFor})][  part of {partOf}]  " \
	"{action}"

int ww_line_pending(struct ww_slice pending, unsigned flags, struct ww_buf *out)
{
	WW_AUTO_BUF struct ww_buf line = {0};
	int r;

	ww_buf_init(&line, WW_LINE_BYTES_MAX);
	r = ww_template_render(PENDING, pending, flags & WW_LINE_COLOUR, &line);
	if (r < 0 && r != -EMSGSIZE) /* what fits is shown */
		return r;
	return ww_buf_add(out, line.p, line.n);
}
