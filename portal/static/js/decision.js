// form[data-decision="url"]: shows in [data-will-read] what the others will read, as the form stands; buttons with
// data-fill="id" put their text into that field, and their data-fill-value into the field that data-fills names.

import { debounce, Failure, send } from './http.js';

export function start() {
  for (const form of document.querySelectorAll('form[data-decision]')) startForm(form);
}

function startForm(form) {
  const place = form.querySelector('[data-will-read]');
  let running = null;

  async function read() {
    running?.abort();
    running = new AbortController();
    try {
      const response = await send(form.dataset.decision, {
        method: 'POST', body: new URLSearchParams(new FormData(form)), accept: 'text/html', signal: running.signal,
      });
      place.innerHTML = await response.text();
    } catch (error) {
      if (!(error instanceof Failure) && error.name !== 'AbortError') throw error;
    }
  }

  const soon = debounce(read, 300);
  form.addEventListener('input', soon);
  form.addEventListener('submit', () => soon.cancel());
  for (const menu of form.querySelectorAll('[data-fills]')) menu.hidden = false;
  for (const button of form.querySelectorAll('[name="preview"]')) button.hidden = true;
  form.addEventListener('click', (event) => {
    const button = event.target.closest('[data-fill]');
    if (button) fill(form, button, soon);
  });
}

function fill(form, button, soon) {
  const field = document.getElementById(button.dataset.fill);
  field.value = button.textContent.trim();
  const along = form.elements[button.closest('[data-fills]').dataset.fills];
  if (along && button.dataset.fillValue) along.value = button.dataset.fillValue;
  button.closest('details').open = false;
  field.focus();
  soon();
}
