// SPDX-License-Identifier: Apache-2.0
// The payments service of the tests. POST /v1/refunds {order_id, amount_cents} answers by the order's first letter:
//   A  201 {"id":"r_..."}                      B  503 with Retry-After: 5       C  200 {"errors":[...]}
//   D  reads the request, then resets          E  never answers                 F  202 pending
//   G  200 {"result":{"isError":true}}
// GET /v1/refunds/<id> reads a made refund back; GET /health.
import { createHash } from 'node:crypto';

import { serve } from './truth.mjs';

const refunds = new Map();
const error = (status, code, headers) => ({ status, headers, json: { error: { code } } });

function make_refund(order, amount_cents, status) {
	const id = 'r_' + createHash('sha256').update(`${refunds.size} ${order}`).digest('hex').slice(0, 12);
	const refund = { id, order_id: order, amount_cents, status };

	refunds.set(id, refund);
	return refund;
}

function refund(body) {
	let order, amount_cents;

	try {
		({ order_id: order, amount_cents } = JSON.parse(body));
	} catch {
		return error(400, 'invalid_json');
	}
	if (typeof order !== 'string' || !Number.isInteger(amount_cents) || amount_cents <= 0)
		return error(422, 'invalid_refund');
	const note = { order };

	switch (order[0]) {
	case 'A':
		return { status: 201, json: make_refund(order, amount_cents, 'posted'), note };
	case 'B':
		return { ...error(503, 'temporarily_unavailable', { 'retry-after': '5' }), note };
	case 'C':
		return { status: 200, json: { errors: [{ code: 'refund_window_closed', order_id: order }] }, note };
	case 'D':
		return { outcome: 'reset', note };
	case 'E':
		return { outcome: 'silent', note };
	case 'F':
		return { status: 202, json: make_refund(order, amount_cents, 'pending'), note };
	case 'G':
		return { status: 200, json: { result: { isError: true, content: 'refund was refused' } }, note };
	default:
		return error(404, 'unknown_order');
	}
}

serve('payments', ({ method, path, body }) => {
	if (method === 'POST' && path === '/v1/refunds')
		return refund(body);
	if (method === 'GET' && path.startsWith('/v1/refunds/')) {
		const found = refunds.get(path.slice('/v1/refunds/'.length));

		return found ? { status: 200, json: found } : error(404, 'unknown_refund');
	}
	if (method === 'GET' && path === '/health')
		return { status: 200, json: { status: 'ok' } };
	return error(404, 'not_found');
});
