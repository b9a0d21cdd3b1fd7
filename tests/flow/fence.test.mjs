// A destination that is not for the caller's tenant is dropped, also where it
// is only the fallback of one that is.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { Provider } from './lib/provider.mjs';
import { Writ, freePort } from './lib/writ.mjs';

test('rule_32_a_fallback_of_another_tenant_is_never_tried', async () => {
  const theirs = await Provider.start();
  const writ = await Writ.start({
    providers: {
      ours: { url: `http://127.0.0.1:${await freePort()}/v1` }, // nobody there
      theirs: { url: theirs.url, more: 'tenants: [other]' },
    },
    models: {
      m: '{routes: [{provider: ours, model: m}], fallback: [{provider: theirs, model: m}]}',
      n: '{routes: [{provider: theirs, model: n}]}',
    },
    callers: { alice: { models: ['m', 'n'] } },
  });
  const ask = (model) => writ.client().chat.completions.create({ model, messages: [{ role: 'user', content: 'Hello' }] });
  await assert.rejects(ask('m'), (e) => e.status === 502 && e.code === 'upstream_connect');
  await assert.rejects(ask('n'), (e) => e.status === 403 && e.code === 'denied');
  assert.equal(theirs.requests.length, 0);
  assert.deepEqual((await writ.client().models.list()).data.map((x) => x.id), ['m']);
  await writ.finish();
  await theirs.stop();
});
