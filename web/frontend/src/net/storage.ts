/** The browser's storage, or undefined where it is forbidden (in a frame of another site, say): even to name it throws there. */
export function browserStorage(name: "localStorage" | "sessionStorage"): Storage | undefined {
  try {
    return globalThis[name];
  } catch {
    return undefined;
  }
}
