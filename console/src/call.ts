import { Medium, UltravoxDataMessageEvent, UltravoxSession, UltravoxSessionStatus } from 'ultravox-client';
import { LatencyMeter } from './latency';
import type { Line } from './memory';
import type { CallEnd, Server, StartedCall } from './server';

export type CallState = 'connecting' | 'listening' | 'thinking' | 'speaking' | 'ended';

export interface CallListener {
  state(state: CallState, note?: string): void;
  lines(lines: readonly Line[]): void;
  latency(milliseconds: number): void;
}

/** What of the session the meter looks at; its declarations keep it to themselves. */
interface Inside {
  audioElement: HTMLAudioElement;
  localAudioTrack?: { mediaStreamTrack: MediaStreamTrack };
}

/** One call from the page's first connection to its end, over as many connections as it takes. */
export class Call {
  /** The server keeps a call whose client is gone for about so long. */
  private static readonly patienceMs = 15_000;
  private static readonly retryMs = 1_000;
  /** A room that has not come about by then will not. */
  private static readonly connectMs = 20_000;

  private readonly context = new AudioContext();
  private readonly meter: LatencyMeter;
  private readonly earlier: Line[];
  private readonly tools: Line[] = [];
  private session: UltravoxSession | undefined;
  private watch: ReturnType<typeof setInterval> | undefined;
  private connectedAt = 0;
  private lostAt = 0;
  private isLeaving = false;
  private isOver = false;
  private isMicMuted = false;
  private isSpeakerMuted = false;
  private isTextOnly = false;

  /** @param earlier What was said before a reload. */
  constructor(
    private readonly server: Server,
    readonly started: StartedCall,
    earlier: Line[],
    private readonly listener: CallListener,
  ) {
    this.earlier = earlier;
    this.meter = new LatencyMeter(this.context, (milliseconds) => listener.latency(milliseconds));
  }

  connect(): void {
    this.listener.state('connecting');
    const session = new UltravoxSession({ audioContext: this.context });
    this.session = session;
    this.connectedAt = 0;
    session.registerToolImplementation('getLocalTime', () => new Date().toLocaleTimeString('en-US', { hour: 'numeric', minute: '2-digit' }));
    session.addEventListener('status', () => this.session === session && this.onStatus(session));
    session.addEventListener('transcripts', () => this.tellLines());
    session.addEventListener('data_message', (event) => this.onMessage(event as UltravoxDataMessageEvent));
    session.joinCall(this.started.joinUrl, 'talk');
    if (this.isMicMuted) session.muteMic();
    if (this.isSpeakerMuted) session.muteSpeaker();
    const began = Date.now();
    clearInterval(this.watch);
    this.watch = setInterval(() => {
      this.listenIn(session);
      if (this.connectedAt === 0 && Date.now() - began > Call.connectMs) void session.leaveCall();
    }, 100);
  }

  setMicMuted(isMuted: boolean): void {
    this.isMicMuted = isMuted;
    if (isMuted) this.session?.muteMic();
    else this.session?.unmuteMic();
  }

  setSpeakerMuted(isMuted: boolean): void {
    this.isSpeakerMuted = isMuted;
    if (isMuted) this.session?.muteSpeaker();
    else this.session?.unmuteSpeaker();
  }

  setTextOnly(isTextOnly: boolean): void {
    this.isTextOnly = isTextOnly;
    if (this.isConnected) this.session?.setOutputMedium(isTextOnly ? Medium.TEXT : Medium.VOICE);
  }

  sendText(text: string): boolean {
    if (!this.isConnected) return false;
    this.session?.sendText(text);
    return true;
  }

  async hangUp(): Promise<void> {
    this.isLeaving = true;
    await this.session?.leaveCall();
    if (!this.isOver) this.end('You hung up.');
  }

  private get isConnected(): boolean {
    const status = this.session?.status;
    return status === UltravoxSessionStatus.LISTENING || status === UltravoxSessionStatus.THINKING || status === UltravoxSessionStatus.SPEAKING;
  }

  private onStatus(session: UltravoxSession): void {
    switch (session.status) {
      case UltravoxSessionStatus.LISTENING:
      case UltravoxSessionStatus.THINKING:
      case UltravoxSessionStatus.SPEAKING:
        if (this.connectedAt === 0) {
          this.connectedAt = Date.now();
          this.lostAt = 0;
          if (this.isTextOnly) session.setOutputMedium(Medium.TEXT);
        }
        this.listener.state(session.status);
        break;
      case UltravoxSessionStatus.DISCONNECTED:
        void this.onDisconnected();
        break;
    }
  }

  /** The SDK does not tell why; the server knows. */
  private async onDisconnected(): Promise<void> {
    clearInterval(this.watch);
    this.meter.stop();
    this.keepLines();
    if (this.isLeaving) return this.end('You hung up.');
    this.lostAt ||= Date.now();
    let found: CallEnd | null = null;
    try {
      found = await this.server.find(this.started);
    } catch {
      // Away as well: it may come back.
    }
    if (this.isOver) return;
    if (found?.ended) return this.end(Call.reasonOf(found.endReason));
    if (Date.now() - this.lostAt > Call.patienceMs) return this.end('The connection was lost.');
    this.listener.state('connecting', 'The connection was lost. Trying again …');
    setTimeout(() => !this.isOver && !this.isLeaving && this.connect(), Call.retryMs);
  }

  private end(note: string): void {
    if (this.isOver) return;
    this.isOver = true;
    clearInterval(this.watch);
    this.meter.stop();
    void this.context.close();
    this.tellLines();
    this.listener.state('ended', note);
  }

  private static reasonOf(reason: string | null): string {
    switch (reason) {
      case 'agent_hangup':
        return 'The agent hung up.';
      case 'hangup':
        return 'The call was ended.';
      case 'timeout':
        return 'The call has reached its greatest length.';
      case 'unjoined':
        return 'The call could not be joined in time: no connection to the server came about.';
      case 'connection_error':
        return 'The connection was lost.';
      default:
        return 'The call ended because of a fault of the server.';
    }
  }

  private onMessage(event: UltravoxDataMessageEvent): void {
    const message = event.message as { type?: string; toolName?: string; invocationId?: string };
    if (message.type !== 'client_tool_invocation') return;
    const order = (this.lines().at(-1)?.order ?? -1) + 0.5;
    this.tools.push({ key: `tool-${message.invocationId}`, order, speaker: 'tool', text: `The agent used ${message.toolName}.`, isFinal: true });
    this.tellLines();
  }

  private listenIn(session: UltravoxSession): void {
    const inside = session as unknown as Inside;
    if (inside.localAudioTrack) this.meter.listenToUser(new MediaStream([inside.localAudioTrack.mediaStreamTrack]));
    if (inside.audioElement.srcObject instanceof MediaStream) this.meter.listenToAgent(inside.audioElement.srcObject);
  }

  /** A new session begins without what the one before it knew. */
  private keepLines(): void {
    const known = this.lines();
    this.earlier.splice(0, this.earlier.length, ...known);
    this.tools.length = 0;
    this.session = undefined;
  }

  private lines(): Line[] {
    const lines = new Map(this.earlier.map((line) => [line.key, line]));
    for (const said of this.session?.transcripts ?? []) {
      if (said.text.length === 0) continue;
      lines.set(`${said.ordinal}`, { key: `${said.ordinal}`, order: said.ordinal, speaker: said.speaker, text: said.text, isFinal: said.isFinal });
    }
    for (const tool of this.tools) lines.set(tool.key, tool);
    return [...lines.values()].sort((one, other) => one.order - other.order);
  }

  private tellLines(): void {
    this.listener.lines(this.lines());
  }
}
