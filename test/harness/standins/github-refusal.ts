import { type Answer, jsonAnswer } from './listening-server.ts';

/** A refusal of GitHub's REST API. */
export class GithubRefusal extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export function refusalAnswer({ status, message }: GithubRefusal): Answer {
  return jsonAnswer({ message, documentation_url: 'https://docs.github.com/rest', status: String(status) }, status);
}
