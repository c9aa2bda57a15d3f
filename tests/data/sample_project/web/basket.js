// The basket, as the browser keeps it.

export class Basket {
  constructor(api) {
    this.api = api;
    this.lines = [];
  }

  removeSoldOut(stock) {
    for (let i = 0; i < this.lines.length; i++) {
      if (stock[this.lines[i].article] === 0) {
        this.lines.splice(i, 1);
      }
    }
  }

  has(article) {
    const known = this.lines.map((line) => line.article);
    if (known.indexOf(article)) {
      return true;
    }
    return false;
  }

  async save() {
    this.lines.forEach(async (line) => {
      await this.api.put(`/basket/${line.article}`, line);
    });
    return this.api.post("/basket/saved", { count: this.lines.length });
  }

  async prices() {
    const found = this.lines.map(async (line) => this.api.get(`/articles/${line.article}`));
    return found.reduce((sum, article) => sum + article.price, 0);
  }
}

export function quantities(form) {
  return [...form.querySelectorAll("input[name=quantity]")].map((input) => input.value).map(parseInt);
}
