// conformance_server.mjs - the tool server that the conformance suite expects:
// its fixed names of tools, prompts and resources, on the official SDK.
//
// As a program: PORT=n node conformance_server.mjs (or the port as argument);
// 0 takes a free one.  Prints one line when it listens.  Loopback only.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { createMcpExpressApp } from '@modelcontextprotocol/sdk/server/express.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import {
  CallToolRequestSchema, CompleteRequestSchema, CreateMessageResultSchema, ElicitResultSchema, ErrorCode, GetPromptRequestSchema,
  ListPromptsRequestSchema, ListResourcesRequestSchema, ListResourceTemplatesRequestSchema, ListToolsRequestSchema, McpError,
  ReadResourceRequestSchema, SetLevelRequestSchema, SubscribeRequestSchema, UnsubscribeRequestSchema, isInitializeRequest,
} from '@modelcontextprotocol/sdk/types.js';

const LEVELS = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'];
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=='; // one red pixel

/** A tenth of a second of silence: 8 kHz, 8 bits, one channel (RIFF WAVE). */
function silence() {
  const samples = Buffer.alloc(800, 0x80);
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + samples.length, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  [[1, 20], [1, 22], [1, 32], [8, 34]].forEach(([value, at]) => head.writeUInt16LE(value, at));
  [8000, 8000].forEach((value, i) => head.writeUInt32LE(value, 24 + 4 * i));
  head.write('data', 36);
  head.writeUInt32LE(samples.length, 40);
  return Buffer.concat([head, samples]).toString('base64');
}

const text = (s) => ({ type: 'text', text: s });
const image = { type: 'image', data: PNG, mimeType: 'image/png' };
const embedded = (uri, mimeType, s) => ({ type: 'resource', resource: { uri, mimeType, text: s } });
const nothing = { type: 'object', properties: {} };
const takes = (name, description) => ({ type: 'object', properties: { [name]: { type: 'string', description } }, required: [name] });
const choices = (...pairs) => pairs.map(([value, title]) => ({ const: value, title }));

/** Asks the caller's person; the request rides on the stream of the call. */
const elicit = ({ ask }, message, properties, required) => ask(
  { method: 'elicitation/create', params: { message, requestedSchema: { type: 'object', properties, ...(required && { required }) } } }, ElicitResultSchema);
const completed = ({ action, content }) => [text(`Elicitation completed: action=${action}, content=${JSON.stringify(content ?? {})}`)];

/** name -> {description, inputSchema, call(arguments, session)}; what `call` throws becomes an `isError` result. */
const tools = {
  test_simple_text: { description: 'Answers with one text', call: () => [text('This is a simple text response for testing.')] },
  test_image_content: { description: 'Answers with an image', call: () => [image] },
  test_audio_content: { description: 'Answers with a sound', call: () => [{ type: 'audio', data: silence(), mimeType: 'audio/wav' }] },
  test_embedded_resource: {
    description: 'Answers with a resource inside',
    call: () => [embedded('test://embedded-resource', 'text/plain', 'This is an embedded resource content.')],
  },
  test_multiple_content_types: {
    description: 'Answers with text, image and resource',
    call: () => [text('Multiple content types test:'), image, embedded('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}')],
  },
  test_error_handling: { description: 'Fails, always', call: () => { throw new Error('This tool intentionally returns an error for testing'); } },
  test_tool_with_logging: {
    description: 'Logs three lines while it works',
    call: async (_, { log }) => {
      for (const line of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
        if (line !== 'Tool execution started') await sleep(50);
        await log('info', line);
      }
      return [text('Logged three lines.')];
    },
  },
  test_tool_with_progress: {
    description: 'Reports progress while it works, to who asks for it',
    call: async (_, { progressToken, notify }) => {
      for (const progress of [0, 50, 100]) {
        if (progress > 0) await sleep(50);
        if (progressToken !== undefined) await notify('notifications/progress', { progressToken, progress, total: 100 });
      }
      return [text(`Progress reported to ${progressToken ?? 'nobody'}.`)];
    },
  },
  test_sampling: {
    description: 'Asks the caller\'s model',
    inputSchema: takes('prompt', 'What to ask the model'),
    call: async ({ prompt }, { can, ask }) => {
      if (!can.sampling) throw new Error('the client offers no sampling');
      const { content } = await ask({ method: 'sampling/createMessage', params: { messages: [{ role: 'user', content: text(prompt) }], maxTokens: 100 } }, CreateMessageResultSchema);
      return [text(`LLM response: ${content.text}`)];
    },
  },
  test_elicitation: {
    description: 'Asks the caller\'s person',
    inputSchema: takes('message', 'What to ask the person'),
    call: async ({ message }, session) => {
      if (!session.can.elicitation) throw new Error('the client offers no elicitation');
      const { action, content } = await elicit(session, message, {
        username: { type: 'string', description: 'User\'s response' }, email: { type: 'string', description: 'User\'s email address' },
      }, ['username', 'email']);
      return [text(`User response: action=${action}, content=${JSON.stringify(content ?? {})}`)];
    },
  },
  test_elicitation_sep1034_defaults: {
    description: 'Asks with a default for every primitive type',
    call: async (_, session) => completed(await elicit(session, 'Please check these defaults', {
      name: { type: 'string', default: 'John Doe' },
      age: { type: 'integer', default: 30 },
      score: { type: 'number', default: 95.5 },
      status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
      verified: { type: 'boolean', default: true },
    })),
  },
  test_elicitation_sep1330_enums: {
    description: 'Asks with every form of choice',
    call: async (_, session) => completed(await elicit(session, 'Please choose', {
      untitledSingle: { type: 'string', enum: ['option1', 'option2', 'option3'] },
      titledSingle: { type: 'string', oneOf: choices(['value1', 'First Option'], ['value2', 'Second Option'], ['value3', 'Third Option']) },
      legacyEnum: { type: 'string', enum: ['opt1', 'opt2', 'opt3'], enumNames: ['Option One', 'Option Two', 'Option Three'] },
      untitledMulti: { type: 'array', items: { type: 'string', enum: ['option1', 'option2', 'option3'] } },
      titledMulti: { type: 'array', items: { anyOf: choices(['value1', 'First Choice'], ['value2', 'Second Choice'], ['value3', 'Third Choice']) } },
    })),
  },
};

tools.json_schema_2020_12_tool = {
  description: 'Tool with JSON Schema 2020-12 features',
  inputSchema: {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    $defs: { address: { $anchor: 'addressDef', type: 'object', properties: { street: { type: 'string' }, city: { type: 'string' } } } },
    properties: {
      name: { type: 'string' }, address: { $ref: '#/$defs/address' }, contactMethod: { type: 'string', enum: ['phone', 'email'] },
      phone: { type: 'string' }, email: { type: 'string' },
    },
    allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
    if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
    then: { required: ['phone'] },
    else: { required: ['email'] },
    additionalProperties: false,
  },
  call: ({ name }) => [text(`Noted ${name}.`)],
};

const resources = {
  'test://static-text': { name: 'static-text', description: 'A text that never changes', mimeType: 'text/plain', text: 'This is the content of the static text resource.' },
  'test://static-binary': { name: 'static-binary', description: 'An image that never changes', mimeType: 'image/png', blob: PNG },
  'test://watched-resource': { name: 'watched-resource', description: 'A text to subscribe to', mimeType: 'text/plain', text: 'Watched.' },
};

/** The contents of a resource, or of the template's instance that the address names. */
function read(uri) {
  const found = resources[uri];
  if (found) {
    const { name: _, description: __, ...content } = found;
    return { contents: [{ uri, ...content }] };
  }
  const id = /^test:\/\/template\/([^/]+)\/data$/.exec(uri)?.[1];
  if (id === undefined) throw new McpError(-32002, 'Resource not found', { uri });
  return { contents: [{ uri, mimeType: 'application/json', text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }) }] };
}

const says = (...contents) => ({ messages: contents.map((content) => ({ role: 'user', content })) });
const prompts = {
  test_simple_prompt: { description: 'A prompt without arguments', get: () => says(text('This is a simple prompt for testing.')) },
  test_prompt_with_arguments: {
    description: 'A prompt with two arguments',
    arguments: [{ name: 'arg1', description: 'First test argument', required: true }, { name: 'arg2', description: 'Second test argument', required: true }],
    get: ({ arg1, arg2 }) => says(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)),
  },
  test_prompt_with_embedded_resource: {
    description: 'A prompt with a resource inside',
    arguments: [{ name: 'resourceUri', description: 'The resource to embed', required: true }],
    get: ({ resourceUri }) => says(embedded(resourceUri, 'text/plain', 'Embedded resource content for testing.'), text('Please process the embedded resource above.')),
  },
  test_prompt_with_image: { description: 'A prompt with an image', get: () => says(image, text('Please analyze the image above.')) },
};

/** One session's server. */
function makeServer() {
  const server = new Server({ name: 'conformance-fixture', version: '1.0.0' }, {
    capabilities: { tools: {}, prompts: {}, resources: { subscribe: true }, logging: {}, completions: {} },
  });
  const watched = new Set();
  let least = 'debug';
  const on = (schema, answer) => server.setRequestHandler(schema, ({ params }, extra) => answer(params, extra));

  on(ListToolsRequestSchema, () => ({ tools: Object.entries(tools).map(([name, { call: _, ...t }]) => ({ name, inputSchema: nothing, ...t })) }));
  on(CallToolRequestSchema, async (params, extra) => {
    const tool = tools[params.name];
    if (!tool) throw new McpError(ErrorCode.InvalidParams, `no tool ${params.name}`);
    const notify = (method, p) => extra.sendNotification({ method, params: p });
    const session = {
      notify, ask: extra.sendRequest, progressToken: params._meta?.progressToken, can: server.getClientCapabilities() ?? {},
      log: (level, data) => LEVELS.indexOf(level) < LEVELS.indexOf(least) ? undefined : notify('notifications/message', { level, data }),
    };
    try {
      return { content: await tool.call(params.arguments ?? {}, session) };
    } catch (e) {
      return { content: [text(e.message)], isError: true };
    }
  });

  on(ListResourcesRequestSchema, () => ({ resources: Object.entries(resources).map(([uri, { name, description, mimeType }]) => ({ uri, name, description, mimeType })) }));
  on(ListResourceTemplatesRequestSchema, () => ({
    resourceTemplates: [{ uriTemplate: 'test://template/{id}/data', name: 'template', description: 'Data by number', mimeType: 'application/json' }],
  }));
  on(ReadResourceRequestSchema, ({ uri }) => read(uri));
  on(SubscribeRequestSchema, ({ uri }) => { watched.add(uri); return {}; });
  on(UnsubscribeRequestSchema, ({ uri }) => { watched.delete(uri); return {}; });

  on(ListPromptsRequestSchema, () => ({ prompts: Object.entries(prompts).map(([name, { get: _, ...p }]) => ({ name, ...p })) }));
  on(GetPromptRequestSchema, ({ name, arguments: given = {} }) => {
    const prompt = prompts[name];
    const missing = prompt?.arguments?.find((a) => given[a.name] === undefined);
    if (!prompt || missing) throw new McpError(ErrorCode.InvalidParams, prompt ? `${missing.name} is missing` : `no prompt ${name}`);
    return prompt.get(given);
  });

  on(CompleteRequestSchema, ({ argument }) => {
    const values = ['test', 'testValue1', 'testValue2', 'paris'].filter((s) => s.startsWith(argument.value));
    return { completion: { values, total: values.length, hasMore: false } };
  });
  on(SetLevelRequestSchema, ({ level }) => { least = level; return {}; });
  return server;
}

/** Serves `/mcp` on loopback; resolves to {port, close}. */
export async function serve(wanted = 0) {
  const sessions = new Map();
  const refuse = (res, status, code, message) => res.status(status).json({ jsonrpc: '2.0', id: null, error: { code, message } });
  const begin = async () => {
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      onsessioninitialized: (id) => { sessions.set(id, transport); },
    });
    transport.onclose = () => sessions.delete(transport.sessionId);
    await makeServer().connect(transport);
    return transport;
  };
  const app = createMcpExpressApp(); // refuses other hosts than loopback
  app.all('/mcp', async (req, res) => {
    // The Host is looked at by the app; a page of another origin names itself here.
    const { origin } = req.headers;
    if (origin !== undefined && !/^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(origin)) return refuse(res, 403, -32000, 'Origin not allowed');
    const id = req.headers['mcp-session-id'];
    if (id === undefined && !isInitializeRequest(req.body)) return refuse(res, 400, -32000, 'No session');
    const transport = id === undefined ? await begin() : sessions.get(id);
    if (!transport) return refuse(res, 404, -32001, 'Session not found');
    return transport.handleRequest(req, res, req.body);
  });
  const listener = app.listen(wanted, '127.0.0.1');
  await once(listener, 'listening');
  return {
    port: listener.address().port,
    async close() {
      for (const transport of sessions.values()) await transport.close();
      listener.closeAllConnections();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}

if (process.argv[1] === import.meta.filename) {
  const { port } = await serve(Number(process.env.PORT ?? process.argv[2] ?? 0));
  console.log(`http://127.0.0.1:${port}/mcp`);
}
