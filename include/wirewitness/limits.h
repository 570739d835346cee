/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
/*
 * The ceilings that more than one module or the kernel side knows, with their reasons; one that is
 * a module's own stands in its header. Reaching one is counted and reported as loss or as a
 * finding, never silent. Shared by the kernel side: integer constants only.
 */
#pragma once

/* Kernel side. */
#define WW_RING_CONTROL_BYTES (4u << 20)  /* flows, processes: 30,000 events of headroom */
#define WW_RING_DATA_BYTES    (16u << 20) /* plaintext: an eighth second of 128 MB/s */
#define WW_CHUNK_BYTES_MAX    16384u      /* plaintext per event: one TLS record (RFC 8446 5.1) */
#define WW_MESSAGE_BYTES_DEFAULT \
	(1u << 20)                  /* captured per TLS call and per message body; rest counted */
#define WW_CHUNKS_PER_CALL_MAX 256u /* 4 MiB: bound of the copy loop in one probe hit */
#define WW_SCOPE_CGROUPS_MAX   1024u
#define WW_CGROUP_DEPTH_MAX    16u    /* ancestors checked for scope */
#define WW_FLOWS_KERNEL_MAX    65536u /* entries of the session and random maps (LRU) */
#define WW_HELLO_BYTES_MAX     2304u  /* of a hello: post-quantum key shares make 1,600 to 2,000 */
#define WW_CLEAR_BYTES_MAX     8192u /* of a server's handshake of TLS 1.2, its certificate first */
#define WW_RECORDS_WALKED_MAX  16u   /* TLS records per direction looked at by length (handshake) */
#define WW_PACKET_STREAM_BYTES (256u << 10) /* told of one direction of a TCP connection to DNS */
#define WW_QUIC_LOOKED_MAX     256u /* datagrams of a direction of a socket: is it a QUIC client's */
#define WW_QUIC_TOLD_MAX       32u  /* of them told, per socket: hellos of some connections */
#define WW_QUIC_DATAGRAM_MAX   2048u /* of an Initial's told: paths carry some 1,500 bytes */
#define WW_PATH_BYTES_MAX      256u
#define WW_TLS_FILES_MAX       255u /* library files with probes: the number is a byte of a cookie */
#define WW_STDIO_ENDS_MAX      4096u /* descriptors of channels that are read at a time */
#define WW_TARGET_FILES_MAX    4096u /* executable files remembered as having no TLS API */

/* Daemon. */
#define WW_ACTORS_MAX          65536u
#define WW_FLOWS_MAX           65536u
#define WW_STREAM_HOLD_BYTES   (256u << 10) /* held per TLS session that no socket is known for */
#define WW_HOLD_BYTES_MAX      (8u << 20)   /* the same for all of them together */
#define WW_BODIES_BYTES_MAX    (24u << 20) /* all buffered bodies together: keeps RSS under 64 MiB */
#define WW_HEAD_BYTES_MAX      (64u << 10) /* HTTP head (request line and fields) */
#define WW_HEADERS_MAX         128u
#define WW_PIPELINE_MAX        64u /* requests waiting for their response on one connection */
#define WW_SSE_LINE_BYTES_MAX  (1u << 20)
#define WW_INFLATE_RATIO_MAX   1000u       /* decompression bomb guard */
#define WW_OTLP_BYTES_MAX      (64u << 20) /* after inflation (OTLP specification's recommendation) */
#define WW_SPANS_PER_REQUEST   10000u
#define WW_SPAN_ATTRS_MAX      128u /* OpenTelemetry SDK default attribute limit */
#define WW_SPAN_EVENTS_MAX     128u
#define WW_ATTR_BYTES_MAX      4096u
#define WW_ATTR_KEY_BYTES_MAX  256u
#define WW_SPAN_BYTES_MAX      (64u << 10) /* keys and values of one span together */
#define WW_SPANS_HELD_MAX      16384u      /* spans waiting for judgement */
#define WW_ACTIONS_HELD_MAX    16384u
#define WW_EXCHANGES_HELD_MAX  65536u       /* exchange summaries kept as join candidates */
#define WW_DEEDS_HELD_MAX      16384u       /* runs and file changes kept as join candidates */
#define WW_TOOL_CALLS_MAX      64u          /* per model response */
#define WW_TOOL_RESULTS_BYTES  (256u << 10) /* result texts of one request that are looked into */
#define WW_PROMPT_BYTES_MAX    (64u << 10)  /* of a prompt, kept to find copies of it */
#define WW_CONTRACTS_MAX       256u
#define WW_CONTRACT_FILE_BYTES (1u << 20)
#define WW_CONTRACT_ITEMS_MAX  64u         /* entries of one list inside a contract */
#define WW_CONTRACT_TEXT_BYTES 256u        /* one name, path or value in it */
#define WW_RECORD_BYTES_MAX    (64u << 10) /* one ledger record */
#define WW_STATUS_PROCESSES_MAX \
	256u /* listed in one status: an answer is at most two stream lines */
#define WW_TAPE_EVENT_BYTES_MAX                                          \
	(80u << 20) /* one event on a tape (an OTLP body is the largest) \
		     */

/* Ledger. */
#define WW_LEDGER_PENDING_MAX 16384u /* records between two commits: seconds of a busy host */
#define WW_LEDGER_PENDING_BYTES \
	(16u << 20) /* their bytes, kept in memory until they are on the disk */
#define WW_LEDGER_STAGED_BYTES  (12u << 20) /* records made while a commit runs */
#define WW_LEDGER_SEGMENT_BYTES (8u << 20)  /* payload file: what a random read may have to walk */
#define WW_LEDGER_OPEN_CHECK_MAX \
	(256u << 10) /* leaves fully checked on open: a fifth of a second */
#define WW_REPORT_RECORDS_MAX \
	131072u /* records in one report: 10,000 verdicts with all they rest on */
#define WW_REPORT_BYTES_MAX (512u << 20) /* one report file, of that many records */
