#pragma once

#include "proxy/command/output.hpp"
#include "proxy/command/pulled_image.hpp"
#include "proxy/command/transfer.hpp"

#include <boost/json/array.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace archway::proxy {

/// What the commands that pull have in common on their command line.
struct PullManyOptions {
  PullOptions pull = {};
  OutputOptions output = {};
  std::vector<std::string> images = {};
  std::vector<std::string> platforms = {};  ///< as written: each may be a list with commas
  std::size_t at_once = 4;
};
void add_pull_many_options(CLI::App& command, PullManyOptions& options);

/// Errors: Errc::platform_invalid.
Result<std::vector<Platform>> wanted_platforms(const std::vector<std::string>& texts);

/// One image that was asked for, and what became of it.
struct PullTask {
  std::string asked;
  std::optional<PulledImage> image = {};
  std::optional<Error> error = {};
  std::uint64_t brought = 0;  ///< bytes of its blobs that were transferred for it

  /// Its full name where it could be read.
  std::string name() const;
  std::uint64_t bytes() const;  ///< of its blobs
};

/// Fetches the manifests of all of them, some at a time.
std::vector<PullTask> look_up_all(PullSession& session, const std::vector<std::string>& images,
                                  const std::vector<Platform>& platforms, std::size_t at_once);

/// The blobs of all of them, each once, but those that are there already.
std::vector<Transfer> transfers_of(const std::vector<PullTask>& tasks,
                                   const std::function<bool(const Digest&)>& is_there);

/// Puts what became of the transfers into the tasks that need their blobs.
void settle(std::vector<PullTask>& tasks, const std::vector<Transfer>& transfers);

/// A line on the error stream for each that failed, and for what was left out; exits::failed when
/// there was one, else exits::ok.
int report_failures(const std::string& command, const std::vector<PullTask>& tasks,
                    const Surroundings& surroundings, const OutputOptions& options);

/// The last line for people, on the error stream: `archway warm: 2 of 3 images are in the cache,
/// 12.3 MiB were fetched`. Nothing with `quiet` or `json`.
void say_what_was_done(const std::string& command, const std::vector<PullTask>& tasks,
                       const std::vector<Transfer>& transfers, const std::string& where,
                       const Surroundings& surroundings, const OutputOptions& options);

/// `[{"image","digest","platforms":[…],"bytes","brought_bytes","missing":[…],"error"}]`.
boost::json::array tasks_json(const std::vector<PullTask>& tasks);
/// The same as a table: IMAGE, PLATFORMS, SIZE, FETCHED.
std::string tasks_table(const std::vector<PullTask>& tasks, bool terminal);

}  // namespace archway::proxy
