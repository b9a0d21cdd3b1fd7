// Who is believed: tokens of a real issuer, good, forged and edge; an issuer
// that fails; and everything that only claims to say who asks.
import { test, before, after, describe } from 'node:test';
import assert from 'node:assert/strict';
import { Idp, idpMissing } from './lib/idp.mjs';
import { Provider } from './lib/provider.mjs';
import { Writ, KEYS, request } from './lib/writ.mjs';

const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hello' }] });

/** What each of the issuer's tokens has to lead to. */
const tokens = {
  good: 200, 'aud-array': 200, 'exp-float': 200, 'typ-jwt': 401,
  none: 401, None: 401, 'hs256-with-rsa-pub': 401, expired: 401, 'future-nbf': 401, 'wrong-iss': 401, 'wrong-aud': 401,
  'kid-traversal': 401, 'kid-sqli': 401, 'kid-unknown': 401, jku: 401, 'embedded-jwk': 401, crit: 401, 'no-exp': 401,
  'dup-claim': 401, 'sig-stripped': 401, 'alg-mismatch': 401, 'exp-string': 401,
};

describe('tokens of an issuer', { skip: idpMissing }, () => {
  let idp, provider, writ;

  before(async () => {
    idp = await Idp.start();
    provider = await Provider.start();
    writ = await Writ.start({
      providers: { openai: { url: provider.url } },
      models: { m: '{routes: [{provider: openai, model: m}]}' },
      callers: { alice: { models: ['m'] } },
      more: `trust: {oidc: [{alias: idp, issuer: "${idp.issuer}", audience: ["https://gw.example/mcp", "https://gw.example/llm", "https://gw.example/ed"], kinds: [agent], tenants: [acme], refresh: 1s, max_stale: 1h}]}`,
      prepare: (w) => w.addPolicy('idp.cedar', '@id("idp")\npermit (principal == Writ::Agent::"acme/agent-a", action, resource);\n'),
    });
    await writ.register('agent-a', { kind: 'agent', issuer: 'idp' });
  });
  after(async () => {
    await writ.finish();
    await provider.stop();
    await idp.stop();
  });

  const call = (headers) => request({ port: writ.port, path: '/v1/chat/completions', method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body });
  const bearer = (token) => call({ authorization: `Bearer ${token}` });

  for (const [kind, want] of Object.entries(tokens)) {
    test(`rule_01_a_token_that_is_${kind}_gives_${want}`, async () => {
      const sent = provider.requests.length;
      const res = await bearer(await idp.mint(kind));
      assert.equal(res.status, want, res.body);
      assert.equal(provider.requests.length, sent + (want === 200 ? 1 : 0));
    });
  }

  for (const resource of ['https://gw.example/mcp', 'https://gw.example/llm', 'https://gw.example/ed']) {
    test(`a token for ${resource}, as the issuer makes it`, async () => {
      const res = await bearer(await idp.token('agent-a', { audience: resource }));
      assert.equal(res.status, 200, res.body);
    });
  }

  test('the chain in the evidence is the token\'s, and the token is nowhere', async () => {
    const token = await idp.token('agent-a');
    await bearer(token);
    const entries = await writ.entries();
    const { chain } = entries.filter((e) => e.kind === 'intent').at(-1);
    assert.deepEqual(chain.map(({ kind, id, issuer, method }) => ({ kind, id, issuer, method })), [{ kind: 'agent', id: 'acme/agent-a', issuer: 'idp', method: 'jwt' }]);
    assert.ok(!JSON.stringify(entries).includes(token.split('.')[2]));
    assert.ok(!writ.stderr.includes(token.split('.')[2]));
  });

  test('who is proven but not registered is recorded, and denied', async () => {
    const res = await bearer(await idp.token('agent-b'));
    assert.equal(res.status, 403, res.body);
    assert.equal(JSON.parse(res.body).error.code, 'not_registered');
    await writ.until(async () => JSON.parse((await writ.admin('GET', 'agents')).body).agents.some((a) => a.id === 'acme/agent-b' && a.state === 'discovered'), 5000, 'recorded');
  });

  test('nothing tells an unknown credential from a wrong one', async () => {
    const answers = [];
    for (const value of ['Bearer writ-test-nobody-0123456789abcdef', `Bearer ${KEYS.alice}x`, `Bearer ${await idp.mint('sig-stripped')}`, `Bearer ${await idp.mint('expired')}`, 'Basic YWxpY2U6eA==']) {
      const res = await call({ authorization: value });
      answers.push(`${res.status} ${res.headers['www-authenticate']} ${res.body}`);
    }
    assert.equal(new Set(answers).size, 1, answers.join('\n'));
  });

  test('two credentials that differ are refused, and so is one that comes twice', async () => {
    const token = await idp.token('agent-a');
    assert.equal((await call({ authorization: `Bearer ${token}`, 'x-api-key': KEYS.alice })).status, 401);
    assert.equal((await call({ authorization: [`Bearer ${token}`, `Bearer ${KEYS.alice}`] })).status, 400);
  });

  test('fields that claim an identity are nobody\'s, and go nowhere', async () => {
    const claims = { 'x-forwarded-user': 'root', 'x-user': 'root', 'x-auth-request-user': 'root', 'x-remote-user': 'root', 'x-writ-principal': 'root', 'x-forwarded-client-cert': 'Subject="root"', 'x-goog-authenticated-user-email': 'root' };
    assert.equal((await call(claims)).status, 401);
    assert.equal((await call({ ...claims, authorization: `Bearer ${KEYS.alice}` })).status, 200);
    const { headers } = provider.requests.at(-1);
    for (const name of Object.keys(claims)) assert.equal(headers[name], undefined);
    const { chain } = (await writ.entries()).filter((e) => e.kind === 'intent').at(-1);
    assert.deepEqual(chain.map((l) => l.id), ['keys|alice']);
  });

  describe('while the issuer fails', () => {
    for (const mode of ['500', 'reset', 'hang', 'garbage', 'empty', 'huge']) {
      test(`${mode}: a good token with a known key passes, an unknown key does not`, async () => {
        const good = await idp.mint('good'), unknown = await idp.mint('kid-unknown');
        await idp.jwksMode(mode);
        try {
          await new Promise((resolve) => setTimeout(resolve, 1200)); // a refresh has failed by then
          assert.equal((await bearer(good)).status, 200);
          assert.equal((await bearer(unknown)).status, 401);
        } finally {
          await idp.jwksMode('ok');
        }
      });
    }

    test('rotated: the new key is good as soon as it is published, the old one is not any more', async () => {
      await idp.jwksMode('rotated');
      const token = await idp.mint('rotated');
      // The failures before have made it ask less often: up to 16 s apart.
      await writ.until(async () => (await bearer(token)).status === 200, 20000, 'rotated');
      await writ.until(async () => (await bearer(await idp.mint('good'))).status === 401, 8000, 'the old key is gone');
      await idp.jwksMode('ok');
      await writ.until(async () => (await bearer(await idp.mint('good'))).status === 200, 8000, 'back');
    });
  });
});
