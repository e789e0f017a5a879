#include "proxy/config/keys.hpp"

#include <algorithm>
#include <array>

namespace archway::proxy {
namespace {

using Form = Key::Form;

constexpr auto table = std::to_array<Key>({
    {"listen", Form::list, "Where clients are served, one entry a port."},
    {"listen[].address", Form::value,
     "An IP address and a port. [::]:5000 is every IPv6 address. Port 0: the system picks one."},
    {"listen[].tls", Form::section, "Serves TLS; the files are read again on SIGHUP."},
    {"listen[].tls.certificate", Form::value, "PEM, the server's certificate first.",
     "/etc/archway/tls.crt"},
    {"listen[].tls.key", Form::value, "PEM.", "/etc/archway/tls.key"},
    {"listen[].tls.client_ca", Form::value,
     "PEM; clients are asked for a certificate that one of these CAs signed.",
     "/etc/archway/clients.crt"},
    {"listen[].tls.clients", Form::value,
     "ask: clients without one are served, too; require: they are turned away.", "require"},
    {"listen[].access", Form::section,
     "Who is served on this port: whoever meets all that stands here. Default: everybody."},
    {"listen[].access.from", Form::value, "Networks; others are refused.", "[10.0.0.0/8]"},
    {"listen[].access.htpasswd", Form::value,
     "Names and passwords as `htpasswd -B` writes them; read again when the file changes.",
     "/etc/archway/htpasswd"},
    {"listen[].access.certificates", Form::value,
     "required: a certificate that tls.client_ca vouches for, with a common name.", "required"},
    {"listen[].platform", Form::value, "Everyone on this port is this platform.", "linux/arm/v7"},

    {"admin", Form::value,
     "/metrics, /healthz and /readyz: address:port, unix:/path/to/socket, or none."},
    {"drain", Form::value, "How long transfers may still take after SIGTERM."},
    {"threads", Form::value, "Threads that serve clients; 0: one for each core."},
    {"connections_max", Form::value, "Clients at once; further ones wait to be accepted."},

    {"offline", Form::value,
     "true: no upstream is ever asked; what is cached is served, however old."},

    {"cache", Form::section, "What has been pulled once."},
    {"cache.directory", Form::value, "Used by one archway at a time."},
    {"cache.max_size", Form::value,
     "Bytes of blobs at most, with those on their way; 0: no limit."},
    {"cache.keep_free", Form::value,
     "What stays free on that file system; with the default a tenth of a small one will do."},
    {"cache.durability", Form::value,
     "strict: a blob is on the disk before it counts; relaxed: a power cut may cost some."},
    {"cache.pin", Form::value,
     "Never given up: patterns over upstream/repository:tag; * takes slashes, too."},
    {"cache.scrub", Form::value,
     "How long a blob is trusted before it is hashed again in idle time; none: for ever."},

    {"upstreams", Form::list,
     "The registries that may be asked, and no others; a list here replaces the default one."},
    {"upstreams[].name", Form::value,
     "As in image names: docker.io/library/alpine, registry.lan:5000/team/app."},
    {"upstreams[].url", Form::value, "Where it really is; https://NAME when left out."},
    {"upstreams[].urls", Form::value,
     "The same as a list: places of one registry, asked in this order when one fails.",
     "[https://registry.lan, https://registry-2.lan]"},
    {"upstreams[].default", Form::value,
     "Answers for image names without a host; at most one upstream."},
    {"upstreams[].credentials", Form::section,
     "One, or a list used in turn; sent to this registry and its token realms, nowhere else."},
    {"upstreams[].credentials.username", Form::value, "The name to log in with.", "me"},
    {"upstreams[].credentials.password", Form::value, "Better in a file of its own.", "secret"},
    {"upstreams[].credentials.password_file", Form::value,
     "Read again when it changes; a newline at its end does not count.", "/run/secrets/hub"},
    {"upstreams[].credentials.password_env", Form::value, "The environment variable that holds it.",
     "HUB_PASSWORD"},
    {"upstreams[].credentials.docker_config", Form::value,
     "In place of all that: docker's config.json; read again when it changes.",
     "/etc/archway/docker.json"},
    {"upstreams[].credentials.helper", Form::value,
     "Or the program docker-credential-NAME, which is asked for this registry.", "ecr-login"},
    {"upstreams[].ca_file", Form::value,
     "PEM; trusted in place of the system's CAs, and beside them where this registry leads to.",
     "/etc/archway/ca.crt"},
    {"upstreams[].client_certificate", Form::section,
     "Shown to this registry and its token realms when they ask for one."},
    {"upstreams[].client_certificate.certificate", Form::value, "PEM, its own first.",
     "/etc/archway/client.crt"},
    {"upstreams[].client_certificate.key", Form::value, "PEM.", "/etc/archway/client.key"},
    {"upstreams[].server_name", Form::value,
     "The name in its certificate, where that is not the URL's host.", "registry.lan"},
    {"upstreams[].proxy", Form::value,
     "A URL, or none; when left out, what HTTPS_PROXY, HTTP_PROXY and NO_PROXY say.",
     "http://proxy.lan:3128"},
    {"upstreams[].redirects", Form::value,
     "Patterns of the hosts that it may lead to, besides itself; when left out, any.",
     R"(["*.cloudfront.net"])"},
    {"upstreams[].hosts", Form::value, "Host names of archway under which this upstream answers.",
     "[hub.mirror.lan]"},
    {"upstreams[].token_realms", Form::value,
     "Further hosts that give out its tokens and so may see its credentials.",
     "[auth.registry.lan]"},

    {"upstreams[].access", Form::value,
     "shared: for everybody; client: by one's own credentials. Has to be said beside credentials.",
     "client"},
    {"upstreams[].recheck", Form::value,
     "With access: client, how long this registry's word about somebody's credentials holds.",
     "15m"},
    {"upstreams[].requests", Form::value, "At once; further ones wait in line. 0: no limit.", "8"},
    {"upstreams[].bandwidth", Form::value, "Bytes a second of all transfers from it together.",
     "4MiB"},
    {"upstreams[].tags", Form::section, "How long its tags are believed, otherwise than below."},
    {"upstreams[].tags.fresh_for", Form::value, "As tags.fresh_for.", "1h"},
    {"upstreams[].tags.stale_for", Form::value, "As tags.stale_for.", "90d"},
    {"upstreams[].tags.serve_deleted", Form::value, "As tags.serve_deleted.", "true"},

    {"access", Form::section,
     "Which images there are for clients; patterns as in platforms.rules."},
    {"access.allow", Form::value, "Only these; empty: all. E.g. [docker.io/library/*]"},
    {"access.deny", Form::value,
     "Never these, whatever is allowed. E.g. [docker.io/library/old-*]"},
    {"access.rules", Form::list, "Exceptions to access of upstreams; the first that matches wins."},
    {"access.rules[].match", Form::value, "A pattern over upstream/repository.",
     R"("ghcr.io/acme/*")"},
    {"access.rules[].access", Form::value, "shared or client, for these images.", "client"},

    {"tags", Form::section, "How long a tag's digest is believed."},
    {"tags.fresh_for", Form::value, "Without asking the upstream."},
    {"tags.stale_for", Form::value, "When the upstream fails."},
    {"tags.serve_deleted", Form::value,
     "Also when the upstream says that it is gone, or not for us (404, 401, 403)."},
    {"tags.absent_for", Form::value, "How long it is believed that there is no such image."},
    {"tags.no_cache_from", Form::value,
     "Networks that may say Cache-Control: no-cache. E.g. [10.0.0.0/8]"},
    {"tags.rules", Form::list, "Exceptions; the first that matches wins."},
    {"tags.rules[].match", Form::value,
     "A pattern over upstream/repository:tag; * takes slashes, too.",
     R"("docker.io/library/*:[0-9]*.[0-9]*.[0-9]*")"},
    {"tags.rules[].fresh_for", Form::value, "As above, for these tags.", "7d"},
    {"tags.rules[].stale_for", Form::value, "The same when the upstream fails.", "365d"},
    {"tags.rules[].serve_deleted", Form::value, "The same when it says no.", "true"},

    {"platforms", Form::section, "Who is which platform, and what that means."},
    {"platforms.header", Form::value, "The request header by which a client says its platform."},
    {"platforms.trust", Form::value,
     "Networks whose header and path are believed; empty: all. E.g. [10.0.0.0/8, 127.0.0.0/8]"},
    {"platforms.hosts", Form::value,
     "Host names of archway that mean a platform. E.g. {arm64.mirror.lan: linux/arm64}"},
    {"platforms.certificates", Form::value,
     "Common names of client certificates that mean a platform. E.g. {pi-07: linux/arm64}"},
    {"platforms.clients", Form::list,
     "Client addresses that mean a platform; the longest prefix wins."},
    {"platforms.clients[].from", Form::value, "A network, or one address.", "10.30.0.0/16"},
    {"platforms.clients[].platform", Form::value, "What these clients are.", "linux/arm/v7"},
    {"platforms.clients[].emulates", Form::value,
     "What else they run, through binfmt_misc and QEMU.", "[linux/amd64]"},
    {"platforms.user_agent", Form::value,
     "What a User-Agent's architecture means: hint, decide or ignore."},
    {"platforms.default", Form::value,
     "For clients that cannot choose from an index and say nothing; or none."},
    {"platforms.answer", Form::value,
     "A tag gives: resolve (the client's image), filter (an index of what it runs) or pass."},
    {"platforms.missing", Form::value,
     "When there is no image for the client: pass (the index) or refuse (403)."},
    {"platforms.wrong", Form::value,
     "When the tag is one image for another platform: warn, refuse (403) or pass."},
    {"platforms.conflict", Form::value,
     "When a rule here and the User-Agent differ: pass (the index) or trust (the rule)."},
    {"platforms.allow", Form::value,
     "Images for other platforms are never fetched; empty: all are. E.g. [linux/amd64, arm64]"},
    {"platforms.rules", Form::list,
     "Exceptions to answer, missing and wrong; the first that matches wins."},
    {"platforms.rules[].match", Form::value, "A pattern over upstream/repository.",
     R"("ghcr.io/fleet/*")"},
    {"platforms.rules[].answer", Form::value, "resolve, filter or pass, for these images.",
     "filter"},
    {"platforms.rules[].missing", Form::value, "pass or refuse, for these images.", "refuse"},
    {"platforms.rules[].wrong", Form::value, "warn, refuse or pass, for these images.", "refuse"},

    {"rewrite", Form::section, "Names for one architecture become the name for all."},
    {"rewrite.architecture_organisations", Form::value,
     "Docker Hub's amd64/alpine, arm64v8/alpine and the like are library/alpine."},
    {"rewrite.rules", Form::list, "Names of your own; the first that matches decides."},
    {"rewrite.rules[].from", Form::value,
     "A regular expression for the whole of upstream/repository, or of upstream/repository:tag.",
     R"x("docker.io/(.*)-(arm64|amd64)")x"},
    {"rewrite.rules[].to", Form::value, "What it becomes; $1 is the first capture.",
     R"("docker.io/$1")"},

    {"images", Form::value, "One name for what was published under several: an index of its own.",
     "{docker.io/me/app: {linux/amd64: docker.io/me/app, linux/arm64: docker.io/me/app-arm64}}"},

    {"prefetch", Form::section, "Fetching before anyone asks."},
    {"prefetch.layers", Form::value, "The layers of a manifest that was just handed out."},
    {"prefetch.seen", Form::value,
     "What a tag that moved now holds, for the platforms that have pulled it."},
    {"prefetch.transfers", Form::value, "How many at once."},
    {"prefetch.forget", Form::value, "A tag that nobody pulled for so long is left alone."},

    {"timeouts", Form::section, "Bounds on waiting."},
    {"timeouts.resolve", Form::value, "For an upstream's name to become addresses."},
    {"timeouts.connect", Form::value, "For one of its addresses to accept."},
    {"timeouts.tls", Form::value, "For a TLS handshake."},
    {"timeouts.first_byte", Form::value, "For the headers of an upstream's answer."},
    {"timeouts.stall", Form::value, "For the next bytes of an upstream's body."},
    {"timeouts.minimum_rate", Form::value,
     "Bytes a second at least over each minute of waiting for an upstream's body; 0: any."},
    {"timeouts.retry_pause", Form::value,
     "Before a cut transfer goes on; doubled with each fruitless try, up to 5s."},
    {"timeouts.retry_for", Form::value,
     "How long a transfer that was cut is tried again without getting anywhere."},
    {"timeouts.request", Form::value, "For the whole head of a client's request."},
    {"timeouts.idle", Form::value, "For a client's next request."},
    {"timeouts.client_stall", Form::value, "For a client to take another 64 KiB of its answer."},

    {"log", Form::section, "One line an event on standard error."},
    {"log.level", Form::value, "debug, info, warn or error."},
    {"log.format", Form::value, "text, json, or auto: text on a terminal."},
});

std::string_view section_of(std::string_view path) {
  const auto dot = path.rfind('.');
  return dot == std::string_view::npos ? "" : path.substr(0, dot);
}

}  // namespace

std::span<const Key> config_keys() {
  return table;
}

const Key* find_key(std::string_view path) {
  const auto found =
      std::find_if(table.begin(), table.end(), [&](const Key& key) { return key.path == path; });
  return found == table.end() ? nullptr : &*found;
}

std::vector<const Key*> keys_in(std::string_view section) {
  std::vector<const Key*> keys;
  for (const Key& key : table) {
    if (section_of(key.path) == section) keys.push_back(&key);
  }
  return keys;
}

std::string_view leaf(const Key& key) {
  const auto dot = key.path.rfind('.');
  return dot == std::string_view::npos ? key.path : key.path.substr(dot + 1);
}

std::string joined(std::string_view section, std::string_view name) {
  return section.empty() ? std::string(name) : std::string(section) + "." + std::string(name);
}

}  // namespace archway::proxy
