#include "proxy/command/gateway.hpp"

#include "proxy/admin/image_name.hpp"
#include "proxy/command/json_text.hpp"
#include "proxy/command/manifest_fetch.hpp"

#include <CLI/App.hpp>
#include <utility>

namespace archway::proxy {
namespace {

constexpr std::string_view plain_prefix = "http://";
constexpr std::string_view secure_prefix = "https://";

/// The host of `HOST:PORT`; loopback for a unix socket.
std::string host_of(const std::string& endpoint) {
  if (endpoint.starts_with("unix:")) return "127.0.0.1";
  return endpoint.substr(0, endpoint.rfind(':'));
}

/// Where a listener is reached by whoever reached the admin port.
std::string reachable(const std::string& address, const std::string& admin) {
  const auto host = host_of(address);
  if (host != "0.0.0.0" && host != "[::]") return address;
  return host_of(admin) + address.substr(host.size());
}

/// The first listener where clients are what they say they are; plain http before TLS, whose
/// certificate is for another name than the one that is known here.
Result<Gateway> among(const boost::json::array& listeners, const std::string& admin) {
  Gateway found;
  for (const auto& each : listeners) {
    if (!each.is_object()) continue;
    const auto& listener = each.get_object();
    if (!text_in(listener, "platform").empty()) continue;
    if (text_in(listener, "client_certificates") == "require") continue;
    const bool plain = !flag_in(listener, "tls");
    if (!found.host.empty() && (found.plain || !plain)) continue;
    found.host = reachable(text_in(listener, "address"), admin);
    found.plain = plain;
  }
  if (!found.host.empty()) return found;
  return Error{.code = Errc::configuration_invalid,
               .origin = Origin::configuration,
               .message = "the gateway at " + admin +
                          " has no listener for clients of any platform without a certificate; "
                          "--gateway HOST:PORT says which to use"};
}

Result<boost::json::array> ask_list(const std::string& admin, const char* target) {
  const auto answer = ask_admin(admin, Method::get, target);
  if (!answer) return answer.error();
  return read_admin_list(*answer);
}

/// The upstreams' names, in the resolver's shape.
resolver::UpstreamNames names_in(const boost::json::array& upstreams) {
  Settings settings;
  for (const auto& each : upstreams) {
    if (!each.is_object()) continue;
    const auto& upstream = each.get_object();
    Settings::Upstream named;
    named.name = text_in(upstream, "name");
    named.is_default = flag_in(upstream, "default");
    settings.upstreams.push_back(std::move(named));
  }
  return upstream_names(settings);
}

Gateway named_by(std::string text) {
  Gateway gateway;
  gateway.plain = text.starts_with(plain_prefix);
  if (gateway.plain) text.erase(0, plain_prefix.size());
  if (text.starts_with(secure_prefix)) text.erase(0, secure_prefix.size());
  while (text.ends_with('/')) text.pop_back();
  gateway.host = std::move(text);
  return gateway;
}

}  // namespace

void add_pull_options(CLI::App& command, PullOptions& options) {
  command
      .add_option("--gateway", options.gateway,
                  "Where clients reach the gateway (else its admin port says it)")
      ->type_name("HOST:PORT");
  add_gateway_options(command, options.admin);
  command.add_flag("--insecure", options.registry.insecure, "Take any certificate of the gateway");
  command
      .add_option("--ca-file", options.registry.ca_file,
                  "Verify the gateway's certificate with these CAs alone")
      ->type_name("FILE");
  command.add_flag("--debug", options.registry.debug, "Report every request on the error stream");
}

Result<Gateway> find_gateway(const PullOptions& options, const Environment& environment) {
  const auto admin = admin_endpoint(options.admin, environment);
  if (!admin) return admin.error();
  const auto upstreams = ask_list(*admin, "/api/v1/upstreams");
  if (!options.gateway.empty()) {
    auto gateway = named_by(options.gateway);
    if (!upstreams) return gateway;
    gateway.admin = *admin;
    gateway.names = names_in(*upstreams);
    return gateway;
  }
  if (!upstreams) {
    auto error = upstreams.error();
    error.message += "; --admin says where its admin port is, or --gateway where clients reach it";
    return error;
  }
  const auto listeners = ask_list(*admin, "/api/v1/listeners");
  if (!listeners) return listeners.error();
  auto gateway = among(*listeners, *admin);
  if (!gateway) return gateway;
  gateway->admin = *admin;
  gateway->names = names_in(*upstreams);
  return gateway;
}

Result<GatewayImage> read_gateway_image(std::string_view text, const Gateway& gateway) {
  const auto plain = [](Repository path, resolver::ImageReference image) {
    return GatewayImage{.image = std::move(image), .path = std::move(path)};
  };
  if (gateway.names.entries.empty()) {
    auto image = resolver::parse_image(text);
    if (!image) return image.error();
    auto there = through_gateway(*image, gateway.host);
    if (!there) return there.error();
    return plain(std::move(there->image.repository), *std::move(image));
  }
  auto named = read_known_image(text, gateway.names);
  if (!named) return named.error();
  auto latest = Tag::parse("latest");
  if (!latest) return latest.error();
  resolver::ImageReference image{
      .image = std::move(named->image),
      .reference = named->reference ? *std::move(named->reference) : Reference(*std::move(latest))};
  // A port has no place in a path, but the default upstream needs no name.
  if (image.image.upstream == gateway.names.default_name) {
    auto path = image.image.repository;
    const bool bare = image.image.upstream.find(':') != std::string::npos;
    if (bare) return plain(std::move(path), std::move(image));
  }
  auto there = through_gateway(image, gateway.host);
  if (!there) return there.error();
  return plain(std::move(there->image.repository), std::move(image));
}

Result<PullSession> open_pull(const PullOptions& options, const Surroundings& surroundings) {
  auto gateway = find_gateway(options, surroundings.environment);
  if (!gateway) return gateway.error();
  auto registry = options.registry;
  // Without TLS there is no certificate to take or leave.
  registry.insecure = registry.insecure || gateway->plain;
  auto session = Session::make(registry, surroundings);
  if (!session) return session.error();
  const auto reached = (*session)->registry(gateway->host);
  if (!reached) return reached.error();
  return PullSession{
      .gateway = *std::move(gateway), .session = *std::move(session), .registry = *reached};
}

}  // namespace archway::proxy
