// form[data-filter-form]: a GET form of selects is sent as soon as one changes; its button is put away.

export function start() {
  for (const form of document.querySelectorAll('form[data-filter-form]')) {
    for (const button of form.querySelectorAll('button[type="submit"]')) button.hidden = true;
    form.addEventListener('change', (event) => {
      if (event.target.matches('select, input[type="checkbox"], input[type="radio"]')) form.requestSubmit();
    });
  }
}
