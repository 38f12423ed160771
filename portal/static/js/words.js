// Words that a module shows: those of the page (<template id="words-for-scripts">, translated there), else English.

const found = new Map();
for (const entry of document.getElementById('words-for-scripts')?.content.querySelectorAll('[data-word]') ?? []) {
  found.set(entry.dataset.word, entry.textContent);
}

// word("saved", "Saved {time}", { time: "12:04" })
export function word(name, fallback, values = {}) {
  const text = found.get(name) ?? fallback;
  return text.replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);
}
