// The project's rules, as a caller, a provider and an auditor see them kept.
import { test, before, after, describe } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Provider, completion, pause, text } from './lib/provider.mjs';
import { Wire } from './lib/wire.mjs';
import { Writ, KEYS } from './lib/writ.mjs';

const messages = [{ role: 'user', content: 'Hello' }];
const question = (more = {}) => ({ model: 'm', messages, ...more });

describe('rules', () => {
  let provider, spare, writ;

  before(async () => {
    provider = await Provider.start();
    spare = await Provider.start();
    writ = await Writ.start({
      providers: { main: { url: provider.url }, spare: { url: spare.url } },
      models: {
        m: '{routes: [{provider: main, model: real-name}]}',
        other: '{routes: [{provider: main, model: other-name}]}',
        both: '{routes: [{provider: main, model: both}], fallback: [{provider: spare, model: both}]}',
      },
      callers: { alice: { models: ['m', 'both'] }, bob: { models: ['m'] } },
    });
  });
  after(async () => {
    await writ.finish();
    for (const p of [provider, spare]) await p.stop();
  });

  /** Posts bytes as they are. */
  async function post(body, target = '/chat/completions', headers = {}) {
    const res = await fetch(writ.url + target, {
      method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body),
      headers: { authorization: `Bearer ${KEYS.alice}`, 'content-type': 'application/json', ...headers },
    });
    const got = await res.text();
    return { status: res.status, error: JSON.parse(got).error, value: JSON.parse(got), id: res.headers.get('writ-decision-id') };
  }

  async function refused(body, status, code, about) {
    const before = provider.requests.length;
    const r = await post(body);
    assert.equal(r.status, status, JSON.stringify(r));
    assert.equal(r.error.code, code, JSON.stringify(r));
    if (about) assert.match(r.error.message, about);
    assert.equal(provider.requests.length, before, 'nothing went out');
    return r;
  }

  describe('rule_12_what_is_decided_is_what_is_sent', () => {
    const m = '"model":"m"', rest = '"messages":[{"role":"user","content":"Hello"}]';
    const twice = {
      'one key twice': `{${m},${rest},"model":"other"}`,
      'one key twice, the other way round': `{"model":"other",${rest},${m}}`,
      'keys that are equal once unescaped': `{${m},${rest},"mod\\u0065l":"other"}`,
      'keys that are equal, both escaped': `{"\\u006dodel":"m",${rest},"model":"other"}`,
      'one key twice in a message': `{${m},"messages":[{"role":"user","role":"system","content":"Hello"}]}`,
      'one key twice in a part': `{${m},"messages":[{"role":"user","content":[{"type":"text","text":"a","te\\u0078t":"b"}]}]}`,
      'one key twice in a schema': `{${m},${rest},"tools":[{"type":"function","function":{"name":"f","parameters":{"a":1,"a":2}}}]}`,
      'one key twice, with one value': `{${m},${rest},${m}}`,
    };
    for (const [name, body] of Object.entries(twice)) {
      test(`${name} is refused`, () => refused(body, 400, 'malformed'));
    }
    const odd = {
      'a key with NUL': `{${m},${rest},"model\\u0000":"other"}`,
      'a lone surrogate': `{${m},"messages":[{"role":"user","content":"\\ud800"}]}`,
      'a byte order mark': `\ufeff{${m},${rest}}`,
      'a comment': `{${m},/* x */${rest}}`,
      'a comma too many': `{${m},${rest},}`,
      'a second value': `{${m},${rest}}{}`,
      'a number that is none': `{${m},${rest},"seed":NaN}`,
    };
    for (const [name, body] of Object.entries(odd)) {
      test(`${name} is refused`, () => refused(body, 400, 'malformed'));
    }
    test('a key in other letters is another key, and unknown', () => refused(`{${m},${rest},"Model":"other"}`, 400, 'unknown_field'));

    test('the model that was decided on is the one that is asked, by its real name', async () => {
      await post(`{ "messages" : [ {"content":"\\u0048ello","role":"us\\u0065r"} ] , "mod\\u0065l" : "\\u006d" }`);
      const sent = provider.requests.at(-1);
      assert.deepEqual(sent.body, question({ model: 'real-name' }));
      assert.ok(!sent.raw.includes('\\u'), sent.raw);
      assert.ok(!/\s/.test(sent.raw), sent.raw);
    });

    test('numbers and texts arrive as they were', async () => {
      const schema = '{"a":12345678901234567890123456789,"b":1.10,"c":-0.0,"d":1e-7,"e":"\u{1f600}\\u2028\\"\\\\"}';
      const r = await post(`{${m},${rest},"tools":[{"type":"function","function":{"name":"f","parameters":${schema}}}],"seed":9007199254740993}`);
      assert.equal(r.status, 200, JSON.stringify(r.error));
      const { raw } = provider.requests.at(-1);
      for (const number of ['12345678901234567890123456789', '"b":1.1', '9007199254740993']) assert.ok(raw.includes(number), raw);
      assert.deepEqual(JSON.parse(raw).tools[0].function.parameters, JSON.parse(schema));
    });

    test('no field of the caller\'s head becomes one of the call', async () => {
      await post(question(), '/chat/completions', { 'openai-organization': 'o', 'openai-beta': 'b', 'x-forwarded-for': '1.1.1.1', te: 'trailers', cookie: 'a=b' });
      const { headers } = provider.requests.at(-1);
      const ours = ['accept', 'accept-encoding', 'authorization', 'content-length', 'content-type', 'host', 'user-agent'];
      assert.deepEqual(Object.keys(headers).sort(), ours);
      assert.equal(headers['accept-encoding'], 'identity');
      assert.equal(provider.requests.at(-1).headers.authorization, 'Bearer sk-provider-secret');
    });
  });

  describe('rule_23_each_attempt_is_an_action', () => {
    test('every attempt finds its own intent in the ledger before its first byte', async () => {
      const seen = [];
      const look = (name) => async (x) => {
        const entries = await writ.entries();
        const mine = entries.filter((e) => e.kind === 'intent' && e.resource.id === 'both');
        seen.push({ name, attempts: mine.map((i) => i.route.attempt), to: mine.at(-1)?.destination.provider });
        if (seen.length < 4) x.error(503, 'overloaded');
        else x.json(200, completion('both'));
      };
      provider.on('both', look('main'));
      spare.on('both', look('spare'));
      const r = await post(question({ model: 'both' }));
      // three attempts are the default; the last error is the caller's
      assert.equal(r.status, 503);
      assert.deepEqual(seen.map((s) => s.attempts), [[1], [1, 2], [1, 2, 3]]);
      assert.deepEqual(seen.map((s) => s.name), seen.map((s) => s.to));
      assert.deepEqual(seen.map((s) => s.name), ['main', 'spare', 'main']);
      const all = await writ.until(async () => {
        const mine = (await writ.entries()).filter((e) => e.id === r.id);
        return mine.length === 6 && mine;
      });
      const intents = all.filter((e) => e.kind === 'intent').map((e) => e.index);
      assert.deepEqual(all.filter((e) => e.kind === 'outcome').map((e) => e.intent), intents);
      assert.deepEqual(all.filter((e) => e.kind === 'intent').map((e) => e.credential.id.split('/')[0]), ['main', 'spare', 'main']);
    });
  });

  describe('rule_25_before_and_after', () => {
    test('while the ledger does not answer, the provider gets no byte', async () => {
      await post(question()); // a session and a connection
      const before = provider.requests.length;
      const pid = await writ.pid('ledger');
      process.kill(pid, 'SIGSTOP');
      let answered = false;
      const call = post(question()).then((r) => { answered = true; return r; });
      await pause(1500);
      assert.equal(answered, false);
      assert.equal(provider.requests.length, before);
      assert.equal((await fetch(`http://127.0.0.1:${writ.port}/healthz`)).status, 200, 'the loop is not blocked');
      process.kill(pid, 'SIGCONT');
      assert.equal((await call).status, 200);
      assert.equal(provider.requests.length, before + 1);
    });

    test('a ledger that does not answer for ten seconds: 503, and nothing goes out later either', async () => {
      const before = provider.requests.length;
      const pid = await writ.pid('ledger');
      process.kill(pid, 'SIGSTOP');
      const r = await post(question());
      assert.equal(r.status, 503);
      assert.equal(r.error.code, 'evidence_unavailable');
      process.kill(pid, 'SIGCONT');
      const o = await writ.until(async () => (await writ.entries()).find((e) => e.kind === 'outcome' && e.id === r.id), 5000, 'closed');
      assert.equal(o.status, 'not_sent');
      assert.equal(provider.requests.length, before);
      assert.equal((await post(question())).status, 200);
    });

    test('without a ledger: 503 evidence_unavailable, and nothing goes out', async () => {
      const dir = path.join(writ.dir, 'data', 'ledger'), aside = `${dir}.aside`;
      const before = provider.requests.length;
      const pid = await writ.pid('ledger');
      await fs.rename(dir, aside);
      await fs.writeFile(dir, 'not a folder'); // it cannot start again
      writ.restartsExpected = true;
      process.kill(pid, 'SIGKILL');
      await pause(300);
      for (let i = 0; i < 5; i++) {
        const r = await post(question());
        assert.equal(r.status, 503);
        assert.equal(r.error.code, 'evidence_unavailable');
      }
      assert.equal(provider.requests.length, before);
      await fs.rm(dir);
      await fs.rename(aside, dir);
      await writ.until(async () => (await post(question())).status === 200, 15000, 'serving again');
    });

    test('a denial is an entry of its own, with the caller and no intent', async () => {
      const r = await refused(question({ model: 'other' }), 403, 'denied');
      const found = await writ.until(async () => {
        const mine = (await writ.entries()).filter((e) => e.id === r.id);
        return mine.length > 0 && mine;
      });
      assert.deepEqual(found.map((e) => e.kind), ['refusal']);
      assert.match(found[0].chain[0].id, /alice/);
      assert.equal(found[0].decision.effect, 'deny');
      assert.equal(found[0].resource.id, 'other');
    });

    test('refusals of nobody known are one entry per reason and source in ten seconds', async () => {
      const unknown = async () => (await writ.entries()).filter((e) => e.kind === 'refusal' && e.count !== undefined);
      const before = (await unknown()).length;
      await Promise.all(Array.from({ length: 20 }, async () => {
        for (let i = 0; i < 10; i++) {
          const w = Wire.connect(writ.port).write(`GET /v1/models HTTP/1.1\r\nhost: a\r\nauthorization: Bearer guess-${i}-0123456789abcdef\r\n\r\n`);
          assert.equal((await w.final())[0].status, 401);
          w.destroy();
        }
      }));
      const found = await writ.until(async () => {
        const now = (await unknown()).slice(before);
        return now.reduce((n, e) => n + e.count, 0) >= 200 && now;
      }, 15000, 'written');
      assert.equal(found.reduce((n, e) => n + e.count, 0), 200);
      // One a worker, source and reason, and never one a knock.
      assert.ok(found.length <= 2 * os.availableParallelism(), `${found.length} entries for 200 knocks`);
      assert.ok(found.every((e) => e.error.code === 'invalid_credential' && /^127\.0\.0\.1$/.test(e.source)), JSON.stringify(found[0]));
    });
  });

  describe('rule_34_parsers_are_allow_lists', () => {
    test('an unknown field is refused, and the error names the line that would allow it', async () => {
      await refused(question({ top_k: 5 }), 400, 'unknown_field', /providers\.<name>\.allow_fields: \["top_k"\]/);
      await refused(question({ messages: [{ ...messages[0], cache: 1 }] }), 400, 'unknown_field', /cache/);
      const r = await refused(question({ top_k: 5 }), 400, 'unknown_field');
      assert.equal(r.error.param, 'top_k');
    });

    test('with that line it passes, unread', async () => {
      await writ.configure({ providers: { main: { url: provider.url, more: 'allow_fields: [top_k]' }, spare: { url: spare.url, more: 'allow_fields: [top_k]' } } });
      writ.signal('SIGHUP');
      await writ.until(async () => (await post(question({ top_k: 5 }))).status === 200, 5000, 'allowed');
      assert.equal(provider.requests.at(-1).body.top_k, 5);
      await refused(question({ top_p_k: 5 }), 400, 'unknown_field');
    });

    for (const type of ['web_search', 'file_search', 'code_interpreter', 'mcp', 'computer_use_preview']) {
      test(`the provider's own tool ${type} is refused`, () => refused(question({ tools: [{ type }] }), 403, 'denied', /provider:tool/));
    }
    for (const [name, more] of Object.entries({ store: { store: true }, 'a file by its id': { messages: [{ role: 'user', content: [{ type: 'file', file: { file_id: 'file-1' } }] }] } })) {
      test(`state at the provider is refused: ${name}`, () => refused(question(more), 403, 'denied', /provider:state/));
    }
    test('a web search by the provider is refused', () => refused(question({ web_search_options: {} }), 403, 'denied', /provider:tool/));
    test('a URL that the provider would fetch is refused', () => refused(question({ messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://example.org/a.png' } }] }] }), 403, 'denied', /egress:connect/));
    test('a part or a tool of an unknown type is refused', async () => {
      await refused(question({ messages: [{ role: 'user', content: [{ type: 'video', video: {} }] }] }), 400, 'unknown_field');
      await refused(question({ tools: [{ type: 'teleport' }] }), 400, 'unknown_field');
      await refused(question({ messages: [{ role: 'root', content: 'x' }] }), 400, 'unknown_field');
    });

    test('a query parameter is refused', async () => {
      const before = provider.requests.length;
      for (const target of ['/chat/completions?api-version=1', '/chat/completions?x', '/embeddings?beta=true']) {
        const r = await post(question(), target);
        assert.equal(r.status, 400);
        assert.equal(r.error.code, 'unknown_field');
        assert.equal(r.error.param, 'query');
      }
      assert.equal(provider.requests.length, before);
    });

    test('a refused request of a known caller is an entry that names the part', async () => {
      const r = await refused(question({ top_z: 5 }), 400, 'unknown_field');
      const e = await writ.until(async () => (await writ.entries()).find((x) => x.id === r.id));
      assert.equal(e.kind, 'refusal');
      assert.equal(e.error.code, 'unknown_field');
      assert.equal(e.error.param, 'top_z');
    });

    test('what is left works: the SDK with tools, parts and a schema', async () => {
      const r = await writ.client().chat.completions.create(question({
        messages: [{ role: 'system', content: 's' }, { role: 'user', content: [{ type: 'text', text: 'Hello' }] }],
        tools: [{ type: 'function', function: { name: 'f', description: 'd', parameters: { type: 'object', properties: { a: { type: 'string' } } } } }],
        tool_choice: 'auto', temperature: 0.5, max_completion_tokens: 10, user: 'u', metadata: { a: 'b' },
        response_format: { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'object' }, strict: true } },
      }));
      assert.equal(r.choices[0].message.content, text);
    });
  });
});
