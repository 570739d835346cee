/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pcapcount: counts TCP payload on an interface with libpcap, as an oracle for the kernel's own
 * counters. Payload is the part of the sequence space that was seen at least once: retransmitted
 * bytes count once, SYN and FIN not at all.
 *
 *   pcapcount IFACE FILE  prints "ready 0" when it captures; on SIGTERM or SIGINT FILE gets a line
 * of JSON for each direction of each connection, then one with packet counts
 *
 * IPv4 over Ethernet framing (veth, lo). A connection whose SYN was not seen is marked.
 */
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <arpa/inet.h>
#include <net/ethernet.h>
#include <pcap/pcap.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SNAP_BYTES     128 /* Ethernet, IPv4 and TCP headers with all options */
#define BUFFER_BYTES   (64 << 20)
#define DIRECTIONS_MAX 4096
#define HELD_MAX       64 /* ranges that wait for the bytes before them */

/* Half open, in bytes after the SYN. */
struct range {
	uint64_t from, to;
};

struct direction {
	struct in_addr from_addr, to_addr;
	uint16_t from_port, to_port;
	bool syn, fin;
	uint32_t isn;   /* sequence number of the first payload byte */
	uint64_t done;  /* everything before it was seen */
	uint64_t again; /* bytes seen more than once */
	bool overflow;  /* more than HELD_MAX ranges: not counted */
	unsigned held_count;
	struct range held[HELD_MAX]; /* behind done, by offset, apart */
};

static struct direction directions[DIRECTIONS_MAX];
static unsigned direction_count;
static uint64_t packets, unknown;
static pcap_t *capture;

static struct direction *direction_of(const struct ip *ip, const struct tcphdr *tcp)
{
	struct direction *d;

	for (unsigned i = direction_count; i > 0; i--) {
		d = &directions[i - 1];
		if (d->from_port == tcp->source && d->to_port == tcp->dest &&
		    d->from_addr.s_addr == ip->ip_src.s_addr &&
		    d->to_addr.s_addr == ip->ip_dst.s_addr)
			return d;
	}
	if (direction_count == DIRECTIONS_MAX)
		return NULL;
	d = &directions[direction_count++];
	*d = (struct direction){.from_addr = ip->ip_src,
				.to_addr = ip->ip_dst,
				.from_port = tcp->source,
				.to_port = tcp->dest,
				.isn = ntohl(tcp->seq) + tcp->syn};
	return d;
}

/* Puts r among the held ranges, joined with those it touches. */
static void hold(struct direction *d, struct range r)
{
	unsigned n = 0, at;

	for (unsigned i = 0; i < d->held_count; i++) {
		struct range h = d->held[i];

		if (h.to < r.from || h.from > r.to) {
			d->held[n++] = h;
			continue;
		}
		if (h.from < r.to && r.from < h.to)
			d->again +=
				(h.to < r.to ? h.to : r.to) - (h.from > r.from ? h.from : r.from);
		r.from = h.from < r.from ? h.from : r.from;
		r.to = h.to > r.to ? h.to : r.to;
	}
	if (n == HELD_MAX) {
		d->overflow = true;
		d->held_count = n;
		return;
	}
	for (at = n; at > 0 && d->held[at - 1].from > r.from; at--)
		d->held[at] = d->held[at - 1];
	d->held[at] = r;
	d->held_count = n + 1;
}

static void add(struct direction *d, uint64_t from, uint64_t bytes)
{
	struct range r = {from, from + bytes};

	if (r.from < d->done) {
		d->again += (r.to < d->done ? r.to : d->done) - r.from;
		r.from = d->done;
	}
	if (r.from >= r.to)
		return;
	hold(d, r);
	if (d->held[0].from == d->done) {
		d->done = d->held[0].to;
		memmove(d->held, d->held + 1, --d->held_count * sizeof(d->held[0]));
	}
}

/* Bytes after the SYN; sequence numbers wrap, so the nearest one to what is done is meant. */
static uint64_t offset_of(const struct direction *d, uint32_t seq)
{
	int32_t ahead = (int32_t)(seq - d->isn - (uint32_t)d->done);

	return ahead < 0 && (uint64_t) - (int64_t)ahead > d->done
		       ? 0
		       : d->done + (uint64_t)(int64_t)ahead;
}

static void take(u_char *ctx, const struct pcap_pkthdr *h, const u_char *bytes)
{
	const struct ether_header *eth = (const void *)bytes;
	const struct ip *ip = (const void *)(eth + 1);
	const struct tcphdr *tcp;
	struct direction *d;
	uint32_t length, heads;

	packets++;
	if (h->caplen < sizeof(*eth) + sizeof(*ip) || eth->ether_type != htons(ETHERTYPE_IP) ||
	    ip->ip_p != IPPROTO_TCP)
		return;
	tcp = (const void *)((const u_char *)ip + ip->ip_hl * 4);
	if ((const u_char *)(tcp + 1) > bytes + h->caplen) {
		unknown++;
		return;
	}
	/* Segments that the card would split may be longer than the field can say. */
	length = ip->ip_len ? ntohs(ip->ip_len) : h->len - (uint32_t)sizeof(*eth);
	heads = ip->ip_hl * 4u + tcp->doff * 4u;
	d = length < heads ? NULL : direction_of(ip, tcp);
	if (!d) {
		unknown++;
		return;
	}
	d->syn |= tcp->syn;
	d->fin |= tcp->fin;
	if (length > heads && !tcp->syn)
		add(d, offset_of(d, ntohl(tcp->seq)), length - heads);
}

static void write_direction(FILE *out, const struct direction *d)
{
	char from[INET_ADDRSTRLEN], to[INET_ADDRSTRLEN];
	uint64_t payload = d->done;

	inet_ntop(AF_INET, &d->from_addr, from, sizeof(from));
	inet_ntop(AF_INET, &d->to_addr, to, sizeof(to));
	for (unsigned i = 0; i < d->held_count; i++)
		payload += d->held[i].to - d->held[i].from;
	fprintf(out,
		"{\"from\": \"%s:%u\", \"to\": \"%s:%u\", \"payload\": %llu, \"again\": %llu, "
		"\"whole\": %s, \"fin\": %s}\n",
		from, ntohs(d->from_port), to, ntohs(d->to_port), (unsigned long long)payload,
		(unsigned long long)d->again,
		d->syn && d->held_count == 0 && !d->overflow ? "true" : "false",
		d->fin ? "true" : "false");
}

static void stop(int sig)
{
	pcap_breakloop(capture);
}

static int fail(const char *what)
{
	fprintf(stderr, "pcapcount: %s: %s\n", what, capture ? pcap_geterr(capture) : "");
	return 1;
}

static int open_capture(const char *interface)
{
	struct bpf_program tcp;
	char error[PCAP_ERRBUF_SIZE] = "";

	capture = pcap_create(interface, error);
	if (!capture)
		return fail(error);
	if (pcap_set_snaplen(capture, SNAP_BYTES) != 0 ||
	    pcap_set_buffer_size(capture, BUFFER_BYTES) != 0 ||
	    pcap_set_immediate_mode(capture, 1) != 0 || pcap_activate(capture) < 0)
		return fail(interface);
	if (pcap_datalink(capture) != DLT_EN10MB)
		return fail("not an Ethernet framing");
	if (pcap_compile(capture, &tcp, "tcp", 1, PCAP_NETMASK_UNKNOWN) != 0 ||
	    pcap_setfilter(capture, &tcp) != 0)
		return fail("filter");
	pcap_freecode(&tcp);
	return 0;
}

int main(int argc, char **argv)
{
	struct sigaction sa = {.sa_handler = stop};
	struct pcap_stat stats = {0};
	char error[PCAP_ERRBUF_SIZE];
	FILE *out;

	if (argc != 3) {
		fprintf(stderr, "usage: pcapcount INTERFACE FILE\n");
		return 2;
	}
	if (open_capture(argv[1]) != 0)
		return 1;
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	printf("ready 0\n");
	fflush(stdout);
	if (pcap_loop(capture, -1, take, NULL) == PCAP_ERROR)
		return fail("capture");
	/* What had been captured when the signal came. */
	if (pcap_setnonblock(capture, 1, error) != 0)
		return fail(error);
	while (pcap_dispatch(capture, -1, take, NULL) > 0)
		;
	if (pcap_stats(capture, &stats) != 0)
		return fail("counts");
	out = fopen(argv[2], "we");
	if (!out)
		return fail(argv[2]);
	for (unsigned i = 0; i < direction_count; i++)
		write_direction(out, &directions[i]);
	fprintf(out, "{\"packets\": %llu, \"unknown\": %llu, \"dropped\": %u}\n",
		(unsigned long long)packets, (unsigned long long)unknown,
		stats.ps_drop + stats.ps_ifdrop);
	pcap_close(capture);
	return fclose(out) == 0 ? 0 : 1;
}
