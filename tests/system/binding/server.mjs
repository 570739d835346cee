// SPDX-License-Identifier: Apache-2.0
// Answers every request with its own path, some of them many times. Its log is the truth.
import { serve } from '../../lib/servers/truth.mjs';

serve('binding', ({ path }) => ({ status: 200, text: path.repeat(path.length % 5 ? 1 : 1000) }));
