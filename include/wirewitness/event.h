/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
/*
 * Kernel to user events, and the events that the daemon itself adds: together they are the tape,
 * the only input of the pipeline. Fixed width, little endian hosts, explicit padding (zeroed),
 * append-only numbering: never renumber, never reuse.
 *
 * Sequence numbers count per CPU and per ring, including events that could not be reserved: a hole
 * in the sequence is a loss made visible. Times are CLOCK_BOOTTIME nanoseconds.
 *
 * The file compiles in BPF C (vmlinux.h gives the __u types) and in user space.
 */
#pragma once

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#include <wirewitness/limits.h>

#define WW_EVENT_VERSION 1

enum ww_event_kind {
	/* control ring */
	WW_EVENT_PROC_FORK = 1, /* actor = the child; body ww_event_fork */
	WW_EVENT_PROC_EXEC = 2, /* ww_event_exec */
	WW_EVENT_PROC_EXIT = 3, /* ww_event_exit */
	WW_EVENT_PROC_LEFT = 4, /* actor goes on outside of the scope, out of sight; no body */
	WW_EVENT_STDIO = 5,     /* what its descriptors 0 and 1 lead to; ww_event_stdio */
	WW_EVENT_FLOW_OPEN =
		10, /* owner in process context: connect or first send; ww_event_flow */
	WW_EVENT_FLOW_OWNER = 11, /* owner of an accepted socket, or a new owner; ww_event_flow */
	WW_EVENT_FLOW_STATE = 12, /* TCP state change; ww_event_counters */
	WW_EVENT_FLOW_CLOSE = 13, /* last counters; ww_event_counters */
	WW_EVENT_FLOW_STAT = 14, /* counters of a live flow, from the iterator; ww_event_counters */
	WW_EVENT_TLS_HELLO = 20, /* ClientHello or ServerHello seen on a socket; ww_event_hello */
	WW_EVENT_TLS_RECORD = 21,  /* length of an early TLS record; ww_event_record */
	WW_EVENT_BIND_PREFIX = 22, /* second witness matched: session <-> socket; ww_event_bind */
	WW_EVENT_UNIX_PEER = 30,   /* connect or send to a unix socket; ww_event_unix */
	WW_EVENT_GUARD = 50, /* the guard met what it forbids, or cut a flow; ww_event_guard */
	/* data ring */
	WW_EVENT_DATA = 40,        /* plaintext; ww_event_data */
	WW_EVENT_SESSION_END = 41, /* TLS object freed; ww_event_session */
	WW_EVENT_STDIO_DATA = 42,  /* bytes of a channel; ww_event_stdio_data */
	WW_EVENT_PACKET = 43, /* content of a packet that the kernel side picks; ww_event_packet */
	/* added by the daemon (cpu = WW_EVENT_CPU_USER); on the tape like all others */
	WW_EVENT_TICK = 100,  /* time passes; no body */
	WW_EVENT_CLOCK = 101, /* ww_event_clock */
	WW_EVENT_LOSS = 102,  /* ww_event_loss */
	WW_EVENT_SCOPE =
		103, /* cgroup entered the scope, or left it because it is empty; ww_event_scope */
	WW_EVENT_COVERAGE = 104,  /* what is attached to what; ww_event_coverage */
	WW_EVENT_CLAIM = 105,     /* an OTLP request body; ww_event_claim */
	WW_EVENT_HEARTBEAT = 106, /* emitted and lost counts; ww_event_loss bodies as totals */
	WW_EVENT_PROC_INFO =
		107, /* process that existed before us, from a walk of /proc; ww_event_exec */
	WW_EVENT_END = 108,        /* the tape ends here in good order; no body */
	WW_EVENT_FILE = 109,       /* what a file with probes is made of; ww_event_file */
	WW_EVENT_CHANGE = 110,     /* a declared file changed; actor: who did it; ww_event_change */
	WW_EVENT_GUARD_LIST = 111, /* the guard's list is another one now; ww_event_guard_list */
};

#define WW_EVENT_CPU_USER 0xffffffffu

/* boot id is in the tape's manifest: pid + start time is unique within a boot. */
struct ww_actor_key {
	__u64 start_ns; /* task start, CLOCK_BOOTTIME */
	__u32 pid;      /* thread group id in the initial pid namespace */
	__u32 tid;      /* the thread that acted; not part of the identity */
};

struct ww_event {
	__u16 version;
	__u16 kind; /* enum ww_event_kind */
	__u32 size; /* bytes, header included; what counts, whatever the ring reserved */
	__u64 time_ns;
	__u64 seq;
	__u32 cpu;
	__u32 _pad;
	struct ww_actor_key actor; /* zero when not in process context */
	__u64 cgroup;              /* cgroup v2 id that put it in scope */
	__u64 cookie;              /* socket cookie, 0 = none or not known */
};

/* --- processes ------------------------------------------------------------------------------ */

struct ww_event_fork {
	struct ww_event h;
	struct ww_actor_key parent;
};

struct ww_event_exec {
	struct ww_event h;
	struct ww_actor_key parent;
	__u64 exe_inode;
	__u32 exe_dev;
	__u32 uid;
	__u32 ns_pid; /* pid in the process's own pid namespace: what a span's process.pid holds */
	__u16 path_bytes; /* exe path in path[], no NUL */
	__u16 own_mounts; /* it leads through mounts that need no rights of the host: whoever made
			     them chose what it names */
	char comm[16];    /* at an exec: the last segment of what was called, cut */
	char path[WW_PATH_BYTES_MAX];
};

struct ww_event_exit {
	struct ww_event h;
	__s32 code; /* exit status, or -signal */
	__u32 _pad;
};

/* --- flows ---------------------------------------------------------------------------------- */

enum ww_flow_role { WW_FLOW_CONNECT = 1, WW_FLOW_ACCEPT = 2, WW_FLOW_SEND = 3 };

struct ww_endpoint {
	__u8 addr[16]; /* network order; IPv4 in the first 4 bytes */
	__u16 family;  /* AF_INET 2, AF_INET6 10 */
	__u16 port;    /* host order */
	__u32 _pad;
};

struct ww_event_flow {
	struct ww_event h;
	struct ww_endpoint local; /* port 0: not yet chosen */
	struct ww_endpoint peer;
	__u32 netns; /* inode of the network namespace */
	__u32 uid;
	__u8 proto; /* IPPROTO_TCP 6, IPPROTO_UDP 17, other numbers as they are */
	__u8 role;  /* enum ww_flow_role; 0: not known (older than us) */
	__u8 family;
	__u8 type; /* SOCK_STREAM 1, SOCK_DGRAM 2, SOCK_RAW 3 */
	__u32 _pad;
};

enum ww_close_how {
	WW_CLOSE_OPEN = 0,      /* not closed */
	WW_CLOSE_FIN_LOCAL = 1, /* we sent the first FIN */
	WW_CLOSE_FIN_PEER = 2,
	WW_CLOSE_RST_LOCAL = 3,
	WW_CLOSE_RST_PEER = 4,
	WW_CLOSE_TIMEOUT = 5,
	WW_CLOSE_REFUSED = 6, /* never established */
	WW_CLOSE_UNKNOWN = 7,
};

/* The kernel's own counters of one socket (struct tcp_sock); UDP: payload sums of cgroup_skb. */
struct ww_event_counters {
	struct ww_event h;
	struct ww_endpoint local;
	struct ww_endpoint peer;
	__u64 bytes_sent;     /* payload handed to the network, retransmits excluded */
	__u64 bytes_acked;    /* payload acknowledged; SYN and FIN positions already subtracted */
	__u64 bytes_received; /* payload in order; FIN position subtracted */
	__u64 bytes_retrans;
	__u32 segs_out;
	__u32 segs_in;
	__u32 rtt_min_us; /* 0: no sample */
	__u32 srtt_us;
	__u8 state_old; /* TCP_ESTABLISHED 1 ... TCP_CLOSE 7 */
	__u8 state_new;
	__u8 how; /* enum ww_close_how */
	__u8 proto;
	__u32 sk_err;       /* errno of the socket at close */
	__u8 records_exact; /* 1: the TLS record walk never lost its place so far */
	__u8 _pad[7];
};

/* --- TLS ------------------------------------------------------------------------------------ */

enum ww_dir { WW_DIR_OUT = 0, WW_DIR_IN = 1 }; /* as seen by the watched process */

#define WW_RANDOM_BYTES 32

struct ww_event_hello {
	struct ww_event h;
	__u8 random[WW_RANDOM_BYTES];
	__u64 stream_offset; /* payload bytes of this direction before the record */
	__u8 dir;
	__u8 client;        /* 1 ClientHello, 0 ServerHello */
	__u16 captured;     /* bytes in bytes[] */
	__u32 record_bytes; /* length of the whole TLS record on the wire, header included */
	__u8 bytes[WW_HELLO_BYTES_MAX]; /* from the record header on; h.size ends behind captured */
};

struct ww_event_record {
	struct ww_event h;
	__u64 stream_offset; /* payload bytes of this direction before the record */
	__u8 dir;
	__u8 type;   /* 20 CCS, 21 alert, 22 handshake, 23 application data */
	__u16 index; /* 0-based, per direction */
	__u32 bytes; /* on the wire, header included */
};

enum ww_bind_grade {
	WW_BIND_UNBOUND = 0,
	WW_BIND_RANDOM = 1,
	WW_BIND_RECORD = 2,
	WW_BIND_DESCRIPTOR = 3
};

/* A TLS object inside one address space. The pointer alone means nothing. */
struct ww_session_key {
	__u8 random[16]; /* first half of the client random; zero when unreadable */
	__u64 object;    /* user-space address of the TLS object */
	__u32 pid;
	__u32 file; /* index of the library file whose probe saw it, see ww_event_coverage */
};

struct ww_event_bind {
	struct ww_event h; /* cookie: the socket */
	struct ww_session_key session;
	__u8 dir;
	__u8 _pad[7];
};

struct ww_event_session {
	struct ww_event h;
	struct ww_session_key session;
	__u64 bytes_out; /* plaintext seen, captured or not */
	__u64 bytes_in;
};

struct ww_event_data {
	struct ww_event h; /* cookie 0: not bound yet, resolve by session.random */
	struct ww_session_key session;
	__u64 offset;     /* plaintext bytes of this direction before this call's first byte + chunk
			     start */
	__u32 call_bytes; /* plaintext bytes of the whole call */
	__u32 call_at;    /* where this chunk begins within the call */
	__u32 captured;   /* bytes in bytes[] */
	__u32 requested;  /* the caller's buffer size (read) or length (write) */
	__u32 lost_before; /* bytes of this direction not emitted since the last event */
	__u8 dir;          /* enum ww_dir */
	__u8 bind;         /* enum ww_bind_grade */
	__u8 last; /* 1: last chunk of the call that is emitted (cap may have cut the rest) */
	/*
	 * Where writes and reads go on at the same time, and so an answer may be told before its
	 * request. Writes of a session have numbers, 1 to 255 and again 1. Written: its number.
	 * Read: the number of what was on its way out then and not told yet; the peer may have had
	 * it before it sent this. 0: none, or no numbers.
	 */
	__u8 write;
	__u8 bytes[];
};

struct ww_event_unix {
	struct ww_event h;
	__u32 path_bytes; /* 0: unnamed; a leading NUL: abstract */
	__u32 absent; /* set by the daemon: 1: no such socket existed when it looked, nothing was
			 reached */
	char path[108];
	__u32 mntns; /* inode of the process's mount namespace: where the path was looked up; 0:
			unknown */
};

/* --- packets -------------------------------------------------------------------------------- */

/* What a packet was picked for, see bpf/lib/packet.bpf.h. */
enum ww_packet_what {
	WW_PACKET_NONE = 0,
	WW_PACKET_DNS = 1,  /* a datagram, or a TCP segment, to or from a peer's port 53 */
	WW_PACKET_QUIC = 2, /* a datagram that looks like a QUIC client's Initial or 0-RTT */
	WW_PACKET_CLEAR =
		3, /* a segment of a server's handshake behind its hello, in clear: TLS 1.2 */
	WW_PACKET_MAX
};

/*
 * Payload of one datagram or TCP segment as the socket's packet hook saw it: segments may come
 * twice and in any order, and what the kernel refuses behind the hook was seen all the same.
 */
struct ww_event_packet {
	struct ww_event
		h; /* actor: who sends the datagram; else the socket's owner, zero: unknown */
	struct ww_endpoint local; /* of this packet; of a connected socket: the socket's */
	struct ww_endpoint peer;
	__u64 offset;        /* TCP: payload bytes of this direction before it; else 0 */
	__u32 payload_bytes; /* in the packet */
	__u32 captured;      /* bytes in bytes[], from the payload's begin on */
	__u8 dir;            /* enum ww_dir */
	__u8 what;           /* enum ww_packet_what */
	__u8 proto;          /* IPPROTO_UDP or IPPROTO_TCP */
	__u8 _pad;
	__u32 number; /* of the socket's packets of this kind and direction, from 0, told or lost */
	__u8 bytes[];
};

/* --- stdio ---------------------------------------------------------------------------------- */

enum ww_stdio_kind { WW_STDIO_PIPE = 1, WW_STDIO_UNIX = 2 };

/* What a descriptor refers to. */
struct ww_stdio_end {
	__u64 inode;
	__u32 dev;      /* as stat() shows it */
	__u32 peer_pid; /* of a socket: who made the pair; 0: not known */
	__u8 kind;      /* enum ww_stdio_kind; 0: no channel */
	__u8 _pad[7];
};

enum ww_stdio_status {
	WW_STDIO_UNSEEN = 0, /* as the kernel tells it; nothing was decided */
	WW_STDIO_READ = 1,   /* from now on its calls are read */
	WW_STDIO_OPAQUE = 2, /* they cannot be read: text says why */
	WW_STDIO_LEFT = 3,   /* they were read, and no longer: text says why */
	/* Nobody above it is watched: no channel, unless it was forked by somebody who is. */
	WW_STDIO_OUTSIDE = 4,
};

/*
 * A process whose standard input and output lead to another one: a channel. The same channel may
 * be told for several processes (a shell, then what it runs).
 */
struct ww_event_stdio {
	struct ww_event h;          /* actor: the process; cookie: the channel, set by the daemon */
	struct ww_stdio_end end[2]; /* of descriptors 0 and 1 */
	/* Set by the daemon: */
	__u32 agent;  /* pid of who holds the other ends, in the initial pid namespace */
	__u32 status; /* enum ww_stdio_status */
	__u32 text_bytes;
	__u32 born; /* 1: told when the process executed its program; 0: it was there before us */
	char text[64];
};

/* A call moved bytes of a channel. Direction as seen by the agent: OUT is what the server reads. */
struct ww_event_stdio_data {
	struct ww_event h; /* actor: who made the call; cookie: the channel */
	__u64 offset;      /* bytes of this direction before this chunk, by calls that were seen */
	__u32 call_bytes;  /* of the whole call */
	__u32 call_at;     /* where this chunk begins within the call */
	__u32 captured;    /* bytes in bytes[] */
	__u8 dir;          /* enum ww_dir */
	__u8 last;  /* 1: last chunk of the call that is emitted (cap may have cut the rest) */
	__u8 rings; /* 1: the thread has used io_uring: calls of it go unseen */
	__u8 line;  /* set by the daemon where it took the bytes away: 1: they ended a line */
	__u8 bytes[];
};

/* --- guard ---------------------------------------------------------------------------------- */

/* X(enum suffix, number, text, meaning) */
#define WW_GUARD_MODES(X)                                                \
	X(OFF, 0, "off", "no program of it is loaded")                   \
	X(DRY_RUN, 1, "dry-run", "what it would deny is told, and goes") \
	X(ENFORCE, 2, "enforce", "what it denies is told, and fails with EPERM")

#define WW_GUARD_HOOKS(X)                                                                   \
	X(CONNECT, 1, "connect", "connect(), and a first send that connects")               \
	X(SENDMSG, 2, "sendmsg", "a datagram with an address of its own")                   \
	X(EGRESS, 3, "egress", "a packet of a socket that no such call told of")            \
	X(RESET, 4, "reset", "a flow that was there: both ends have heard that it is over") \
	X(DROP, 5, "drop", "a flow that was there: nothing of it leaves the host any more")

/* Whose word denied it. */
#define WW_GUARD_WHYS(X)                                                          \
	X(UNKNOWN, 0, "unknown", "the list that decided is gone")                 \
	X(REGION, 1, "region", "policy: its region is not allowed for the agent") \
	X(HOME, 2, "home", "policy: nor whose law reaches its operator")          \
	X(UNLISTED, 3, "unlisted", "policy: nothing is listed of it")             \
	X(POLICY, 4, "policy", "the policy file's own list")                      \
	X(COMMAND, 5, "command", "a command over the control socket")

#define WW_GUARD_MODE_ENUM_(n, v, t, d) WW_GUARD_MODE_##n = (v),
#define WW_GUARD_HOOK_ENUM_(n, v, t, d) WW_GUARD_HOOK_##n = (v),
#define WW_GUARD_WHY_ENUM_(n, v, t, d)  WW_GUARD_WHY_##n = (v),
enum ww_guard_mode { WW_GUARD_MODES(WW_GUARD_MODE_ENUM_) WW_GUARD_MODE_MAX };
enum ww_guard_hook { WW_GUARD_HOOKS(WW_GUARD_HOOK_ENUM_) WW_GUARD_HOOK_MAX };
enum ww_guard_why { WW_GUARD_WHYS(WW_GUARD_WHY_ENUM_) WW_GUARD_WHY_MAX };

#define WW_GUARD_TEXT_BYTES 128

/*
 * What the guard denied, or would have. One process's repeated attempts at one peer are told once a
 * second, in sum: attempts of all events are as many as there were.
 */
struct ww_event_guard {
	struct ww_event h; /* actor zero: not in process context */
	struct ww_endpoint peer;
	__u64 attempts;   /* since the event before about the same, this one included */
	__u64 agents;     /* bit set: whose rules the scope falls under, see ww_scope_entry */
	__u32 generation; /* of the list that decided */
	__u8 hook;        /* enum ww_guard_hook */
	__u8 mode;        /* enum ww_guard_mode */
	__u8 proto;       /* IPPROTO_TCP 6, ... */
	/* Set by the daemon: */
	__u8 why;           /* enum ww_guard_why */
	__u8 prefix[16];    /* of the rule that decided, network order; IPv4 in the first 4 bytes */
	__u8 prefix_family; /* 0: none */
	__u8 prefix_bits;
	__u16 agent_bytes; /* in text[], the agent's name; 0: no rule names it */
	__u32 text_bytes;  /* in text[], behind that, the rule as it was given */
	char text[WW_GUARD_TEXT_BYTES];
};

/* A list is in force from here on. */
struct ww_event_guard_list {
	struct ww_event h;
	__u64 prefixes; /* in the kernel's map */
	__u64 rules;    /* that it was made of */
	__u32 commands; /* of them, by command */
	__u32 generation;
	__u32 uid; /* of who asked for it, */
	__u32 pid; /* and its process in the daemon's pid namespace; 0: the daemon itself */
	__u32 text_bytes;
	__u8 mode;   /* enum ww_guard_mode */
	__u8 failed; /* 1: it could not be put in force; the one before is */
	__u8 _pad[2];
	__u8 digest[32];              /* SHA-256 of the list */
	char text[WW_PATH_BYTES_MAX]; /* what was asked for */
};

/* --- added by the daemon -------------------------------------------------------------------- */

struct ww_event_clock {
	struct ww_event h; /* time_ns: when sampled */
	__u64 wall_ns;
	__u64 bound_ns;
};

enum ww_loss_cause {
	WW_LOSS_RING_DATA = 0,    /* data ring full */
	WW_LOSS_RING_CONTROL = 1, /* control ring full */
	WW_LOSS_MAP_FULL = 2,     /* a kernel map had no room */
	WW_LOSS_USER_READ = 3,    /* user memory not readable at probe time */
	WW_LOSS_CAP = 4,      /* beyond the configured cap per call (by design, still counted) */
	WW_LOSS_ARGS = 5,     /* result seen without its entry (attach in mid-call) */
	WW_LOSS_HOLD = 6,     /* user space: plaintext waiting for its socket, over the ceiling */
	WW_LOSS_MEMORY = 7,   /* user space: allocation or budget */
	WW_LOSS_SEQUENCE = 8, /* hole in the event sequence */
	WW_LOSS_UNBOUND = 9,  /* user space: plaintext that went over no known socket */
	WW_LOSS_CHANGES = 10, /* file changes: the kernel's queue was full */
	WW_LOSS_MOVED = 11,   /* bytes of a channel moved by splice, tee, vmsplice or sendfile */
	WW_LOSS_MAX
};

struct ww_event_loss {
	struct ww_event h; /* cgroup: whose; actor zero: anybody in it */
	__u32 cause;       /* enum ww_loss_cause */
	__u32 _pad;
	__u64 events; /* since the last report */
	__u64 bytes;
};

struct ww_event_scope {
	struct ww_event h; /* cgroup: the id */
	__u8 entered;      /* 1 entered, 0 left */
	__u8 _pad[3];
	__u32 path_bytes;
	char path[WW_PATH_BYTES_MAX]; /* below the cgroup v2 mount */
};

enum ww_coverage_what {
	WW_COVERAGE_SOCKETS = 1,  /* socket hooks on this cgroup: detail bits WW_COVERS_* */
	WW_COVERAGE_TLS_FILE = 2, /* a library file: path = file, detail = enum ww_tls_stack */
	WW_COVERAGE_PROCESS = 3,  /* actor maps this file (file index in `file`) */
	WW_COVERAGE_OPAQUE = 4,   /* actor maps a TLS stack that cannot be read: path = reason */
	WW_COVERAGE_GAP = 5,   /* capture did not run: until time_ns from `detail` ns before it */
	WW_COVERAGE_FILES = 6, /* changes of a declared file, path = template: ATTACHED: seen from
				  time_ns on; else not seen from time_ns on, detail = enum
				  ww_files_why; cgroup 0: whoever makes them */
};

/* Why changes of a declared file are not seen. X(enum suffix, number, text) */
#define WW_FILES_WHYS(X)                                                                   \
	X(NONE, 0, "not watched")                                                          \
	X(RIGHTS, 1, "no right to watch (CAP_SYS_ADMIN)")                                  \
	X(KERNEL, 2, "the kernel names no directory entries (fanotify of Linux 5.9)")      \
	X(FILESYSTEM, 3, "the file system has no file handles or cannot be watched")       \
	X(OVERFLOW, 4, "the kernel's queue was full")                                      \
	X(DIRECTORY, 5, "a directory came or went, what was in it meanwhile is not known") \
	X(MANY, 6, "more directories than are watched")                                    \
	X(LINK, 7, "a declared file has another name, or is a link")                       \
	X(MOUNTS, 8, "a process of the scope sees other folders there")                    \
	X(PIDS, 9, "the monitor is not in the first pid namespace")                        \
	X(ERROR, 10, "it could not be watched")

#define WW_FILES_WHY_ENUM_(n, v, t) WW_FILES_##n = (v),
enum ww_files_why { WW_FILES_WHYS(WW_FILES_WHY_ENUM_) WW_FILES_WHY_MAX };

#define WW_COVERS_TCP  1u
#define WW_COVERS_UDP  2u
#define WW_COVERS_RAW  4u
#define WW_COVERS_UNIX 8u
#define WW_COVERS_PROC 16u /* fork, exec, exit */

enum ww_tls_stack { WW_TLS_OPENSSL = 1, WW_TLS_GNUTLS = 2, WW_TLS_GO = 3, WW_TLS_STACKS };
enum ww_probe_status { WW_PROBE_ATTACHED = 1, WW_PROBE_DETACHED = 2, WW_PROBE_FAILED = 3 };

struct ww_event_coverage {
	struct ww_event h;
	__u64 detail;
	__u64 inode;
	__u32 dev;
	__u32 file;   /* index of the library file, 0 = none */
	__u16 what;   /* enum ww_coverage_what */
	__u16 status; /* enum ww_probe_status */
	__u32 path_bytes;
	char path[WW_PATH_BYTES_MAX];
};

enum ww_file_status {
	WW_FILE_DIGESTED = 1,   /* sha256 is of the bytes that the probes were set in */
	WW_FILE_CHANGED = 2,    /* while it was read, or since */
	WW_FILE_TOO_LARGE = 3,  /* not read */
	WW_FILE_UNREADABLE = 4, /* not read, or not to its end */
};

struct ww_event_file {
	struct ww_event h;
	__u64 inode;
	__u64 bytes;
	__u32 dev;
	__u32 file;           /* index of the library file */
	__u16 status;         /* enum ww_file_status */
	__u16 build_id_bytes; /* 0: it has none, or it is not known */
	__u32 path_bytes;
	__u8 build_id[32];
	__u8 sha256[32];
	char path[WW_PATH_BYTES_MAX];
};

/* What happened to a path, bit set: several in one event have no order. X(enum suffix, bit, text,
 * meaning) */
#define WW_CHANGE_BITS(X)                                                 \
	X(MODIFIED, 1, "modified", "bytes were written, or cut off")      \
	X(CLOSED, 2, "closed", "closed after it was open for writing")    \
	X(CREATED, 4, "created", "the name is new, whatever it names")    \
	X(MOVED_AWAY, 8, "moved-away", "what it named has another name")  \
	X(MOVED_HERE, 16, "moved-here", "it names what had another name") \
	X(REMOVED, 32, "removed", "the name is gone")                     \
	X(NOT_THERE, 64, "not-there",                                     \
	  "when it was read, the path led to no file, or not to the one that changed")

#define WW_CHANGE_ENUM_(n, v, t, d) WW_CHANGE_##n = (v),
enum ww_change_bit { WW_CHANGE_BITS(WW_CHANGE_ENUM_) };

/* Actor zero: somebody outside of the scopes; path is then the template. */
struct ww_event_change {
	struct ww_event h; /* time_ns: it had happened by then, */
	__u64 since_ns;    /* and not before this */
	__u32 what;        /* bit set of enum ww_change_bit */
	__u32 path_bytes;
	char path[WW_PATH_BYTES_MAX];
};

enum ww_claim_encoding { WW_CLAIM_OTLP_PROTOBUF = 1, WW_CLAIM_OTLP_JSON = 2 };

/* The body of one accepted OTLP trace request, inflated, and the connection it came by. */
struct ww_event_claim {
	struct ww_event h;       /* time_ns: receipt */
	struct ww_endpoint from; /* the sender's end; its actor comes from the flow table */
	struct ww_endpoint to;
	__u32 encoding; /* enum ww_claim_encoding */
	__u32 bytes;
	__u8 body[];
};

#ifndef __bpf__
#include <stddef.h>
_Static_assert(sizeof(struct ww_actor_key) == 16, "actor key");
_Static_assert(sizeof(struct ww_event) == 64, "event header");
_Static_assert(sizeof(struct ww_endpoint) == 24, "endpoint");
_Static_assert(sizeof(struct ww_session_key) == 32, "session key");
_Static_assert(sizeof(struct ww_event_counters) == 176, "counters");
_Static_assert(offsetof(struct ww_event_data, bytes) == 128, "data");
_Static_assert(sizeof(struct ww_event_fork) % 8 == 0, "fork");
_Static_assert(sizeof(struct ww_event_exec) % 8 == 0, "exec");
_Static_assert(sizeof(struct ww_event_hello) % 8 == 0, "hello");
_Static_assert(sizeof(struct ww_event_unix) == 184, "unix peer");
_Static_assert(offsetof(struct ww_event_packet, bytes) == 136, "packet");
_Static_assert(sizeof(struct ww_event_coverage) % 8 == 0, "coverage");
_Static_assert(sizeof(struct ww_event_file) % 8 == 0, "file");
_Static_assert(sizeof(struct ww_event_change) == 336, "change");
_Static_assert(sizeof(struct ww_event_stdio) == 192, "stdio");
_Static_assert(offsetof(struct ww_event_stdio_data, bytes) == 88, "stdio data");
_Static_assert(sizeof(struct ww_event_guard) == 264, "guard");
_Static_assert(sizeof(struct ww_event_guard_list) == 392, "guard list");
#endif
