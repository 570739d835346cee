// SPDX-License-Identifier: Apache-2.0
// An agent with the official SDK, beside its packages in the folder of the demo agents.
//   sdk.mjs failover BASE-URL...     the same request to one after the other, until there is an answer
//   sdk.mjs copy BASE-URL URL        asks, and ships a span with the prompt to URL, coded by brotli
// From the environment: CLIENT_LOG, AGENT_TAG, SEED. The prompt is a line of CLIENT_LOG.
import { createHash } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { brotliCompressSync } from 'node:zlib';

import OpenAI from 'openai';

import { SpanKind, start_telemetry, trace_headers } from './telemetry.mjs';

const telemetry = start_telemetry('courier');
const tag = process.env.AGENT_TAG;
const note = (row) => appendFileSync(process.env.CLIENT_LOG, JSON.stringify({ case: 'sdk', tag, pid: process.pid, ...row }) + '\n');

// Text that no other prompt has.
function words(size) {
	let text = '', n = 0;

	while (text.length < size)
		text += createHash('sha256').update(`${process.env.SEED} ${tag} ${n++}`).digest('base64').replace(/[^a-z]+/g, ' ') + '\n';
	return text.slice(0, size);
}

const chat = (base, text) => telemetry.span('chat gpt-5-mini', SpanKind.CLIENT, {
	'gen_ai.operation.name': 'chat', 'gen_ai.provider.name': 'openai', 'gen_ai.request.model': 'gpt-5-mini',
}, async (span) => {
	for (const url of Array.isArray(base) ? base : [base]) {
		const client = new OpenAI({ baseURL: url, apiKey: 'test-key', maxRetries: 0 });

		try {
			const reply = await client.chat.completions.create(
				{ model: 'gpt-5-mini', messages: [{ role: 'user', content: text }] },
				{ headers: { ...trace_headers(), 'x-tag': tag } });

			span.setAttribute('gen_ai.response.id', reply.id);
			return;
		} catch (error) {
			note({ url, error: error.constructor.name });
		}
	}
	throw new Error('nobody answered');
});

const cases = {
	async failover(text, ...bases) {
		await chat(bases, text);
	},
	async copy(text, base, saas) {
		await chat(base, text);
		const span = { name: 'chat', attributes: [{ key: 'gen_ai.prompt.0.content', value: { stringValue: text } }] };

		await fetch(saas, {
			method: 'POST',
			headers: { 'content-type': 'application/json', 'content-encoding': 'br', 'x-tag': tag },
			body: brotliCompressSync(JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] })),
		});
	},
};

const [name, ...args] = process.argv.slice(2);
const text = words(2000 + Number(BigInt('0x' + createHash('sha256').update(`${process.env.SEED} ${tag}`).digest('hex')) % 20000n));

note({ prompt: text });
await cases[name](text, ...args);
await telemetry.stop();
