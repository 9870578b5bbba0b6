/** What the page asks its server for. The server gives calls to whoever holds a talk token or an API key. */

/** A call as the server made it. */
export interface StartedCall {
  callId: string;
  joinUrl: string;
  agentName: string;
  /** Ends this call, and tells how it ended. */
  endToken: string;
}

export interface CallEnd {
  ended: boolean;
  endReason: string | null;
}

export interface Permission {
  kind: 'token' | 'key';
  value: string;
}

/** In words for the person at the page. */
export class Refusal extends Error {
  constructor(
    message: string,
    /** Whether another permission may help. */
    readonly isDenied: boolean,
  ) {
    super(message);
  }
}

export class Server {
  constructor(private readonly agentId: string) {}

  start(permission: Permission): Promise<StartedCall> {
    const headers: Record<string, string> = permission.kind === 'key' ? { 'X-API-Key': permission.value } : { Authorization: `Bearer ${permission.value}` };
    return this.ask<StartedCall>('POST', '', headers);
  }

  find(call: StartedCall): Promise<CallEnd> {
    return this.ask<CallEnd>('GET', `/${call.callId}`, { Authorization: `Bearer ${call.endToken}` });
  }

  private async ask<T>(method: string, path: string, headers: Record<string, string>): Promise<T> {
    let answer: Response;
    try {
      answer = await fetch(`/talk/${this.agentId}/calls${path}`, { method, headers, cache: 'no-store' });
    } catch {
      throw new Refusal('The server cannot be reached. Is it running?', false);
    }
    if (answer.ok) return (await answer.json()) as T;
    throw await Server.refusal(answer);
  }

  private static async refusal(answer: Response): Promise<Refusal> {
    const body: unknown = await answer.json().catch(() => null);
    const detail = typeof body === 'object' && body !== null && 'detail' in body && typeof body.detail === 'string' ? body.detail : `The server answered ${answer.status}.`;
    switch (answer.status) {
      case 401:
      case 403:
        return new Refusal(`This link or key does not hold (any more): ${detail}`, true);
      case 404:
        return new Refusal('There is no such agent, or it belongs to another account.', true);
      case 402:
        return new Refusal(`No call can be started: ${detail}`, false);
      case 429:
      case 503:
        return new Refusal(`The server has no room for another call now: ${detail} Try again in a moment.`, false);
      default:
        return new Refusal(body === null || 'detail' in (body as object) ? detail : `The agent cannot take calls as it is: ${JSON.stringify(body)}`, false);
    }
  }
}
