// [data-theme-switch]: radio buttons with the values "", "light" and "dark" show their scheme at once; the form
// around them keeps the choice.

export function start() {
  for (const group of document.querySelectorAll('[data-theme-switch]')) {
    group.addEventListener('change', (event) => {
      if (event.target.value) document.documentElement.dataset.bsTheme = event.target.value;
      else delete document.documentElement.dataset.bsTheme;
    });
  }
}
