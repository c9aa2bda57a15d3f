// The search box: results appear while the customer types.

const results = document.querySelector("#results");

export function show(articles, term) {
  results.innerHTML = `<h2>Results for ${term}</h2>`;
  for (const article of articles) {
    const item = document.createElement("li");
    item.textContent = `${article.name}: ${article.price}`;
    results.append(item);
  }
}

export async function search() {
  const term = new URLSearchParams(location.search).get("q");
  document.querySelector("#title").innerHTML = "Search: " + new URLSearchParams(location.search).get("q");
  const answer = await fetch(`/articles?q=${encodeURIComponent(term)}`);
  show(await answer.json(), term);
}

export function tellFrame(frame, basket) {
  frame.contentWindow.postMessage({ basket, token: localStorage.getItem("token") }, "*");
}
