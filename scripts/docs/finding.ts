/** Something wrong in a file of the documentation. */
export interface Finding {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}
