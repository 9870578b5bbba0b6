import type { Line } from './memory';

/** The elements of the page. What it shows comes from people and models, so it goes in as text and never as HTML. */
export class View {
  readonly start = View.find<HTMLButtonElement>('start');
  readonly mic = View.find<HTMLButtonElement>('mic');
  readonly speaker = View.find<HTMLButtonElement>('speaker');
  readonly medium = View.find<HTMLButtonElement>('medium');
  readonly hangUp = View.find<HTMLButtonElement>('hang-up');
  readonly textForm = View.find<HTMLFormElement>('text-form');
  readonly text = View.find<HTMLInputElement>('text');
  readonly keyForm = View.find<HTMLFormElement>('key-form');
  readonly key = View.find<HTMLInputElement>('key');

  private readonly agent = View.find('agent');
  private readonly state = View.find('state');
  private readonly problem = View.find('problem');
  private readonly transcript = View.find('transcript');
  private readonly latency = View.find('latency');
  private readonly time = View.find('time');
  private readonly items = new Map<string, HTMLLIElement>();

  showAgent(name: string): void {
    this.agent.textContent = name;
    document.title = `${name} · VoiceGrains`;
  }

  showState(state: string, label: string): void {
    this.state.dataset['state'] = state;
    this.state.textContent = label;
  }

  showProblem(text: string | null): void {
    this.problem.hidden = text === null;
    this.problem.textContent = text ?? '';
  }

  showCall(isLive: boolean): void {
    this.start.hidden = isLive;
    for (const element of [this.mic, this.speaker, this.medium, this.hangUp, this.textForm]) element.hidden = !isLive;
    if (isLive) return;
    for (const button of [this.mic, this.speaker, this.medium]) button.ariaPressed = 'false';
    this.start.textContent = 'Start again';
    this.start.focus();
  }

  showLatency(milliseconds: number | null): void {
    this.latency.textContent = milliseconds === null ? '–' : `${(milliseconds / 1000).toFixed(2)} s`;
  }

  showTime(seconds: number | null): void {
    this.time.textContent = seconds === null ? '–' : `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;
  }

  showLines(lines: readonly Line[]): void {
    const isAtEnd = this.transcript.scrollHeight - this.transcript.scrollTop - this.transcript.clientHeight < 80;
    const keys = new Set(lines.map((line) => line.key));
    for (const [key, item] of this.items) {
      if (keys.has(key)) continue;
      item.remove();
      this.items.delete(key);
    }
    lines.forEach((line, index) => this.place(line, index));
    if (isAtEnd) this.transcript.scrollTop = this.transcript.scrollHeight;
  }

  /** Toggles a button, and tells what it is now. */
  static toggle(button: HTMLButtonElement): boolean {
    const isOn = button.ariaPressed !== 'true';
    button.ariaPressed = String(isOn);
    return isOn;
  }

  private place(line: Line, index: number): void {
    let item = this.items.get(line.key);
    if (item === undefined) {
      item = document.createElement('li');
      this.items.set(line.key, item);
    }
    item.dataset['speaker'] = line.speaker;
    item.dataset['final'] = String(line.isFinal);
    if (line.speaker !== 'tool') item.ariaLabel = `${line.speaker === 'user' ? 'You' : 'Agent'}: ${line.text}`;
    if (item.textContent !== line.text) item.textContent = line.text;
    if (this.transcript.children[index] !== item) this.transcript.insertBefore(item, this.transcript.children[index] ?? null);
  }

  private static find<T extends HTMLElement = HTMLElement>(id: string): T {
    return document.getElementById(id) as T;
  }
}
