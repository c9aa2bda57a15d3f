/** `prices` maps products to cents, `discounts` customer groups to percent. */
function createPricing(prices, discounts) {
  function lineTotal(line, group) {
    const price = prices.get(line.product);
    if (price === undefined) {
      throw new RangeError(`unknown product: ${line.product}`);
    }
    // A line may set its own discount, which replaces the group's, even by none at all.
    const discount = line.discount || discounts.get(group) || 0;
    return Math.round((price * line.quantity * (100 - discount)) / 100);
  }

  return {
    total(lines, group) {
      return lines.reduce((sum, line) => sum + lineTotal(line, group), 0);
    },
    cheapest(lines, group) {
      const totals = lines.map((line) => ({ product: line.product, total: lineTotal(line, group) }));
      totals.sort((a, b) => a.total - b.total);
      return totals[0]?.product;
    },
  };
}

module.exports = { createPricing };
