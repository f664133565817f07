export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** What a request may do in a repository, as the token specification writes it: `repository:acme/app:pull,push`. */
export interface Access {
  readonly name: string;
  readonly actions: 'pull' | 'pull,push';
}
