#include "proxy/http/page_reader.hpp"

#include "tests/support/scripted_wire.hpp"
#include "tests/support/writing.hpp"

#include <algorithm>
#include <atomic>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <mutex>
#include <string>
#include <sys/vfs.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace archway::proxy {
namespace {

namespace net = boost::asio;
using test::Writing;

constexpr std::uint64_t window = FileWindows::window_bytes;

/// A disk that has nothing in memory until it was brought, and takes its time.
class SlowDisk final : public PageReader {
 public:
  bool in_memory(const FilePart& part) override {
    const std::lock_guard lock(mutex_);
    return std::find(brought_.begin(), brought_.end(), part.offset) != brought_.end();
  }
  net::awaitable<Result<void>> bring(FilePart part) override {
    const auto executor = co_await net::this_coro::executor;
    const auto wakeup = Wakeup::make(executor);
    {
      const std::lock_guard lock(mutex_);
      waiting_ = wakeup;
      lengths_.push_back(part.length);
    }
    ++asked;
    asked.notify_all();
    while (!wakeup->fired()) co_await wakeup->wait(test::patience);
    const std::lock_guard lock(mutex_);
    if (!forgets) brought_.push_back(part.offset);
    if (broken) co_return unreadable("Input/output error");
    co_return Result<void>();
  }
  /// Waits until that many windows were asked for, and has the last one there.
  void answer(int number) {
    for (int seen = asked; seen < number; seen = asked) asked.wait(seen);
    const std::lock_guard lock(mutex_);
    waiting_->fire();
  }
  std::vector<std::uint64_t> lengths() {
    const std::lock_guard lock(mutex_);
    return lengths_;
  }

  std::atomic<int> asked = 0;
  std::atomic<bool> broken = false;
  bool forgets = false;

 private:
  std::mutex mutex_;
  std::shared_ptr<Wakeup> waiting_;
  std::vector<std::uint64_t> brought_;
  std::vector<std::uint64_t> lengths_;
};

net::awaitable<bool> turn() {
  co_return true;
}

TEST_CASE("while a cold window is read its loop serves others, and no byte of it has left") {
  const test::TempDir dir;
  const auto bytes = test::noise(2 * window + 10);
  const cache::BlobFile blob{.file = test::file_of(dir, bytes), .size = bytes.size()};
  SlowDisk disk;
  Writing writing(Response{.body = FileBody{.blob = blob, .length = bytes.size(), .pages = &disk}});
  CHECK(writing.client.hear_head() != "");
  for (int number = 1; number <= 3; ++number) {
    for (int seen = disk.asked; seen < number; seen = disk.asked) disk.asked.wait(seen);
    CHECK(test::take(writing.loop.spawn(turn())));
    disk.answer(number);
    const auto size = number == 3 ? std::size_t{10} : std::size_t{window};
    const auto at = static_cast<std::size_t>(number - 1) * window;
    CHECK((writing.client.hear(size) == bytes.substr(at, size)));
  }
  CHECK(test::take(std::move(writing.sent)).complete);
  CHECK(disk.lengths() == std::vector<std::uint64_t>{window, window, 10});
}

TEST_CASE("over TLS a cold window is waited for in the same way") {
  const test::TempDir dir;
  const auto bytes = test::noise(window + 10);
  const cache::BlobFile blob{.file = test::file_of(dir, bytes), .size = bytes.size()};
  const test::TestCertificate certificate({});
  const auto context = TlsContext::server(certificate.certificate_file(), certificate.key_file());
  const auto trusting = TlsContext::client(certificate.certificate_file());
  REQUIRE(context);
  REQUIRE(trusting);
  SlowDisk disk;
  Writing writing(Response{.body = FileBody{.blob = blob, .length = bytes.size(), .pages = &disk}},
                  {}, test::patience, *context);
  REQUIRE(writing.client.start_tls((*trusting)->native(), "localhost"));
  std::thread answering([&] {
    disk.answer(1);
    disk.answer(2);
  });
  CHECK((writing.client.hear_answer().body == bytes));
  answering.join();
  CHECK(disk.lengths() == std::vector<std::uint64_t>{window, 10});
}

TEST_CASE("what cannot be brought is told as damage, and the transfer breaks") {
  const test::TempDir dir;
  const auto bytes = test::noise(100);
  const cache::BlobFile blob{.file = test::file_of(dir, bytes), .size = bytes.size()};
  SlowDisk disk;
  disk.broken = true;
  std::promise<std::string> told;
  Writing writing(
      Response{.body = FileBody{.blob = blob,
                                .length = bytes.size(),
                                .damaged = [&](const std::string& why) { told.set_value(why); },
                                .pages = &disk}});
  disk.answer(1);
  CHECK(test::take(told.get_future()) == "Input/output error");
  CHECK(!test::take(std::move(writing.sent)).complete);
}

TEST_CASE("a file system that keeps no pages is asked about one window alone") {
  const test::TempDir dir;
  const auto bytes = test::noise(3 * window);
  const cache::BlobFile blob{.file = test::file_of(dir, bytes), .size = bytes.size()};
  SlowDisk disk;
  disk.forgets = true;
  Writing writing(Response{.body = FileBody{.blob = blob, .length = bytes.size(), .pages = &disk}});
  disk.answer(1);
  CHECK((writing.client.hear_answer().body == bytes));
  CHECK(disk.asked == 1);
}

TEST_CASE("what was dropped from memory is seen to be cold, and is there when it was brought") {
  const test::TempDir dir;
  const auto bytes = test::noise(window + 10);
  const auto file = test::file_of(dir, bytes);
  DiskPool pool(1);
  net::io_context context{1};
  DiskPages pages(&pool);
  const FilePart all{.file = file, .length = bytes.size()};
  REQUIRE(::fsync(file->get()) == 0);
  const bool keeps_pages = pages.in_memory(all);
  REQUIRE(::posix_fadvise(file->get(), 0, 0, POSIX_FADV_DONTNEED) == 0);
  struct statfs facts {};
  REQUIRE(::fstatfs(file->get(), &facts) == 0);
  if (!keeps_pages || facts.f_type == TMPFS_MAGIC) return;  // Nothing can be dropped there.
  CHECK(!pages.in_memory(all));
  CHECK(test::run(context, pages.bring(all)));
  CHECK(pages.in_memory(all));
  CHECK(pages.in_memory({.file = file, .offset = 5}));
  CHECK(pages.in_memory({.file = file, .offset = window + 9, .length = 1}));
}

}  // namespace
}  // namespace archway::proxy
