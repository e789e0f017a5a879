#pragma once

#include "proxy/command/admin_answer.hpp"
#include "proxy/command/command_line.hpp"
#include "proxy/http/message.hpp"
#include "resolver/model/result.hpp"

#include <string>
#include <string_view>

namespace CLI {  // NOLINT(readability-identifier-naming): its own name
class App;
}

namespace archway::proxy {

/// Where a running gateway's admin port is: `--admin HOST:PORT|unix:/path`, else the `admin` of the
/// configuration (`-c`, ARCHWAY_CONFIG), else 127.0.0.1:5001.
struct GatewayOptions {
  std::string admin = {};
  std::string config = {};
};
void add_gateway_options(CLI::App& command, GatewayOptions& options);

/// The settings of the configuration that these options mean, the defaults where there is none.
/// Errors: Errc::configuration_invalid with every problem of the file, one a line.
Result<Settings> gateway_settings(const GatewayOptions& options, const Environment& environment);

/// The endpoint that these options mean. Errors: Errc::configuration_invalid.
Result<std::string> admin_endpoint(const GatewayOptions& options, const Environment& environment);

/// One request to the admin port: method GET, PUT or DELETE, target in origin form, no body. At
/// most 16 MiB of answer within 60 s.
///
/// Errors: Errc::upstream_unreachable, naming the endpoint; Errc::upstream_failed for an answer
/// that is none; Errc::configuration_invalid for an endpoint that is none.
Result<AdminAnswer> ask_admin(const std::string& endpoint, Method method,
                              const std::string& target);

/// Percent-encodes a query value.
std::string query_value(std::string_view text);

}  // namespace archway::proxy
