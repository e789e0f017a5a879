#pragma once

#include "proxy/upstream/registry.hpp"
#include "resolver/model/descriptor.hpp"

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace archway::proxy {

/// Where the bytes of one blob go as they come, in order. Threads: one.
class BlobTaker {
 public:
  virtual ~BlobTaker() = default;
  virtual Result<void> take(std::span<const std::uint8_t> bytes) = 0;
  /// All of them are in, and their size and digest are right. Without it they are worth nothing.
  virtual Result<void> finish() = 0;
};

/// Makes a taker for a blob; none where its bytes are only to be fetched and checked.
using MakeTaker = std::function<Result<std::unique_ptr<BlobTaker>>(const Descriptor&)>;

/// One blob that is to be brought, and what became of it.
struct Transfer {
  Repository where;
  Descriptor blob;
  std::vector<Repository> elsewhere = {};  ///< other names that have it, should this one fail
  std::uint64_t brought = 0;               ///< bytes so far
  bool done = false;
  std::optional<Error> error = {};
};

/// How many are under way, and who looks on.
struct Transfers {
  Registry* registry;
  std::vector<Transfer>* all;
  std::size_t at_once = 4;
  MakeTaker make = {};
  std::function<void()> moved = {};  ///< called as bytes come in
};

/// Brings them all, some at a time; each is checked against its size and digest, and one that is
/// cut goes on where it was (three times without a byte in between). Errors stand in each Transfer:
/// Registry's, the taker's, Errc::upstream_failed for other bytes.
boost::asio::awaitable<Result<void>> bring_all(const Transfers* transfers);

/// Runs works, so many at a time, each to its end; on this thread.
using Work = std::function<boost::asio::awaitable<void>()>;
boost::asio::awaitable<Result<void>> run_some_at_a_time(std::vector<Work> works,
                                                        std::size_t at_once);

}  // namespace archway::proxy
