#include "proxy/thread_probe.hpp"

#include <latch>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace archway::proxy {

Result<void> check_threads(std::size_t count) {
  std::latch all_there(1);
  std::vector<std::thread> threads;
  threads.reserve(count);
  std::string why;
  try {
    while (threads.size() < count) threads.emplace_back([&all_there] { all_there.wait(); });
  } catch (const std::system_error& error) {
    why = error.what();
  }
  const auto had = threads.size();
  all_there.count_down();
  for (auto& thread : threads) thread.join();
  if (had == count) return {};
  return Error{.code = Errc::overloaded,
               .origin = Origin::configuration,
               .message = "the system gives archway " + std::to_string(had) +
                          " threads, and it needs " + std::to_string(count) +
                          " (ulimit -u, or the limits of its service or container)",
               .context = std::move(why),
               .retryable = true};
}

}  // namespace archway::proxy
