// Requests to our own server: the token goes along, and a failure says which kind it was.

export const token = () => document.querySelector('meta[name="csrf-token"]')?.content ?? '';

// kind: "signed-out" | "refused" | "conflict" | "too-many" | "server" | "network"
export class Failure extends Error {
  constructor(kind, response = null) {
    super(kind);
    this.kind = kind;
    this.response = response;
  }
}

const kindOf = (status) => {
  if (status === 401) return 'signed-out';
  if (status === 409) return 'conflict';
  if (status === 429) return 'too-many';
  return status >= 500 ? 'server' : 'refused';
};

// Gives the response, or throws a Failure. A redirect to the sign-in page counts as signed out.
export async function send(url, { method = 'GET', body = null, accept = 'application/json', ...rest } = {}) {
  const headers = { Accept: accept };
  if (method !== 'GET') headers['X-CSRFToken'] = token();
  let response;
  try {
    response = await fetch(url, { method, body, headers, credentials: 'same-origin', ...rest });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Failure('network');
  }
  if (response.redirected && new URL(response.url).pathname === '/login') throw new Failure('signed-out', response);
  if (!response.ok) throw new Failure(kindOf(response.status), response);
  return response;
}

// The last call within `wait` milliseconds is made.
export function debounce(run, wait) {
  let timer = 0;
  const later = (...values) => {
    clearTimeout(timer);
    timer = setTimeout(run, wait, ...values);
  };
  later.cancel = () => clearTimeout(timer);
  return later;
}
