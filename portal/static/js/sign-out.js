// Signing out leaves no word behind in this browser: what was kept of forms goes, sent or not.

const WORDS = ['candor.private', 'candor.draft'];

export function start() {
  document.addEventListener('submit', (event) => {
    if (event.target.getAttribute('action') !== '/logout') return;
    forgetWords();
    addEventListener('pagehide', forgetWords); // after what a form keeps when its page is left
  });
}

function forgetWords() {
  try {
    for (const storage of [sessionStorage, localStorage]) {
      for (const key of Object.keys(storage)) {
        if (WORDS.some((word) => key.startsWith(word))) storage.removeItem(key);
      }
    }
  } catch {
    // a browser that keeps nothing
  }
}
