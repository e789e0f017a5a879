#pragma once

#include "proxy/command/admin_client.hpp"
#include "proxy/command/output.hpp"
#include "resolver/model/result.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace archway::proxy {

/// The cache that a command is about: a running gateway's, asked by its admin port, or the one in
/// the configuration's directory while no gateway runs there. Either way the answers are the same
/// documents (docs/api.md).
///
/// Ctrl-C ends long work in order: what was done by then is told. A second one ends the process.
///
/// Errors, all: what Holdings and import_layout() say, in their words, whichever way they came.
class HeldCache {
 public:
  /// Told how many bytes are done of about how many.
  using Progress = std::function<void(std::uint64_t done, std::uint64_t total)>;

  /// Asks the admin port; where nobody answers there, and it was not named by `--admin`, the
  /// directory is opened, and held until this object goes.
  ///
  /// Errors: Errc::upstream_unreachable when neither is there; Errc::storage_failed, also when
  /// another process holds the directory; Errc::configuration_invalid.
  static Result<std::unique_ptr<HeldCache>> find(const GatewayOptions& options,
                                                 const Environment& environment);
  virtual ~HeldCache() = default;

  virtual Result<boost::json::array> list(const std::string& pattern, bool pinned) = 0;
  virtual Result<boost::json::object> remove(const std::string& image, bool dry_run) = 0;
  virtual Result<boost::json::object> pin(const std::string& image) = 0;
  virtual Result<boost::json::object> unpin(const std::string& image) = 0;
  virtual Result<boost::json::object> verify(const Progress& progress) = 0;
  virtual Result<boost::json::object> collect() = 0;
  /// `directory` is absolute; a gateway reads it with its own rights.
  virtual Result<boost::json::object> import(const std::string& directory, const std::string& as,
                                             const Progress& progress) = 0;
  /// `{"cache":…}`, and of a running gateway what else it says of itself, with its upstreams.
  virtual Result<boost::json::object> status() = 0;

  /// A running gateway's.
  virtual bool is_served() const = 0;
};

/// What the commands on a cache have in common on their command line.
struct HeldOptions {
  GatewayOptions gateway = {};
  OutputOptions output = {};
};
void add_held_options(CLI::App& command, HeldOptions& options);

/// Shows how far a long work is: a bar on a terminal, elsewhere a line every ten seconds.
HeldCache::Progress show_progress(const std::string& command, const Surroundings& surroundings,
                                  Progress* line, const OutputOptions& options);

}  // namespace archway::proxy
