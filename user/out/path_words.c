/* SPDX-License-Identifier: Apache-2.0 */
#include "out/path_words.h"

#include "base/own.h"

static const struct ww_path_word verdicts[] = {
	{"WITHIN_POLICY_TO_HORIZON",
	 "every leg that was seen went where the policy allows, by what tables list of the peers; "
	 "behind the horizon nothing is known",
	 NULL},
	{"VIOLATION",
	 "a peer outside of what the policy allows acknowledged bytes of the prompt, whatever was "
	 "answered",
	 NULL},
	{"CLAIM_CONTRADICTED",
	 "the region that the application claimed is another one than tables list for the peer "
	 "that acknowledged the bytes",
	 "a table row or a configuration of the application that is put right: both cannot be "
	 "true"},
	{"UNVERIFIABLE", "whether the policy held cannot be told; the reason says why", NULL},
	{"NOT_APPLICABLE",
	 "no policy, or no rule of it, is about this agent: what was seen is not judged",
	 "a rule for this agent in the policy file"},
};

static const struct ww_path_word reasons[] = {
	{"COVERAGE_GAP", "not every socket or process was covered for the whole time",
	 "a monitor that runs before the agent does, and until it ends"},
	{"EVENT_LOSS", "events that touch this agent were lost", "the same again without a loss"},
	{"TLS_OPAQUE", "the content of a connection could not be read",
	 "a TLS library that can be read in this process: whether the prompt was in it could be "
	 "told"},
	{"PLAINTEXT_INCOMPLETE", "bytes of a connection have no explanation",
	 "a byte account that closes"},
	{"REMOTE_EXECUTOR",
	 "a gateway on this host took the bytes on, and its own way was not seen",
	 "the gateway inside a watched scope, and trace context that it hands on"},
	{"SHARED_CONNECTION", "bytes of several requests on one connection cannot be told apart",
	 NULL},
	{"CLOCK_UNBOUNDED", "times of spans and of the kernel cannot be compared", NULL},
	{"ACTOR_UNRESOLVED", "whose process it was is not known", NULL},
	{"NO_CONTRACT", "no table lists the peer, so the policy cannot be held against it",
	 "a table with this network (wirewitness tables import), or a row that the operator's "
	 "contract gives"},
	{"TAMPER_SUSPECT", "the monitor or its ledger was interfered with", NULL},
	{"AMBIGUOUS_JOIN", "several requests could be the one that carried it on; none was picked",
	 "trace context (traceparent) that the gateway hands on"},
	{"LABEL_AMBIGUOUS", "tables list several regions for the peer, and they differ",
	 "a table that is more exact about this network"},
	{"LABEL_IMPOSSIBLE",
	 "what tables list of the peer cannot be true for this connection: light was measured to "
	 "need longer",
	 "a newer table: the network is used elsewhere, or by several responders"},
	{"OUTCOME_UNKNOWN",
	 "whether bytes were acknowledged where the policy does not allow it was not seen", NULL},
	{"BODY_UNKNOWN", "the request's body was not seen whole", NULL},
};

static const struct ww_path_word findings[] = {
	{"OUT_OF_REGION", "tables list the peer in a region that the policy does not allow", NULL},
	{"OUT_OF_HOME",
	 "the operator's home, as declared, is one that the policy does not allow: its law reaches "
	 "the operator",
	 NULL},
	{"FAILOVER_LEG", "the same request went to another destination after the first one failed",
	 NULL},
	{"DISCLOSED_ON_FAILED_LEG",
	 "the peer acknowledged bytes of the prompt although the request failed", NULL},
	{"DERIVED_COPY", "pieces of the prompt were found again in what was sent here", NULL},
	{"SIZE_ONLY_COPY",
	 "what was sent here could not be read; its size allows a copy of the prompt, and nothing "
	 "more is known",
	 "content that can be read: fingerprints would tell whether the prompt is in it"},
	{"AUTHORITY_SNI_MISMATCH",
	 "the name in the request is another one than that in the TLS hello: whom the peer asked "
	 "on is open",
	 NULL},
	{"UNLISTED_DESTINATION", "no table lists this peer",
	 "a table with this network (wirewitness tables import)"},
	{"LABEL_AMBIGUOUS", "tables list several regions for this peer, or a region that is none",
	 "a table that is more exact about this network"},
	{"LABEL_IMPOSSIBLE",
	 "a region that a table lists is farther away than light allows for the round trip that "
	 "was measured",
	 "a newer table"},
	{"PROXIED_HORIZON",
	 "the peer is a proxy or a tunnel, or has an address of this host or of a private range: "
	 "the distance to it says nothing about where it sends on",
	 "the gateway inside a watched scope, and trace context that it hands on"},
	{"CONNECT_BY_IP", "no DNS answer that was seen names this address", NULL},
	{"ECH_PRESENT", "the TLS hello hides the name that was asked for (ECH)", NULL},
	{"REGION_CLAIM_DIFFERS",
	 "a region was claimed for this leg that differs from what tables list for the peer", NULL},
	{"ATTESTED_ELSEWHERE",
	 "an attester signed that the request was processed in another region than tables list for "
	 "the peer: no part of what was seen here, and no part of the verdict",
	 NULL},
	{"ATTESTED_OUT_OF_REGION",
	 "an attester signed that the request was processed in a region that the policy does not "
	 "allow: no part of what was seen here, and no part of the verdict",
	 NULL},
};

static const struct ww_path_word purposes[] = {
	{"inference", "carried the prompt to a model", NULL},
	{"derived", "carried pieces of the prompt to something else", NULL},
	{"dns", "asked for an address; a resolver learned the name, not the prompt", NULL},
	{"attempt", "was connected beside it and carried no payload", NULL},
};

static const struct ww_path_word causes[] = {
	{"first", "the first", NULL},
	{"turn", "the conversation went on", NULL},
	{"retry", "again, after a failure", NULL},
	{"failover", "to another destination after a failure", NULL},
	{"hedge", "while another one was still open", NULL},
	{"redirect", "the answer before sent it here", NULL},
	{"gateway", "a process on this host sent it on", NULL},
	{"copy", "what was derived from the prompt", NULL},
};

static const struct ww_path_word outcomes[] = {
	{"complete", "answered", NULL},
	{"no-reply", "no answer", NULL},
	{"reset", "reset by the peer", NULL},
	{"cut-short", "the answer broke off", NULL},
	{"request-cut", "the request broke off", NULL},
	{"upgraded", "went on as another protocol", NULL},
	{"message", "one message", NULL},
	{"message-cut", "one message, which broke off", NULL},
	{"unparsed", "not readable", NULL},
	{"open", "still open", NULL},
	{"refused", "refused: no connection", NULL},
	{"attempt", "connected, nothing was sent", NULL},
};

static const struct ww_path_word ends[] = {
	{"tls-terminator", "TLS ended at this peer: what it did with the bytes is not known here",
	 "records of the operator there, signed and imported (wirewitness attest import): they "
	 "stand in "
	 "a column of their own"},
	{"proxy", "the peer is a proxy or tunnel: where it sent the bytes on is not known here",
	 "its own records"},
	{"gateway", "a peer on this host or in a private range: where it sends on was not seen",
	 "the gateway inside a watched scope, and trace context that it hands on"},
	{"host", "a process on this host that was seen to send nothing on", NULL},
	{"plain", "sent without TLS: everybody on the way could read it", NULL},
	{"resolver", "a resolver: whom it asked on is not known here", NULL},
};

static const struct ww_path_word acked[] = {
	{"all", "all of it acknowledged by the peer, or answered", NULL},
	{"atLeast", "at least this much of it acknowledged by the peer", NULL},
	{"sent", "sent as datagrams: nothing acknowledges them", NULL},
	{"unknown", "how much of it was acknowledged is not known", NULL},
};

static const struct ww_path_word opaque[] = {
	{"tls", "TLS of a library that is not read", NULL},
	{"quic", "QUIC, which is counted and not read", NULL},
	{"udp", "datagrams that are counted and not read", NULL},
	{"plain", "no TLS, and no protocol that is read", NULL},
	{"cut", "read in part", NULL},
	{"account", "bytes that have no explanation", NULL},
	{"field", "read, but for a field of a request's head that has room for a copy", NULL},
	{"short", "read, but the prompt is too short to be found again in it", NULL},
	{"local", "to another process on this host, which may send it on", NULL},
};

static const struct ww_path_word standings[] = {
	{"allowed", "as the policy allows", NULL},
	{"forbidden", "NOT as the policy allows", NULL},
	{"mixed", "allowed by one table and not by another", NULL},
	{"unlisted", "in no table", NULL},
	{"not-asked", "not limited by the policy", NULL},
};

static const struct ww_path_word unbound[] = {
	{"loopback", "the peer is this host itself: its round trip is no distance", NULL},
	{"proxy", "a proxy answers: the distance to it is not that to the service", NULL},
	{"unmeasured", "no round trip was measured on this connection", NULL},
};

static const struct ww_path_word bases[] = {
	{"published", "a list that the operator publishes", NULL},
	{"database", "a database of somebody else", NULL},
	{"contract", "a contract that the monitor's owner declares", NULL},
	{"provider-doc", "a provider's documentation, as the monitor's owner declares", NULL},
	{"measured", "a measurement, as the monitor's owner declares", NULL},
};

static const struct ww_path_word bys[] = {
	{"peer", "the peer", NULL},
	{"request", "the client's own request, a wish", NULL},
	{"host", "the name that the client called", NULL},
	{"span", "the application's span", NULL},
};

#define SET(rows)                         \
	{                                 \
		rows, WW_ARRAY_SIZE(rows) \
	}

static const struct {
	const struct ww_path_word *rows;
	unsigned count;
} sets[WW_PATH_SETS] = {
	[WW_PATH_VERDICT] = SET(verdicts), [WW_PATH_REASON] = SET(reasons),
	[WW_PATH_FINDING] = SET(findings), [WW_PATH_PURPOSE] = SET(purposes),
	[WW_PATH_CAUSE] = SET(causes),     [WW_PATH_OUTCOME] = SET(outcomes),
	[WW_PATH_ENDS] = SET(ends),        [WW_PATH_ACKED] = SET(acked),
	[WW_PATH_OPAQUE] = SET(opaque),    [WW_PATH_STANDING] = SET(standings),
	[WW_PATH_UNBOUND] = SET(unbound),  [WW_PATH_BASIS] = SET(bases),
	[WW_PATH_BY] = SET(bys),
};

const struct ww_path_word *ww_path_word(enum ww_path_set set, const struct ww_json_token *word)
{
	for (unsigned i = 0; word->raw.p && word->type == WW_JSON_STRING && i < sets[set].count;
	     i++)
		if (ww_json_is(word, sets[set].rows[i].word))
			return &sets[set].rows[i];
	return NULL;
}

const struct ww_path_word *ww_path_word_at(enum ww_path_set set, unsigned i)
{
	return i < sets[set].count ? &sets[set].rows[i] : NULL;
}
