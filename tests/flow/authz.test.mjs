// Requests that try to get around a decision (../shared/tests/reliability/authz).
// What goes to /mcp is for when there is an /mcp.
import { test, before, after, describe } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs/promises';
import path from 'node:path';
import { Provider } from './lib/provider.mjs';
import { shared } from './lib/shared.mjs';
import { Wire } from './lib/wire.mjs';
import { Writ, KEYS } from './lib/writ.mjs';

const folder = shared('reliability/authz');
const cases = folder ? JSON.parse(await fs.readFile(path.join(folder, 'cases.json'))).cases.filter((c) => !c.target.startsWith('/mcp')) : [];

describe('who tries to get around a decision', { skip: folder === undefined }, () => {
  let provider, writ;

  before(async () => {
    provider = await Provider.start();
    writ = await Writ.start({
      providers: { openai: { url: provider.url } },
      models: { 'small-1': '{routes: [{provider: openai, model: real-small}]}', 'big-1': '{routes: [{provider: openai, model: real-big}]}' },
      callers: { alice: { kind: 'agent', models: ['small-1'] }, bob: { kind: 'agent', tenant: 'other', models: ['small-1'] } },
    });
  });
  after(async () => {
    await writ.finish();
    await provider.stop();
  });

  test('there are 23 of them', () => assert.equal(cases.length, 23));

  for (const c of cases) {
    test(`${c.id}: ${c.expect}`, async () => {
      const sent = provider.requests.length;
      const wire = Wire.connect(writ.port);
      const headers = { host: `127.0.0.1:${writ.port}`, authorization: `Bearer ${KEYS.alice}`, ...c.headers };
      if (c.method === 'POST') headers['content-length'] = Buffer.byteLength(c.body);
      wire.write(`${c.method} ${c.target} HTTP/1.1\r\n${Object.entries(headers).map(([k, v]) => `${k}: ${v}\r\n`).join('')}\r\n${c.body ?? ''}`);
      const [{ status }] = await wire.final();
      wire.destroy();
      // A query is refused where none is taken: parsers are allow-lists.
      if (c.id === 'path-q') assert.equal(status, 400);
      else if (c.expect === 'allow') assert.equal(status, 200);
      else assert.ok(status >= 400 && status < 500, `answered ${status}`);
      if (c.expect !== 'allow' || c.id === 'path-q') assert.equal(provider.requests.length, sent, 'nothing went out');
    });
  }

  test('what one tenant asked is not answered to another', async () => {
    const sent = provider.requests.length;
    for (const name of ['alice', 'bob']) await writ.client(name).chat.completions.create({ model: 'small-1', messages: [{ role: 'user', content: 'same' }] });
    assert.equal(provider.requests.length, sent + 2);
    const [a, b] = (await writ.entries()).filter((e) => e.kind === 'intent').slice(-2);
    assert.notEqual(a.session, b.session);
    assert.deepEqual([a.tenant, b.tenant], ['acme', 'other']);
    assert.notEqual(a.request.hmac, b.request.hmac, 'digests are under a key of the session');
  });
});
