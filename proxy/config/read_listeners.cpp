#include "proxy/config/endpoint.hpp"
#include "proxy/config/sections.hpp"

namespace archway::proxy {
namespace {

constexpr std::size_t listeners_max = 256;

/// Whether clients without a certificate are turned away.
constexpr std::pair<std::string_view, bool> client_certificates[] = {{"ask", false},
                                                                     {"require", true}};

/// A listener with the place of its address, for what is found wrong between two of them.
struct Placed {
  Settings::Endpoint endpoint;
  Value value;
};

void read_client_certificates(const Section& tls, Settings::Tls& result) {
  const auto ca = tls.find("client_ca");
  const auto clients = tls.find("clients");
  if (ca) {
    if (const auto path = ca->file_path()) {
      check_file(*ca, *path, false);
      result.client_ca = *path;
    }
  }
  if (!clients) return;
  if (!ca) {
    clients->problem("found without client_ca, which says whose certificates count");
  } else if (const auto required = clients->one_of<bool>(client_certificates)) {
    result.client_required = *required;
  }
}

std::optional<Settings::Tls> read_tls(const Value& value) {
  const Section tls(value, "listen[].tls");
  Settings::Tls result;
  read_client_certificates(tls, result);
  const auto certificate = tls.need("certificate");
  const auto key = tls.need("key");
  if (!certificate || !key) return std::nullopt;
  const auto certificate_path = certificate->file_path();
  const auto key_path = key->file_path();
  if (!certificate_path || !key_path) return std::nullopt;
  check_file(*certificate, *certificate_path, false);
  check_file(*key, *key_path, true);
  result.certificate = *certificate_path;
  result.key = *key_path;
  return result;
}

void check_distinct(const Placed& one, const std::vector<Placed>& others) {
  for (const Placed& other : others) {
    if (!same_endpoint(one.endpoint, other.endpoint)) continue;
    one.value.problem("found " + one.endpoint.str() + ", which " + other.value.path() +
                      " on line " + std::to_string(other.value.at().line) + " has already");
    return;
  }
}

void read_listener(const Value& entry, Settings& settings, std::vector<Placed>& placed) {
  const Section section(entry, "listen[]");
  Settings::Listener listener;
  const auto address = section.need("address");
  std::optional<Settings::Endpoint> endpoint;
  if (address) endpoint = address->parsed(&parse_endpoint, "an IP address and a port");
  if (const auto tls = section.find("tls")) listener.tls = read_tls(*tls);
  if (const auto platform = section.find("platform")) listener.platform = read_platform(*platform);
  if (const auto access = section.find("access")) listener.access = read_door(*access, listener);
  if (!endpoint) return;
  listener.endpoint = *endpoint;
  Placed one{*endpoint, *address};
  check_distinct(one, placed);
  placed.push_back(std::move(one));
  settings.listen.push_back(std::move(listener));
}

std::vector<Placed> read_listen(const Value& value, Settings& settings) {
  std::vector<Placed> placed;
  settings.listen.clear();
  const auto entries = value.list("a list such as [{address: 0.0.0.0:5000}]", listeners_max);
  for (const Value& entry : entries) read_listener(entry, settings, placed);
  if (value.node().kind == Yaml::Kind::sequence && entries.empty()) {
    value.problem("found an empty list; allowed: at least one address, or leave the key out");
  }
  return placed;
}

void read_admin(const Value& value, Settings& settings) {
  if (value.node().kind == Yaml::Kind::scalar && value.node().text == "none") {
    settings.admin.reset();
    return;
  }
  settings.admin = value.parsed(&parse_admin_endpoint, "127.0.0.1:5001, unix:/path or none");
}

}  // namespace

void read_listeners(const Section& file, Settings& settings) {
  const auto listen = file.find("listen");
  const auto admin = file.find("admin");
  std::vector<Placed> placed;
  if (listen) placed = read_listen(*listen, settings);
  if (admin) read_admin(*admin, settings);
  if (!settings.admin) return;
  const std::string shown = settings.admin->str();
  if (admin) {
    for (const Settings::Listener& listener : settings.listen) {
      if (!overlap(*settings.admin, listener.endpoint)) continue;
      admin->problem("found " + shown + ", where clients are served (" + listener.endpoint.str() +
                     ")");
      return;
    }
    return;
  }
  for (const Placed& one : placed) {
    if (!overlap(*settings.admin, one.endpoint)) continue;
    one.value.problem("found " + one.endpoint.str() + ", where admin is unless it is set (" +
                      shown + ")");
  }
}

}  // namespace archway::proxy
