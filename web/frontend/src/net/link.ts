import type { FromHub, Interest, ToHub, TransportName } from "../model/messages";
import { keptAs, serverAddress } from "./base-url";
import { browserStorage } from "./storage";

/**
 * No word from a new SharedWorker for so long: it may not run here (blocked, or the browser has none). Then the same code is loaded into the
 * page, which takes as long as the line takes for it; a worker that speaks up meanwhile was only slow.
 */
const WORKER_PATIENCE_MS = 2500;
/** It is looked at so often meanwhile: time in which the page itself was too busy to hear anything counts as one look. */
const WORKER_LOOKS = 10;
/** A tab repeats what it wants, so that the hub knows it is still there. */
const REPEAT_MS = 20_000;

/** Has code loaded that is needed, and says so to the reader where it does not come. */
type LoadCode = <Code>(load: () => Promise<Code>) => Promise<Code>;
type Receiver = (message: FromHub) => void;
type Sender = (message: ToHub) => void;

/**
 * The page's end of the connection to the server: through a SharedWorker where there is one, else from within the page. It may be there before
 * anybody takes what it brings: the hub hands out two messages, and the newest of everything when those have been taken.
 */
export class Link {
  private sender: Sender | undefined;
  private interest: Interest | undefined;
  private heard = false;
  private receiver: Receiver | undefined;
  private readonly waiting: FromHub[] = [];
  private readonly transport = knownTransport();

  /** `shared`: try the SharedWorker. */
  constructor(shared: boolean, private readonly load: LoadCode) {
    if (shared && "SharedWorker" in globalThis) this.openWorker();
    else void this.openHere();
    setInterval(() => this.repeat(), REPEAT_MS);
    addEventListener("pagehide", () => this.sender?.({ type: "bye" }));
    addEventListener("pageshow", (event) => event.persisted && this.repeat());
    document.addEventListener("resume", () => this.repeat());
  }

  /** Hand over what came and will come. */
  receive(receiver: Receiver): void {
    this.receiver = receiver;
    for (const message of this.waiting.splice(0)) this.deliver(message);
  }

  want(interest: Interest): void {
    this.interest = interest;
    this.repeat();
  }

  private deliver(message: FromHub): void {
    if (message.type === "transport") rememberTransport(message.first);
    if (!this.receiver) {
      this.waiting.push(message);
      return;
    }
    try {
      this.receiver(message);
    } finally {
      this.sender?.({ type: "taken" }); // whatever it did to the page: the hub hands out two, and then waits for this word
    }
  }

  private repeat(): void {
    if (this.interest) this.sender?.({ ...this.interest, ...this.transport });
  }

  private openWorker(): void {
    const worker = new SharedWorker(new URL("./worker.ts", import.meta.url), { type: "module", name: "tickercast" });
    let looks = 0;
    const patience = setInterval(() => {
      looks += 1;
      if (!this.heard && looks < WORKER_LOOKS) return;
      clearInterval(patience);
      if (!this.heard) void this.openHere(worker.port);
    }, WORKER_PATIENCE_MS / WORKER_LOOKS);
    worker.onerror = () => {
      clearInterval(patience);
      if (!this.heard) void this.openHere(worker.port);
    };
    worker.port.onmessage = (event: MessageEvent<FromHub>) => {
      this.heard = true;
      this.deliver(event.data);
    };
    this.sender = (message) => worker.port.postMessage(message);
  }

  /** The hub in the page itself; in place of the one behind `worker`, unless that is heard of first. */
  private async openHere(worker?: MessagePort): Promise<void> {
    const [{ Hub }, { Session }] = await this.load(() => Promise.all([import("./hub"), import("./session")]));
    if (this.heard) return;
    this.heard = true;
    worker?.postMessage({ type: "bye" } satisfies ToHub); // should it come after all, it need not keep a connection for this tab
    worker?.close();
    const hub = new Hub((events, policy) => new Session(serverAddress(), policy, events));
    const port = { postMessage: (message: FromHub) => queueMicrotask(() => this.deliver(message)) };
    this.sender = (message) => hub.receive(port, message);
    this.repeat();
  }
}

/** Where a tab remembers which transport gets through; the name is that of earlier pages. */
const TRANSPORT_KEY = keptAs("tickercast-road");

/** A WebSocket needs a connection of its own, three round trips: on a line this slow, ms a round trip, polling stands sooner, and changes over. */
const SLOW_LINE_MS = 400;

/** What this tab knows before the first attempt. */
function knownTransport(): { transport?: TransportName } {
  const transport = browserStorage("sessionStorage")?.getItem(TRANSPORT_KEY);
  if (transport === "polling" || transport === "websocket") return { transport };
  const [navigation] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  return navigation && navigation.responseStart - navigation.requestStart > SLOW_LINE_MS ? { transport: "polling" } : {};
}

function rememberTransport(first: TransportName): void {
  try {
    browserStorage("sessionStorage")?.setItem(TRANSPORT_KEY, first);
  } catch {
    // the storage is full: it will be found out again
  }
}
