import type { Permission, StartedCall } from './server';

/** What a reload of the tab must not lose. It ends with the tab: nothing of it reaches a disk or another tab. */
export class Memory {
  constructor(private readonly agentId: string) {}

  /** The token of a talk link, which is taken out of the address bar: it is nothing to be seen on a shared screen. */
  takeTokenOfLink(): void {
    const token = new URLSearchParams(location.hash.slice(1)).get('token');
    if (token === null) return;
    this.permission = { kind: 'token', value: token };
    history.replaceState(null, '', location.pathname + location.search);
  }

  get permission(): Permission | null {
    return this.read<Permission>('permission');
  }

  set permission(value: Permission | null) {
    this.write('permission', value);
  }

  /** The call that goes on, and what was said in it. */
  get call(): { started: StartedCall; at: number; lines: Line[] } | null {
    return this.read('call');
  }

  set call(value: { started: StartedCall; at: number; lines: Line[] } | null) {
    this.write('call', value);
  }

  private read<T>(name: string): T | null {
    try {
      const text = sessionStorage.getItem(`${this.agentId}/${name}`);
      return text === null ? null : (JSON.parse(text) as T);
    } catch {
      return null; // storage is switched off, or somebody else wrote there
    }
  }

  private write(name: string, value: unknown): void {
    try {
      if (value === null) sessionStorage.removeItem(`${this.agentId}/${name}`);
      else sessionStorage.setItem(`${this.agentId}/${name}`, JSON.stringify(value));
    } catch {
      // Without storage a reload begins anew.
    }
  }
}

/** One entry of the transcript. */
export interface Line {
  key: string;
  /** Where it stands; what was said counts up from 0 in whole numbers. */
  order: number;
  speaker: 'user' | 'agent' | 'tool';
  text: string;
  isFinal: boolean;
}
