// select[data-says="id"]: the chosen option's own data-says is written into the element with that id.

export function start() {
  for (const select of document.querySelectorAll('select[data-says]')) {
    const place = document.getElementById(select.dataset.says);
    const unsaid = place?.textContent ?? '';
    select.addEventListener('change', () => {
      if (place) place.textContent = select.selectedOptions[0]?.dataset.says ?? unsaid;
    });
  }
}
