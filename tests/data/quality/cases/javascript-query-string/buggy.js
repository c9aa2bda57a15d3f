/** Reads a query string into an object: repeated names give arrays, names without "=" are true. Throws URIError for a bad escape. */
function parseQuery(query) {
  const result = Object.create(null);
  for (const part of query.replace(/^\?/, "").split("&")) {
    if (part === "") {
      continue;
    }
    const at = part.indexOf("=");
    const name = decode(at < 0 ? part : part.slice(0, at));
    const value = at < 0 ? true : decode(part.split("=")[1]);
    if (!(name in result)) {
      result[name] = value;
    } else if (Array.isArray(result[name])) {
      result[name].push(value);
    } else {
      result[name] = [result[name], value];
    }
  }
  return result;
}

function decode(text) {
  return decodeURIComponent(text.replace(/\+/g, " "));
}

module.exports = { parseQuery };
