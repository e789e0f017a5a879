#pragma once

#include "proxy/command/admin_client.hpp"
#include "proxy/command/session.hpp"
#include "resolver/image_reference.hpp"
#include "resolver/upstream_of.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace archway::proxy {

/// How a command that pulls through a gateway reaches it: by its admin port, which tells where
/// clients come in, or by `--gateway`.
struct PullOptions {
  GatewayOptions admin = {};
  std::string gateway = {};  ///< HOST:PORT as clients write it; "" : the admin port says it
  RegistryOptions registry = {};
};
void add_pull_options(CLI::App& command, PullOptions& options);

/// A running gateway as its clients see it.
struct Gateway {
  std::string host;                    ///< HOST:PORT
  bool plain = false;                  ///< known to speak plain http there
  std::string admin = {};              ///< the admin port; "" where it does not answer
  resolver::UpstreamNames names = {};  ///< what it is configured with; empty where `admin` is
};

/// Errors: Errc::upstream_unreachable when neither the options nor an admin port say where clients
/// come in; Errc::configuration_invalid.
Result<Gateway> find_gateway(const PullOptions& options, const Environment& environment);

/// An image under its own name, and how the gateway is asked for it.
struct GatewayImage {
  resolver::ImageReference image;  ///< `docker.io/library/golang:1.22`
  Repository path;                 ///< `docker.io/library/golang`
};

/// Reads what people write, as the gateway would (a first part that is one of its upstreams' names
/// stands for that).
///
/// Errors: Errc::name_invalid, Errc::digest_invalid, Errc::name_unknown.
Result<GatewayImage> read_gateway_image(std::string_view text, const Gateway& gateway);

/// What a command that pulls holds for as long as it runs.
struct PullSession {
  Gateway gateway;
  std::unique_ptr<Session> session;
  Registry* registry = nullptr;  ///< the gateway; of `session`
};

/// Errors: as find_gateway() and Session.
Result<PullSession> open_pull(const PullOptions& options, const Surroundings& surroundings);

}  // namespace archway::proxy
