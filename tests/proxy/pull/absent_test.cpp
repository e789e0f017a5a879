#include "proxy/pull/absent.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::proxy {
namespace {

using std::chrono::seconds;

const Absent::Time start{};

Error said(Errc code) {
  return {.code = code, .origin = Origin::upstream, .message = "docker.io says no"};
}

TEST_CASE("what an upstream says of an image is believed for a while, a failure is not") {
  struct Row {
    const char* why;
    Error error;
    bool kept;
  };
  for (const auto& row : std::vector<Row>{
           {"no such tag", said(Errc::manifest_unknown), true},
           {"no such repository", said(Errc::name_unknown), true},
           {"not for us", said(Errc::denied), true},
           {"silence", said(Errc::upstream_unreachable), false},
           {"an error of its own", said(Errc::upstream_failed), false},
           {"overload", said(Errc::upstream_busy), false},
           {"our own policy", {.code = Errc::denied, .message = "not allowed"}, false},
       }) {
    CAPTURE(row.why);
    Absent absent(seconds(10));
    absent.remember("docker.io/a:1", row.error, start);
    CHECK(absent.find("docker.io/a:1", start + seconds(9)).has_value() == row.kept);
    CHECK_FALSE(absent.find("docker.io/a:1", start + seconds(10)));
    CHECK_FALSE(absent.find("docker.io/a:2", start));
  }
}

TEST_CASE("it is forgotten when told to, and not kept where nothing is to be") {
  Absent absent(seconds(10));
  absent.remember("docker.io/a:1", said(Errc::manifest_unknown), start);
  absent.clear();
  CHECK_FALSE(absent.find("docker.io/a:1", start));
  Absent nothing(seconds(0));
  nothing.remember("docker.io/a:1", said(Errc::manifest_unknown), start);
  CHECK_FALSE(nothing.find("docker.io/a:1", start));
}

TEST_CASE("names that anybody makes up take no room without end") {
  Absent absent(seconds(10));
  for (std::size_t i = 0; i < Absent::entries_max; ++i) {
    absent.remember(std::to_string(i), said(Errc::name_unknown), start);
  }
  CHECK(absent.find("0", start));
  absent.remember("one more", said(Errc::name_unknown), start + seconds(1));
  CHECK(absent.find("one more", start + seconds(1)));
  CHECK_FALSE(absent.find("0", start + seconds(1)));
}

}  // namespace
}  // namespace archway::proxy
