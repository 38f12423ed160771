// Changes to a text area that the browser's own undo can take back.

// Puts `words` in place of the characters from `from` to `to`, and says so to whoever listens.
export function replace(text, from, to, words) {
  text.focus();
  text.setSelectionRange(from, to);
  if (!document.execCommand?.('insertText', false, words)) {
    text.setRangeText(words, from, to, 'end');
    text.dispatchEvent(new Event('input', { bubbles: true }));
  }
}

export const insert = (text, words) => replace(text, text.selectionStart, text.selectionEnd, words);
