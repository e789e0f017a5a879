// Starts that the system does not allow: they fail with a sentence.

#include "proxy/server.hpp"
#include "tests/support/fakes.hpp"
#include "tests/support/sanitizers.hpp"
#include "tests/support/temp_dir.hpp"

#include <algorithm>
#include <doctest/doctest.h>
#include <filesystem>
#include <iterator>
#include <string>
#include <sys/resource.h>

namespace archway::proxy {
namespace {

rlim_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<rlim_t>(std::distance(begin(all), end(all)));
}

/// While it lives no descriptor of this number or above can be had.
class DescriptorsBelow {
 public:
  explicit DescriptorsBelow(rlim_t limit) {
    getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit lower{.rlim_cur = std::min(limit, before_.rlim_max), .rlim_max = before_.rlim_max};
    setrlimit(RLIMIT_NOFILE, &lower);
  }
  DescriptorsBelow(const DescriptorsBelow&) = delete;
  DescriptorsBelow& operator=(const DescriptorsBelow&) = delete;
  ~DescriptorsBelow() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

// A sanitizer needs a descriptor to look at an object, and takes it for a wrong one without.
TEST_CASE("a start without enough descriptors fails with a sentence, wherever they run out" *
          doctest::skip(test::sanitized)) {
  const test::TempDir dir;
  test::QuietLog log;
  Settings settings;
  settings.listen = {{.endpoint = {.address = "127.0.0.1", .port = 0}}};
  settings.threads = 2;
  settings.cache.directory = dir.path() / "cache";
  int failed = 0;
  {
    const auto started = Server::start(settings, &log);  // So that all that is made once is there.
    REQUIRE(started);
  }
  constexpr rlim_t more_max = 100;
  for (rlim_t more = 0; more < more_max; ++more) {
    CAPTURE(more);
    const DescriptorsBelow few(open_descriptors() + more);
    const auto server = Server::start(settings, &log);
    if (server) break;
    CHECK(server.error().message.size() > 20);
    ++failed;
  }
  CHECK(failed > 3);
  CHECK(failed < static_cast<int>(more_max));
}

}  // namespace
}  // namespace archway::proxy
