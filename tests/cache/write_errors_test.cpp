#include "cache/write_errors.hpp"

#include <cerrno>
#include <doctest/doctest.h>
#include <set>
#include <string>
#include <vector>

namespace archway::cache {
namespace {

/// Keeps the keys under which something is seldom said.
class Keys final : public metrics::Log {
 public:
  bool enabled(metrics::Level) const override { return true; }
  void write(metrics::Level, std::string_view, std::vector<metrics::Field>) override { ++others; }
  std::uint64_t dropped() const override { return 0; }
  void write_seldom(std::string_view key, metrics::Level, std::string_view,
                    std::vector<metrics::Field>) override {
    seldom.emplace(key);
  }

  std::multiset<std::string> seldom;
  int others = 0;
};

TEST_CASE("what the disk refuses is counted by why, and said once a minute for each reason") {
  Keys log;
  WriteErrors errors(&log);
  for (const int error : {ENOSPC, ENOSPC, EDQUOT, EIO, EROFS, EMFILE, ENOENT}) {
    errors.note(error, "write fills/x");
  }
  CHECK(errors.counts() == RefusalCounts{2, 1, 1, 1, 2});
  CHECK(log.others == 0);
  CHECK(log.seldom == std::multiset<std::string>{"disk edquot", "disk eio", "disk enospc",
                                                 "disk enospc", "disk erofs", "disk other",
                                                 "disk other"});
}

TEST_CASE("each reason has a word of its own, and no log is needed") {
  std::set<std::string_view> words;
  for (const auto refusal : refusals_all) words.insert(name(refusal));
  CHECK(words == std::set<std::string_view>{"enospc", "edquot", "eio", "erofs", "other"});
  WriteErrors silent(nullptr);
  silent.note(EIO, "write fills/x");
  CHECK(silent.counts().at(static_cast<std::size_t>(Refusal::eio)) == 1);
}

}  // namespace
}  // namespace archway::cache
