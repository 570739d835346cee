// SPDX-License-Identifier: Apache-2.0
// An agent by the official SDK that starts a tool server and calls it; steps as those of agent.py, without pieces and batches.
//   node stdio_agent.mjs STEPS COMMAND...
import { randomBytes } from 'node:crypto';

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';

const [steps, command, ...args] = process.argv.slice(2);
const tag = process.env.AGENT_TAG ?? 'agent';
const spans = [];
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const now = () => String(BigInt(Date.now()) * 1_000_000n);
const hex = (n) => randomBytes(n).toString('hex');

const client = new Client({ name: 'agent', version: '1' });
await client.connect(new StdioClientTransport({ command, args, stderr: 'inherit', env: process.env }));
await client.listTools().catch(() => {});

async function one(step, traced) {
	const span = { traceId: hex(16), spanId: hex(8), kind: 1, status: { code: 1 }, name: 'execute_tool refund_order', startTimeUnixNano: now() };
	const words = { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'refund_order', 'gen_ai.tool.call.id': `call_${tag}-${step.order}` };

	if (step.mode === 'skip')
		await pause(20);
	else
		await client.callTool({ name: 'refund_order', arguments: { order: `${tag}-${step.order}`, mode: step.mode },
			...(traced ? { _meta: { traceparent: `00-${span.traceId}-${span.spanId}-01` } } : {}) }).catch(() => {});
	await pause(2); // the clock has milliseconds
	span.endTimeUnixNano = now();
	span.attributes = Object.entries(words).map(([key, value]) => ({ key, value: { stringValue: value } }));
	spans.push(span);
}

for (const step of JSON.parse(steps)) {
	if (Array.isArray(step))
		await Promise.all(step.map((s) => one(s, true)));
	else
		await one(step, step.traced);
	await pause(150); // windows of neighbours do not touch
}
await fetch(process.env.OTEL_EXPORTER_OTLP_ENDPOINT + '/v1/traces', {
	method: 'POST', headers: { 'content-type': 'application/json' },
	body: JSON.stringify({ resourceSpans: [{ resource: { attributes: [{ key: 'service.name', value: { stringValue: 'stdio-agent' } }] },
		scopeSpans: [{ scope: { name: 'agent' }, spans }] }] }),
});
await client.close();
console.log('done');
