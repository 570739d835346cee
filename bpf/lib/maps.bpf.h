/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * All maps, declared weak: every program file sees the same ones after linking.
 *
 * Whatever outlives a program run is in one of four places: per socket (ww_flows, ends with the
 * socket), per thread (ww_threads, ends with the thread), per TLS object (ww_sessions, least
 * recently used go first), and the counters that user space maps (ww_cpus, ww_losses).
 */
#pragma once

#include "lib/core.bpf.h"
#include "lib/walk_state.bpf.h"

/* --- rings and their accounts --------------------------------------------------------------- */

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, WW_RING_CONTROL_BYTES);
} ww_control __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, WW_RING_DATA_BYTES);
} ww_data __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* the loader sets the count of CPUs */
	__type(key, __u32);
	__type(value, struct ww_cpu_row);
} ww_cpus __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, WW_SCOPE_CGROUPS_MAX);
	__type(key, __u32);
	__type(value, struct ww_loss_row);
} ww_losses __weak SEC(".maps");

/* --- scope ---------------------------------------------------------------------------------- */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, WW_SCOPE_CGROUPS_MAX);
	__type(key, __u64);
	__type(value, struct ww_scope_entry);
} ww_scope __weak SEC(".maps");

/* Which scope a cgroup belongs to; id 0: none. */
struct ww_scope_ref {
	__u64 id;
	__u32 slot;
	__u32 generation;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct ww_scope_ref);
} ww_scope_cache __weak SEC(".maps");

/* --- members -------------------------------------------------------------------------------- */

/* Who was seen in which scope, by thread group id. */
struct ww_member {
	__u64 start_ns;
	struct ww_scope_ref scope;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, WW_FLOWS_KERNEL_MAX);
	__type(key, __u32);
	__type(value, struct ww_member);
} ww_members __weak SEC(".maps");

/* Processes whose end was told: on kernels that do not say which thread is the last one. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct ww_actor_key);
	__type(value, __u8);
} ww_exited __weak SEC(".maps");

/* --- sockets -------------------------------------------------------------------------------- */

struct ww_flow_state {
	struct ww_scope_ref scope;
	__u64 cookie;
	struct ww_actor_key owner; /* pid 0: not known */
	struct ww_endpoint local;
	__u64 bytes[2]; /* not TCP: payload, by enum ww_dir */
	__u64 told[2];  /* packets whose content was told, or was to be */
	__u32 packets[2];
	__u64 stat_sum;  /* what the last FLOW_STAT said, to skip idle sockets */
	__u8 random[16]; /* of the ClientHello seen on it */
	struct ww_walk walk[2];
	__u16 clear_bytes; /* told of a server's handshake, */
	bool clear;        /* which goes on in clear behind its hello */
	__u8 proto;
	bool ready;   /* scope, cookie and the walks' begin are set */
	bool connect; /* seen at connect() */
	bool late;    /* had traffic before we saw it */
	bool client;  /* the ClientHello went out */
	bool hello;   /* random is set */
	__u8 owner_tries;
	__u8 what;     /* TCP: enum ww_packet_what: the content of its packets is told */
	__u8 quic;     /* datagrams told as QUIC */
	__u8 quic_dir; /* of the first of them, enum ww_dir */
	bool named;    /* its owner was told to user space */
	bool closed;   /* its close was told */
	bool guarded;  /* TCP: connect() passed the guard */
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct ww_flow_state);
} ww_flows __weak SEC(".maps");

/* Peers an unconnected socket has already sent to. */
struct ww_peer_key {
	__u64 cookie;
	__u64 addr[2];
	__u16 family;
	__u16 port;
	__u32 _pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct ww_peer_key);
	__type(value, __u8);
} ww_peers __weak SEC(".maps");

/* --- TLS ------------------------------------------------------------------------------------ */

struct ww_half_random {
	__u64 w[2];
};

/* The sockets on which a ClientHello was seen: the one that sent it and the one that got it. */
struct ww_random_seen {
	__u64 client_cookie;
	__u64 server_cookie;
	__u32 client_pid; /* owner of the socket, 0: not known */
	__u32 server_pid;
	__u32 client_twice; /* sent on two sockets: it names neither */
	__u32 _pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, WW_FLOWS_KERNEL_MAX);
	__type(key, struct ww_half_random);
	__type(value, struct ww_random_seen);
} ww_randoms __weak SEC(".maps");

/*
 * A TLS object: the client random tells one connection's object from the next at the same address,
 * address and pid tell both ends of a connection apart.
 */
struct ww_session_id {
	__u8 random[16];
	__u64 object;
	__u32 pid;
	__u32 _pad;
};

struct ww_session_state {
	__u64 offset[2]; /* plaintext so far, by enum ww_dir */
	__u64 cookie;
	__u32 lost[2]; /* of it, not emitted since the last event */
	__u8 grade;    /* enum ww_bind_grade */
	__u8 keeps;    /* a record of it is in ww_kept, or was */
	/*
	 * Numbers of writes, 1 to 255 and again 1 (0: none, or not counted): the last one that
	 * began, and the last one that is told, or failed. Only the writer moves them.
	 */
	__u8 write_begun, write_over;
	__u8 _pad[4];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, WW_FLOWS_KERNEL_MAX);
	__type(key, struct ww_session_id);
	__type(value, struct ww_session_state);
} ww_sessions __weak SEC(".maps");

/* The plaintext of a record that is encrypted and not yet sent. */
#define WW_KEPT_BYTES_MAX 16384

struct ww_kept {
	__u32 count;
	__u32 _pad;
	__u8 bytes[WW_KEPT_BYTES_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 256);
	__type(key, struct ww_session_id);
	__type(value, struct ww_kept);
} ww_kept __weak SEC(".maps");

/* What a new one begins with: too large for a program's stack. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ww_kept);
} ww_kept_none __weak SEC(".maps");

/* First ciphertext bytes of a record -> the session that made it. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct ww_half_random);
	__type(value, struct ww_session_key);
} ww_prefixes __weak SEC(".maps");

/* --- stdio ---------------------------------------------------------------------------------- */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, WW_STDIO_ENDS_MAX);
	__type(key, struct ww_stdio_key);
	__type(value, struct ww_stdio_state);
} ww_stdio __weak SEC(".maps");

/*
 * Processes whose probes are all set, by thread group id. A link sets them one after the other:
 * between the first and the last one a question would be seen, and its answer not.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, WW_STDIO_ENDS_MAX);
	__type(key, __u32);
	__type(value, __u8);
} ww_stdio_ready __weak SEC(".maps");

/* --- threads -------------------------------------------------------------------------------- */

/* TLS in TLS: a call inside a call of the same thread. */
#define WW_CALL_DEPTH 4

/* A TLS call between ENTRY and RESULT. */
struct ww_call {
	__u64 frame; /* names the call within its thread; 0: free */
	__u64 object;
	__u64 buffer;
	__u64 done; /* address of the size_t that receives the count */
	__u64 length;
	__u64 cookie; /* of the ENTRY site: file, direction, where the random is */
	__u64 serial; /* grows: the largest is the innermost */
};

struct ww_thread {
	struct ww_scope_ref scope;
	__u64 cgroup; /* the thread's own cgroup that `scope` was decided for */
	struct ww_actor_key actor;
	__u64 serial;
	struct ww_call call[WW_CALL_DEPTH];
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct ww_thread);
} ww_threads __weak SEC(".maps");

/* The same where task storage is missing. Key: thread id. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64);
	__type(value, struct ww_thread);
} ww_threads_lru __weak SEC(".maps");

/* --- Go ------------------------------------------------------------------------------------- */

#define WW_GO_CALLS_MAX 16384 /* that wait, and connections, of all processes */

/* A call of a goroutine, wherever it runs and wherever its stack lies. */
struct ww_go_frame {
	__u64 goroutine;
	__u64 depth; /* of its frame, from the upper end of the stack, bytes */
	__u64 pid;
};

struct ww_go_call {
	__u64 conn;
	__u64 buffer; /* on_stack: its distance from the upper end of the stack */
	__u64 length;
	__u64 cookie;
	__u64 on_stack;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, WW_GO_CALLS_MAX);
	__type(key, struct ww_go_frame);
	__type(value, struct ww_go_call);
} ww_go_calls __weak SEC(".maps");

/* A *Conn, or a goroutine, of a process. */
struct ww_go_key {
	__u64 address;
	__u64 pid;
};

/* By goroutine: what its next record is made of; length 0: not of application data. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, WW_GO_CALLS_MAX);
	__type(key, struct ww_go_key);
	__type(value, struct ww_go_call);
} ww_go_payloads __weak SEC(".maps");

/* The random of the hello that a *Conn sent last. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, WW_GO_CALLS_MAX);
	__type(key, struct ww_go_key);
	__type(value, struct ww_half_random);
} ww_go_hellos __weak SEC(".maps");
