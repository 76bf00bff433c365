import type { Row } from "../model/store";

/** The places of the rows while their order is held and the grid sorts them anew all the same: rows came, went, or are in other groups. */
export class RowPlaces {
  private places: ReadonlyMap<Row, number> | undefined;

  get isHeld(): boolean {
    return this.places !== undefined;
  }

  /** From now on rows stay in their order of this moment; where they do so already, of that moment. */
  hold(shown: () => readonly Row[]): void {
    this.places ??= new Map(shown().map((row, index) => [row, index]));
  }

  release(): void {
    this.places = undefined;
  }

  /** Puts rows that were there back into their order; new ones come last, as they were sorted. */
  restore(nodes: { data?: Row | undefined }[]): void {
    const { places } = this;
    if (!places) return;
    const place = ({ data }: { data?: Row | undefined }): number => (data && places.get(data)) ?? places.size;
    nodes.sort((left, right) => place(left) - place(right));
  }
}
