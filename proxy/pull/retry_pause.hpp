#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>

namespace archway::proxy {

/// Waits before a transfer that was cut goes on: `first`, and twice as long for each of the `tries`
/// in a row that brought nothing, five seconds at most.
boost::asio::awaitable<void> pause_before_retry(int tries, std::chrono::milliseconds first);

}  // namespace archway::proxy
