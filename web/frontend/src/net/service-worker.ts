import { addressOf } from "./base-url";

/** Registers the service worker that makes the page installable and lets it open without a network. It never keeps a price. */
export function registerServiceWorker(): void {
  if (!("serviceWorker" in navigator)) return; // not a secure context, or a browser without
  addEventListener("load", () => void navigator.serviceWorker.register(addressOf("sw.js")).catch(() => undefined));
}
