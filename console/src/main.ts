import { Call, type CallState } from './call';
import { type Line, Memory } from './memory';
import { Refusal, Server, type StartedCall } from './server';
import './style.css';
import { View } from './view';

const labels: Record<CallState, string> = { connecting: 'Connecting …', listening: 'Listening', thinking: 'Thinking', speaking: 'Speaking', ended: 'Ended' };

const agentId = location.pathname.split('/').filter((part) => part.length > 0)[1] ?? '';
const memory = new Memory(agentId);
const server = new Server(agentId);
const view = new View();
let call: Call | null = null;
let clock: ReturnType<typeof setInterval> | undefined;

/** Why this browser cannot take part in a call; null when it can. */
function obstacle(): string | null {
  if (!window.isSecureContext || navigator.mediaDevices === undefined)
    return 'Browsers give the microphone to pages on https:// or localhost only. Open this page under such an address.';
  if (typeof RTCPeerConnection === 'undefined') return 'This browser has no WebRTC.';
  return null;
}

/** Asked for before the call begins, so that the agent does not greet a person who is looking at a question of the browser. */
async function requireMicrophone(): Promise<void> {
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    stream.getTracks().forEach((track) => track.stop());
  } catch (failure) {
    const name = failure instanceof DOMException ? failure.name : '';
    if (name === 'NotAllowedError') throw new Refusal('The microphone is not allowed here. Allow it beside the address of the page, then start again.', false);
    if (name === 'NotFoundError') throw new Refusal('No microphone was found. Plug one in, then start again.', false);
    throw new Refusal('The microphone cannot be used; another program may have it.', false);
  }
}

async function start(): Promise<void> {
  const permission = memory.permission;
  if (permission === null) return askForKey();
  view.start.disabled = true;
  view.showProblem(null);
  view.showState('connecting', labels.connecting);
  try {
    await requireMicrophone();
    enter(await server.start(permission), Date.now(), []);
  } catch (failure) {
    view.showState('ready', 'Ready');
    view.showProblem(failure instanceof Refusal ? failure.message : `Something went wrong: ${String(failure)}`);
    if (failure instanceof Refusal && failure.isDenied) askForKey();
  } finally {
    view.start.disabled = false;
  }
}

function enter(started: StartedCall, at: number, lines: Line[]): void {
  let known = lines;
  view.showAgent(started.agentName);
  view.showCall(true);
  view.showLines(lines);
  view.showLatency(null);
  memory.call = { started, at, lines };
  clearInterval(clock);
  clock = setInterval(() => view.showTime((Date.now() - at) / 1000), 500);
  call = new Call(server, started, lines, {
    state(state, note) {
      view.showState(state, labels[state]);
      view.showProblem(note ?? null);
      if (state !== 'ended') return;
      call = null;
      memory.call = null;
      clearInterval(clock);
      view.showCall(false);
    },
    lines(said) {
      known = [...said];
      view.showLines(known);
      if (call !== null) memory.call = { started, at, lines: known };
    },
    latency: (milliseconds) => view.showLatency(milliseconds),
  });
  call.connect();
}

function askForKey(): void {
  view.keyForm.hidden = false;
  view.key.focus();
}

function bind(): void {
  view.start.addEventListener('click', () => void start());
  view.hangUp.addEventListener('click', () => void call?.hangUp());
  view.mic.addEventListener('click', () => call?.setMicMuted(View.toggle(view.mic)));
  view.speaker.addEventListener('click', () => call?.setSpeakerMuted(View.toggle(view.speaker)));
  view.medium.addEventListener('click', () => call?.setTextOnly(View.toggle(view.medium)));
  view.textForm.addEventListener('submit', (event) => {
    event.preventDefault();
    const text = view.text.value.trim();
    if (text.length > 0 && call?.sendText(text)) view.text.value = '';
  });
  view.keyForm.addEventListener('submit', (event) => {
    event.preventDefault();
    memory.permission = { kind: 'key', value: view.key.value.trim() };
    view.key.value = '';
    view.keyForm.hidden = true;
    void start();
  });
}

function begin(): void {
  memory.takeTokenOfLink();
  bind();
  const problem = obstacle();
  view.showProblem(problem);
  view.start.disabled = problem !== null;
  if (problem !== null) return;
  if (memory.permission === null) askForKey();
  // A reload in the middle of a call: the server holds it for a moment.
  const going = memory.call;
  if (going !== null) enter(going.started, going.at, going.lines);
}

begin();
