// SPDX-License-Identifier: Apache-2.0
// The tool server of the truth suite over standard input and output, by the official SDK. Its log has the form of
// ../lib/servers/truth.mjs: the call's order is the tag, and note.effect says what really happened.
//   node stdio.mjs LOG
import { appendFileSync } from 'node:fs';

import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { CallToolRequestSchema, McpError } from '@modelcontextprotocol/sdk/types.js';

const log = process.argv[2];
const server = new Server({ name: 'refunds', version: '1' }, { capabilities: { tools: {} } });

server.setRequestHandler(CallToolRequestSchema, ({ params }) => {
	const { order_id, script } = params.arguments;
	const effect = script === 'ok' ? 'done' : 'none';

	appendFileSync(log, JSON.stringify({ kind: 'req', t: Date.now() / 1000, tag: order_id, method: 'tools/call', path: '', traceparent: null,
		outcome: 'sent', status: null, note: { effect } }) + '\n');
	if (script === 'rpcerror')
		throw new McpError(-32000, 'out of order');
	return { content: [{ type: 'text', text: script === 'ok' ? 'refunded' : 'refused' }], ...(script === 'iserror' ? { isError: true } : {}) };
});
await server.connect(new StdioServerTransport());
