// What a text will look like: POST to data-preview-url (body=…) a moment after the last key; the fragment goes
// into [data-preview-text]. It takes no focus and is not announced while one writes.

import { debounce, Failure, send } from './http.js';

export function startPreview(composer, text) {
  const section = composer.querySelector('[data-preview]');
  const place = composer.querySelector('[data-preview-text]');
  if (!section) return;
  let running = null;
  let shown = null;

  async function show() {
    const source = text.value;
    if (source === shown) return;
    running?.abort();
    if (!source.trim()) {
      shown = source;
      section.hidden = true;
      return;
    }
    running = new AbortController();
    try {
      const body = new URLSearchParams({ body: source });
      const response = await send(composer.dataset.previewUrl, {
        method: 'POST', body, accept: 'text/html', signal: running.signal,
      });
      place.innerHTML = await response.text();
      shown = source;
      section.hidden = false;
    } catch (error) {
      if (error instanceof Failure && error.kind === 'refused') {
        place.innerHTML = (await error.response.text()).slice(0, 4000);
        section.hidden = false;
      }
    }
  }

  text.addEventListener('input', debounce(show, 400));
  show();
}
