// SPDX-License-Identifier: Apache-2.0
// A tool server by the official SDK over standard input and output. Modes and log as those of server.py; what goes in and out
// is counted at the streams that the SDK was given.
//   node stdio_server.mjs LOG
import { appendFileSync } from 'node:fs';

import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { CallToolRequestSchema, ListToolsRequestSchema, McpError } from '@modelcontextprotocol/sdk/types.js';

const log = process.argv[2];
const sizes = new Map(); // of the messages that came in, by id
const calls = new Map();
let rest = '';

process.stdin.on('data', (data) => {
	const lines = (rest + data).split('\n');

	rest = lines.pop();
	for (const line of lines)
		sizes.set(JSON.parse(line).id, Buffer.byteLength(line));
});

const write = process.stdout.write.bind(process.stdout);
process.stdout.write = (data, ...more) => {
	const message = JSON.parse(data);

	if (calls.has(message.id) && !message.method) {
		const note = { server: process.pid, id: message.id, ...calls.get(message.id), in: sizes.get(message.id), out: Buffer.byteLength(data) - 1 };

		appendFileSync(log, JSON.stringify(note) + '\n');
	}
	return write(data, ...more);
};

const server = new Server({ name: 'refunds', version: '1' }, { capabilities: { tools: {}, logging: {} } });

server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: [{ name: 'refund_order', inputSchema: { type: 'object' } }] }));
server.setRequestHandler(CallToolRequestSchema, async ({ params }, { sendNotification, requestId }) => {
	const { order, mode } = params.arguments;
	const text = (value, more) => ({ content: [{ type: 'text', text: value }], ...more });

	calls.set(requestId, { tool: params.name, order, mode, effect: ['iserror', 'rpcerror'].includes(mode) ? 'none' : 'done' });
	await sendNotification({ method: 'notifications/message', params: { level: 'info', data: 'called' } });
	if (mode === 'rpcerror')
		throw new McpError(-32602, 'out of order');
	if (mode === 'iserror')
		return text('not refundable', { isError: true });
	return text(JSON.stringify({ id: `r_${order}`, ...(mode === 'big' ? { filler: 'x'.repeat(200_000) } : {}) }));
});
await server.connect(new StdioServerTransport());
