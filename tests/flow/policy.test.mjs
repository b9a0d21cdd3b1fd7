// The commands that check, ask and test policies: no node runs.
import { test, before, after, describe } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { run } from './lib/writ.mjs';

const examples = path.resolve(import.meta.dirname, '../../examples/policies');
const entities = path.join(examples, 'entities.json');
let dir;

const put = async (name, text) => {
  const file = path.join(dir, name);
  await fs.mkdir(path.dirname(file), { recursive: true });
  await fs.writeFile(file, text);
  return file;
};
const writ = (...args) => run(['policy', ...args], { cwd: dir });

const config = `
node: gw
listen: [{address: "127.0.0.1:18080"}]
data: ./data
tenants: {acme: {regions: [eu]}, other: {}}
providers:
  near: {dialect: openai, url: "https://api.example.com/v1", region: eu, credential: [{env: KEY}]}
models:
  small: {routes: [{provider: near, model: m}]}
policies: {dir: policies, shadow: next, entities: [{file: entities.json}]}
`;
const question = `
chain:
  - {kind: human, id: corp|ann, tenant: acme, groups: [eng]}
  - {kind: agent, id: acme/bot, purposes: [review]}
action: model:invoke
resource: small
destination: {provider: near, host: api.example.com, region: eu}
context: {purpose: review}
`;

before(async () => {
  dir = await fs.mkdtemp(path.join(os.tmpdir(), 'writ-policy-'));
  await put('writ.yaml', config);
  await put('entities.json', '[{"uid": {"type": "Writ::Model", "id": "small"}, "attrs": {"tier": 1},'
    + ' "parents": [{"type": "Writ::ModelGroup", "id": "all"}]}]');
  await put('policies/people.cedar', '@id("people")\npermit(principal in Writ::Group::"corp|eng", action, resource);\n');
  await put('policies/agents/bots.cedar', '\npermit(principal is Writ::Agent, action, resource)\n'
    + 'when { principal.purposes.contains(context.purpose) && resource.tier == 1 };\n'
    + '@id("no-tasks")\nforbid(principal, action, resource)\nwhen { context has task && context.task == "t" };\n');
  await put('next/a.cedar', 'forbid(principal is Writ::Agent, action, resource);\n@id("errs") permit(principal, action, resource) when { context.nothing };\n');
  await put('q.yaml', question);
});
after(() => fs.rm(dir, { recursive: true, force: true }));

describe('writ policy check', () => {
  test('counts what is right', async () => {
    const r = await writ('check');
    assert.equal(r.code, 0, r.err);
    assert.match(r.out, /3 policies in 2 files below .*policies\n {2}shadow: 2 policies in 1 file/);
    const json = JSON.parse((await writ('check', '--json')).out);
    assert.deepEqual([json.ok, json.policies, json.shadow, json.entities, json.warnings], [true, 3, 2, 1, []]);
    assert.match(json.digest, /^[0-9a-f]{64}$/);
  });

  test('names file, line and column of what is wrong', async () => {
    await put('bad/x/a.cedar', '// one\npermit(principal is Writ::Usr, action, resource);\n');
    await put('bad/b.cedar', 'permit(principal, action, resource\n');
    const r = await writ('check', '--dir', 'bad');
    assert.equal(r.code, 1);
    assert.match(r.err, /^bad\/b\.cedar:2:1: expected/m);
    assert.match(r.err, /^bad\/x\/a\.cedar:2:21: there is no entity type Writ::Usr; did you mean Writ::User\?$/m);
    const json = JSON.parse((await writ('check', '--dir', 'bad', '--json')).out);
    assert.deepEqual(json.errors.map((e) => [e.file, e.line, e.column]), [['bad/b.cedar', 2, 1], ['bad/x/a.cedar', 2, 21]]);
  });

  test('warns of models that nobody has, and of nothing at all', async () => {
    await put('odd/a.cedar', 'forbid(principal, action, resource == Writ::Model::"smal");\n');
    const odd = await writ('check', '-c', 'writ.yaml', '--dir', 'odd');
    assert.equal(odd.code, 0);
    assert.match(odd.err, /warning: odd\/a\.cedar:1:52: nothing is known of Model "smal"; did you mean "small"\?/);
    await fs.mkdir(path.join(dir, 'empty'));
    assert.match((await writ('check', '--dir', 'empty')).err, /warning: there is no policy: everything is denied/);
  });

  test('refuses links that lead out of the folder', async () => {
    await fs.mkdir(path.join(dir, 'linked'));
    await fs.symlink(path.join(dir, 'policies/people.cedar'), path.join(dir, 'linked/a.cedar'));
    const r = await writ('check', '--dir', 'linked');
    assert.equal(r.code, 1);
    assert.match(r.err, /linked\/a\.cedar: the symbolic link leads out of the folder/);
  });
});

describe('policies about tools and approvals', () => {
  const check = (policy) => put('tools/a.cedar', policy).then(() => writ('check', '-c', 'tools.yaml'));
  before(() => put('tools.yaml', `${config.replace(/^policies:.*$/m, 'policies: {dir: tools}')}
tools:
  files:
    transport: stdio
    command: [/bin/cat]
    region: eu
    risk: {"read_*": [read]}
approvals: {groups: {finance: [ada]}}
`));

  test('are held to what the configuration knows', async () => {
    const r = await check('@approval("finnance") forbid(principal, action == Writ::Action::"tool:call", resource);\n');
    assert.equal(r.code, 1);
    assert.match(r.err, /tools\/a\.cedar:1:11: there is no group "finnance" in approvals\.groups\n/);
    assert.match(r.err, /tools\/a\.cedar:1:65: no call is equal to "tool:call", .*; write: action in Writ::Action::"tool:call"\n/);
    const slip = await check('permit(principal, action in Writ::Action::"tool:call/fils/a", resource);\n'
      + '@approval("finance") forbid(principal, action, resource);\n');
    assert.equal(slip.code, 0, slip.err);
    assert.match(slip.err, /warning: .*a\.cedar:2:1: a forbid with @approval but without @id/);
    assert.match(slip.err, /warning: .*a\.cedar:1:\d+: nothing is known of ToolServer "fils"; did you mean "files"\?/);
  });

  test('know the risk of a tool and the tenants of its server', async () => {
    await put('tools/a.cedar', 'permit(principal, action in Writ::Action::"tool:call", resource in Writ::ToolServer::"files");\n');
    const ask = (tool) => writ('eval', '-c', 'tools.yaml', '--agent', 'acme/bot', '--tool', tool);
    assert.match((await ask('files/read_file')).out, /^allow\n/);
    assert.match((await ask('files/write_file')).out, /^deny: by the ceiling of risk: Agent::"acme\/bot" is registered without write trigger /);
    assert.equal((await ask('mail/read_mail')).out, 'deny: by the fence of tenants\n');
  });
});

describe('writ policy eval', () => {
  test('shows what decided for each link, and the shadow', async () => {
    const r = await writ('eval', 'q.yaml');
    assert.equal(r.code, 0, r.err);
    assert.match(r.out, /^allow\n {2}0 subject User::"corp\|ann": permitted\n {6}permit people {2}.*policies\/people\.cedar:1\n/);
    assert.match(r.out, /permit agents\/bots\.cedar#1 {2}.*policies\/agents\/bots\.cedar:2\n/);
    assert.match(r.out, /shadow: deny\n/);
    assert.match(r.out, /permit errs erred, and does not count: .*next\/a\.cedar:2:\d+: /);
  });

  test('takes options before the file, and exits with 1 for a denial', async () => {
    const r = await writ('eval', 'q.yaml', '--context', '{task: t}', '--json');
    assert.equal(r.code, 1);
    const json = JSON.parse(r.out);
    assert.deepEqual(json.decision, { effect: 'deny', policies: ['no-tasks'], errors: 0 });
    assert.deepEqual(json.links.map((l) => l.permitted), [false, false]);
    assert.equal(json.links[0].policies[0].line, 4);
    assert.equal(json.shadow.decision.effect, 'deny');
  });

  test('says when it was the fence', async () => {
    const r = await writ('eval', 'q.yaml', '--destination', '{region: us}');
    assert.equal(r.code, 1);
    assert.equal(r.out, 'deny: by the fence of tenants\n');
  });

  test('places what is wrong with the question', async () => {
    await put('wrong.yaml', 'chain: [{kind: robot, id: a}]\naction: model:invoke\nresource: small\n');
    const r = await writ('eval', 'wrong.yaml');
    assert.equal(r.code, 1);
    assert.match(r.err, /^wrong\.yaml:1:9: kind: is human, application, workload or agent$/m);
    assert.equal((await writ('eval', 'none.yaml')).code, 1);
  });
});

describe('writ policy eval of a call of a tool', () => {
  const payment = ['eval', '--dir', examples, '--entities', entities, 'call.yaml'];
  before(() => put('call.yaml', `
tool: pay/transfer
risk: [purchase]
arguments: {amount: 600.5}
chain: [{kind: human, id: corp|ann, tenant: acme, auth: {age: 1m}}, {kind: agent, id: acme/clerk, risk: [purchase]}]
context: {chain: {supervised: true}, session: {calls: 1}}
`));

  test('says who has to agree, and exits with 1', async () => {
    const r = await writ(...payment);
    assert.equal(r.code, 1, r.err);
    assert.match(r.out, /^defer: approval is needed by finance \(large-payments\)\n {2}0 subject .*: permitted, once approved\n/);
    assert.match(r.out, /forbid large-payments, which can be lifted by finance {2}.*tools\.cedar:\d+\n/);
    const json = JSON.parse((await writ(...payment, '--json')).out);
    assert.deepEqual(json.decision, { effect: 'defer', policies: ['large-payments'], errors: 0,
      approvals: [{ policy: 'large-payments', group: 'finance' }] });
    assert.deepEqual(json.links.map((l) => l.effect), ['defer', 'defer']);
  });

  test('passes over what was lifted, and takes arguments as an option', async () => {
    const lifted = await writ(...payment, '--approved', 'large-payments');
    assert.equal(lifted.code, 0, lifted.out + lifted.err);
    assert.match(lifted.out, /forbid large-payments, which was lifted by finance/);
    assert.equal((await writ(...payment, '--arguments', '{amount: 20.5}')).code, 0);
  });

  test('says when it was the ceiling', async () => {
    const r = await writ(...payment, '--agent', 'acme/reader');
    assert.deepEqual([r.code, r.out], [1, 'deny: by the ceiling of risk: Agent::"acme/reader" is registered without purchase\n']);
  });
});

describe('writ policy test', () => {
  test('the examples pass', async () => {
    const r = await writ('test', '--dir', examples, '--entities', entities);
    assert.equal(r.code, 0, r.out + r.err);
    assert.match(r.out, /^\d+ passed, 0 failed\n$/);
  });

  test('a failure names its test and what decided', async () => {
    const tests = await put('my.test.yaml', `
defaults:
  given: {${question.trim().split('\n').filter((l) => !/^chain:|^ {2}-/.test(l)).join(', ')}}
tests:
  - name: ann may
    given: {principal: {kind: human, id: corp|ann, tenant: acme, groups: [eng]}}
    expect: allow
    policies: [people]
  - name: ann may not
    given: {principal: {kind: human, id: corp|ann, tenant: acme, groups: [eng]}}
    expect: deny
  - name: by somebody else
    given: {principal: {kind: human, id: corp|ann, tenant: acme, groups: [eng]}}
    expect: allow
    policies: [others]
    shadow: deny
`);
    const r = await writ('test', '-c', 'writ.yaml', tests);
    assert.equal(r.code, 1);
    assert.match(r.out, /my\.test\.yaml:9: ann may not: expected deny, got allow: permitted by people\n/);
    assert.match(r.out, /my\.test\.yaml:12: by somebody else: allow as expected, but by others: permitted by people\n/);
    assert.match(r.out, /permit people {2}.*people\.cedar:1\n/);
    assert.match(r.out, /\n1 passed, 2 failed\n$/);
    const json = JSON.parse((await writ('test', tests, '--json')).out);
    assert.deepEqual([json.ok, json.passed, json.failed], [false, 1, 2]);
    assert.deepEqual(json.tests.map((t) => t.ok), [true, false, false]);
  });

  test('no test at all is a failure, and so is a broken file', async () => {
    const none = await writ('test');
    assert.equal(none.code, 1);
    assert.match(none.err, /there is no test/);
    await put('broken.test.yaml', 'tests:\n  - {name: a, expect: perhaps}\n');
    const broken = await writ('test', 'broken.test.yaml');
    assert.equal(broken.code, 1);
    assert.match(broken.err, /^broken\.test\.yaml:2:23: allow, deny or defer is wanted$/m);
  });
});
