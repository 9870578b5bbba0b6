// A network between one page and the server, which a test takes away and gives back: signalling goes through a TCP relay, media through UDP relays.
import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';

export class Network {
  #isUp = true;
  #connections = new Set();
  #media = new Map();

  /** @param server The server's URL. */
  static async open(server) {
    const network = new Network();
    const { hostname, port } = new URL(server);
    network.server = createServer((client) => network.#connect(client, connect(port, hostname)));
    await new Promise((resolve) => network.server.listen(0, '127.0.0.1', resolve));
    network.host = `127.0.0.1:${network.server.address().port}`;
    return network;
  }

  /** The same place of the server's, through the network. */
  url(original) {
    const url = new URL(original);
    url.host = this.host;
    return `${url}`;
  }

  /** A description of the server's, whose media go through the network. */
  async describe(sdp) {
    const lines = [];
    for (const line of sdp.split('\r\n')) {
      const [, before, address, port, after] = /^(a=candidate:\S+ \d+ udp \d+ )(\d+\.\d+\.\d+\.\d+) (\d+)( .*)$/i.exec(line) ?? [];
      if (address) lines.push(`${before}${address} ${await this.#relay(address, Number(port))}${after}`);
      else if (!line.startsWith('a=candidate:')) lines.push(line);
    }
    return lines.join('\r\n');
  }

  /** Nothing comes through any more: datagrams are lost, TCP goes on trying. */
  takeAway() {
    this.#isUp = false;
    for (const { client, server } of this.#connections) {
      client.unpipe(server).pause();
      server.unpipe(client).pause();
    }
  }

  /** As when a device moves to another network: besides, its connections have ended (for the device alone), and its address will be another one. */
  takeAwayForAnother() {
    this.takeAway();
    for (const connection of this.#connections) {
      connection.isDead = true;
      connection.client.resetAndDestroy();
    }
    for (const relay of this.#media.values()) {
      relay.clients.forEach((socket) => socket.close());
      relay.clients.clear();
    }
  }

  giveBack() {
    this.#isUp = true;
    for (const connection of this.#connections) this.#flow(connection);
  }

  close() {
    this.server.close();
    for (const { client, server } of this.#connections) [client, server].forEach((socket) => socket.destroy());
    for (const { front, clients } of this.#media.values()) [front, ...clients.values()].forEach((socket) => socket.close());
  }

  #connect(client, server) {
    const connection = { client, server, isDead: false };
    this.#connections.add(connection);
    const end = () => {
      if (connection.isDead) return;        // the server does not learn of it
      this.#connections.delete(connection);
      [client, server].forEach((socket) => socket.destroy());
    };
    for (const socket of [client, server]) socket.on('error', end).on('close', end).setNoDelay();
    if (this.#isUp) this.#flow(connection);
  }

  #flow({ client, server, isDead }) {
    if (isDead) return;
    client.pipe(server);
    server.pipe(client);
  }

  /** Gives the port that stands for the server's, on the same address. */
  async #relay(address, port) {
    const known = this.#media.get(`${address}:${port}`);
    if (known) return known.front.address().port;
    if ([...this.#media.values()].some(({ front }) => front.address().port === port)) return port;       // clients set a description again that went through here before
    const front = await bind(address);
    const clients = new Map();
    this.#media.set(`${address}:${port}`, { front, clients });
    front.on('message', async (datagram, from) => {
      if (!this.#isUp) return;
      const name = `${from.address}:${from.port}`;
      if (!clients.has(name)) clients.set(name, await this.#socketFor(front, from));
      clients.get(name).send(datagram, port, address);
    });
    return front.address().port;
  }

  /** The server knows each socket of the client's by one of the network's. */
  async #socketFor(front, { address, port }) {
    const socket = await bind(address);
    socket.on('message', (datagram) => this.#isUp && front.send(datagram, port, address));
    return socket;
  }
}

async function bind(address) {
  const socket = createSocket('udp4');
  await new Promise((resolve) => socket.bind(0, address, resolve));
  return socket;
}
