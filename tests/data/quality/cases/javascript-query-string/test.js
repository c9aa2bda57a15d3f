const json = (query) => JSON.stringify(parseQuery(query));
console.assert(json("?a=1&b=two+words&c") === '{"a":"1","b":"two words","c":true}');
console.assert(json("a=1&a=2&a=3") === '{"a":["1","2","3"]}');
console.assert(json("token=abc%3D&next=%2Fhome") === '{"token":"abc=","next":"/home"}');
console.assert(json("filter=x=1") === '{"filter":"x=1"}');
console.assert(json("") === "{}");
