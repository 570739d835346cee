/* SPDX-License-Identifier: Apache-2.0 */
/*
 * place_claim: what others say about place in an exchange. Nobody signed any of it, and none of it
 * is measured: it is kept with who says it and where, and stands beside what is observed, never in
 * its place.
 *
 * What a word is about decides what it can be held against. That of an edge or an endpoint is about
 * where TLS ended, which is what a label of the peer's address is about as well. One about
 * processing is not: work may be done elsewhere than where the connection ended, and the peer's
 * address says nothing of it. A reference is no place at all, only something to ask the vendor by.
 *
 * Words are taken by an allow-list of fields, and of host names only by forms that the operator
 * documents (place_host.c); other values are never copied. Pure, no allocation.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/json_write.h"
#include "base/slice.h"

/* Who says it. */
enum ww_place_by {
	WW_PLACE_PEER = 1,    /* the answer */
	WW_PLACE_REQUEST = 2, /* what was asked for: a wish */
	WW_PLACE_HOST = 3,    /* the name that was called */
};

/* What it is about. */
enum ww_place_about {
	WW_PLACE_EDGE = 1,       /* code of the site where TLS ended, most often of an airport */
	WW_PLACE_ENDPOINT = 2,   /* region of the endpoint */
	WW_PLACE_PROCESSING = 3, /* region where the work is done */
	WW_PLACE_REFERENCE = 4,  /* opaque */
};

/* X(enum suffix, number, by, about, text in records) */
#define WW_PLACE_FROMS(X)                                           \
	X(CF_RAY, 1, PEER, EDGE, "cf-ray")                          \
	X(AMZ_CF_POP, 2, PEER, EDGE, "x-amz-cf-pop")                \
	X(MS_REGION, 3, PEER, ENDPOINT, "x-ms-region")              \
	X(AZURE_REF, 4, PEER, REFERENCE, "x-azure-ref")             \
	X(VIA, 5, PEER, REFERENCE, "via")                           \
	X(USAGE_GEO, 6, PEER, PROCESSING, "usage.inference_geo")    \
	X(REQUEST_GEO, 7, REQUEST, PROCESSING, "inference_geo")     \
	X(PROFILE, 8, REQUEST, PROCESSING, "model") /* Bedrock */   \
	X(LOCATION, 9, REQUEST, PROCESSING, "path") /* Vertex AI */ \
	X(AUTHORITY, 10, HOST, ENDPOINT, "authority")               \
	X(SNI, 11, HOST, ENDPOINT, "sni")

#define WW_PLACE_FROM_ENUM_(n, v, b, a, t) WW_PLACE_##n = (v),
enum ww_place_from { WW_PLACE_FROMS(WW_PLACE_FROM_ENUM_) WW_PLACE_FROM_MAX };

#define WW_PLACE_CLAIMS_MAX 8
#define WW_PLACE_WORD_MAX   95 /* with its NUL; a longer one is not taken: `more` */

struct ww_place_claim {
	uint8_t from; /* enum ww_place_from */
	char says[WW_PLACE_WORD_MAX];
};

/* In the order in which they came; the same word from the same place once. */
struct ww_place_claims {
	uint8_t count;
	bool more; /* there were more, or one that could not be kept */
	struct ww_place_claim item[WW_PLACE_CLAIMS_MAX];
};

enum ww_place_by ww_place_by(enum ww_place_from from);
enum ww_place_about ww_place_about(enum ww_place_from from);
/* "peer", "request", "host"; "edge" ...; "cf-ray" ...: as in records. "unknown" for others. */
const char *ww_place_by_name(enum ww_place_by by);
const char *ww_place_about_name(enum ww_place_about about);
const char *ww_place_from_name(enum ww_place_from from);

/* Adds a word as it is. Left out when it is empty or not of printable ASCII. */
void ww_place_add(struct ww_place_claims *c, enum ww_place_from from, struct ww_slice says);

/* Takes from a field's value what it says about place: of cf-ray the code at its end, of the others
 * the value. `cut`: the value was longer. */
void ww_place_field(struct ww_place_claims *c, enum ww_place_from from, struct ww_slice value,
		    bool cut);

/*
 * place_host.c. Words that documented forms have in them; empty: none. Borrowed from what is read.
 */
/* Of a host name, which may have a port: "bedrock-runtime.eu-west-1.amazonaws.com". */
struct ww_slice ww_place_of_host(struct ww_slice host);
/* Of a request target: "/v1/projects/p/locations/europe-west4/publishers/...". */
struct ww_slice ww_place_of_path(struct ww_slice path);
/* Of a model's name, the geography of an inference profile: "eu.anthropic.claude-...". */
struct ww_slice ww_place_of_model(struct ww_slice model);

/* What the names that were called say: of the host that the request is for, of the TLS name where
 * that is another one, of the target. */
void ww_place_called(struct ww_place_claims *c, const char *authority, const char *sni,
		     const char *target);

/* Writes the array "placeClaims" of {"by","from","about","says"} where there are any. */
void ww_place_write(const struct ww_place_claims *c, struct ww_jsonw *w);
