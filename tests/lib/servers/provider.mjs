// SPDX-License-Identifier: Apache-2.0
// A model provider for tests: POST /v1/chat/completions (OpenAI shape) and POST /v1/messages (Anthropic shape), both
// streaming and not. No model: the answer is a function of the conversation.
//   a user asks "... refund order A17 ... 2500 cents"   ->  calls the tool refund_order {order_id, amount_cents}
//   a user asks "Use TOOL with {...}, call id ID."      ->  calls that tool, with that id
//   ... and "Then say: TEXT"                            ->  after the tool's result says that
//   the last message is a tool's result                 ->  says it is done, or that it failed if the result has "error"
//   anything else                                       ->  a greeting
// Ids are minted from a counter and the request's bytes: unique, and the same in every run of the same script.
import { createHash } from 'node:crypto';

import { serve } from './truth.mjs';

let minted = 0;

const tokens = (text) => Math.ceil(text.length / 4);
const pieces = (text, size) => text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
const sse = (event, data) => `${event ? `event: ${event}\n` : ''}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;

const say_whether = (what, tool_result) => (/"errors?"/.test(tool_result)
	? { text: `I could not ${what}: the service reported an error.` }
	: { text: `Done: ${what} is complete.` });

function decide(asked, tool_result) {
	const told = /Use (\w+) with (\{.*\}), call id (\S+)\./.exec(asked);

	const then = /Then say: ([^]*)$/.exec(asked);

	if (told && tool_result !== null)
		return then ? { text: then[1] } : say_whether(told[1], tool_result);
	if (told)
		return { tool: told[1], input: JSON.parse(told[2]), call_id: told[3] };
	const order = /refund order ([A-Z]\d+)/i.exec(asked)?.[1];
	const amount_cents = Number(/(\d+) cents/.exec(asked)?.[1] ?? 2500);

	if (!order)
		return { text: 'Hello. I can refund an order for you.' };
	if (tool_result === null)
		return { tool: 'refund_order', input: { order_id: order, amount_cents } };
	if (/"error"/.test(tool_result))
		return { text: `I could not refund order ${order}: the payments service reported an error.` };
	return { text: `Done. I have refunded ${(amount_cents / 100).toFixed(2)} EUR for order ${order}; ` +
		'it reaches the account within 5 to 7 business days.' };
}

function openai_decide(messages) {
	const last = messages.at(-1);
	const asked = messages.findLast((m) => m.role === 'user')?.content ?? '';

	return decide(String(asked), last?.role === 'tool' ? String(last.content) : null);
}

function anthropic_decide(messages) {
	const blocks = (m) => (typeof m.content === 'string' ? [{ type: 'text', text: m.content }] : m.content);
	const asked = messages.filter((m) => m.role === 'user').flatMap(blocks).findLast((b) => b.type === 'text')?.text ?? '';
	const result = blocks(messages.at(-1)).find((b) => b.type === 'tool_result');

	const content = result?.content;

	return decide(asked, result ? (typeof content === 'string' ? content : JSON.stringify(content)) : null);
}

function openai_stream(base, message, finish_reason, usage) {
	const chunk = (delta, finish = null) => ({
		...base, object: 'chat.completion.chunk',
		choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
	});
	const out = [chunk({ role: 'assistant', content: message.content === null ? null : '', refusal: null })];

	for (const piece of pieces(message.content ?? '', 12))
		out.push(chunk({ content: piece }));
	for (const [index, { id, type, function: fn }] of (message.tool_calls ?? []).entries()) {
		out.push(chunk({ tool_calls: [{ index, id, type, function: { name: fn.name, arguments: '' } }] }));
		for (const piece of pieces(fn.arguments, 9))
			out.push(chunk({ tool_calls: [{ index, function: { arguments: piece } }] }));
	}
	out.push(chunk({}, finish_reason));
	if (usage)
		out.push({ ...base, object: 'chat.completion.chunk', choices: [], usage });
	return [...out.map((c) => sse('', c)), sse('', '[DONE]')];
}

function openai(request, body, seed) {
	const { tool, input, call_id, text } = openai_decide(request.messages);
	const message = { role: 'assistant', content: text ?? null, refusal: null };
	const said = text ?? JSON.stringify(input);
	const usage = {
		prompt_tokens: tokens(body), completion_tokens: tokens(said), total_tokens: tokens(body) + tokens(said),
		prompt_tokens_details: { cached_tokens: 0 }, completion_tokens_details: { reasoning_tokens: 0 },
	};
	const base = {
		id: `chatcmpl-${seed.slice(0, 29)}`, object: 'chat.completion', created: 1790000000 + minted,
		model: `${request.model}-2026-01-15`, service_tier: 'default', system_fingerprint: 'fp_50cad350e4',
	};

	if (tool)
		message.tool_calls = [{ id: call_id ?? `call_${seed.slice(-24)}`, type: 'function',
			function: { name: tool, arguments: JSON.stringify(input) } }];
	const finish_reason = tool ? 'tool_calls' : 'stop';
	const headers = { 'x-request-id': `req_${seed.slice(8, 40)}`, 'openai-processing-ms': '7', 'openai-version': '2020-10-01' };

	if (request.stream)
		return {
			status: 200, headers: { ...headers, 'content-type': 'text/event-stream; charset=utf-8' },
			parts: openai_stream(base, message, finish_reason, request.stream_options?.include_usage && usage),
		};
	return { status: 200, headers, json: { ...base, choices: [{ index: 0, message, logprobs: null, finish_reason }], usage } };
}

function anthropic_stream(message) {
	const { stop_reason, stop_sequence, usage, content, ...head } = message;
	const [block] = content;
	const start = block.type === 'text' ? { type: 'text', text: '' } : { ...block, input: {} };
	const deltas = block.type === 'text'
		? pieces(block.text, 12).map((text) => ({ type: 'text_delta', text }))
		: ['', ...pieces(JSON.stringify(block.input), 9)].map((partial_json) => ({ type: 'input_json_delta', partial_json }));
	const events = [
		{ type: 'message_start', message: { ...head, content: [], stop_reason: null, stop_sequence: null,
			usage: { ...usage, output_tokens: 1 } } },
		{ type: 'content_block_start', index: 0, content_block: start },
		{ type: 'ping' },
		...deltas.map((delta) => ({ type: 'content_block_delta', index: 0, delta })),
		{ type: 'content_block_stop', index: 0 },
		{ type: 'message_delta', delta: { stop_reason, stop_sequence }, usage: { output_tokens: usage.output_tokens } },
		{ type: 'message_stop' },
	];

	return events.map((event) => sse(event.type, event));
}

function anthropic(request, body, seed) {
	const { tool, input, call_id, text } = anthropic_decide(request.messages);
	const message = {
		id: `msg_01${seed.slice(0, 22)}`, type: 'message', role: 'assistant', model: `${request.model}-20260115`,
		content: [tool ? { type: 'tool_use', id: call_id ?? `toolu_01${seed.slice(-22)}`, name: tool, input } : { type: 'text', text }],
		stop_reason: tool ? 'tool_use' : 'end_turn', stop_sequence: null,
		usage: {
			input_tokens: tokens(body), cache_creation_input_tokens: 0, cache_read_input_tokens: 0,
			output_tokens: tokens(text ?? JSON.stringify(input)), service_tier: 'standard',
		},
	};
	const headers = { 'request-id': `req_01${seed.slice(8, 30)}`, 'anthropic-organization-id': '7b0f8f0e-0000-4000-8000-000000000001' };

	if (request.stream)
		return { status: 200, headers: { ...headers, 'content-type': 'text/event-stream; charset=utf-8' }, parts: anthropic_stream(message) };
	return { status: 200, headers, json: message };
}

// What the request shows the model of a tool's answer: what the log says of it.
function shown_of({ messages }) {
	const last = messages.at(-1);
	const result = last.role === 'tool' ? last : Array.isArray(last.content) && last.content.find((b) => b.type === 'tool_result');

	return result && typeof result.content === 'string' ? createHash('sha256').update(result.content).digest('hex') : undefined;
}

const routes = new Map([['/v1/chat/completions', openai], ['/v1/messages', anthropic]]);

serve('provider', ({ method, path, headers, body }) => {
	if (method === 'GET' && path === '/health')
		return { status: 200, json: { status: 'ok' } };
	const route = routes.get(path.split('?')[0]);
	const bad = (status, type, message) => ({ status, json: { type: 'error', error: { type, message } } });

	if (method !== 'POST' || !route)
		return bad(404, 'not_found_error', 'no such endpoint');
	if (!headers.authorization && !headers['x-api-key'])
		return bad(401, 'authentication_error', 'missing key');
	let request;

	try {
		request = JSON.parse(body);
	} catch {
		return bad(400, 'invalid_request_error', 'the body is not JSON');
	}
	if (!Array.isArray(request.messages) || request.messages.length === 0 || typeof request.model !== 'string')
		return bad(400, 'invalid_request_error', 'model and messages are required');
	const seed = createHash('sha256').update(`${++minted} `).update(body).digest('hex');
	const reply = route(request, body.toString(), seed);

	return { ...reply, note: { model: request.model, stream: Boolean(request.stream), id: seed.slice(0, 22), shown_sha256: shown_of(request) } };
});
