// Forms that write: sent once however often the button is pressed; asked for first with
// data-confirm="question" (on the form or on the button pressed), data-confirm-yes="label of the button".

import { word } from './words.js';

export function start() {
  document.addEventListener('submit', onSubmit);
  // Coming back by the browser's history, the forms can be sent again.
  addEventListener('pageshow', () => {
    for (const form of document.querySelectorAll('form[data-sending]')) free(form);
  });
}

function onSubmit(event) {
  const form = event.target;
  if (event.defaultPrevented || (form.method !== 'post' && form.getAttribute('method') !== 'post')) return;
  if (form.dataset.sending) {
    event.preventDefault();
    return;
  }
  const question = event.submitter?.dataset.confirm ?? form.dataset.confirm;
  if (question && !form.dataset.confirmed) {
    event.preventDefault();
    ask(question, event.submitter?.dataset.confirmYes ?? event.submitter?.innerText ?? '').then((yes) => {
      if (!yes) return;
      form.dataset.confirmed = 'yes';
      form.requestSubmit(event.submitter ?? undefined);
    });
    return;
  }
  form.dataset.sending = 'yes';
  event.submitter?.setAttribute('aria-disabled', 'true');
  setTimeout(() => free(form), 15000); // a lost connection must not leave a dead button
}

function free(form) {
  delete form.dataset.sending;
  delete form.dataset.confirmed;
  for (const button of form.querySelectorAll('[aria-disabled="true"]')) button.removeAttribute('aria-disabled');
}

// A question with two answers, in a dialog that holds the focus. Resolves to whether it was confirmed.
export function ask(question, yes) {
  const dialog = document.createElement('dialog');
  dialog.className = 'dialog';
  const text = document.createElement('p');
  text.id = 'dialog-question';
  text.textContent = question;
  dialog.setAttribute('aria-labelledby', text.id);
  const form = document.createElement('form');
  form.method = 'dialog';
  form.className = 'form__end';
  const confirm = button(yes.trim() || word('yes', 'Yes'), 'btn btn-danger', 'yes');
  const cancel = button(word('cancel', 'Cancel'), 'btn', '');
  form.append(confirm, cancel);
  dialog.append(text, form);
  document.body.append(dialog);
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      resolve(dialog.returnValue === 'yes');
      dialog.remove();
    });
    dialog.showModal();
    cancel.focus();
  });
}

function button(label, className, value) {
  const made = document.createElement('button');
  made.className = className;
  made.value = value;
  made.textContent = label;
  return made;
}
