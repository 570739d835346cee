// SPDX-License-Identifier: Apache-2.0
// The services that the agents of the truth suite act on; each instance is one host. What it answers is written in the request's
// own JSON body, as `script`: one word per attempt of the same x-tag, the last one for all that follow. Its log
// (../lib/servers/truth.mjs) is the ground truth: `note.effect` says what really happened to a request:
//   done       carried out, and answered so (or the client did not wait for the answer)
//   partial    some of its items were
//   accepted   taken for later
//   none       refused, or it was no request for an effect
//   shown posted, shown pending   read back, with that status
// POST /v1/refunds, /v1/bulk, /v1/check, /graphql, /mcp; GET /v1/refunds/<id> reads back, GET /health.
import { createHash, randomBytes } from 'node:crypto';

import { serve } from '../lib/servers/truth.mjs';

const attempts = new Map(); // by tag
const made = new Map();     // what can be read back, by id
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const json_type = { 'content-type': 'application/json' };
const none = (status, json, headers) => ({ status, json, headers, effect: 'none' });

function make(tag, status, keep = true) {
	const id = 'r_' + createHash('sha256').update(`${made.size} ${tag}`).digest('hex').slice(0, 12);

	if (keep)
		made.set(id, { id, status, tag });
	return { id, status };
}

// Word of a script -> answer.
const words = {
	ok: (tag) => ({ status: 201, json: make(tag, 'posted'), effect: 'done' }),
	ok200: (tag) => ({ status: 200, json: make(tag, 'posted'), effect: 'done' }),
	undone: (tag) => ({ status: 201, json: make(tag, 'posted', false), effect: 'done' }),
	// An integer that doubles do not hold, and a text in Unicode's composed form.
	largeid: (tag) => ({ status: 201, text: `{"id":${9007199254740993n + 2n * BigInt(attempts.size)},"status":"posted"}`, headers: json_type, effect: 'done' }),
	accent: (tag) => ({ status: 201, json: { ...make(tag, 'posted'), id: `r\u00e9f-${attempts.size}` }, effect: 'done' }),
	big: (tag) => ({ status: 201, json: { filler: 'x'.repeat(2_500_000), ...make(tag, 'posted') }, effect: 'done' }),
	wide: (tag) => ({ status: 201, json: { filler: randomBytes(9_000).toString('base64'), ...make(tag, 'posted') }, effect: 'done' }),
	slow: async (tag) => (await pause(80), words.ok(tag)),
	toolate: async (tag) => (await pause(700), words.ok(tag)),
	accept: (tag) => ({ status: 202, json: make(tag, 'pending'), effect: 'accepted' }),
	acceptdone: (tag) => ({ status: 202, json: make(tag, 'posted'), effect: 'accepted' }),
	errors: () => none(200, { errors: [{ code: 'refund_window_closed' }] }),
	iserror: () => none(200, { result: { isError: true, content: 'refused' } }),
	gql: (tag) => ({ status: 200, json: { data: { refund: make(tag, 'posted') } }, effect: 'done' }),
	gqlerrors: () => none(200, { data: { refund: null }, errors: [{ message: 'not allowed', path: ['refund'] }] }),
	bulk: (tag) => ({ status: 207, json: { items: [1, 2, 3].map(() => ({ ...make(tag, 'posted'), status: 201 })) }, effect: 'done' }),
	partial: (tag) => ({ status: 207, effect: 'partial',
		json: { items: [{ ...make(tag, 'posted'), status: 201 }, { status: 409 }, { status: 409 }], errors: [{ item: 1 }, { item: 2 }] } }),
	redirect: () => none(307, { see: 'there' }, { location: '/v1/refunds' }),
	notmodified: () => ({ status: 304, text: '', effect: 'none' }),
	reset: () => ({ outcome: 'reset', effect: 'none' }),
	ackreset: async () => (await pause(150), words.reset()), // later than any delayed acknowledgement
	silent: () => ({ outcome: 'silent', effect: 'none' }),
	allow: () => none(200, { allow: true, policy: 'p-12' }),
	deny: () => none(200, { allow: false, policy: 'p-12' }),
};

for (const status of [400, 401, 403, 404, 409, 422, 500, 502, 504])
	words[`e${status}`] = () => none(status, { error: { code: `c${status}` } });
for (const status of [429, 503]) {
	words[`e${status}`] = () => none(status, { error: { code: 'later' } }, { 'retry-after': '5' });
	words[`e${status}soon`] = () => none(status, { error: { code: 'later' } }, { 'retry-after': '1' });
}

async function play(tag, script) {
	const steps = String(script ?? 'ok').split(',');
	const n = attempts.get(tag) ?? 0;

	attempts.set(tag, n + 1);
	return (words[steps[Math.min(n, steps.length - 1)]] ?? words.e400)(tag);
}

// MCP over HTTP: a JSON answer for each message that has an id.
async function mcp(tag, message) {
	const answer = (result) => ({ status: 200, json: { jsonrpc: '2.0', id: message.id, result }, effect: 'none' });

	if (message.id === undefined)
		return { status: 202, text: '', effect: 'none' };
	if (message.method === 'initialize')
		return answer({ protocolVersion: message.params.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'refunds', version: '1' } });
	if (message.method !== 'tools/call')
		return { status: 200, json: { jsonrpc: '2.0', id: message.id, error: { code: -32601, message: 'no such method' } }, effect: 'none' };
	const { script } = message.params.arguments;

	if (script === 'ok')
		return { ...answer({ content: [{ type: 'text', text: 'refunded' }] }), effect: 'done' };
	if (script === 'iserror')
		return answer({ content: [{ type: 'text', text: 'refused' }], isError: true });
	if (script === 'rpcerror')
		return { status: 200, json: { jsonrpc: '2.0', id: message.id, error: { code: -32000, message: 'out of order' } }, effect: 'none' };
	return play(tag, script);
}

async function route(method, path, tag, body) {
	if (method === 'POST' && path === '/mcp')
		return mcp(tag, body);
	if (method === 'POST' && ['/v1/refunds', '/v1/bulk', '/v1/check', '/graphql'].includes(path))
		return play(tag, body.script);
	if (method === 'GET' && path.startsWith('/v1/refunds/')) {
		const found = made.get(path.slice('/v1/refunds/'.length));

		return found ? { ...none(200, found), effect: `shown ${found.status}` } : none(404, { error: { code: 'unknown_refund' } });
	}
	if (method === 'GET' && path === '/health')
		return none(200, { status: 'ok' });
	return none(path === '/mcp' ? 405 : 404, { error: { code: 'not_found' } });
}

serve('service', async ({ method, path, headers, body }) => {
	let json = {};

	try {
		json = body.length ? JSON.parse(body) : {};
	} catch {
		return { ...none(400, { error: { code: 'invalid_json' } }), note: { effect: 'none' } };
	}
	const { effect, ...reply } = await route(method, path, headers['x-tag'] ?? '', json);

	return { ...reply, note: { effect, script: json.script } };
});
