#pragma once

#include "cache/blob_file.hpp"
#include "cache/fill.hpp"
#include "metrics/log.hpp"
#include "metrics/metrics.hpp"
#include "tests/support/temp_dir.hpp"

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <fcntl.h>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unistd.h>
#include <utility>
#include <vector>

namespace archway::test {

/// Keeps messages instead of printing them. Threads: any.
class QuietLog : public metrics::Log {
 public:
  bool enabled(metrics::Level) const override { return true; }
  void write(metrics::Level, std::string_view message, std::vector<metrics::Field>) override {
    const std::lock_guard lock(mutex_);
    messages_.emplace_back(message);
  }
  void write_seldom(std::string_view, metrics::Level level, std::string_view message,
                    std::vector<metrics::Field> fields) override {
    write(level, message, std::move(fields));
  }
  std::uint64_t dropped() const override { return dropped_lines; }

  std::size_t count(std::string_view message) const {
    const std::lock_guard lock(mutex_);
    std::size_t times = 0;
    for (const auto& one : messages_) times += one == message ? 1 : 0;
    return times;
  }

  std::uint64_t dropped_lines = 0;

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> messages_;
};

/// Counts what matters to a test. Threads: any.
class QuietMetrics : public metrics::Metrics {
 public:
  void request(const Request&) override {}
  void upstream_known(std::string_view) override {}
  void upstream_bytes(std::string_view, std::uint64_t) override {}
  void upstream_answer(std::string_view, int, double) override {}
  void upstream_error(std::string_view, std::string_view) override {}
  void fill_joined() override {}
  void fill_ended(std::string_view) override {}
  void digest_mismatch(std::string_view) override {}
  void platform_conflict() override {}
  void prefetched(std::string_view) override {}
  void connection_opened() override { ++opened; }
  void connection_closed() override { ++closed; }
  std::string exposition(const Snapshot& snapshot) override {
    return "bytes " + std::to_string(snapshot.cache_bytes) + " blobs " +
           std::to_string(snapshot.cache_blobs) + " manifests " +
           std::to_string(snapshot.cache_manifests) + " tags " +
           std::to_string(snapshot.cache_tags) + " fills " +
           std::to_string(snapshot.fills_in_progress) + " quarantined " +
           std::to_string(snapshot.quarantined) + " dropped " +
           std::to_string(snapshot.log_lines_dropped) + labelled(snapshot) + "\n";
  }

  std::atomic<int> opened = 0;
  std::atomic<int> closed = 0;

 private:
  static std::string labelled(const Snapshot& snapshot) {
    std::string text;
    for (const auto* list : {&snapshot.cache_damaged, &snapshot.cache_write_errors}) {
      for (const auto& [label, count] : *list) {
        text.append(" ").append(label).append(" ").append(std::to_string(count));
      }
    }
    if (snapshot.cache_read_only) text += " read-only";
    text += " scrubbed " + std::to_string(snapshot.cache_scrubbed_bytes);
    return text;
  }
};

/// A file with these bytes, open for reading.
inline std::shared_ptr<const cache::FileHandle> file_of(const TempDir& dir, std::string_view text) {
  const auto path = dir.write("file", text);
  return std::make_shared<const cache::FileHandle>(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
}

/// A fill whose every step is the test's. Threads: any.
class DrivenFill : public cache::Fill {
 public:
  explicit DrivenFill(std::optional<std::uint64_t> size) {
    const auto path = dir_.write("fill", "");
    file_ = std::make_shared<const cache::FileHandle>(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    state_.begun = true;
    state_.size = size;
  }

  const Digest& digest() const override { throw std::logic_error("nobody asks a DrivenFill"); }
  const std::string& begun_by() const override { throw std::logic_error("nor this"); }
  State state() const override {
    const std::lock_guard lock(mutex_);
    return state_;
  }
  std::shared_ptr<const cache::FileHandle> file() const override { return file_; }
  void when_past(std::uint64_t seen, std::function<void()> wake) override {
    {
      const std::lock_guard lock(mutex_);
      if (state_.version <= seen) {
        waiters_.push_back(std::move(wake));
        return;
      }
    }
    wake();
  }

  /// The bytes are there and may be read.
  void release(std::string_view bytes) {
    change([&] {
      const auto at = static_cast<off_t>(state_.released);
      if (::pwrite(file_->get(), bytes.data(), bytes.size(), at) !=
          static_cast<ssize_t>(bytes.size())) {
        throw std::runtime_error("pwrite");
      }
      state_.released += bytes.size();
    });
  }
  void verify() {
    change([&] {
      state_.size = state_.released;
      state_.verified = true;
    });
  }
  void fail() {
    fail(Error{.code = Errc::upstream_failed,
               .origin = Origin::upstream,
               .message = "the digest is wrong"});
  }
  void fail(const Error& error) {
    change([&] { state_.failed = error; });
  }
  /// A follower waits for the next change.
  bool awaited() const {
    const std::lock_guard lock(mutex_);
    return !waiters_.empty();
  }

 private:
  template <class Change>
  void change(Change apply) {
    std::vector<std::function<void()>> woken;
    {
      const std::lock_guard lock(mutex_);
      apply();
      ++state_.version;
      woken.swap(waiters_);
    }
    for (const auto& wake : woken) wake();
  }

  TempDir dir_;
  std::shared_ptr<const cache::FileHandle> file_;
  mutable std::mutex mutex_;
  State state_;
  std::vector<std::function<void()>> waiters_;
};

/// Bytes without a pattern that a wrong offset could hide in.
inline std::string noise(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t state = 2463534242;
  for (auto& byte : bytes) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    byte = static_cast<char>(state);
  }
  return bytes;
}

}  // namespace archway::test
