/** The pace of the board, updates a second: rows out of view, and everything while the tab is hidden. */
export const BOARD_HZ = 1;
export const HIDDEN_HZ = 0.2;
