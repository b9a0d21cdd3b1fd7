// Model calls through the gateway with the official SDK: what works direct,
// works through Writ, with evidence.
import { test, before, after, describe } from 'node:test';
import assert from 'node:assert/strict';
import { Provider, text } from './lib/provider.mjs';
import { Writ } from './lib/writ.mjs';

const messages = [{ role: 'user', content: 'Hello' }];

describe('models', () => {
  let provider, writ;

  before(async () => {
    provider = await Provider.start();
    writ = await Writ.start({
      providers: { openai: { url: provider.url } },
      models: {
        small: '{routes: [{provider: openai, model: gpt-4o-mini}]}',
        large: '{routes: [{provider: openai, model: gpt-4o}]}',
      },
      callers: { alice: { models: ['small', 'large'] }, bob: { models: ['small'] } },
    });
  });
  after(async () => {
    await writ.finish();
    await provider.stop();
  });

  test('a plain chat', async () => {
    const { data, response } = await writ.client().chat.completions.create({ model: 'small', messages }).withResponse();
    assert.equal(data.choices[0].message.content, text);
    assert.equal(data.usage.total_tokens, 29);
    assert.match(response.headers.get('writ-decision-id'), /^[0-9a-f]{32}$/);
    assert.match(response.headers.get('writ-receipt'), /^origin="gw-test", index=\d+, leaf="[0-9a-f]{64}"$/);
    const sent = provider.requests.at(-1);
    assert.equal(sent.body.model, 'gpt-4o-mini');
    assert.equal(sent.headers.authorization, 'Bearer sk-provider-secret');
  });

  test('a streamed chat, without the usage that was not asked for', async () => {
    const stream = await writ.client().chat.completions.create({ model: 'small', messages, stream: true });
    let said = '', events = 0, usage = 0;
    for await (const chunk of stream) {
      said += chunk.choices[0]?.delta?.content ?? '';
      if ('usage' in chunk) usage++;
      events++;
    }
    assert.equal(said, text);
    assert.equal(usage, 0);
    assert.equal(provider.requests.at(-1).body.stream_options.include_usage, true);
    assert.equal(events, 9);
  });

  test('a streamed chat with usage', async () => {
    const stream = await writ.client().chat.completions.create({ model: 'small', messages, stream: true, stream_options: { include_usage: true } });
    let last;
    for await (const chunk of stream) last = chunk;
    assert.equal(last.usage.total_tokens, 29);
  });

  test('embeddings', async () => {
    const e = await writ.client().embeddings.create({ model: 'small', input: 'hello', encoding_format: 'float' });
    assert.deepEqual(e.data[0].embedding, [0.25, -0.5]);
  });

  test('only the models that the caller may use are listed', async () => {
    const list = async (who) => (await writ.client(who).models.list()).data.map((m) => m.id).sort();
    assert.deepEqual(await list('alice'), ['large', 'small']);
    assert.deepEqual(await list('bob'), ['small']);
    await assert.rejects(writ.client('bob').models.retrieve('large'), { status: 404 });
  });

  test('a model that the caller may not use is refused, and so is an unknown one', async () => {
    const before = provider.requests.length;
    for (const model of ['large', 'nonesuch']) {
      await assert.rejects(writ.client('bob').chat.completions.create({ model, messages }),
        (e) => e.status === 403 && e.code === 'denied' && /policy denies/.test(e.message));
    }
    assert.equal(provider.requests.length, before);
  });

  test('no key, a wrong key and an unknown key look the same', async () => {
    const ends = [];
    for (const who of ['writ-test-alice-0123456789abcdeX', 'nobody-knows-this-key-at-all-00']) {
      await assert.rejects(writ.client(who).chat.completions.create({ model: 'small', messages }), (e) => {
        ends.push(e.message);
        return e.status === 401 && e.code === 'invalid_credential';
      });
    }
    assert.equal(new Set(ends).size, 1);
  });

  test('intent and outcome of a call are in the ledger', async () => {
    const { response } = await writ.client().chat.completions.create({ model: 'small', messages }).withResponse();
    const id = response.headers.get('writ-decision-id');
    const pair = await writ.until(async () => {
      const found = (await writ.entries()).filter((e) => e.id === id);
      return found.length === 2 && found;
    });
    const [intent, outcome] = pair;
    assert.equal(intent.kind, 'intent');
    assert.equal(intent.action, 'model:invoke');
    assert.equal(intent.decision.effect, 'allow');
    assert.equal(outcome.kind, 'outcome');
    assert.equal(outcome.status, 'ok');
    assert.equal(outcome.response.usage.output_tokens, 10);
  });
});
