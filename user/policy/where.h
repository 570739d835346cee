/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy: what address tables say of a peer, as members of a record. Listed by somebody, never
 * measured; whose law reaches the operator is declared, and apart from that. Pure.
 */
#pragma once

#include "base/json_write.h"
#include "policy/tables.h"

#define WW_WHERE_LISTED_MAX 16u /* rows in one record; the rest is counted */

/*
 * Whether tables are asked of the address: not of loopback, private, shared (RFC 6598), link-local,
 * unique local, multicast, broadcast and unspecified addresses, which are somebody else's on every
 * network.
 */
bool ww_where_public(const struct ww_endpoint *e);

/* The range of such addresses that it is of; NULL: none. */
const struct ww_cidr *ww_where_apart(const struct ww_endpoint *e);
/* All of these networks, one by one: i from 0 on; NULL: no more. */
const struct ww_cidr *ww_where_apart_at(unsigned i);

/* Writes the member "where" of a peer met at that time (0: not known), unless tables are not asked
 * of its address. */
void ww_where_write(const struct ww_tables *t, const struct ww_endpoint *peer, struct ww_wall at,
		    struct ww_jsonw *w);

/* A row's members, in an object that is open. */
void ww_where_write_row(const struct ww_tables_match *m, struct ww_jsonw *w);

/* Where a walk through the declarations is; zeroed at first. */
struct ww_where_place {
	unsigned row, operator_at;
};

/* The next declaration about the operators of these rows that speak and are valid, each operator
 * once; NULL: no more. */
const struct ww_tables_operator *ww_where_declared(const struct ww_tables *t,
						   const struct ww_tables_answer *a,
						   struct ww_where_place *place);

/* The member "declared": all of them. */
void ww_where_write_declared(const struct ww_tables *t, const struct ww_tables_answer *a,
			     struct ww_wall at, struct ww_jsonw *w);
