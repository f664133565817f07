/** A workflow that GitHub would refuse to start: a syntax error, an unknown job, a cycle, a wrong input. */
export class WorkflowError extends Error {
  override readonly name = 'WorkflowError';
}

/** Something GitHub can do and this runner cannot. Always ends the run: nothing is left out silently. */
export class UnsupportedError extends Error {
  override readonly name = 'UnsupportedError';
}
