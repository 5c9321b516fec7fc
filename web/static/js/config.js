// What the page was served with: words, colours, language, today. Data is fetched, never embedded.

export const config = JSON.parse(document.getElementById("config").textContent);
