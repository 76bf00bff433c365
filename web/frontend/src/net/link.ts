import type { FromHub, Interest, ToHub } from "./messages";

/** No word from a new SharedWorker for so long: it does not run here (blocked, or the browser has none). */
const WORKER_PATIENCE_MS = 2500;
/** It is looked at so often meanwhile: time in which the page itself was too busy to hear anything counts as one look. */
const WORKER_LOOKS = 10;
/** A tab repeats what it wants, so that the hub knows it is still there. */
const REPEAT_MS = 20_000;

type Receiver = (message: FromHub) => void;
type Sender = (message: ToHub) => void;

/**
 * The page's end of the road to the server: through a SharedWorker where there is one, else from within the page. It may be there before
 * anybody takes what it brings: the hub hands out two messages, and the newest of everything when those have been taken.
 */
export class Link {
  private sender: Sender | undefined;
  private interest: Interest | undefined;
  private heard = false;
  private receiver: Receiver | undefined;
  private readonly waiting: FromHub[] = [];

  /** `shared`: try the SharedWorker. */
  constructor(shared: boolean) {
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
    if (!this.receiver) {
      this.waiting.push(message);
      return;
    }
    this.receiver(message);
    this.sender?.({ type: "taken" });
  }

  private repeat(): void {
    if (this.interest) this.sender?.(this.interest);
  }

  private openWorker(): void {
    const worker = new SharedWorker(new URL("./worker.ts", import.meta.url), { type: "module", name: "tickercast" });
    const giveUp = (): void => {
      if (this.heard) return;
      worker.port.close();
      void this.openHere();
    };
    let looks = 0;
    const patience = setInterval(() => {
      looks += 1;
      if (!this.heard && looks < WORKER_LOOKS) return;
      clearInterval(patience);
      giveUp();
    }, WORKER_PATIENCE_MS / WORKER_LOOKS);
    worker.onerror = () => {
      clearInterval(patience);
      giveUp();
    };
    worker.port.onmessage = (event: MessageEvent<FromHub>) => {
      this.heard = true;
      this.deliver(event.data);
    };
    this.sender = (message) => worker.port.postMessage(message);
  }

  private async openHere(): Promise<void> {
    this.heard = true;
    const [{ Hub }, { Session }] = await Promise.all([import("./hub"), import("./session")]);
    const hub = new Hub((events) => new Session(location.origin, events));
    const port = { postMessage: (message: FromHub) => queueMicrotask(() => this.deliver(message)) };
    this.sender = (message) => hub.receive(port, message);
    this.repeat();
  }
}
