// SPDX-License-Identifier: Apache-2.0
// Answers every request with as many bytes as its path says: /n/1200. Its log is the truth.
import { serve } from '../../lib/servers/truth.mjs';

serve('account', ({ path }) => ({ status: 200, text: 'r'.repeat(Number(path.split('/')[2])) }));
