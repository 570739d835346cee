// SPDX-License-Identifier: Apache-2.0
// Writes the golden MCP conversations: client and server of the official SDK talk through a recording TCP relay.
//   node capture.mjs NPM-FOLDER OUTPUT-FOLDER        NPM-FOLDER holds node_modules with @modelcontextprotocol/sdk
//
// NAME.talk is what went over the connections, in order: "C> BASE64" from the client, "C< BASE64" from the server; C numbers
// the connection. NAME.txt is what the SDK made of each tool call; digests are HMAC-SHA-256 under the unit tests' key:
//   call TOOL streamed=0|1 answer=result|tool-error|rpc-error
//   arguments BYTES DIGEST · result BYTES DIGEST (its text parts, joined by LF) · code N
import { createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import net from 'node:net';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [npm, out] = process.argv.slice(2);
const require = createRequire(join(resolve(npm), 'from.js'));
const load = (name) => import(pathToFileURL(require.resolve(`@modelcontextprotocol/sdk/${name}`)));
const { Client } = await load('client/index.js');
const { StreamableHTTPClientTransport } = await load('client/streamableHttp.js');
const { Server } = await load('server/index.js');
const { StreamableHTTPServerTransport } = await load('server/streamableHttp.js');
const { CallToolRequestSchema, ListToolsRequestSchema, McpError } = await load('types.js');

const key = Buffer.alloc(32);
key.write('unit test key');
const sized = (text) => `${Buffer.byteLength(text)} ${createHmac('sha256', key).update(text).digest('hex')}`;

const tool = { name: 'refund_order', description: 'Refunds', inputSchema: { type: 'object', properties: { order_id: { type: 'string' } } } };
const answers = {
	'A17': { content: [{ type: 'text', text: '{"id":"re_1","note":"\u00e9 \u{1f4e6}"}' }] },
	'A18': { content: [{ type: 'text', text: 'no such order' }, { type: 'text', text: 'try again' }], isError: true },
	'A19': { content: [{ type: 'text', text: 'done' }], structuredContent: { id: 're_2' } },
	'A20': new McpError(-32602, 'not a refundable order'),
};

function mcp_server() {
	const server = new Server({ name: 'tools', version: '1' }, { capabilities: { tools: {}, logging: {} } });

	server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: [tool] }));
	server.setRequestHandler(CallToolRequestSchema, async ({ params }, { sendNotification }) => {
		const answer = answers[params.arguments.order_id];

		await sendNotification({ method: 'notifications/message', params: { level: 'info', data: 'tools/call of ' + params.name } });
		if (answer instanceof Error)
			throw answer;
		return answer;
	});
	return server;
}

const listening = (server) => new Promise((done) => server.listen(0, '127.0.0.1', () => done(server.address().port)));

function relay(port, lines) {
	let count = 0;

	return net.createServer((client) => {
		const upstream = net.connect(port, '127.0.0.1');
		const number = ++count;

		client.on('data', (b) => { lines.push(`${number}> ${b.toString('base64')}`); upstream.write(b); });
		upstream.on('data', (b) => { lines.push(`${number}< ${b.toString('base64')}`); client.write(b); });
		for (const [a, b] of [[client, upstream], [upstream, client]]) {
			a.on('end', () => b.end());
			a.on('error', () => b.destroy());
		}
	});
}

async function talk(url, streamed) {
	const client = new Client({ name: 'agent', version: '1' });
	const lines = [];

	await client.connect(new StreamableHTTPClientTransport(url));
	await client.listTools();
	for (const order_id of Object.keys(answers)) {
		const args = { order_id };
		let answer = 'result', result, code;

		try {
			result = await client.callTool({ name: tool.name, arguments: args });
			answer = result.isError ? 'tool-error' : 'result';
		} catch (e) {
			answer = 'rpc-error';
			code = e.code;
		}
		lines.push(`call ${tool.name} streamed=${Number(streamed)} answer=${answer}`, `arguments ${sized(JSON.stringify(args))}`);
		if (result)
			lines.push(`result ${sized(result.content.map((c) => c.text).join('\n'))}`);
		else
			lines.push(`code ${code}`);
	}
	await client.close();
	return lines;
}

for (const streamed of [false, true]) {
	const web = http.createServer(async (req, res) => {
		const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined, enableJsonResponse: !streamed });

		await mcp_server().connect(transport);
		await transport.handleRequest(req, res);
	});
	const lines = [];
	const between = relay(await listening(web), lines);
	const expected = await talk(new URL(`http://127.0.0.1:${await listening(between)}/mcp`), streamed);
	const file = join(out, streamed ? 'stream' : 'json');

	writeFileSync(`${file}.talk`, lines.join('\n') + '\n');
	writeFileSync(`${file}.txt`, expected.join('\n') + '\n');
}
process.exit(0);
