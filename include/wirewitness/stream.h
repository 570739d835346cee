/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stream and the control socket: newline-delimited JSON over a Unix stream socket.
 *
 * The client sends one object per line, the daemon answers each with one object per line:
 *
 *   {"op":"status"}              {"ok":true,"status":{...}}
 *   {"op":"scope","name":NAME}   {"ok":true,"cgroup":ABSOLUTE PATH,"id":HEX}
 *   {"op":"tail","from":N}       {"ok":true,"next":N}, then the stream; also "pending":true
 *   {"op":"prune","kinds":KINDS,"olderThanS":N,"force":BOOL}   {"ok":true}
 *   {"op":"publish","payload":HEX,"signature":HEX}   {"ok":true,"next":N}
 *   {"op":"attest","envelope":BASE64,"size":N,"verdicts":[N],"recorded":[N]}
 *                                {"ok":true,"next":N,...}
 *   {"op":"guard","do":"deny",...}   {"ok":true,"mode":WORD,"generation":N,"list":HEX,...}
 *   any failure                  {"ok":false,"error":TEXT}
 *
 * scope: a watched cgroup is made; it leaves the scope when it is empty and this connection is
 * closed.
 *
 * tail: a stream line per committed record from ledger index N on (N beyond the end: only new
 * ones), for as long as the connection lasts. A client that shuts down its sending side gets what
 * is committed by then, and the connection is closed.
 *
 * prune: the work has begun; status.retention says when it is done.
 *
 * publish: a record of kind "report" is made for a signed report (SHA-256 of its payload, its
 * signature); it comes with an index of at least N, soon.
 *
 * attest: takes in an attestation, a DSSE envelope; verdicts and recorded are the ledger indexes of
 * the newest verdict of each action (or the newest record of each path) that it may be about, and
 * of the attestations of that action or path, as they were found among the first "size" records.
 * The answer has "attestation", "attester", "action" (or the path), "verdict" (the id of the record
 * that supersedes; null: none yet) and "repeated"; the
 * records come with indexes of at least N. With "again":true nothing was done: a newer one or
 * another attestation came meanwhile, look again.
 *
 * guard: "do" is "deny" or "allow" with what: "prefix":CIDR, "region":WORD or neither, and
 * "agent":NAME (alone: all that the agent may send but to loopback; else only for it). deny takes
 * "forS":SECONDS and "cut":true (flows that are there and forbidden now end; the answer has "cut"
 * and "notCut", how many); allow lifts what deny did, in the same words. "cut" with "flow":ID ends
 * one flow that leads to where it may not. "list" answers what is denied. Every answer names the
 * list in force; "kept":false: the change holds, and could not be written down for the next start.
 * Refused where the guard is off.
 *
 * Stream line: {"v":1,"cursor":N,"record":{...}}, "record":null when the record was erased. The
 * cursor is the record's ledger index: asking again from cursor + 1 neither loses nor repeats. A
 * record is streamed only after it is committed to the ledger on disk. A reader that falls behind
 * is waited for.
 *
 * With "pending":true there are lines without cursor between them, which are no records and are not
 * kept: {"v":1,"pending":{"verdict":"PENDING","action":ID,...,"deadline":TIME,"waitsFor":WORD}} of
 * each action that has no verdict yet, at once for those of now, later when one comes or its
 * deadline moves. A verdict on that action follows (a recorded PENDING where a declared deadline is
 * open, which another one supersedes), or a line with "partOf":ID instead of the
 * deadline: it was found to be part of that action. A reader that is too slow for them gets
 * {"v":1,"pending":null,"dropped":N}.
 */
#pragma once

#define WW_STREAM_VERSION 1
/* Bytes: a record at its ceiling and the frame around it; a request. Connections at one time. */
#define WW_STREAM_LINE_BYTES_MAX  (80u << 10)
#define WW_CONTROL_LINE_BYTES_MAX (12u << 10) /* an attestation of 8 KiB in base64 */
#define WW_CONTROL_CLIENTS_MAX    64u
