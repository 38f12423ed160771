// [data-composer]: what stands around a text area (components/composer.html). Each part is a module of its own
// and reads its address from the element: data-preview-url, data-upload-url, data-members-url, data-draft-url.

import { start as startAutosave } from './autosave.js';
import { startMentions } from './mentions.js';
import { startPreview } from './preview.js';
import { startToolbar } from './toolbar.js';
import { startUploads } from './upload.js';

export function start() {
  for (const composer of document.querySelectorAll('[data-composer]')) {
    const text = composer.querySelector('textarea');
    startToolbar(composer, text);
    if (composer.dataset.previewUrl) startPreview(composer, text);
    if (composer.dataset.uploadUrl) startUploads(composer, text);
    if (composer.dataset.membersUrl) startMentions(composer, text);
    text.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && text.form) {
        event.preventDefault();
        text.form.requestSubmit();
      }
    });
  }
  startAutosave();
}
