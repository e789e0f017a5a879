#pragma once

#include "resolver/model/result.hpp"

#include <boost/asio/awaitable.hpp>
#include <cstddef>

namespace archway::proxy {

/// Bytes of an answer's body, one piece after the other, that come from somewhere else than a file.
/// Threads: the one that reads it.
class ByteSource {
 public:
  virtual ~ByteSource() = default;

  /// The next bytes, at least one; 0 at the proper end. Bounded in time by itself. The buffer must
  /// outlive the call.
  /// Errors: any; nothing more will come, and whoever was promised more must see it break off.
  virtual boost::asio::awaitable<Result<std::size_t>> read(char* buffer, std::size_t size) = 0;
};

}  // namespace archway::proxy
