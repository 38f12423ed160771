// Threads like the one being written. An element with data-similar-url (the form, or the title field itself) is
// asked with ?title= while one types; the fragment that comes goes into [data-similar], which stays where it is.

import { debounce, send } from './http.js';

const LEAST = 8; // characters of a title that say anything

export function start() {
  const source = document.querySelector('[data-similar-url]');
  const region = document.querySelector('[data-similar]');
  const field = source?.matches('input') ? source : source?.querySelector('[name="title"]');
  if (!field || !region) return;
  let asked = '';
  let running = null;
  const look = debounce(async () => {
    const title = field.value.trim();
    if (title === asked) return;
    asked = title;
    running?.abort();
    if (title.length < LEAST) {
      region.replaceChildren();
      return;
    }
    running = new AbortController();
    try {
      const url = `${source.dataset.similarUrl}?title=${encodeURIComponent(title)}`;
      region.innerHTML = await (await send(url, { accept: 'text/html', signal: running.signal })).text();
    } catch {
      // without it the thread is written all the same
    }
  }, 500);
  field.addEventListener('input', look);
  if (field.value) look();
}
