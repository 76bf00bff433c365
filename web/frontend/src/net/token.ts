import { keptAs } from "./base-url";
import { browserStorage } from "./storage";

/** A secret as this tab knows it: typed by the reader, kept until the tab is closed, and only once the server has accepted it. */
export class TokenBox {
  /** `key`: what it is kept under. Without a storage it has to be typed anew each time. */
  constructor(private readonly storage: Pick<Storage, "getItem" | "setItem" | "removeItem"> | undefined, private readonly key: string) {}

  read(): string {
    return this.storage?.getItem(this.key) ?? "";
  }

  keep(token: string): void {
    try {
      this.storage?.setItem(this.key, token);
    } catch {
      // the storage is full: it will have to be typed again
    }
  }

  forget(): void {
    this.storage?.removeItem(this.key);
  }
}

/** This tab's. */
export function tokenBox(): TokenBox {
  return new TokenBox(browserStorage("sessionStorage"), keptAs("tickercast-token"));
}
