// The gRPC client of the tests: main.mjs SCENARIO HOST:PORT API-KEY ARGUMENTS. Answers are lines of JSON.
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';

const [scenario, address, key, given] = process.argv.slice(2);
const args = JSON.parse(given);
const protos = fileURLToPath(new URL('../../../../proto/', import.meta.url));
const options = { keepCase: false, longs: Number, enums: String, oneofs: true, includeDirs: [protos] };
const load = (...files) => grpc.loadPackageDefinition(protoLoader.loadSync(files, options));
const { voicegrains } = load('voicegrains.proto');
const api = voicegrains.v1;

const emit = value => process.stdout.write(JSON.stringify(value) + '\n');
const client = (service, channel = {}) => new api[service](address, grpc.credentials.createInsecure(), channel);
const metadata = (extra = {}) => {
  const all = new grpc.Metadata();
  for (const [name, value] of Object.entries({ 'x-api-key': key, ...extra })) if (value !== null) all.set(name, value);
  return all;
};

// Between plain JavaScript values and google.protobuf.Struct.
const toValue = v => v === null ? { nullValue: 'NULL_VALUE' } : typeof v === 'number' ? { numberValue: v } : typeof v === 'string' ? { stringValue: v }
  : typeof v === 'boolean' ? { boolValue: v } : Array.isArray(v) ? { listValue: { values: v.map(toValue) } } : { structValue: toStruct(v) };
const toStruct = o => ({ fields: Object.fromEntries(Object.entries(o).map(([name, v]) => [name, toValue(v)])) });
const fromValue = v => v.kind === 'nullValue' ? null : v.kind === 'listValue' ? (v.listValue.values ?? []).map(fromValue)
  : v.kind === 'structValue' ? fromStruct(v.structValue) : v[v.kind];
const fromStruct = s => Object.fromEntries(Object.entries(s.fields ?? {}).map(([name, v]) => [name, fromValue(v)]));

// The answer and its headers, or the error with its google.rpc details.
const unary = (service, method, request, { extra, call = {}, channel } = {}) => new Promise(resolve => {
  const stub = client(service, channel);
  let headers = {};
  const done = value => { stub.close(); resolve({ ...value, headers }); };
  // A method that no service has is called as a client of another version would.
  const send = method in stub ? stub[method].bind(stub)
    : (message, ...rest) => stub.makeUnaryRequest(`/voicegrains.v1.${service}/${method}`, () => Buffer.alloc(0), buffer => buffer, message, ...rest);
  send(request, metadata(extra), call, (error, answer) => done(error ? describe(error) : { code: 0, answer }))
    .on('metadata', m => { headers = m.getMap(); });
});

const describe = error => {
  const packed = error.metadata?.get('grpc-status-details-bin')[0];
  return { code: error.code, message: error.details, details: packed ? decode(packed) : [] };
};
// The details of an error are messages in bytes, which protobufjs reads.
const { default: protobuf } = await import('protobufjs');
const root = new protobuf.Root();
root.resolvePath = (_, file) => file.startsWith('google/protobuf/') ? file : protos + file.replace(protos, '');
root.loadSync(['google/rpc/status.proto', 'google/rpc/error_details.proto']);
const decode = packed => root.lookupType('google.rpc.Status').decode(packed).details.map(any => {
  const type = any.type_url.split('/').at(-1);
  return { type, ...root.lookupType(type).decode(any.value).toJSON() };
});

const watch = (callId, { call = {}, channel = client('Calls') } = {}) => channel.watchCall({ callId }, metadata(), call);

const scenarios = {
  async unary() { emit(await unary(args.service, args.method, await request(), { extra: args.extra, call: args.deadlineMs ? { deadline: Date.now() + args.deadlineMs } : {}, channel: args.channel })); },

  // Agents from birth to death.
  async agents() {
    const callTemplate = toStruct({ systemPrompt: 'You are {{name}}.', temperature: 0.25, medium: { serverWebSocket: { inputSampleRate: 8000 } }, inactivityMessages: [{ duration: '30s', message: 'Hm?' }] });
    const created = await unary('Agents', 'create', { name: 'Ännchen', callTemplate });
    const agentId = created.answer.agentId;
    const updated = await unary('Agents', 'update', { agentId, callTemplate: toStruct({ voice: 'Mark', temperature: null }) });
    const listed = await unary('Agents', 'list', { pageSize: 1, search: 'nnch', sort: 'name' });
    const got = await unary('Agents', 'get', { agentId });
    const removed = await unary('Agents', 'delete', { agentId });
    const gone = await unary('Agents', 'get', { agentId });
    const show = reply => ({ ...reply.answer, callTemplate: fromStruct(reply.answer.callTemplate) });
    emit({ created: show(created), updated: show(updated), got: show(got), listed: listed.answer.results.map(a => a.agentId), total: listed.answer.total, removed: removed.code, gone });
  },

  // Prints each event of a call, then how the stream ended. A line on stdin cancels.
  async watch() {
    const stream = watch(args.callId, { call: args.deadlineMs ? { deadline: Date.now() + args.deadlineMs } : {} });
    createInterface({ input: process.stdin }).on('line', () => stream.cancel());
    stream.on('metadata', () => emit({ watching: true }));
    stream.on('data', event => emit({ ...event, callEvent: event.callEvent && { ...event.callEvent, extras: event.callEvent.extras && fromStruct(event.callEvent.extras) } }));
    stream.on('error', () => {});
    stream.on('status', status => { emit({ status: status.code }); process.exit(0); });
  },

  // Begins to watch again and again while the call ends. Prints how each watch ended.
  async flock() {
    const ends = [];
    const channel = client('Calls');
    for (let i = 0; i < args.count; i++) {
      const stream = watch(args.callId, { channel });
      const seen = [];
      stream.on('data', event => seen.push(event.event));
      stream.on('error', () => {});
      ends.push(new Promise(resolve => stream.on('status', status => resolve({ status: status.code, last: seen.at(-1) ?? null, ended: seen.filter(e => e === 'callEnded').length }))));
      if (i === 0) stream.on('metadata', () => emit({ watching: true }));
      await new Promise(resolve => setTimeout(resolve, args.everyMs));
    }
    emit({ ends: await Promise.all(ends) });
    process.exit(0);
  },

  // One watcher that stops reading and one that does not; after a line, many more; after another, all of them read to the end.
  async crowd() {
    const collect = stream => {
      const watcher = { stream, events: 0, gaps: 0, dropped: 0, last: null, status: null };
      watcher.read = () => stream.on('data', event => {
        if (event.event === 'gap') { watcher.gaps++; watcher.dropped += event.gap.dropped; } else watcher.events++;
        watcher.last = event.event;
        tell();
      });
      stream.on('error', () => {});
      stream.on('status', status => { watcher.status = status.code; tell(); });
      return watcher;
    };
    const started = stream => new Promise(resolve => stream.on('metadata', resolve));
    const open = async () => { const stream = watch(args.callId); await started(stream); return collect(stream); };
    const idle = await open();
    idle.read();
    idle.stream.once('data', () => idle.stream.pause());     // grpc-js holds the server back only once it has begun to read
    const readers = [await open()];
    readers[0].read();
    let told = 0;
    let ended = false;
    const tell = () => {
      const least = Math.min(...readers.map(w => w.events));
      if (least >= told + args.batch) emit({ received: told += args.batch });
      if (!ended && readers.every(w => w.status !== null)) { ended = true; emit({ readersEnded: true }); }
      if (ended && idle.status !== null) {
        const tellable = ({ events, gaps, dropped, last, status }) => ({ events, gaps, dropped, last, status });
        emit({ idle: tellable(idle), readers: readers.map(tellable) });
        process.exit(0);
      }
    };
    emit({ watching: 2 });
    for await (const line of createInterface({ input: process.stdin })) {
      if (line === 'more') {
        const more = await Promise.all(Array.from({ length: args.more }, open));
        for (const watcher of more) { watcher.events = told; watcher.read(); readers.push(watcher); }
        emit({ watching: readers.length + 1 });
      } else if (line === 'read') idle.stream.resume();
    }
  },
};

// Objects under "$struct" become google.protobuf.Struct; "$repeat" makes long texts.
async function request() {
  const build = v => v && typeof v === 'object' ? '$struct' in v ? toStruct(build(v.$struct)) : '$repeat' in v ? v.$repeat.repeat(v.times)
    : Array.isArray(v) ? v.map(build) : Object.fromEntries(Object.entries(v).map(([name, inner]) => [name, build(inner)])) : v;
  return build(args.request ?? {});
}

await scenarios[scenario]();
