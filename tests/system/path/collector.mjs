// SPDX-License-Identifier: Apache-2.0
// Takes whatever is posted and keeps it as it came: BODIES/N, so `note` says of each request. A trace collector, a vector store.
import { writeFileSync } from 'node:fs';

import { serve } from '../../lib/servers/truth.mjs';

let count = 0;

serve('collector', ({ headers, body }) => {
	const kept = String(++count);

	writeFileSync(`${process.env.BODIES}/${kept}`, body);
	return { status: 200, json: {}, note: { kept, coding: headers['content-encoding'] ?? null } };
});
