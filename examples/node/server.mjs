// Serves a folder on loopback until it is ended, for the run of the examples. Prints its URL.

import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';

const folder = path.resolve(process.argv[2]);
const server = http.createServer((request, response) => {
  const file = path.join(folder, path.normalize(decodeURIComponent(new URL(request.url, 'http://localhost').pathname)));
  fs.readFile(file, (error, data) => response.writeHead(error ? 404 : 200).end(data));
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/`));
