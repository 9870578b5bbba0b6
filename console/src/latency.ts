/**
 * How long the person waits: from the last moment at which the microphone heard a voice to the first sound of the agent, both as this browser has them. Network,
 * jitter buffer and playback are in it; what the loudspeaker takes is not.
 */
export class LatencyMeter {
  private static readonly periodMs = 10;
  /** Root mean square of full scale that counts as sound at all. */
  private static readonly leastLevel = 0.008;
  /** How much louder than the room a voice is. */
  private static readonly overNoise = 4;
  /** The agent has paused for so long when its next sound is an answer. */
  private static readonly agentPauseMs = 250;

  private readonly buffer = new Float32Array(512);
  private timer: ReturnType<typeof setInterval> | undefined;
  private user: AnalyserNode | undefined;
  private agent: AnalyserNode | undefined;
  private noise = 0.002;
  private userSpokeAt = 0;
  private agentSoundAt = 0;
  private isOwed = false;

  constructor(
    private readonly context: AudioContext,
    private readonly onAnswer: (milliseconds: number) => void,
  ) {}

  listenToUser(stream: MediaStream): void {
    this.user ??= this.analyse(stream);
    this.start();
  }

  listenToAgent(stream: MediaStream): void {
    this.agent ??= this.analyse(stream);
    this.start();
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.user?.disconnect();
    this.agent?.disconnect();
    this.user = this.agent = undefined;
  }

  private analyse(stream: MediaStream): AnalyserNode {
    const analyser = this.context.createAnalyser();
    analyser.fftSize = this.buffer.length;
    this.context.createMediaStreamSource(stream).connect(analyser);
    return analyser;
  }

  private start(): void {
    this.timer ??= setInterval(() => this.look(), LatencyMeter.periodMs);
  }

  private look(): void {
    const now = performance.now();
    const user = this.levelOf(this.user);
    if (user > Math.max(LatencyMeter.leastLevel, this.noise * LatencyMeter.overNoise)) {
      this.userSpokeAt = now;
      this.isOwed = true;
    } else if (user > 0) {
      this.noise += (user - this.noise) * 0.02;
    }
    if (this.levelOf(this.agent) < LatencyMeter.leastLevel) return;
    const isAnswer = this.isOwed && now - this.agentSoundAt > LatencyMeter.agentPauseMs;
    this.agentSoundAt = now;
    if (!isAnswer) return;
    this.isOwed = false;
    this.onAnswer(now - this.userSpokeAt);
  }

  private levelOf(analyser: AnalyserNode | undefined): number {
    if (analyser === undefined) return 0;
    analyser.getFloatTimeDomainData(this.buffer);
    let sum = 0;
    for (const sample of this.buffer) sum += sample * sample;
    return Math.sqrt(sum / this.buffer.length);
  }
}
