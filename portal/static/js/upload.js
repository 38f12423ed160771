// Pictures into a text: pasted, dropped, or picked with [data-upload]. Each file goes to data-upload-url as
// multipart (file, csrf_token); the server answers {"url", "markdown"}. Its place in the text is held meanwhile.

import { send, token } from './http.js';
import { insert, replace } from './text.js';
import { word } from './words.js';

const KINDS = ['image/png', 'image/jpeg', 'image/webp', 'image/gif'];

export function startUploads(composer, text) {
  const status = composer.querySelector('[data-saved]');
  const pick = composer.querySelector('[data-upload]');
  const input = document.createElement('input');
  input.type = 'file';
  input.accept = KINDS.join(',');
  input.multiple = true;
  input.addEventListener('change', () => {
    take([...input.files]);
    input.value = '';
  });
  pick?.addEventListener('click', () => input.click());

  text.addEventListener('paste', (event) => {
    const files = pictures(event.clipboardData);
    if (!files.length) return;
    event.preventDefault();
    take(files);
  });
  composer.addEventListener('dragover', (event) => {
    if (![...(event.dataTransfer?.types ?? [])].includes('Files')) return;
    event.preventDefault();
    composer.classList.add('composer--drop');
  });
  composer.addEventListener('dragleave', () => composer.classList.remove('composer--drop'));
  composer.addEventListener('drop', (event) => {
    composer.classList.remove('composer--drop');
    const files = pictures(event.dataTransfer);
    if (!files.length) return;
    event.preventDefault();
    take(files);
  });

  async function take(files) {
    for (const file of files) await upload(file);
  }

  async function upload(file) {
    const holder = `![${word('uploading', 'Uploading {name}…', { name: file.name.replace(/[[\]]/g, '') })}]()`;
    insert(text, apart(text) + holder);
    const body = new FormData();
    body.append('file', file);
    body.append('csrf_token', token());
    try {
      const answer = await (await send(composer.dataset.uploadUrl, { method: 'POST', body })).json();
      settle(holder, answer.markdown ?? `![${file.name}](${answer.url})`);
      status.textContent = word('uploaded', '{name} is in the text', { name: file.name });
    } catch (error) {
      settle(holder, '');
      status.textContent = await reason(error, file.name);
    }
  }

  function settle(holder, words) {
    const at = text.value.indexOf(holder);
    if (at < 0) return;
    replace(text, at, at + holder.length, words);
  }
}

// A picture on a line of its own would be read as a part of the list or quote above it.
function apart(text) {
  const before = text.value.slice(0, text.selectionStart);
  return /\S[^\n]*\n$/.test(before) ? '\n' : '';
}

const pictures = (data) => [...(data?.files ?? [])].filter((file) => KINDS.includes(file.type));

async function reason(error, name) {
  if (error.kind === 'signed-out') return word('upload-signed-out', '{name} was not taken: you are signed out.', { name });
  if (error.kind === 'refused') {
    try {
      const answer = await error.response.json();
      if (answer.message) return answer.message;
    } catch {
      // a page instead of words: the sentence below is enough
    }
    return word('upload-refused', '{name} was not taken: it must be a picture of at most 10 MB.', { name });
  }
  return word('upload-failed', '{name} was not taken. Try once more.', { name });
}
