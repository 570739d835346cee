/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grounds: all that the rules of a verdict look at, as plain values. The judge gathers them
 * (case.h), the record carries them, the auditor's verifier reads them back and asks the same
 * rules again: what is not in here cannot have decided anything. docs/records.md says how they
 * stand in a record. Plain values; borrows the texts.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <wirewitness/verdict.h>

#include "base/digest.h"
#include "policy/answer.h"
#include "policy/contract.h"

#define WW_GROUNDS_ATTEMPTS_MAX 64
#define WW_GROUNDS_READS_MAX    8
#define WW_GROUNDS_RUNS_MAX     32
#define WW_GROUNDS_LIKES_MAX    24
#define WW_GROUNDS_DEEDS_MAX    32

/* A socket as it stood when the action was judged. */
struct ww_grounds_flow {
	bool known;
	bool tls;
	bool closed;
	uint64_t closed_ns;   /* when; 0: it lives */
	bool unchecked;       /* its account cannot tell what is unexplained */
	uint64_t sent, acked; /* the kernel's counters */
	uint64_t setup;       /* bytes sent for the handshake */
	uint64_t unexplained_out, unexplained_in;
	uint64_t unread; /* received bytes that may be of a reply, at most */
};

/* What one exchange did to its connection, which must have carried it. */
struct ww_grounds_call {
	uint64_t begun_ns, ended_ns; /* first request byte, last byte */
	uint64_t req_end;            /* plaintext that its connection carried up to its end */
	struct ww_grounds_flow flow;
};

struct ww_grounds_attempt {
	enum ww_join_grade grade;
	enum ww_join_by by;
	enum ww_wire wire;
	uint16_t status; /* 0: none came */
	const char *method;
	const char *name;     /* SNI, else Host */
	bool keyed;           /* it has an idempotency key, */
	struct ww_sha256 key; /* the keyed digest of which is this */
	uint64_t resp_bytes;
	bool retry_after; /* the answer names */
	uint32_t retry_after_s;
	uint32_t good, all; /* items that succeeded, of how many; 0 of 0: no bulk answer */
	bool id_known;      /* the id that it created was there before it began */
	struct ww_answer answer;
	struct ww_grounds_call call;
};

/* A read of what an attempt created. */
struct ww_grounds_read {
	enum ww_read read;
	unsigned attempt; /* index */
	bool at_home;     /* it went where the attempt went, so that the id is the same tenant's, */
	bool same_caller; /* and asked as the same one */
	struct ww_grounds_call call;
};

/* What another call answered that may have brought a value to the model: the same call of the tree,
 * which another action owns or which began beside the window; or a read of what was created. */
struct ww_grounds_like {
	struct ww_answer answer;
	bool read;
};

/* A run of a control. */
struct ww_grounds_run {
	enum ww_control_says says;
	enum ww_control_subject subject;
	uint64_t begun_ns, ended_ns; /* ended 0: no answer came */
	uint64_t answered_ns;        /* first byte of the answer */
	bool no_reply;               /* the request was sent whole, and no status came */
	bool stray;                  /* it may be of the action's trace, or of another */
	uint32_t uses;               /* other actions that had its answer before this one, */
	uint32_t uses_unknown;       /* and calls that may be of more */
	struct ww_grounds_call call;
};

/* Of a verdict on a control: the action's first attempt, and the control's runs beside it. */
struct ww_grounds_control {
	bool there;
	enum ww_reason doubt; /* why nothing is known of the action's own attempts; NONE */
	enum ww_join_grade grade;
	enum ww_join_by by;
	uint64_t begun_ns;  /* of that attempt */
	uint32_t max_age_s; /* as the contract has them */
	uint32_t max_uses;
	uint32_t total; /* runs; those that are not listed included */
	unsigned count; /* the last ones, by begin */
	struct ww_grounds_run runs[WW_GROUNDS_RUNS_MAX];
	uint32_t stray; /* how many of all runs are strays */
	bool narrated;  /* text says that it was done */
};

/* A run of a declared program, or a change of a declared file. */
struct ww_grounds_deed {
	bool run;
	uint64_t since_ns, at_ns; /* when, a run: its begin */
	enum ww_run_end end;      /* a run: */
	uint64_t ended_ns;        /* 0: it did not */
	int32_t code;             /* exit status, or -signal */
	uint32_t what;            /* a change: bit set of enum ww_change_bit */
	uint64_t path;            /* equal: of one file */
};

/* Of a process or file effect that says what it looks like. */
struct ww_grounds_local {
	bool there;
	bool exit_given; /* as the contract has them */
	uint8_t exit_min, exit_max;
	uint32_t changes; /* bit set of enum ww_file_effect */
	uint32_t total;   /* deeds that can be the action's alone; those not listed included */
	unsigned count;
	struct ww_grounds_deed deeds[WW_GROUNDS_DEEDS_MAX]; /* by time */
	uint32_t contested;     /* deeds that another action may mean as well */
	bool late;              /* all of them were done after they had to be, */
	uint64_t late_after_ns; /* which was then */
};

struct ww_grounds {
	/* what was intended, and who says what */
	bool given_up;  /* the table was full: judged before its time */
	bool resolved;  /* the process tree is known */
	bool clock_bad; /* a time of it could not be mapped, or contradicts its receipt */
	bool declared;  /* a contract declares the tool, */
	enum ww_effect effect;
	bool looks;  /* of a process or file effect: and says what it looks like */
	bool asked;  /* a model asked for it, */
	bool remote; /* and its provider carries it out */
	bool spanned;
	bool span_error; /* the tool span that ended last ends in error */
	unsigned claims;
	bool claim_done;               /* one of them says done */
	uint64_t until_ns;             /* the last date of what was only announced; 0: none */
	bool shown;                    /* the model was shown a result, */
	bool shown_error;              /* as an error; */
	struct ww_answer shown_answer; /* with these members of the answer, */
	unsigned like_count;           /* which other calls answered, too; */
	struct ww_grounds_like likes[WW_GROUNDS_LIKES_MAX];
	bool shown_elsewhere; /* or may be from elsewhere: an earlier answer, another service */
	uint32_t partners;    /* loose claim: how many actions it could mean */
	uint64_t now_ns;      /* when it was judged, */
	bool finished;        /* with nothing more to be seen */

	/* with a network contract only: the wire */
	enum ww_join_grade grade;
	enum ww_join_by by;
	uint32_t total; /* attempts, or candidates; those that are not listed included */
	unsigned count;
	struct ww_grounds_attempt attempts[WW_GROUNDS_ATTEMPTS_MAX];
	uint64_t shows_until_ns; /* when what was accepted must have shown; 0: it need not */
	uint32_t read_total;
	unsigned read_count;
	struct ww_grounds_read reads[WW_GROUNDS_READS_MAX];
	bool reads_over; /* more exchanges with one id than are looked at */
	bool late_there; /* a call that can only be this action's, after it had to be made, */
	struct ww_grounds_attempt late;
	uint64_t late_after_ns; /* which was then; */
	bool late_contested;    /* another action may mean it as well */
	bool elsewhere;         /* its call went to where no contract points */
	bool elsewhere_known;
	uint16_t elsewhere_status;
	bool still_open; /* an exchange with a declared destination did not end in time */
	uint32_t near;   /* calls that look like it and are not, */
	uint32_t beside; /* of them, what they answered is not known: another path, another host, */
	uint32_t almost; /* and those that a server may take for it */

	/* and how complete the view of it was */
	bool covered;       /* coverage is known, of the whole window, with neither loss nor gap */
	uint32_t failed;    /* bit set of enum ww_world_item */
	uint32_t undecoded; /* flows to a declared destination with bytes that nothing decodes; */
	enum ww_evidence undecoded_evidence; /* of the best of them, */
	bool undecoded_opaque;               /* which is TLS without plaintext, */
	bool undecoded_torn;   /* (of one at least only a part of the plaintext is lost) */
	bool undecoded_inside; /* and whose bytes are all of the window */
	uint32_t rivals;       /* other actions that could mean the same undecoded flow */

	/* only prose speaks of it */
	bool prose;
	bool prose_blind;   /* calls of the turn were not seen */
	bool prose_earlier; /* it may mean a call of an earlier turn, */
	bool prose_taken;   /* or one that another action owns */

	struct ww_grounds_control control; /* then the view is that of the control's calls */
	struct ww_grounds_local local;     /* then there is no wire */
};
