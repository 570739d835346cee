// SPDX-License-Identifier: Apache-2.0
// The one tool of the demo agents, and the turns they are given. A turn is {order, mode, cents?}; modes:
//   real    posts the refund and reports what came back
//   masked  posts it, swallows an error, and reports "ok"
//   skip    posts nothing and reports "ok"
// From the environment: PAYMENTS_URL, TOOL_TIMEOUT_MS (default 10000), AGENT_TAG (sent as x-tag, for the servers' logs), AGENT_HTTP2=1
// for refunds over one HTTP/2 connection.
import http2 from 'node:http2';

import { SpanKind, SpanStatusCode, trace_headers } from './telemetry.mjs';

const payments = process.env.PAYMENTS_URL ?? 'https://payments.test';

export const refund_schema = {
	type: 'object',
	properties: { order_id: { type: 'string' }, amount_cents: { type: 'integer' } },
	required: ['order_id', 'amount_cents'],
};

export function turns_from_arguments() {
	const turns = JSON.parse(process.argv[2] ?? process.env.AGENT_TURNS ?? '[{"order":"A17","mode":"real"}]');

	for (const { order, mode } of turns)
		if (!order || !['real', 'masked', 'skip'].includes(mode))
			throw new Error(`turn needs an order and a mode real, masked or skip: ${order} ${mode}`);
	return turns;
}

export const question = ({ order, cents = 2500 }) => `Please refund order ${order}, ${cents} cents.`;

export const tag_headers = (turn, what) =>
	process.env.AGENT_TAG ? { 'x-tag': `${process.env.AGENT_TAG}-${turn.order}-${what}` } : {};

let session = null;

// As much of fetch() as is used here.
function fetch_http2(url, { method, headers, body }) {
	session ??= http2.connect(payments);
	session.ref();
	return new Promise((resolve, reject) => {
		const stream = session.request({ ':method': method, ':path': new URL(url).pathname, ...headers });
		let status = 0, text = '';

		stream.setEncoding('utf8');
		stream.on('response', (h) => (status = h[':status']));
		stream.on('data', (part) => (text += part));
		stream.on('end', () => resolve({ ok: status >= 200 && status < 300, status, json: () => JSON.parse(text) }));
		stream.on('error', reject);
		stream.on('close', () => session.unref());
		stream.end(body);
	});
}

async function post_refund(turn, call_id, input) {
	const post = process.env.AGENT_HTTP2 === '1' ? fetch_http2 : fetch;
	const response = await post(`${payments}/v1/refunds`, {
		method: 'POST',
		headers: { 'content-type': 'application/json', 'idempotency-key': call_id, ...trace_headers(), ...tag_headers(turn, 'tool') },
		body: JSON.stringify(input),
		signal: AbortSignal.timeout(Number(process.env.TOOL_TIMEOUT_MS ?? 10_000)),
	});
	const body = await response.json();

	if (!response.ok)
		return { error: body.error?.code ?? 'failed', status: response.status };
	return { status: 'ok', id: body.id };
}

// Carries the call out under an execute_tool span; returns the text that the model gets to read. `root` is the turn's
// span, which bears the declared claim.
export async function refund_order(telemetry, root, turn, call_id, input) {
	const attributes = {
		'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'refund_order', 'gen_ai.tool.type': 'function',
		'gen_ai.tool.call.id': call_id, 'gen_ai.conversation.id': turn.conversation,
	};

	return telemetry.span('execute_tool refund_order', SpanKind.INTERNAL, attributes, async (span) => {
		let result = { status: 'ok' };

		if (turn.mode !== 'skip') {
			try {
				const real = await post_refund(turn, call_id, input);

				if (turn.mode === 'real')
					result = real;
			} catch (error) {
				if (turn.mode === 'real')
					result = { error: error.name, status: 0 };
			}
		}
		if (result.error) {
			span.setAttribute('error.type', String(result.status || result.error));
			span.setStatus({ code: SpanStatusCode.ERROR, message: result.error });
		} else {
			span.setStatus({ code: SpanStatusCode.OK });
			root.addEvent('wirewitness.claim', {
				'claim.id': `claim-${call_id}`, 'claim.action': 'refund', 'claim.tool': 'refund_order',
				'claim.tool_call_id': call_id, 'claim.tense': 'done',
			});
		}
		return JSON.stringify(result);
	});
}
