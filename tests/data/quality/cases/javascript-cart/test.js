const pricing = createPricing(new Map([["pen", 150], ["book", 2000]]), new Map([["school", 10]]));
console.assert(pricing.total([{ product: "pen", quantity: 10 }, { product: "book", quantity: 1 }], "school") === 3150);
console.assert(pricing.total([{ product: "book", quantity: 1, discount: 0 }], "school") === 2000);
console.assert(pricing.total([{ product: "book", quantity: 1, discount: 50 }], "school") === 1000);
console.assert(pricing.cheapest([{ product: "book", quantity: 1 }, { product: "pen", quantity: 2 }]) === "pen");
console.assert(pricing.cheapest([]) === undefined);
