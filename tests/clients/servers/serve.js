// Says where it listens, and ends with the suite, which holds the other end of the standard input.
export function serve(server) {
  server.listen(0, "127.0.0.1", () => console.log(server.address().port));
  process.stdin.on("end", () => process.exit()).resume();
}
