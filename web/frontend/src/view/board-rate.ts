/** The pace of the board, updates a second: of rows out of view, and of everything while the tab is hidden. */
export function boardHz(visible: boolean): number {
  return visible ? 1 : 0.2;
}
