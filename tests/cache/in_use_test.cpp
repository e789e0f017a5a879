#include "cache/in_use.hpp"

#include "tests/cache/numbered.hpp"

#include <cerrno>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <optional>
#include <thread>
#include <vector>

namespace archway::cache {
namespace {

using testing::numbered;

std::shared_ptr<const FileHandle> any_file() {
  return std::make_shared<const FileHandle>(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

TEST_CASE("a blob is in use until the last who has it is gone") {
  InUse in_use;
  auto first = in_use.lend(numbered(1), any_file());
  auto copy = first;
  auto second = in_use.lend(numbered(1), any_file());
  CHECK(in_use.holds(numbered(1)));
  CHECK_FALSE(in_use.holds(numbered(2)));
  CHECK(in_use.count() == 1);
  first.reset();
  second.reset();
  CHECK(in_use.holds(numbered(1)));
  copy.reset();
  CHECK_FALSE(in_use.holds(numbered(1)));
  CHECK(in_use.count() == 0);
}

TEST_CASE("what is lent is the file itself, and it is closed with the last copy") {
  InUse in_use;
  auto file = any_file();
  const int fd = file->get();
  auto lent = in_use.lend(numbered(1), std::move(file));
  CHECK(lent->get() == fd);
  CHECK(::fcntl(fd, F_GETFD) != -1);
  lent.reset();
  CHECK(::fcntl(fd, F_GETFD) == -1);
  CHECK(errno == EBADF);
}

TEST_CASE("what was lent may outlive it") {
  std::optional<InUse> in_use(std::in_place);
  auto lent = in_use->lend(numbered(1), any_file());
  in_use.reset();
  CHECK(::fcntl(lent->get(), F_GETFD) != -1);
  lent.reset();
}

TEST_CASE("many threads may borrow and give back at once") {
  InUse in_use;
  const auto file = any_file();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (std::uint32_t n = 0; n < 2'000; ++n) {
        const auto lent = in_use.lend(numbered(n % 3), file);
        if (!in_use.holds(numbered(n % 3))) std::abort();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(in_use.count() == 0);
}

}  // namespace
}  // namespace archway::cache
