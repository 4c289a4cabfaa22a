// Asks for the IPv4 addresses of a name with Node's own resolver: of one server,
// or of those of /etc/resolv.conf.
const dns = require("node:dns");

const [name, server] = process.argv.slice(2);
const resolver = new dns.Resolver({ timeout: 2000, tries: 1 });
if (server) {
  resolver.setServers([server]);
}
resolver.resolve4(name, (failure, addresses) => {
  console.log(failure ? failure.code : addresses.join("\n"));
  process.exitCode = failure ? 1 : 0;
});
