// What VS Code loads as its tests: mocha, inside the extension host. Results go to $RESULTS as JSON.
const fs = require("fs");
const path = require("path");
const Mocha = require("mocha");

exports.run = () =>
  new Promise((resolve, reject) => {
    const mocha = new Mocha({ ui: "tdd", timeout: 60000, reporter: "json", reporterOptions: { output: process.env.RESULTS } });
    mocha.addFile(path.join(__dirname, "extension.js"));
    try {
      mocha.run((failures) => (failures ? reject(new Error(`${failures} failed`)) : resolve()));
    } catch (error) {
      fs.writeFileSync(process.env.RESULTS, JSON.stringify({ error: String(error) }));
      reject(error);
    }
  });
