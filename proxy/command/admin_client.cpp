#include "proxy/command/admin_client.hpp"

#include "proxy/command/config_file.hpp"
#include "proxy/command/plain_socket.hpp"
#include "proxy/config/defaults.hpp"
#include "proxy/config/read.hpp"
#include "proxy/config/section.hpp"
#include "proxy/version.hpp"

#include <CLI/App.hpp>
#include <array>
#include <charconv>
#include <chrono>
#include <system_error>

namespace archway::proxy {
namespace {

constexpr std::chrono::seconds patience{60};
constexpr std::string_view unix_prefix = "unix:";

Error unusable(std::string message) {
  return {.code = Errc::configuration_invalid,
          .origin = Origin::configuration,
          .message = std::move(message)};
}

/// HOST:PORT, where the host may be a name, or unix:/path.
Result<Settings::Endpoint> parse_place(std::string_view text) {
  const auto refused = [&] {
    return unusable("--admin: found " + quoted_for_message(text) +
                    "; allowed: 127.0.0.1:5001, [::1]:5001, archway.lan:5001 or unix:/path");
  };
  if (text.starts_with(unix_prefix)) {
    const auto path = text.substr(unix_prefix.size());
    if (!path.starts_with('/')) return refused();
    return Settings::Endpoint{.address = {}, .port = 0, .unix_path = std::string(path)};
  }
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return refused();
  auto host = text.substr(0, colon);
  const auto digits = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size() || port == 0) return refused();
  const bool brackets = host.starts_with('[') && host.ends_with(']');
  if (brackets) host = host.substr(1, host.size() - 2);
  const bool colons = host.find(':') != std::string_view::npos;
  if (host.empty() || colons != brackets || host.find('/') != std::string_view::npos) {
    return refused();
  }
  return Settings::Endpoint{.address = std::string(host), .port = port};
}

std::string_view word(Method method) {
  switch (method) {
    case Method::put: return "PUT";
    case Method::del: return "DELETE";
    default: return "GET";
  }
}

/// A path that is a name or address is asked as such; everything else has no host.
std::string host_field(const Settings::Endpoint& where) {
  return where.unix_path.empty() ? where.str() : "localhost";
}

Result<AdminAnswer> ask(const Settings::Endpoint& where, Method method, const std::string& target) {
  auto socket = PlainSocket::connect(where, PlainSocket::Clock::now() + patience);
  if (!socket) return socket.error();
  const auto sent = socket->send(std::string(word(method)) + " " + target +
                                 " HTTP/1.1\r\nHost: " + host_field(where) +
                                 "\r\nUser-Agent: archway/" + std::string(version) +
                                 "\r\nAccept: application/json\r\nConnection: close\r\n\r\n");
  if (!sent) return sent.error();
  std::string bytes;
  std::array<char, 64 * 1024> buffer{};
  for (;;) {
    const auto received = socket->receive(buffer.data(), buffer.size());
    if (!received) return received.error();
    bytes.append(buffer.data(), *received);
    auto answer = read_admin_answer(bytes, *received == 0);
    if (!answer) return answer.error();
    if (*answer) return **std::move(answer);
  }
}

}  // namespace

void add_gateway_options(CLI::App& command, GatewayOptions& options) {
  command
      .add_option("--admin", options.admin,
                  "The gateway's admin port (else as its configuration says)")
      ->type_name("HOST:PORT|unix:PATH");
  add_config_file(command, options.config);
}

Result<Settings> gateway_settings(const GatewayOptions& options, const Environment& environment) {
  const auto file = config_file(options.config, environment);
  if (!file) return default_settings(environment);
  auto outcome = read_settings(*file, environment);
  if (outcome.settings) return *std::move(outcome.settings);
  std::string problems;
  for (const ConfigProblem& problem : outcome.problems) {
    problems += (problems.empty() ? "" : "\n") + problem.str();
  }
  return unusable(std::move(problems));
}

Result<std::string> admin_endpoint(const GatewayOptions& options, const Environment& environment) {
  if (!options.admin.empty()) {
    const auto place = parse_place(options.admin);
    if (!place) return place.error();
    return options.admin;
  }
  const auto settings = gateway_settings(options, environment);
  if (!settings) return settings.error();
  if (!settings->admin) {
    return unusable(
        "the configuration has `admin: none`; a gateway without an admin port cannot "
        "be asked");
  }
  auto place = *settings->admin;
  if (place.unix_path.empty() && place.port == 0) {
    return unusable("the configuration lets the system pick the admin port; name it with --admin");
  }
  // Where a gateway listens on every address, it is here.
  if (place.address == "0.0.0.0") place.address = "127.0.0.1";
  if (place.address == "::") place.address = "::1";
  return place.str();
}

Result<AdminAnswer> ask_admin(const std::string& endpoint, Method method,
                              const std::string& target) {
  const auto place = parse_place(endpoint);
  if (!place) return place.error();
  auto answer = ask(*place, method, target);
  if (answer) return answer;
  Error error = answer.error();
  const bool silent = error.code == Errc::upstream_unreachable;
  error.message = "the gateway's admin port " + endpoint +
                  (silent ? " cannot be reached: " : ": ") + error.message +
                  (silent ? "; is archway running there? --admin names another place" : "");
  return error;
}

std::string query_value(std::string_view text) {
  constexpr std::string_view plain = "-._~";
  constexpr std::string_view hex = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (letter || (c >= '0' && c <= '9') || plain.find(c) != std::string_view::npos) {
      encoded += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded += '%';
    encoded += hex[byte >> 4U];
    encoded += hex[byte & 15U];
  }
  return encoded;
}

}  // namespace archway::proxy
